"""Replays on a clinic that drifts: what goes right, what goes wrong unseen, what stops without need.

    python -m bench.drift --runs 200 --seed 7

The truth comes from the clinic: it writes down what is done to it. What it was told must be the beginning of
what the workflow asks for, and all of it when the run says that it succeeded. Every run is made twice, with
the guard and without. Then `steps` meets some of the drifts with a recording and without one: warm and cold.
"""

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from cyberdesk_server.testing.programs import ServerProgram

from bench.drift_stage import Lane, lanes, model_that_hands_over
from bench.drift_tries import GUARDS, WAYS, Outcome, Try, recorded, tries
from bench.drifts import KINDS, Kind
from bench.goals import Goal, tell

RUNS = 500
"""With the guard, and as many without: a thousand replays."""

SEED = 1
LANES = 4
"""Desktops beside one another: most of a replay that meets a drift is waiting."""

WARM_SEEDS = 5
WARM_RUNS = 8
FALSE_HALTS_PERCENT = 5

Workflows = Mapping[str, Mapping[str, str]]
"""By way and name, as `recorded` makes them."""


def measure(
    *,
    runs: int = RUNS,
    seed: int = SEED,
    count: int = LANES,
    guards: Sequence[str] = GUARDS,
    warm_seeds: int = WARM_SEEDS,
    is_verbose: bool = False,
) -> None:
    with TemporaryDirectory() as text, model_that_hands_over() as model_url:
        folder = Path(text)
        server = ServerProgram(folder, {"CYBERDESK_MODEL_URLS": model_url})
        with server.up(), lanes(server, folder, count) as some:
            workflows = {way.name: recorded(some[0], way, model_url) for way in WAYS}
            drawn = list(tries(Random(seed), runs))
            for guard in guards:
                outcomes = _outcomes(some, drawn, workflows, guard)
                if is_verbose:
                    _tell_each(outcomes)
                _tell(guard, outcomes)
            _warm_and_cold(some, workflows, range(seed, seed + warm_seeds), is_verbose=is_verbose)


def _warm_and_cold(
    some: Sequence[Lane], workflows: Workflows, seeds: Sequence[int], *, is_verbose: bool
) -> None:
    """The same drifts with a recording and without."""
    worse = 0
    for number, seed in enumerate(seeds):
        drawn = list(tries(Random(seed), WARM_RUNS, first=number * WARM_RUNS))
        warm, cold = (_outcomes(some, drawn, workflows, name) for name in ("warm", "cold"))
        if is_verbose:
            _tell_each([*warm, *cold])
        right = [sum(one.is_right for one in outcomes) for outcomes in (warm, cold)]
        wrong = [sum(one.is_wrong for one in outcomes) for outcomes in (warm, cold)]
        seconds = [round(median(one.seen.seconds for one in outcomes), 1) for outcomes in (warm, cold)]
        print(f"drift seed {seed} warm and cold: right {right}, wrong {wrong}, seconds {seconds}", flush=True)
        worse += right[0] < right[1] or wrong[0] > wrong[1]
    if seeds:
        Goal("drift_seeds_in_which_warm_is_worse_than_cold", 0).tell(worse)


def _outcomes(some: Sequence[Lane], drawn: Sequence[Try], workflows: Workflows, name: str) -> list[Outcome]:
    """Of all tries with the workflows of this name, each on whichever lane is free."""
    free: SimpleQueue[Lane] = SimpleQueue()
    for lane in some:
        free.put(lane)

    def outcome(one: Try) -> Outcome:
        lane = free.get()
        try:
            return Outcome(one, lane.run(workflows[one.way.name][name], one.inputs, one.options))
        finally:
            free.put(lane)

    with ThreadPoolExecutor(len(some)) as pool:
        return list(pool.map(outcome, drawn))


def _tell(guard: str, outcomes: Sequence[Outcome]) -> None:
    print(f"drift guard {guard}: kind, harm, runs, right, wrong, wrong and said to be right, halted, seconds")
    for kind in KINDS:
        some = [one for one in outcomes if one.tried.kind is kind]
        if some:
            _tell_kind(kind, some)
    name = f"drift_guard_{guard}"
    harmless = [one for one in outcomes if one.tried.kind.is_harmless]
    harmful = [one for one in outcomes if not one.tried.kind.is_harmless]
    tell(f"{name}_runs", len(outcomes))
    tell(f"{name}_right_on_harmless_percent", _percent(one.is_right for one in harmless))
    tell(f"{name}_right_or_halted_on_harmful_percent", _percent(not one.is_wrong for one in harmful))
    tell(f"{name}_wrong_effects", sum(one.is_wrong for one in outcomes))
    Goal(f"{name}_silent_wrong_effects", 0).tell(sum(one.is_wrong and one.said_success for one in outcomes))
    Goal(f"{name}_false_halts_percent", FALSE_HALTS_PERCENT).tell(_percent(one.halted for one in harmless))


def _tell_each(outcomes: Sequence[Outcome]) -> None:
    """What did not go right, and what the guard said last."""
    for number, one in enumerate(outcomes):
        if not one.is_right:
            name = f"{one.tried.kind.name} {one.tried.way.name}"
            what = "did wrong" if one.is_wrong else "halted"
            told = f"{len(one.seen.deeds)} deeds; {dict(one.tried.scene.drift)}; {_last_verdict(one)}"
            print(f"try {number} {name} {what}: {told}")


def _last_verdict(outcome: Outcome) -> str:
    told = [message.get("cache_detection") for message in outcome.seen.run.run_message_history or ()]
    last = next((one for one in reversed(told) if one), None)
    return f"step {last['step']}: {last['reason']}" if last else "nothing was compared"


def _tell_kind(kind: Kind, some: Sequence[Outcome]) -> None:
    told = [
        len(some),
        sum(one.is_right for one in some),
        sum(one.is_wrong for one in some),
        sum(one.is_wrong and one.said_success for one in some),
        sum(one.halted for one in some),
    ]
    seconds = median(one.seen.seconds for one in some)
    harm = "harmless" if kind.is_harmless else "harmful"
    print(
        f"drift {kind.name:16} {harm:9}", *(f"{number:5}" for number in told), f"{seconds:6.1f}", flush=True
    )


def _percent(some: Iterable[bool]) -> float:
    claims = list(some)
    return 100 * sum(claims) / len(claims) if claims else 0.0


def main() -> None:
    parser = ArgumentParser(
        prog="python -m bench.drift", description="Replay a workflow on a clinic that drifts."
    )
    parser.add_argument("--runs", type=int, default=RUNS, help=f"how many with each guard; {RUNS} without it")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--lanes", type=int, default=LANES, help="desktops beside one another")
    parser.add_argument("--guard", choices=GUARDS, help="one of the two only")
    parser.add_argument("--warm-seeds", type=int, default=WARM_SEEDS, help="seeds of warm and cold runs")
    parser.add_argument("--verbose", action="store_true", help="tell of each run that did not go right")
    options = parser.parse_args()
    measure(
        runs=options.runs,
        seed=options.seed,
        count=options.lanes,
        guards=[options.guard] if options.guard else GUARDS,
        warm_seeds=options.warm_seeds,
        is_verbose=options.verbose,
    )


if __name__ == "__main__":
    main()
