"""One organization with a workflow in a real database, for the stories around its runs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import OrganizationId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, demand_of_session
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import runs, sessions
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass
class Office:
    """Its rows are written in one transaction, which `conn` is open for."""

    conn: AsyncConnection
    organization_id: OrganizationId
    workflow: Workflow

    async def machine(self, **fields: Any) -> Machine:
        return await a_machine(self.conn, self.organization_id, **fields)

    async def run(self, **fields: Any) -> Run:
        return await a_run(self.conn, self.workflow, **fields)

    async def session(self, **fields: Any) -> Session:
        """A session that waits for a machine; any will do unless `demand` says otherwise."""
        usual: dict[str, Any] = {"demand": ANY_MACHINE, "created_at": NOON}
        session = Session(SessionId(uuid4()), self.organization_id, **usual | fields)
        await sessions.add(self.conn, session)
        return session

    async def run_in(self, session: Session, **fields: Any) -> Run:
        """A run that waits behind others of the session."""
        return await self.run(session_id=session.id, demand=demand_of_session(session.id), **fields)

    async def claim(self) -> Claim:
        claim = await claim_next(self.conn, server_id=HERE, now=NOON, lease_seconds=30)
        assert claim is not None
        return claim

    async def now(self, run: Run) -> Run:
        found = await runs.get(self.conn, self.organization_id, run.id)
        assert found is not None
        return found

    async def has_ended(self, session: Session) -> bool:
        found = await sessions.get(self.conn, self.organization_id, session.id)
        assert found is not None
        return found.ended_at is not None


@pytest.fixture
async def office(any_database: Database) -> AsyncIterator[Office]:
    async with any_database.transaction() as conn:
        organization_id = await an_organization(conn)
        yield Office(conn, organization_id, await a_workflow(conn, organization_id))
