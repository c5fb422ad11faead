"""Vaults outside of the database keep, open and delete secrets over their own HTTP APIs."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.vault import (
    AppRole,
    BasisTheoryKeeper,
    EnvelopeVault,
    HashiCorpKeeper,
    KeptOutside,
    MasterKey,
    Token,
    VaultServer,
)
from cyberdesk_server.adapters.vault.outside import REMEMBERED, Keeper
from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.sealed import BASIS_THEORY, is_elsewhere
from cyberdesk_server.ports import SecretContext, SecretUnreadable, VaultUnavailable
from cyberdesk_server.testing.ports import ManualClock, MemoryKeeper
from cyberdesk_server.testing.vault_servers import BasisTheoryServer, HashiCorpServer, serving

ORGANIZATION, OTHER = OrganizationId("org/1"), OrganizationId("org/2")
ID = UUID(int=7)
CONTEXT = SecretContext(ORGANIZATION, SecretId(UUID(int=1)))
AWKWARD = '"p\u0142\ud800\n\0"'


_asked: list[VaultServer] = []


@pytest.fixture(autouse=True)
async def _nobody_stays_connected() -> AsyncIterator[None]:
    yield
    while _asked:
        await _asked.pop().close()


def asking(name: str, url: str, timeout_seconds: float = 5) -> VaultServer:
    _asked.append(VaultServer(name, url, ManualClock(), timeout_seconds=timeout_seconds))
    return _asked[-1]


def hashicorp(
    server: HashiCorpServer, login: Token | AppRole | None = None, timeout_seconds: float = 5
) -> HashiCorpKeeper:
    return HashiCorpKeeper(
        asking("the vault", server.url, timeout_seconds),
        login or Token("root"),
        ManualClock(),
        mount=server.mount,
        path="team/cyberdesk",
        namespace=server.namespace or None,
    )


@pytest.fixture
async def vault() -> AsyncIterator[HashiCorpServer]:
    server = HashiCorpServer(mount="kv", namespace="admin")
    async with serving(server):
        yield server


@pytest.fixture
async def tenant() -> AsyncIterator[BasisTheoryServer]:
    server = BasisTheoryServer()
    async with serving(server):
        yield server


Server = HashiCorpServer | BasisTheoryServer


@pytest.fixture(params=["hashicorp", "basis-theory"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Server, Keeper]]:
    server: Server
    if request.param == "hashicorp":
        server = HashiCorpServer(mount="kv", namespace="admin")
    else:
        server = BasisTheoryServer()
    async with serving(server):
        keeper: Keeper
        if isinstance(server, HashiCorpServer):
            keeper = hashicorp(server)
        else:
            keeper = BasisTheoryKeeper(asking("the tenant", server.url), server.api_key, path="cyberdesk")
        yield server, keeper


async def test_what_was_put_is_there_until_it_is_deleted(both: tuple[Server, Keeper]) -> None:
    server, keeper = both

    await keeper.put(ORGANIZATION, ID, AWKWARD)
    await keeper.put(ORGANIZATION, ID, AWKWARD)  # an answer was lost: twice is once

    assert await keeper.get(ORGANIZATION, ID) == AWKWARD
    await keeper.delete(ORGANIZATION, ID)
    assert await keeper.get(ORGANIZATION, ID) is None
    assert server.kept == {}
    await keeper.delete(ORGANIZATION, ID)


async def test_nobody_else_gets_it(both: tuple[Server, Keeper]) -> None:
    _, keeper = both
    await keeper.put(ORGANIZATION, ID, "mine")

    assert await keeper.get(OTHER, ID) is None
    assert await keeper.get(ORGANIZATION, UUID(int=8)) is None


async def test_a_fault_that_passes_is_not_noticed(both: tuple[Server, Keeper]) -> None:
    server, keeper = both
    server.moods = [503, 429]

    await keeper.put(ORGANIZATION, ID, "mine")

    assert await keeper.get(ORGANIZATION, ID) == "mine"
    assert len(server.asked) == 4


async def test_a_fault_that_stays_is_told_without_the_secret(both: tuple[Server, Keeper]) -> None:
    server, keeper = both
    server.moods = [503] * 3

    with pytest.raises(VaultUnavailable, match="answered 503") as failure:
        await keeper.put(ORGANIZATION, ID, "hunter2")

    assert "hunter2" not in repr(failure.value)
    assert failure.value.__cause__ is None


async def test_a_vault_that_refuses_is_told_as_one(both: tuple[Server, Keeper]) -> None:
    server, keeper = both
    for ask in (keeper.get, keeper.delete):
        server.moods = [403]
        with pytest.raises(VaultUnavailable, match=r"refuses this server \(403\)"):
            await ask(ORGANIZATION, ID)
    server.moods = [403]
    with pytest.raises(VaultUnavailable, match=r"refuses this server \(403\)"):
        await keeper.put(ORGANIZATION, ID, "x")


async def test_a_vault_that_does_not_answer_costs_its_time_limit(vault: HashiCorpServer) -> None:
    vault.moods = [0, 0, 0]

    with pytest.raises(VaultUnavailable, match=r"did not answer in 0\.05 seconds"):
        await hashicorp(vault, timeout_seconds=0.05).get(ORGANIZATION, ID)


async def test_where_nobody_listens_nothing_is_kept() -> None:
    nobody = HashiCorpKeeper(
        asking("the vault", "http://127.0.0.1:9"), Token("t"), ManualClock(), mount="kv", path="p"
    )

    with pytest.raises(VaultUnavailable, match="cannot be asked: ConnectError"):
        await nobody.put(ORGANIZATION, ID, "x")


async def test_secrets_are_where_the_operator_wants_them(vault: HashiCorpServer) -> None:
    await hashicorp(vault).put(ORGANIZATION, ID, "x")

    assert list(vault.kept) == [f"team/cyberdesk/org/1/{ID}"]
    assert f"POST /v1/kv/data/team/cyberdesk/org/1/{ID}" in vault.asked


async def test_a_secret_that_was_deleted_by_hand_is_gone(vault: HashiCorpServer) -> None:
    keeper = hashicorp(vault)
    await keeper.put(ORGANIZATION, ID, "x")
    vault.kept[f"team/cyberdesk/org/1/{ID}"][-1] = None

    assert await keeper.get(ORGANIZATION, ID) is None


async def test_an_approle_logs_in_once_and_again_when_its_token_is_over(vault: HashiCorpServer) -> None:
    role = AppRole(vault.role_id, vault.secret_id)
    keeper = hashicorp(vault, role)

    await keeper.put(ORGANIZATION, ID, "x")
    await keeper.get(ORGANIZATION, ID)
    vault.tokens.clear()
    assert await keeper.get(ORGANIZATION, ID) == "x"

    assert vault.asked.count("POST /v1/auth/approle/login") == 2
    assert vault.secret_id not in repr(role)


async def test_the_token_of_an_approle_is_replaced_in_time(vault: HashiCorpServer) -> None:
    clock = ManualClock()
    keeper = HashiCorpKeeper(
        asking("the vault", vault.url),
        AppRole(vault.role_id, vault.secret_id),
        clock,
        mount="kv",
        path="p",
        namespace="admin",
    )

    for passed_seconds in (0, 2300, 200):
        clock.advance(passed_seconds)
        await keeper.get(ORGANIZATION, ID)

    assert vault.asked.count("POST /v1/auth/approle/login") == 2


async def test_an_approle_that_is_refused_is_told_without_its_secret(vault: HashiCorpServer) -> None:
    with pytest.raises(VaultUnavailable, match=r"refuses the AppRole \(400\)") as failure:
        await hashicorp(vault, AppRole("nobody", "hunter2")).get(ORGANIZATION, ID)

    assert "hunter2" not in str(failure.value)


async def test_certificates_are_checked_against_those_of_the_operator(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    with pytest.raises(ssl.SSLError):
        VaultServer("v", "https://v", SystemClock(), timeout_seconds=1, ca=tmp_path / "ca.pem")


@pytest.fixture
def keeper() -> MemoryKeeper:
    return MemoryKeeper()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outside(keeper: MemoryKeeper, clock: ManualClock) -> KeptOutside:
    return KeptOutside(keeper, EnvelopeVault(MasterKey(bytes(32))), clock)


async def test_a_place_holds_nothing_of_the_secret_and_opens_for_its_organization_only(
    outside: KeptOutside,
) -> None:
    place = outside.new_place()
    await outside.keep(place, "hunter2", ORGANIZATION)

    assert is_elsewhere(place)
    assert b"hunter2" not in place
    assert await outside.open(place, CONTEXT) == "hunter2"
    with pytest.raises(SecretUnreadable, match="not in the keeper any more"):
        await outside.open(place, SecretContext(OTHER, CONTEXT.secret_id))


async def test_what_the_server_sealed_itself_goes_on_opening(outside: KeptOutside) -> None:
    sealed = await EnvelopeVault(MasterKey(bytes(32))).seal("from before", CONTEXT)

    assert await outside.open(sealed, CONTEXT) == "from before"
    assert await outside.open(await outside.seal("of the server", CONTEXT), CONTEXT) == "of the server"


async def test_a_secret_is_fetched_again_after_a_moment_and_when_it_was_discarded(
    outside: KeptOutside, keeper: MemoryKeeper, clock: ManualClock
) -> None:
    place = outside.new_place()
    await outside.keep(place, "x", ORGANIZATION)
    await outside.open(place, CONTEXT)

    keeper.is_away = True
    assert await outside.open(place, CONTEXT) == "x"
    clock.advance(REMEMBERED.total_seconds())
    with pytest.raises(VaultUnavailable):
        await outside.open(place, CONTEXT)

    keeper.is_away = False
    await outside.open(place, CONTEXT)
    await outside.discard(place, ORGANIZATION)
    with pytest.raises(SecretUnreadable):
        await outside.open(place, CONTEXT)


async def test_what_another_vault_keeps_is_not_looked_for(outside: KeptOutside) -> None:
    for place in (BASIS_THEORY + bytes(16), outside.new_place()[:-1]):
        with pytest.raises(SecretUnreadable, match="elsewhere than in the keeper"):
            await outside.open(place, CONTEXT)
    with pytest.raises(SecretUnreadable, match="not set up for"):
        await EnvelopeVault(MasterKey(bytes(32))).open(outside.new_place(), CONTEXT)
