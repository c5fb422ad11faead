"""`python -m cyberdesk` is the program `cyberdesk`."""

from cyberdesk.cli import main

main()
