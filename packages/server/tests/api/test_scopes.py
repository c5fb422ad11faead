"""Every operation asks for a scope, and is refused to keys that lack it. The description says which."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.scopes import MANAGE, RUN
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.organizations import KeyScope
from cyberdesk_server.testing.api import the_description
from cyberdesk_server.testing.rows import an_api_key

Clients = Mapping[KeyScope, httpx.AsyncClient]


def needed() -> dict[tuple[str, str], KeyScope | None]:
    """What each operation asks for, by method and path; None for those that need no key."""
    asked = {}
    for path, operations in the_description()["paths"].items():
        for method, operation in operations.items():
            roles = [role for scheme in operation.get("security", ()) for role in scheme["HTTPBearer"]]
            assert len(roles) == len(operation.get("security", ()))
            asked[method.upper(), path] = KeyScope(roles[0]) if roles else None
    return asked


@pytest.fixture
async def clients(parts: Parts, connect: Callable[[str | None], httpx.AsyncClient]) -> AsyncIterator[Clients]:
    """One with a key of each scope, all of the same organization."""
    async with parts.database.transaction() as conn:
        for scope in KeyScope:
            await an_api_key(conn, OrganizationId("org_own"), f"cd_{scope}", scope=scope)
    async with AsyncExitStack() as stack:
        yield {scope: await stack.enter_async_context(connect(f"cd_{scope}")) for scope in KeyScope}


async def test_every_operation_is_refused_to_keys_without_its_scope(
    clients: Clients, own: dict[str, str]
) -> None:
    for (method, path), scope in needed().items():
        for has, client in clients.items():
            answer = await client.request(method, path.format(**own), content=b"{")
            if scope is None or has.covers(scope):
                assert answer.status_code not in (401, 403), (method, path, has)
            else:
                assert answer.status_code == 403, (method, path, has)
                assert answer.json()["detail"] == (
                    f"this needs an API key with the scope {scope}; the scope of this one is {has}"
                )


def test_operations_without_a_scope_are_the_health_checks() -> None:
    assert {path for (_, path), scope in needed().items() if scope is None} == {
        *("/", "/health", "/health/live", "/health/ready", "/health/db", "/v1/health", "/v1/health/db"),
    }


def test_reading_needs_read_and_writing_manage_save_what_the_table_says() -> None:
    asked = {f"{method} {path}": scope for (method, path), scope in needed().items() if scope}

    assert {name for name, scope in asked.items() if scope is KeyScope.RUN} == RUN
    reading = {name for name in asked if name.startswith("GET ")}
    assert {name for name in reading if asked[name] is KeyScope.MANAGE} == MANAGE
    assert {asked[name] for name in reading - MANAGE} == {KeyScope.READ}
    assert {asked[name] for name in asked.keys() - reading - RUN} == {KeyScope.MANAGE}


@pytest.mark.parametrize(
    ("has", "may"),
    [
        (KeyScope.READ, {KeyScope.READ}),
        (KeyScope.RUN, {KeyScope.READ, KeyScope.RUN}),
        (KeyScope.MANAGE, set(KeyScope)),
        (KeyScope.DRIVER, {KeyScope.DRIVER}),
    ],
)
def test_what_a_scope_covers(has: KeyScope, may: set[KeyScope]) -> None:
    assert {scope for scope in KeyScope if has.covers(scope)} == may
