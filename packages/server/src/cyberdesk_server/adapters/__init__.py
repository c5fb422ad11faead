"""The ports of the server, each in its embedded form."""
