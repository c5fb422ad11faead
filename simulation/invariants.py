"""What must hold after every commit, and what must have come of everything in the end.

The numbers are those of docs/explanation/architecture.md. The checks read the database themselves, with SQL
of their own, so that no mistake of the store hides itself.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.ids import MachineId

from simulation.callers import PLAINTEXT, Known
from simulation.driver import Desktop
from simulation.models import Script
from simulation.screen import ink_of, shows
from simulation.story import Violation

TERMINAL = frozenset({"success", "task_failed", "error", "cancelled"})
MOVES = {
    "scheduling": {"running"} | TERMINAL,
    "running": {"running_checks"} | TERMINAL,
    "running_checks": TERMINAL,
}
WRITTEN_ONCE = ("status", "error", "output_data", "usage_metadata", "ended_at")
"""Columns of an ended run that nobody changes any more, unless it is started over."""

Row = Mapping[str, Any]


def require(holds: bool, invariant: str) -> None:
    if not holds:
        raise Violation(invariant)


class Watcher:
    """Looks at every state of the database there is."""

    def __init__(self, path: Path, known: Known, time: Callable[[], float]) -> None:
        self._known = known
        self._time = time
        self._conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._conn.row_factory = sqlite3.Row
        self._runs: dict[str, Row] = {}
        self._ended_sessions: dict[str, str] = {}
        self._ended_tries: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._conn.close()

    def rows(self, query: str) -> list[Row]:
        return self._conn.execute(query).fetchall()

    def look(self) -> None:
        """After a commit. Raises `Violation`."""
        runs = {row["id"]: row for row in self.rows("SELECT * FROM runs")}
        machines = self.rows("SELECT id, held_by_run_id, reserved_session_id FROM machines")
        sessions = self.rows("SELECT id, machine_id, ended_at FROM sessions")
        self._check_life_cycles(runs)
        self._check_holders(runs.values(), machines)
        self._check_sessions(runs, machines, sessions)
        self._check_secrets(runs)
        self._runs = runs

    def _check_life_cycles(self, runs: Mapping[str, Row]) -> None:
        for id_, before in self._runs.items():
            now = runs.get(id_)
            if now is None:
                require(UUID(id_) in self._known.may_be_deleted, f"1: run {id_} is lost")
                require(before["status"] in TERMINAL, f"1: run {id_} was deleted while {before['status']}")
            elif tuple(now) != tuple(before):
                self._check_change(before, now)

    def _check_change(self, before: Row, now: Row) -> None:
        id_ = now["id"]
        require(now["attempt"] >= before["attempt"], f"4: the attempt of run {id_} fell")
        if now["retries"] != before["retries"]:
            asked = UUID(id_) in self._known.may_be_retried
            require(asked and before["status"] in TERMINAL, f"1: run {id_} started over by itself")
        elif before["status"] in TERMINAL:
            for column in WRITTEN_ONCE:
                require(now[column] == before[column], f"1, 4: {column} of run {id_} changed after its end")
        elif now["status"] != before["status"]:
            move = f"{before['status']} to {now['status']}"
            require(now["status"] in MOVES[before["status"]], f"1: run {id_} went from {move}")
            if now["status"] in TERMINAL:
                self._ended_tries[f"{id_}/{now['retries']}"] = self._time()

    def _check_holders(self, runs: Iterable[Row], machines: Sequence[Row]) -> None:
        leased = [run for run in runs if run["lease_expires_at"] is not None]
        held = [run for run in leased if not run["has_left_machine"]]
        holders = {machine["id"]: machine["held_by_run_id"] for machine in machines}
        for run in held:
            require(holders.get(run["machine_id"]) == run["id"], f"2: run {run['id']} holds no machine")
        for machine_id, run_id in holders.items():
            claims = [run for run in held if run["machine_id"] == machine_id]
            require(len(claims) == (run_id is not None), f"2: machine {machine_id} has {len(claims)} runs")
        for run in runs:
            if run["status"] in ("running", "running_checks"):
                require(run["lease_expires_at"] is not None, f"1: nobody ever takes run {run['id']} over")
            leaves = run["status"] == "running_checks" and run["session_id"] is None
            require(
                run["has_left_machine"] == leaves or run["status"] in TERMINAL,
                f"2: run {run['id']} left its machine, or did not, while {run['status']}",
            )

    def _check_sessions(
        self, runs: Mapping[str, Row], machines: Sequence[Row], sessions: Sequence[Row]
    ) -> None:
        going_on = {session["id"] for session in sessions if session["ended_at"] is None}
        for session in sessions:
            ended_at = self._ended_sessions.get(session["id"])
            require(ended_at in (None, session["ended_at"]), f"3: session {session['id']} ended twice")
            if session["ended_at"] is not None:
                self._ended_sessions[session["id"]] = session["ended_at"]
        for machine in machines:
            reserved = machine["reserved_session_id"]
            require(
                reserved is None or reserved in going_on, f"3: session {reserved} holds on to its machine"
            )
        reservations = Counter(one["machine_id"] for one in sessions if one["ended_at"] is None)
        del reservations[None]
        require(max(reservations.values(), default=0) <= 1, "3: two sessions have one machine")
        reserved_for = {machine["id"]: machine["reserved_session_id"] for machine in machines}
        together = _by("session_id", runs.values())
        for run in runs.values():
            before = self._runs.get(run["id"])
            if run["status"] == "running" and (before is None or before["status"] == "scheduling"):
                session_id = reserved_for[run["machine_id"]]
                require(session_id in (None, run["session_id"]), f"3: run {run['id']} on a reserved machine")
                self._check_order(run, together.get(run["session_id"], ()))

    def _check_order(self, run: Row, together: Sequence[Row]) -> None:
        """Of a run that has just been claimed, inside its session and its chain."""
        for other in together:
            if other["id"] == run["id"] or other["retries"] or run["retries"]:
                continue  # a run that starts over keeps its age and joins behind what waits for the machine
            goes_on = other["status"] in ("running", "running_checks")
            require(not goes_on, f"3: runs {other['id']} and {run['id']} at once in a session")
            is_before = (other["created_at"], other["id"]) < (run["created_at"], run["id"])
            waits = other["status"] == "scheduling"
            require(not (is_before and waits), f"3: run {run['id']} before run {other['id']} of its session")
            if is_before and run["chain_id"] is not None and other["chain_id"] == run["chain_id"]:
                require(other["status"] == "success", f"3: step {run['id']} after {other['status']}")

    def _check_secrets(self, runs: Mapping[str, Row]) -> None:
        for (run_id,) in self._conn.execute("SELECT DISTINCT run_id FROM secrets WHERE run_id IS NOT NULL"):
            ended = runs[run_id]["status"] in TERMINAL
            require(not ended, f"6: the secrets of run {run_id} outlive it")

    def machines(self) -> list[MachineId]:
        """The machines there are, in the order in which they joined."""
        return [MachineId(UUID(row["id"])) for row in self.rows("SELECT id FROM machines ORDER BY rowid")]

    def idle_reservations(self) -> list[MachineId]:
        """Machines that are kept for a session in which nothing is left to do."""
        left = "SELECT 1 FROM runs WHERE session_id = reserved_session_id AND ended_at IS NULL"
        wanted = f"SELECT id FROM machines WHERE reserved_session_id IS NOT NULL AND NOT EXISTS ({left})"
        return [MachineId(UUID(row["id"])) for row in self.rows(wanted)]

    def is_settled(self) -> bool:
        """Nothing waits, nothing runs, nothing is held."""
        [(left,)] = self._conn.execute(
            "SELECT count(*) FROM runs WHERE lease_expires_at IS NOT NULL OR ended_at IS NULL"
        ).fetchall()
        return not left

    def check_end(self, desktops: Sequence[Desktop], pictures: Mapping[str, bytes]) -> None:
        """When everything has had its time. Raises `Violation`.

        `pictures` are what is kept of screens, by the key of the blob.
        """
        runs = {row["id"]: row for row in self.rows("SELECT * FROM runs")}
        for run_id in self._known.runs:
            require(str(run_id) in runs or run_id in self._known.may_be_deleted, f"1: run {run_id} is lost")
        for run in runs.values():
            require(run["status"] in TERMINAL, f"1: run {run['id']} is stuck in {run['status']}")
            require(run["lease_expires_at"] is None, f"2: run {run['id']} never lets go of its machine")
        for desktop in desktops:
            _check_deeds(desktop)
        self._check_work_done(runs.values(), desktops)
        self._check_ends(desktops)
        self._check_plaintexts()
        self._check_pictures(pictures)

    def _check_work_done(self, runs: Iterable[Row], desktops: Sequence[Desktop]) -> None:
        """What the journal says was done was done, once and in order; a run that succeeded did all it could.

        Only an action whose outcome nobody knows may be missing, and what its turn held behind it.
        """
        done: defaultdict[str, list[str]] = defaultdict(list)
        for desktop in desktops:
            for label in filter(None, map(_label_of, desktop.deeds)):
                done[label.rpartition("/")[0]].append(label)
        steps = _by("run_id", self.rows("SELECT run_id, retry, state, arguments FROM steps"))
        for run in runs:
            labels = Script(UUID(run["id"]), run["retries"]).labels
            did = done[f"{run['id']}/{run['retries']}"]
            require(did == [label for label in labels if label in did], f"5: run {run['id']} in disorder")
            journal = [step for step in steps.get(run["id"], ()) if step["retry"] == run["retries"]]
            written = [step["arguments"] for step in journal if step["state"] == "done"]
            missing = [one for one in labels if one not in did and any(one in text for text in written)]
            require(not missing, f"5: {missing} was written down and not done")
            if run["status"] == "success" and all(step["state"] == "done" for step in journal):
                require(did == labels, f"5: run {run['id']} did {len(did)} of {len(labels)} actions")

    def _check_ends(self, desktops: Sequence[Desktop]) -> None:
        """Who carries an ended run out may be about to do something, and finds out before the next thing."""
        late: Counter[str] = Counter()
        for deed in (deed for desktop in desktops for deed in desktop.deeds):
            this_try = (_label_of(deed) or "").rpartition("/")[0]
            late[this_try] += deed.at > self._ended_tries.get(this_try, inf)
        for this_try, times in late.items():
            require(times <= 1, f"4: {times} actions of try {this_try} after its end")

    def _check_plaintexts(self) -> None:
        for line in self._conn.iterdump():
            require(PLAINTEXT not in line, f"6: a plaintext is in the database: {line[:200]}")

    def _check_pictures(self, pictures: Mapping[str, bytes]) -> None:
        """Every action types a secret: nothing that a try has typed is to be read in its own pictures."""
        seen = "SELECT run_id, retry, number, screen FROM steps WHERE screen IS NOT NULL"
        for step in self.rows(seen):
            picture = pictures[blob_key_of(step["screen"])]
            ink = ink_of(f"{step['run_id']}/{step['retry']}/{step['number']}")
            place = f"in front of step {step['number']} of run {step['run_id']}"
            require(not shows(picture, ink), f"6: a secret shows {place}")


def _check_deeds(desktop: Desktop) -> None:
    ids = Counter(deed.action_id for deed in desktop.deeds if deed.action_id is not None)
    labels = [label for deed in desktop.deeds if (label := _label_of(deed))]
    for counted in (ids, Counter(labels)):
        twice = [what for what, times in counted.items() if times > 1]
        require(not twice, f"5: {twice} was done twice")
    tries = [label.rpartition("/")[0] for label in labels]
    order = [one for one, before in zip(tries, [None, *tries], strict=False) if one != before]
    mixed = [one for one, times in Counter(order).items() if times > 1]
    require(not mixed, f"2: something else was done in the middle of {mixed}")


def _label_of(deed: Any) -> str | None:
    words = deed.what.split(" ")
    return words[1] if words[0] == "type" else None


def _by(column: str, rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row[column] is not None:
            grouped[row[column]].append(row)
    return grouped
