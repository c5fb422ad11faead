"""`python -m cyberdesk.cli` is the program `cyberdesk`."""

from cyberdesk.cli import main

main()
