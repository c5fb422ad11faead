"""Which API this is, for those who have no key: never which program answers, or how old it is."""

API_VERSION = "1.0.0"
"""Of what `/openapi.json` describes under `/v1`. It stays when the server gets a new version."""
