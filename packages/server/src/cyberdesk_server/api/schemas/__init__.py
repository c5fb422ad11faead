"""The shapes of requests and answers, named and typed as in the contract.

Requests are read through these models. Answers are written from values of the domain (`api.views`); their
models are the description in `/openapi.json`, and a test holds the two together.
"""
