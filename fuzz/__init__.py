"""Requests nobody would think of, sent to a live server: `python -m fuzz`, or `make fuzz`.

`site` starts what is asked, `hooks` and `schemathesis.toml` say what is asked and what may be answered,
`verdict` counts what the server says it answered.
"""
