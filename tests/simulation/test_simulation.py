"""The simulation holds for its first seeds, repeats a seed exactly, and sees an invariant that is broken."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyberdesk_server.executor import covers
from cyberdesk_server.store import leases, secrets, steps
from cyberdriver.journal import Begin, Journal

from simulation.database import Disk, a_disk
from simulation.site import simulate

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1, 26)
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    with a_disk() as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_every_invariant_holds(disk: Disk) -> None:
    happened: Counter[str] = Counter()
    for seed in SEEDS:
        outcome = simulate(seed, disk)
        happened.update(outcome.counts)

        assert outcome.violation is None, f"seed {seed}: {outcome.violation}\n{outcome.story}"
    assert min(happened[what] for what in ("promised", "dies", "run ended", "asks: retry")) > len(SEEDS) / 2


@pytest.mark.slow
def test_a_seed_is_the_same_course_of_events_each_time(disk: Disk) -> None:
    first, between, again = (simulate(seed, disk) for seed in (7, 8, 7))

    assert first == again
    assert first.trace != between.trace


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_a_seed_is_the_same_in_another_process() -> None:
    command = [sys.executable, "-m", "simulation", "--seed", "7", "--verbose"]

    def told(hash_seed: str) -> list[str]:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return done.stdout.splitlines()[:-1]  # the last line says how long it took

    assert told("1") == told("2")


@pytest.mark.slow
def test_secrets_that_outlive_their_run_are_seen(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def keep(*_: Any) -> None:
        return

    monkeypatch.setattr(secrets, "forget_runs", keep)

    assert "6: the secrets of run" in str(simulate(1, disk).violation)


@pytest.mark.slow
def test_a_secret_that_is_not_covered_is_seen(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covers, "_painted", lambda screenshot, *_: screenshot)
    violations = (simulate(seed, disk).violation for seed in SEEDS)

    assert next(filter(None, violations)).startswith("6: a secret shows")


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_a_run_that_goes_on_after_its_end_is_seen(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two places see to it that none does, the moment before an action and the journal: without both."""

    async def may_act(*_: Any) -> bool:
        return True

    monkeypatch.setattr(leases, "may_act", may_act)
    monkeypatch.setattr(steps, "_GOING_ON", steps._OURS)
    violations = (simulate(seed, disk).violation for seed in range(1, 151))  # one in 30 sees it

    assert "actions of try" in next(filter(None, violations))


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_an_action_that_is_done_twice_is_seen(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "begin", lambda *_: Begin())  # a driver that remembers nothing
    violations = (simulate(seed, disk).violation for seed in SEEDS)

    assert next(filter(None, violations)).startswith("5: ")
