"""All measurements, one after another; the exit code does not tell whether goals are met, the lines do."""

import uvloop

from bench import first_frame, memory, steps, tunnel


def main() -> None:
    memory.measure()
    uvloop.run(first_frame.measure())
    steps.measure()
    uvloop.run(tunnel.measure())


if __name__ == "__main__":
    main()
