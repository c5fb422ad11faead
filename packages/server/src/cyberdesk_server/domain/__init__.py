"""What the product means: pure values and rules. Standard library only, no I/O, clock or randomness."""
