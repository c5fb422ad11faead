"""What calls cost, and where it is written."""

from typing import Any

import pytest
from cyberdesk_server.adapters.models.conversation import Provider, Role, Tokens
from cyberdesk_server.adapters.models.costs import Costs, price_usd
from cyberdesk_server.adapters.models.libraries import Libraries
from cyberdesk_server.adapters.models.openai.client import ChatProvider, ResponsesProvider
from cyberdesk_server.store import llm_costs
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_run, a_workflow, an_organization

MILLION = Tokens(uncached_input=600_000, cache_read=400_000, output=1_000_000)


def openai(model: str) -> Provider:
    url = "https://api.openai.com/v1"
    return ResponsesProvider(Libraries(), base_url=url, model=model, max_tokens=None, extra={})


def compatible(url: str, model: str) -> Provider:
    return ChatProvider(Libraries(), platform="openai", base_url=url, model=model, max_tokens=None, extra={})


def test_what_was_cached_is_cheaper() -> None:
    fresh = price_usd(openai("gpt-5.4"), Tokens(uncached_input=1_000_000, output=1_000_000))

    cached = price_usd(openai("gpt-5.4"), MILLION)

    assert fresh is not None
    assert cached is not None
    assert 0 < cached < fresh


@pytest.mark.parametrize(
    "provider", [openai("gpt-nobody-knows"), compatible("http://127.0.0.1:11434/v1", "gpt-5.4")]
)
def test_a_price_nobody_knows_is_none(provider: Provider) -> None:
    assert price_usd(provider, MILLION) is None


async def test_calls_of_one_kind_are_added_up(any_database: Database) -> None:
    async with any_database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn, "org_costs")))
    costs = Costs(any_database, run.id)
    for _ in range(2):
        await costs.add(Role.MAIN_AGENT, openai("gpt-5.4"), Tokens(7, 100, 20, 10, 5, 2))
    await costs.add(Role.EXTRACTION, openai("gpt-nobody-knows"), Tokens(1))
    async with any_database.read() as conn:
        rows: dict[str, Any] = {row.role: row for row in await llm_costs.of_run(conn, run.id)}

    main, reading = rows["main_agent"], rows["extraction"]
    assert (main.call_count, main.input_tokens, main.uncached_input_tokens) == (2, 274, 14)
    assert (main.cache_read_tokens, main.cache_write_5m_tokens, main.cache_write_1h_tokens) == (200, 40, 20)
    assert (main.output_tokens, main.reasoning_tokens) == (10, 4)
    assert (main.billing_platform, main.endpoint_type, main.source) == ("openai", "responses", "organization")
    assert main.cost_usd > 0
    assert reading.cost_usd is None
