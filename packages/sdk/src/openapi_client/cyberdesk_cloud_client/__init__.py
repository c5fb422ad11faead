"""The import paths of the generated client of old: models, errors and types. All of it is in `cyberdesk`."""
