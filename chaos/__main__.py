"""Kill, stop and cut real processes while runs go on; the exit code is 0 when every promise was held."""

import sys
import threading
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic, sleep

from cyberdesk import CyberdeskClient, RunStatus

from chaos.blows import Blow, strike
from chaos.callers import Caller, calling, client_of, workflows
from chaos.figures import tell_all
from chaos.orders import Ledger
from chaos.site import Site, a_site
from chaos.takeovers import claims_in, takeovers
from chaos.verdict import ENDED, Told, judge

ROUNDS = 200
DEADLINE_SECONDS = 1500.0
"""For all rounds together: past it no blow begins any more, and the promise counts as broken."""

REST_SECONDS = 1.0
"""Longest rest between two blows."""

LIFE_SECONDS = 30.0
"""How long a blow waits, at most, for life to go on after the one before: a server has to start, and drivers
that lose their line again and again come back after up to 20 s."""

DRAIN_SECONDS = 120.0
"""How long after the last blow everything that was accepted may take to end."""

CALLERS = 4
POLL_SECONDS = 0.5


def main() -> None:
    arguments = _arguments()
    folder = Path(mkdtemp(prefix="cyberdesk-chaos-"))
    try:
        troubles = _chaos(folder, arguments)
    except BaseException:
        print(f"chaos: broken off; logs and data are in {folder}", file=sys.stderr)
        raise
    for trouble in troubles:
        print(f"chaos: {trouble}", file=sys.stderr)
    if troubles:
        print(f"chaos: the promise was broken; logs and data are in {folder}", file=sys.stderr)
        sys.exit(1)
    rmtree(folder)
    print("chaos: nothing lost, nothing doubled, nothing stuck")


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m chaos", description=__doc__, epilog="Example: python -m chaos --rounds 8 --seed 1"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many blows; %(default)s if not told")
    parser.add_argument("--seed", type=int, default=0, help="which blows on whom; %(default)s if not told")
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="%(default)s if not told"
    )
    return parser.parse_args()


def _chaos(folder: Path, arguments: Namespace) -> list[str]:
    """What was not as promised, in sentences; progress and figures are printed."""
    ledger, is_over = Ledger(), threading.Event()
    with ExitStack() as parts:
        site = parts.enter_context(a_site(folder, on_postgresql=arguments.database == "postgresql"))
        client = parts.enter_context(client_of(site.balancer))
        kinds = workflows(client)
        callers = [
            Caller(client, kinds, ledger, Random(f"{arguments.seed} {number}"), is_over)
            for number in range(CALLERS)
        ]
        with calling(callers, is_over) as troubles:
            dealt = _rounds(site, ledger, arguments.rounds, Random(arguments.seed))
            troubles += [f"{name} ended by itself" for name in site.fallen()]
            if not troubles:
                site.settle()
        told = _told_in_the_end(client)
        logs, typed = site.logs(), site.typed()
        logged = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
        verdict = judge(ledger.orders, ledger.accepted, told, typed, logged)
        tell_all(ledger, told, verdict, takeovers(claims_in(logs), dealt))
    if len(dealt) < arguments.rounds:
        troubles.append(f"only {len(dealt)} of {arguments.rounds} rounds")
    return troubles + [f"{word}: {sentence}" for word, found in verdict.findings for sentence in found]


def _rounds(site: Site, ledger: Ledger, rounds: int, random: Random) -> list[Blow]:
    """The blows that were dealt; fewer than `rounds` when time was up, or something fell by itself."""
    dealt: list[Blow] = []
    give_up_at = monotonic() + DEADLINE_SECONDS
    while len(dealt) < rounds and monotonic() < give_up_at and not site.fallen():
        _wait_for_life(site)
        sleep(REST_SECONDS * random.random())
        blow = strike(site, random)
        dealt.append(blow)
        print(f"round {len(dealt)}: {blow}; {len(ledger.accepted)} runs accepted", flush=True)
    return dealt


def _wait_for_life(site: Site) -> None:
    """Until something is typed again, so that the next blow hits runs that go on."""
    before, give_up_at = site.typed(), monotonic() + LIFE_SECONDS
    while site.typed() == before and monotonic() < give_up_at:
        sleep(0.1)


def _told_in_the_end(client: CyberdeskClient) -> list[Told]:
    """Every run there is, once all have ended or their time is over."""
    give_up_at = monotonic() + DRAIN_SECONDS
    while _unfinished(client) and monotonic() < give_up_at:
        sleep(POLL_SECONDS)
    return _told(client)


def _unfinished(client: CyberdeskClient) -> int:
    going_on = (status for status in RunStatus if status not in ENDED)
    return sum(client.runs.list_sync(status=status, limit=1).unwrap().total for status in going_on)


def _told(client: CyberdeskClient) -> list[Told]:
    names = {machine.id: machine.name or "" for machine in client.machines.iterate_sync()}
    return [
        Told(
            id=str(run.id),
            number=int((run.input_values or {})["number"]),
            status=run.status,
            reasons=tuple(run.error or ()),
            desktop=names[run.machine_id] if run.machine_id else "",
        )
        for run in client.runs.iterate_sync(limit=100)
    ]


if __name__ == "__main__":
    main()
