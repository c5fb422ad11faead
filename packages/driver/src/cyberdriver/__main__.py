"""`python -m cyberdriver` is the program `cyberdriver`."""

from cyberdriver.cli import main

main()
