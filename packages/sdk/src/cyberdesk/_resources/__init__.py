"""One module per group of methods, named like the attribute of the client."""
