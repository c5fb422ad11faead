"""Keys that are made, used, rotated, revoked and outlived, against a model of who may do what at each moment.

Two organizations, two servers that remember keys for a moment each by itself, and the audit log of it all.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.auth import FRESH_SECONDS, KnownKeys
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.audit import Head
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.domain.organizations import ApiKey, KeyScope
from cyberdesk_server.store import audit_log
from cyberdesk_server.testing.api import an_api
from cyberdesk_server.testing.modelled import OnDatabase, OpenDatabase, run_on
from cyberdesk_server.testing.ports import MemoryBlobs, ScriptedProviders
from cyberdesk_server.testing.rows import HERE, NOON, a_pool, a_workflow, an_organization
from cyberdesk_server.usecases.audit_log import Trail, verify_chain
from cyberdesk_server.usecases.keys import NewKey, create_key, list_keys, revoke_key, rotate_key
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy.ext.asyncio import AsyncConnection

ORGANIZATIONS = OrganizationId("org_east"), OrganizationId("org_west")
AN_ORGANIZATION = st.sampled_from(ORGANIZATIONS)
SERVERS = 0, 1
A_NAME = st.sampled_from("abc")
RARELY = st.sampled_from([False, False, False, True])
MOST_KEYS = 10
HOUR = timedelta(hours=1)

MAY = {
    KeyScope.READ: {"look"},
    KeyScope.RUN: {"look", "start"},
    KeyScope.MANAGE: {"look", "start", "change"},
    KeyScope.DRIVER: set[str](),
}
SUCCESS = {"look": 200, "start": 201, "change": 200}
DEEDS = tuple(SUCCESS)
WRITES = {"start": "POST /v1/runs", "change": "PATCH /v1/pools/{pool_id}"}


@dataclass(frozen=True)
class Life:
    """What the database says of a key for a while."""

    since: float
    """In seconds that never go back."""

    expires_at: datetime | None
    is_revoked: bool = False

    def opens(self, now: datetime) -> bool:
        return not self.is_revoked and (self.expires_at is None or now < self.expires_at)


@dataclass(eq=False)
class ModelKey:
    api_key: ApiKey
    text: str = field(repr=False)
    lives: list[Life]
    """One after the other; the last is that of now."""

    @property
    def life(self) -> Life:
        return self.lives[-1]

    def may_open(self, now: datetime, seconds: float) -> set[bool]:
        """Whether it opens anything: what a server may believe that has looked a moment ago, or looks now."""
        ends = [life.since for life in self.lives[1:]]
        known = [
            life
            for life, end in zip(self.lives, [*ends, None], strict=True)
            if end is None or seconds - end < FRESH_SECONDS
        ]
        return {life.opens(now) for life in known}


@dataclass
class Model:
    now: datetime = NOON
    seconds: float = 100.0
    keys: list[ModelKey] = field(default_factory=list)
    pools: dict[OrganizationId, str] = field(default_factory=dict)
    """What the pool of each organization is called."""

    log: Counter[tuple[OrganizationId, ApiKeyId | None, str, int]] = field(default_factory=Counter)


class ClockOfModel:
    """A `ports.Clock` that shows what the model says."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def now(self) -> datetime:
        return self._model.now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class Access(OnDatabase):
    def __init__(self, open_database: OpenDatabase) -> None:
        super().__init__(open_database)
        self.model = Model()
        self.trail = Trail(self.database)
        parts = Parts(
            server_id=HERE,
            database=self.database,
            bus=InProcessBus(),
            blobs=MemoryBlobs(),
            vault=EnvelopeVault(MasterKey(b"k" * 32)),
            clock=ClockOfModel(self.model),
            providers=ScriptedProviders(),
            audit=self.trail,
        )
        self.api = an_api(parts)
        self.known = [KnownKeys(lambda: self.model.seconds) for _ in SERVERS]
        self.things: dict[OrganizationId, dict[str, str]] = {}

    @initialize()
    def found(self) -> None:
        async def found(conn: AsyncConnection) -> None:
            for organization_id in ORGANIZATIONS:
                await an_organization(conn, organization_id)
                pool = await a_pool(conn, organization_id, name="first")
                workflow = await a_workflow(conn, organization_id)
                self.things[organization_id] = {"pool": str(pool.id), "workflow": str(workflow.id)}
                self.model.pools[organization_id] = "first"

        self.do(found)

    @precondition(lambda self: len(self.model.keys) < MOST_KEYS)
    @rule(
        organization_id=AN_ORGANIZATION,
        scope=st.sampled_from(KeyScope),
        life=st.sampled_from([None, timedelta(seconds=1), HOUR, 24 * HOUR, 999 * HOUR]),
    )
    def create(self, organization_id: OrganizationId, scope: KeyScope, life: timedelta | None) -> None:
        now = self.model.now
        made = self.runner.run(
            create_key(
                self.database, name="k", now=now, organization_id=organization_id, scope=scope, life=life
            )
        )

        expires_at = None if life is None else now + life
        expected = replace(made.api_key, scope=scope, expires_at=expires_at, life=life, created_at=now)
        assert made.api_key == expected
        self._know(made)
        self._log(organization_id, None, "keys create", 0)

    @precondition(lambda self: self.model.keys and len(self.model.keys) < MOST_KEYS)
    @rule(data=st.data(), overlap=st.sampled_from([timedelta(0), timedelta(seconds=1), HOUR, 24 * HOUR]))
    def rotate(self, data: st.DataObject, overlap: timedelta) -> None:
        key, now = self.a_key(data), self.model.now

        made = self.runner.run(rotate_key(self.database, key.api_key.id, overlap=overlap, now=now))

        assert (made is not None) == key.life.opens(now)
        if made is None:
            return
        old, end = key.life.expires_at, now + overlap
        life = key.api_key.life
        assert (made.api_key.scope, made.api_key.life) == (key.api_key.scope, life)
        assert made.api_key.organization_id == key.api_key.organization_id
        assert made.api_key.expires_at == (None if life is None else now + life)
        self._change(key, expires_at=end if old is None else min(old, end))
        self._know(made)
        self._log(key.api_key.organization_id, None, "keys rotate", 0)

    @precondition(lambda self: self.model.keys)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        key = self.a_key(data)

        was_revoked = self.runner.run(revoke_key(self.database, key.api_key.id, now=self.model.now))

        assert was_revoked == (not key.life.is_revoked)
        if was_revoked:
            self._change(key, is_revoked=True)
            self._log(key.api_key.organization_id, None, "keys revoke", 0)

    @precondition(lambda self: self.model.keys)
    @rule(server=st.sampled_from(SERVERS), deed=st.sampled_from(DEEDS), whose=AN_ORGANIZATION, name=A_NAME)
    def all_keys_are_used(self, server: int, deed: str, whose: OrganizationId, name: str) -> None:
        for key in self.model.keys:
            self._use(key, server, deed, whose, name)

    @precondition(lambda self: self.model.keys)
    @rule(data=st.data(), name=A_NAME)
    def one_key_is_used_for_all(self, data: st.DataObject, name: str) -> None:
        key = self.a_key(data)

        for server in SERVERS:
            for deed in DEEDS:
                for whose in ORGANIZATIONS:
                    self._use(key, server, deed, whose, name)

    def _use(self, key: ModelKey, server: int, deed: str, whose: OrganizationId, name: str) -> None:
        answer = self.ask(server, key.text, deed, whose, name)

        assert (answer.status_code != 401) in key.may_open(self.model.now, self.model.seconds)
        if answer.status_code == 401:
            return
        organization_id = key.api_key.organization_id
        if deed not in MAY[key.api_key.scope]:
            assert answer.status_code == 403
        elif whose != organization_id:
            assert answer.status_code == 404
        else:
            assert answer.status_code == SUCCESS[deed]
            if deed == "change":
                self.model.pools[whose] = name
            if deed != "start":
                assert answer.json()["name"] == self.model.pools[whose]
        if deed in WRITES:
            self._log(organization_id, key.api_key.id, WRITES[deed], answer.status_code)

    @rule(server=st.sampled_from(SERVERS), text=st.sampled_from(["", "cd_", "cd_made-up"]))
    def ask_with_what_is_no_key(self, server: int, text: str) -> None:
        assert self.ask(server, text, "look", ORGANIZATIONS[0], "a").status_code == 401

    @rule(seconds=st.sampled_from([0.1, 1.0, FRESH_SECONDS - 0.1, FRESH_SECONDS]))
    def time_goes_on(self, seconds: float) -> None:
        self.model.seconds += seconds
        self.model.now += timedelta(seconds=seconds)

    @rule(jump=st.sampled_from([-HOUR, timedelta(seconds=1), HOUR, 24 * HOUR]))
    def the_clock_on_the_wall_jumps(self, jump: timedelta) -> None:
        self.model.now += jump

    @rule()
    def the_log_is_read(self) -> None:
        for organization_id in ORGANIZATIONS:
            entries = list(self._entries(organization_id))
            assert Counter(entries) == Counter(
                {entry: times for entry, times in self.model.log.items() if entry[0] == organization_id}
            )
            head = self.runner.run(verify_chain(self.database, organization_id))
            assert isinstance(head, Head)
            assert head.number == len(entries)

    @invariant()
    def keys_are_listed_as_they_are(self) -> None:
        listed = self.runner.run(list_keys(self.database))

        assert {(one.id, one.scope, one.expires_at, one.revoked_at is not None) for one in listed} == {
            (key.api_key.id, key.api_key.scope, key.life.expires_at, key.life.is_revoked)
            for key in self.model.keys
        }

    def a_key(self, data: st.DataObject) -> ModelKey:
        """Mostly one that opens something."""
        living = [key for key in self.model.keys if key.life.opens(self.model.now)]
        any_will_do = not living or data.draw(RARELY)
        return data.draw(st.sampled_from(self.model.keys if any_will_do else living))

    def ask(self, server: int, text: str, deed: str, whose: OrganizationId, name: str) -> httpx.Response:
        """What one of the servers answers to whoever has this key."""
        things = self.things[whose]
        pool = f"/v1/pools/{things['pool']}"
        asked: dict[str, tuple[str, str, dict[str, Any] | None]] = {
            "look": ("GET", pool, None),
            "start": ("POST", "/v1/runs", {"workflow_id": things["workflow"]}),
            "change": ("PATCH", pool, {"name": name}),
        }
        method, path, body = asked[deed]
        self.api.state.known_keys = self.known[server]

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.api)
            headers = {"Authorization": f"Bearer {text}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://server", headers=headers
            ) as client:
                return await client.request(method, path, json=body)

        return self.runner.run(ask())

    def _know(self, made: NewKey) -> None:
        born = Life(self.model.seconds, made.api_key.expires_at)
        self.model.keys.append(ModelKey(made.api_key, made.key, [born]))

    def _change(self, key: ModelKey, **changes: Any) -> None:
        key.lives.append(replace(key.life, since=self.model.seconds, **changes))

    def _log(
        self, organization_id: OrganizationId, key_id: ApiKeyId | None, operation: str, status: int
    ) -> None:
        self.model.log[organization_id, key_id, operation, status] += 1

    def _entries(
        self, organization_id: OrganizationId
    ) -> Iterator[tuple[OrganizationId, ApiKeyId | None, str, int]]:
        self.runner.run(self.trail.write())
        for link in self.do(lambda conn: audit_log.after(conn, organization_id, 0, at_most=10_000)):
            entry = link.entry
            yield entry.organization_id, entry.api_key_id, entry.operation, entry.status_code


@pytest.mark.slow
@pytest.mark.timeout(600)  # a program that fails is made short, which takes a while
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_keys_open_what_the_model_says(kind: str, database_of: Any) -> None:
    run_on(lambda: database_of(kind), Access, programs=20)
