"""Measurements of the whole product on this machine. `python -m bench` runs all of them."""
