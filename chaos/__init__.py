"""Real processes are killed, stopped and cut off while runs go on: `python -m chaos`, or `make chaos`.

`site` starts what is hit, `blows` hit it, `callers` want runs and write down what they were promised;
`verdict` compares that with what the server says and what the desktops got, `takeovers` with what the
servers logged.
"""
