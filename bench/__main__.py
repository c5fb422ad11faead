"""Measurements, one after another; the exit code does not tell whether goals are met, the lines do."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence

from bench import api, drift, first_frame, memory, peers, replay, scheduler, sdk, steps, tunnel, webhooks
from bench.goals import tell

MEASUREMENTS = {
    module.__name__.removeprefix("bench."): module
    for module in (memory, api, first_frame, steps, replay, tunnel, peers, scheduler, sdk, drift, webhooks)
}
ONLY_WHEN_NAMED = frozenset({"drift"})
"""What takes longer than all others together."""


def main() -> None:
    chosen = [MEASUREMENTS[name] for name in _names(sys.argv[1:])]
    tell("load_average_before", os.getloadavg()[0])  # other work on this machine makes every number worse
    for module in chosen:
        module.measure()


def _names(arguments: Sequence[str]) -> Sequence[str]:
    """Those that are asked for, in that order, or all. Ends the program when one is unknown."""
    parser = ArgumentParser(
        prog="python -m bench",
        description="Measure the product on this machine, and print a line per figure and per goal.",
        epilog=_epilog(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="what to measure; everything but drift when none is named"
    )
    names: list[str] = parser.parse_args(arguments).names
    for name in names:
        if name not in MEASUREMENTS:
            parser.exit(
                2, f"bench: no measurement is called {name!r}; choose from {', '.join(MEASUREMENTS)}\n"
            )
    return names or [name for name in MEASUREMENTS if name not in ONLY_WHEN_NAMED]


def _epilog() -> str:
    lines = [f"  {name:12} {_first_line(module.__doc__)}" for name, module in MEASUREMENTS.items()]
    return "\n".join(["names:", *lines, "", "example:", "  python -m bench tunnel memory"])


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


if __name__ == "__main__":
    main()
