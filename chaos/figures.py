"""What a run of chaos prints in the end: a line per figure and goal, as `bench` does, and the reasons."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from bench.goals import Goal, tell
from chaos.orders import Ledger
from chaos.takeovers import Takeover
from chaos.verdict import Told, Verdict

SLOWEST_TOLD = 5


def tell_all(
    ledger: Ledger,
    told: Sequence[Told],
    verdict: Verdict,
    taken: Sequence[Takeover],
    *,
    is_anybody_left: bool,
) -> None:
    """Every figure and goal. `is_anybody_left` says that there are other servers when one is down."""
    tell("chaos_runs_accepted", len(ledger.accepted))
    tell("chaos_creates_without_an_answer", len(ledger.orders) - len(ledger.accepted))
    for status, count in sorted(Counter(run.status for run in told).items()):
        tell(f"chaos_runs_{status}", count)
    for word, found in verdict.findings:
        Goal(f"chaos_{word}", 0).tell(len(found))
    _tell_takeovers(taken, is_anybody_left=is_anybody_left)
    _tell_counts("ended with", (re.sub(r"\d+", "N", reason) for run in told for reason in run.reasons))
    _tell_counts("was refused with", ledger.refused.elements())


def _tell_takeovers(taken: Sequence[Takeover], *, is_anybody_left: bool) -> None:
    """Where a server that stops is the only one, its run waits until it is started again."""
    abrupt = [one.seconds for one in taken if one.blow and not one.is_graceful]
    graceful = [one.seconds for one in taken if one.is_graceful]
    if abrupt:
        Goal("chaos_takeover_p99_s", 5).tell(_p99(abrupt))
    if graceful and is_anybody_left:
        Goal("chaos_takeover_after_graceful_stop_p99_s", 1).tell(_p99(graceful))
    elif graceful:
        tell("chaos_takeover_after_graceful_stop_and_start_p99_s", _p99(graceful))
    tell("chaos_takeovers", len(taken))
    tell("chaos_takeovers_without_a_blow", sum(one.blow is None for one in taken))
    for one in sorted(taken, key=lambda one: one.seconds)[-SLOWEST_TOLD:]:
        print(f"slow: {one.seconds:.2f} s until run {one.claim.run_id} was claimed again; {one.blow}")


def _tell_counts(what: str, reasons: Iterable[str]) -> None:
    for reason, count in Counter(reasons).most_common():
        print(f"{count} {what}: {reason}")


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[ceil(0.99 * len(seconds)) - 1]
