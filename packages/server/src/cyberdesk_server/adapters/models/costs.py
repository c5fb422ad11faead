"""What calls of language models cost: their tokens, and prices as `genai-prices` knows them."""

import asyncio

from cyberdesk_server.adapters.models.conversation import Provider, Role, Tokens
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.provider_credentials import CredentialSource
from cyberdesk_server.domain.usage import LlmCost
from cyberdesk_server.store import llm_costs
from cyberdesk_server.store.database import Database


class Costs:
    """Writes down what one run's calls have used, each as soon as it was answered."""

    def __init__(self, database: Database, run_id: RunId) -> None:
        self._database = database
        self._run_id = run_id

    async def add(self, role: Role, provider: Provider, tokens: Tokens) -> None:
        cost = LlmCost(
            role=role.value,
            billing_platform=provider.platform,
            model=provider.model,
            endpoint_type=provider.endpoint,
            source=CredentialSource.ORGANIZATION.value,
            call_count=1,
            input_tokens=tokens.input,
            uncached_input_tokens=tokens.uncached_input,
            cache_read_tokens=tokens.cache_read,
            cache_write_5m_tokens=tokens.cache_write_5m,
            cache_write_1h_tokens=tokens.cache_write_1h,
            output_tokens=tokens.output,
            reasoning_tokens=tokens.reasoning,
            cost_usd=await asyncio.to_thread(price_usd, provider, tokens),
        )
        async with self._database.transaction() as conn:
            await llm_costs.add(conn, self._run_id, cost)


def price_usd(provider: Provider, tokens: Tokens) -> float | None:
    """What the call costs; None when nobody knows the model's prices at this address."""
    from genai_prices import Usage, calc_price  # only who asks a model needs it

    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write_5m + tokens.cache_write_1h,
        output_tokens=tokens.output,
    )
    try:
        if provider.endpoint == "chat_completions":
            price = calc_price(usage, provider.model, provider_api_url=provider.base_url)
        else:
            price = calc_price(usage, provider.model, provider_id=provider.platform)
    except LookupError:
        return None
    return float(price.total_price)
