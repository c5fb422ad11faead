"""Which run of which organization a server claims, told so simply that it is obviously right.

There is no database in here: `tests/store/test_claims_against_a_model.py` does the same to one.
"""

from dataclasses import dataclass, field
from datetime import datetime

from cyberdesk_server.domain.ids import (
    ConnectionId,
    MachineId,
    OrganizationId,
    PoolId,
    RunId,
    ServerId,
    SessionId,
)
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.testing.rows import NOON

ORGANIZATIONS = OrganizationId("org_a"), OrganizationId("org_b")


@dataclass(eq=False)
class ModelMachine:
    organization: OrganizationId
    id: MachineId
    fingerprint: str
    connection_id: ConnectionId
    server: ServerId | None
    """None while it is not connected."""

    is_available: bool = True
    pools: frozenset[PoolId] = frozenset()


@dataclass(eq=False)
class ModelSession:
    organization: OrganizationId
    id: SessionId
    machine: ModelMachine | None = None
    ended_at: datetime | None = None


@dataclass(eq=False)
class ModelRun:
    organization: OrganizationId
    id: RunId
    created_at: datetime
    wanted: ModelMachine | None = None
    pools: frozenset[PoolId] = frozenset()
    session: ModelSession | None = None
    is_priority: bool = False
    releases: bool = False
    status: RunStatus = RunStatus.SCHEDULING
    attempt: int = 0
    machine: ModelMachine | None = None
    """The one it names: asked for, reserved for its session, or taken."""

    lease_until: datetime | None = None
    server: ServerId | None = None
    """In whose hands it is."""

    def has_expired(self, now: datetime) -> bool:
        return self.lease_until is not None and self.lease_until <= now


@dataclass
class Model:
    now: datetime = NOON
    machines: list[ModelMachine] = field(default_factory=list)
    sessions: list[ModelSession] = field(default_factory=list)
    runs: list[ModelRun] = field(default_factory=list)
    line: list[OrganizationId] = field(default_factory=lambda: list(ORGANIZATIONS))
    """The organization whose last claim is longest ago first."""

    def machines_for(self, run: ModelRun, server: ServerId) -> list[ModelMachine]:
        """The machines this server could give this waiting run now."""
        idle = [machine for machine in self.free(server) if machine.organization == run.organization]
        if run.session is not None and run is not self.unfinished(run.session)[0]:
            return []
        if run.session is not None and run.session.machine is not None:
            return [machine for machine in idle if machine is run.session.machine]
        return [
            machine
            for machine in idle
            if self.reserving(machine) is None
            and run.wanted in (None, machine)
            and run.pools <= machine.pools
        ]

    def free(self, server: ServerId) -> list[ModelMachine]:
        held = [run.machine for run in self.runs if run.lease_until is not None]
        return [m for m in self.machines if m.server == server and m.is_available and m not in held]

    def reserving(self, machine: ModelMachine) -> ModelSession | None:
        for session in self.sessions:
            if session.machine is machine and session.ended_at is None:
                return session
        return None

    def unfinished(self, session: ModelSession) -> list[ModelRun]:
        return [run for run in self.runs if run.session is session and not run.status.is_terminal]

    def claim(self, server: ServerId) -> ModelRun | None:
        """The run this server's next claim must answer; its machine is left to the caller."""
        expired = [run for run in self.runs if run.has_expired(self.now) and run.server in (server, None)]
        for run in expired:
            if run.status.is_terminal:
                run.lease_until = None
        abandoned = [run for run in expired if not run.status.is_terminal]
        if abandoned:
            return min(abandoned, key=lambda run: (run.lease_until, str(run.id)))
        scheduling = [run for run in self.runs if run.status is RunStatus.SCHEDULING]
        waiting = [run for run in scheduling if self.machines_for(run, server)]
        return min(
            waiting,
            key=lambda run: (self.line.index(run.organization), not run.is_priority, run.created_at),
            default=None,
        )

    def take(self, run: ModelRun, machine: ModelMachine) -> None:
        if run.session is not None and run.session.machine is None:
            run.session.machine = machine
            for waiting in self.unfinished(run.session):
                waiting.machine = machine
        run.machine = machine
        run.status = RunStatus.RUNNING
        self.line.remove(run.organization)
        self.line.append(run.organization)

    def end(self, run: ModelRun, status: RunStatus) -> list[RunId]:
        """The run ends, and with it perhaps its session; the other runs that end by it."""
        run.status = status
        session = run.session
        if session is None or session.ended_at is not None:
            return []
        if run.releases or (status is not RunStatus.SUCCESS and not self.unfinished(session)):
            return self.end_session(session)
        return []

    def end_session(self, session: ModelSession) -> list[RunId]:
        """What waits in the session is cancelled."""
        session.ended_at = self.now
        waiting = [run for run in self.unfinished(session) if run.status is RunStatus.SCHEDULING]
        for run in waiting:
            run.status = RunStatus.CANCELLED
        return [run.id for run in waiting]
