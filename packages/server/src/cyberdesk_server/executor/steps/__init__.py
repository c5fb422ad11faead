"""The built-in model `steps`: prompts written as steps, followed without a key and without a network.

The language is described, with examples that are tests, in `docs/reference/steps.md`.
"""
