"""The server through storms that never were: `python -m simulation`, or `make simulate`.

`loop` runs several processes in one thread without real time. `database`, `network`, `driver` and `models`
are the world around them, `server` is the real code. `callers` ask it, `faults` befall it, an `operator`
starts it again, `invariants` judge it. `site` brings them together for one seed, `story` tells what happened.
"""
