"""All measurements, one after another; the exit code does not tell whether goals are met, the lines do."""

import os

import uvloop

from bench import first_frame, memory, steps, tunnel
from bench.goals import tell


def main() -> None:
    tell("load_average_before", os.getloadavg()[0])  # other work on this machine makes every number worse
    memory.measure()
    uvloop.run(first_frame.measure())
    steps.measure()
    uvloop.run(tunnel.measure())


if __name__ == "__main__":
    main()
