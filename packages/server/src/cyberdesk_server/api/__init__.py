"""HTTP as the contract says: one module per noun."""
