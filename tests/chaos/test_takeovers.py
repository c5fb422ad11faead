"""How long a run was nobody's, as `make chaos` reads it from logs and blows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from chaos.blows import Blow, Kind
from chaos.takeovers import Claimed, claims_in, takeovers

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_claim(attempt: int, seconds: float, server: str = "server-1") -> Claimed:
    return Claimed("run", attempt, server, at(seconds))


def a_blow(kind: Kind, began: float, over: float, victim: str = "server-1") -> Blow:
    return Blow(kind, victim, at(began), at(over))


def test_claims_are_read_from_logs_that_end_in_the_middle(tmp_path: Path) -> None:
    folder = tmp_path / "server-2"
    folder.mkdir()
    log = folder / "server-0.log"
    line = '{"event": "run claimed", "run_id": "run", "attempt": 3, "timestamp": "2030-01-01T12:00:01Z"}'
    log.write_text(f'ready: http://…\n{{"event": "request"}}\n{line}\n{line[:40]}')

    assert list(claims_in([log])) == [a_claim(3, 1, "server-2")]


def test_a_takeover_counts_from_the_blow_to_the_worker_that_had_the_run() -> None:
    killed = a_blow(Kind.SERVER_KILLED, 5, 7)
    other = a_blow(Kind.SERVER_KILLED, 6, 7, "server-2")

    [takeover] = takeovers([a_claim(1, 1), a_claim(2, 8, "server-2")], [killed, other])

    assert (takeover.seconds, takeover.blow) == (3, killed)


def test_a_worker_that_was_paused_first_kept_its_run_until_it_was_killed() -> None:
    blows = [a_blow(Kind.SERVER_PAUSED, 2, 3), a_blow(Kind.SERVER_KILLED, 5, 7)]

    [takeover] = takeovers([a_claim(1, 1), a_claim(2, 8)], blows)

    assert takeover.seconds == 3


def test_a_blow_before_the_claim_took_nothing_away() -> None:
    [takeover] = takeovers([a_claim(1, 3), a_claim(2, 8)], [a_blow(Kind.SERVER_KILLED, 1, 2)])

    assert (takeover.seconds, takeover.blow) == (5, None)


def test_nobody_can_claim_while_the_database_is_away() -> None:
    [takeover] = takeovers(
        [a_claim(1, 1), a_claim(2, 8)], [a_blow(Kind.DATABASE_KILLED, 2, 7, victim="database")]
    )

    assert takeover.seconds == 1


def test_a_claim_under_way_when_its_server_is_stopped_is_lost_by_that() -> None:
    stopped = a_blow(Kind.SERVER_STOPPED, 1, 4)

    [takeover] = takeovers([a_claim(1, 1.2), a_claim(2, 4.2)], [stopped])

    assert (takeover.seconds, takeover.blow) == (3, stopped)
