"""What a run of chaos prints in the end: a line per figure and goal, as `bench` does, and the reasons."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from bench.goals import Goal, tell
from chaos.blows import Kind
from chaos.orders import Ledger
from chaos.takeovers import Takeover
from chaos.verdict import Told, Verdict

SLOWEST_TOLD = 5


def tell_all(ledger: Ledger, told: Sequence[Told], verdict: Verdict, taken: Sequence[Takeover]) -> None:
    """Every figure and goal."""
    tell("chaos_runs_accepted", len(ledger.accepted))
    tell("chaos_creates_without_an_answer", len(ledger.orders) - len(ledger.accepted))
    for status, count in sorted(Counter(run.status for run in told).items()):
        tell(f"chaos_runs_{status}", count)
    for word, found in verdict.findings:
        Goal(f"chaos_{word}", 0).tell(len(found))
    _tell_takeovers(taken)
    _tell_counts("ended with", (_without_ids(reason) for run in told for reason in run.reasons))
    _tell_counts("was refused with", ledger.refused.elements())


def _tell_takeovers(taken: Sequence[Takeover]) -> None:
    """Where no other server was up, a run waited until one had started: that is told apart."""
    abrupt = [one for one in taken if one.blow and one.blow.kind is not Kind.SERVER_STOPPED]
    graceful = [one for one in taken if one.blow and one.blow.kind is Kind.SERVER_STOPPED]
    _tell_p99("chaos_takeover", abrupt, Goal("chaos_takeover_p99_s", 5))
    _tell_p99("chaos_handover", graceful, Goal("chaos_handover_p99_s", 1))
    tell("chaos_takeovers", len(taken))
    tell("chaos_takeovers_without_a_blow", sum(one.blow is None for one in taken))
    for one in sorted(taken, key=lambda one: one.seconds)[-SLOWEST_TOLD:]:
        print(f"slow: {one.seconds:.2f} s until run {one.claim.run_id} was claimed again; {one.blow}")


def _without_ids(reason: str) -> str:
    return re.sub(r"\d+", "N", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", reason))


def _tell_counts(what: str, reasons: Iterable[str]) -> None:
    for reason, count in Counter(reasons).most_common():
        print(f"{count} {what}: {reason}")


def _tell_p99(name: str, taken: Sequence[Takeover], by_others: Goal) -> None:
    others = [one.seconds for one in taken if one.blow and one.blow.leaves_a_server]
    itself = [one.seconds for one in taken if one.blow and not one.blow.leaves_a_server]
    if others:
        by_others.tell(_p99(others))
    if itself:
        tell(f"{name}_after_a_start_p99_s", _p99(itself))


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[ceil(0.99 * len(seconds)) - 1]
