"""Simulate; the exit code is 0 when every invariant held in every seed."""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.util import Finalize
from threading import Thread

from simulation.database import Disk, a_disk
from simulation.site import Outcome, simulate

PROGRESS_SECONDS = 5.0
PARENT_SECONDS = 1.0
"""How often a process of the pool looks whether the one that made it is still there."""


def main() -> None:
    arguments = _arguments()
    if arguments.seed is not None:
        tell = print if arguments.verbose else None
        with a_disk() as disk:
            failed = _report(simulate(seed, disk, tell=tell) for seed in (arguments.seed,))
    else:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        with ProcessPoolExecutor(arguments.jobs, initializer=_open_disk) as processes:
            failed = _report(processes.map(_simulate, seeds))
    sys.exit(bool(failed))


_disk: Disk
"""Of this process, once it has one."""


def _open_disk() -> None:
    global _disk
    opened = ExitStack()
    _disk = opened.enter_context(a_disk())
    Finalize(None, opened.close, exitpriority=1)  # processes of a pool do not run what `atexit` knows
    Thread(target=_end_with_parent, args=(opened,), daemon=True).start()


def _end_with_parent(opened: ExitStack) -> None:
    """A pool whose maker was killed would wait for seeds for ever."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    opened.close()
    os._exit(1)  # an exception would only end the seed


def _simulate(seed: int) -> Outcome:
    return simulate(seed, _disk)


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m simulation", description=__doc__, epilog="Example: python -m simulation --seeds 200"
    )
    parser.add_argument("--seeds", type=int, default=1000, help="how many; %(default)s when not told")
    parser.add_argument("--first", type=int, default=1, help="the first of them; %(default)s when not told")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--jobs", type=int, help="processes; as many as there are cores when not told")
    parser.add_argument("--verbose", action="store_true", help="with --seed: tell every event")
    return parser.parse_args()


def _report(outcomes: Iterator[Outcome]) -> list[Outcome]:
    """Tell how it goes, and the story of each seed that failed; the failed ones."""
    began = last = time.monotonic()
    failed: list[Outcome] = []
    happened: Counter[str] = Counter()
    seconds, done = 0.0, 0
    for done, outcome in enumerate(outcomes, start=1):
        happened.update(outcome.counts)
        seconds += outcome.simulated_seconds
        if outcome.violation is not None:
            failed.append(outcome)
            print(f"\nseed {outcome.seed} fails: {outcome.violation}\n{outcome.story}")
            print(f"again: python -m simulation --seed {outcome.seed} --verbose\n", flush=True)
        if time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            print(f"{done} seeds, {done / (last - began):.1f} a second, {len(failed)} failed", flush=True)
    took = time.monotonic() - began
    print(
        f"{done} seeds in {took:.1f} s, {seconds / 3600:.1f} simulated hours: {happened['promised']} runs, "
        f"{happened['dies']} deaths, {happened['freezes']} freezes; {len(failed)} seeds failed"
        + (f": {', '.join(str(one.seed) for one in failed[:20])}" if failed else "")
    )
    return failed


if __name__ == "__main__":
    main()
