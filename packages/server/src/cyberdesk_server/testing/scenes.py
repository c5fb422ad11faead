"""A run beside a server that answers as providers of language models do."""

from typing import Any

from sqlalchemy import update

from cyberdesk_server.adapters.models.registry import Models, ModelUrls
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.store import llm_costs
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.tables import workflows
from cyberdesk_server.testing.model_servers import ModelServer, Scripted
from cyberdesk_server.usecases import model_configurations

KEY, CREDENTIAL, SECRET = "sk-own-key-0123456789", "sk-organization-0123456789", "canary-hunter22"
ANTHROPIC = {"provider": "anthropic", "model": "claude-opus-5", "api_key": KEY}
OPENAI = {"provider": "openai", "model": "gpt-5.4", "api_key": KEY}
NEVER = Scripted({}, hangs=True)


class Scene:
    """A stage with a provider beside it."""

    def __init__(self, stage: Any, server: ModelServer) -> None:
        self.stage = stage
        self.server = server
        self.models = Models(
            stage.database,
            stage.vault,
            stage.blobs,
            stage.clock,
            ModelUrls(server.url, server.url, (f"{server.url}/v1",)),
            stage.limits,
        )

    async def run_of(
        self,
        *configurations: JsonObject,
        roles: tuple[str, ...] = ("main_agent_model_id", "fallback_model_1_id"),
        **run: Any,
    ) -> None:
        """A waiting run whose workflow names these models in these roles."""
        made = await self.stage.a_waiting_run(**run)
        named = {}
        async with self.stage.database.transaction() as conn:
            for role, given in zip(roles, configurations, strict=False):
                usual: dict[str, Any] = {"name": "mine", "is_computer_use_model": True, "max_retries": 0}
                fields = usual | dict(given)
                api_key = fields.pop("api_key", None)
                configuration = await model_configurations.create(
                    conn,
                    fields,
                    api_key=api_key,
                    organization_id=made.organization_id,
                    vault=self.stage.vault,
                    now=self.stage.clock.now(),
                )
                named[role] = str(configuration.id)
            await conn.execute(
                update(workflows).where(workflows.c.id == made.workflow_id).values(model_metadata=named)
            )
        self.run, self.named = made, named

    async def execute(self, claim: Claim | None = None) -> Ending:
        claim = claim or await self.stage.claim()
        model, limits = await self.models.of(claim, ScreenReader())
        return await execute(claim, self.stage.parts(model, limits=limits))

    async def costs(self) -> dict[tuple[str, str], Any]:
        """By role and model."""
        async with self.stage.database.read() as conn:
            rows = await llm_costs.of_run(conn, self.run.id)
        return {(row.role, row.model): row for row in rows}
