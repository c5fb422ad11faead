"""What callers can have done: one function per verb, one module per noun.

A use case works inside the caller's transaction and raises a `Refused` for what the product does not allow,
which undoes the transaction.
"""
