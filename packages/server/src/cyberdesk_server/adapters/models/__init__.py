"""Models: who decides what a run does next."""
