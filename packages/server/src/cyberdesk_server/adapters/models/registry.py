"""Which models carry a run out.

The run names them, else its workflow: a main agent and up to two fallbacks. Who names none gets `steps`,
which needs neither a key nor a network. What is asked is imported with the first run that needs it: an idle
server does without.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from cyberdesk_server.adapters.models.agent import LanguageModel
from cyberdesk_server.adapters.models.conversation import Provider
from cyberdesk_server.adapters.models.costs import Costs
from cyberdesk_server.adapters.models.keys import Keys
from cyberdesk_server.adapters.models.libraries import Libraries
from cyberdesk_server.adapters.models.roles import Candidate, ModelsInOrder, ModelsOnTheirWay
from cyberdesk_server.domain.ids import ModelConfigurationId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.model_configurations import STEPS, ModelConfiguration
from cyberdesk_server.domain.tasks import Refusal
from cyberdesk_server.executor.parts import Limits
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.ports import Blobs, Clock, Model, Retracer, Vault
from cyberdesk_server.store import model_configurations
from cyberdesk_server.store.claims import CheckClaim
from cyberdesk_server.store.database import Database

ORDER = ("main_agent_model_id", "fallback_model_1_id", "fallback_model_2_id")
"""The roles of `model_metadata` that drive a run, in the order in which they take over."""

DETECTION = "cache_detection_model_id"
"""The role of who compares screens where the author of a recorded step wants a model to do so."""

CHECK = "post_run_checks.model "
"""Begins the role of who judges a post-run check; the configuration's id follows."""

RESERVED = frozenset(
    {"model", "messages", "input", "instructions", "system", "tools", "stream", "store", "include"}
)
"""Members of a request that are ours to say."""


@dataclass(frozen=True, slots=True)
class ModelUrls:
    """Where models are asked."""

    anthropic: str
    openai: str
    """Without the `/v1` of its paths."""

    others: tuple[str, ...] = ()
    """Addresses that configurations may name as their `base_url`; `*` allows every one."""


class Models:
    """Finds the models of runs, and holds what they share."""

    def __init__(
        self, database: Database, vault: Vault, blobs: Blobs, clock: Clock, urls: ModelUrls, limits: Limits
    ) -> None:
        """`limits` say how often and how long a model is asked whose configuration does not."""
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._urls = urls
        self._limits = limits
        self._keys = Keys(database, vault)
        self._libraries = Libraries()

    async def of(self, claim: CheckClaim, reader: ScreenReader) -> tuple[Model, Limits]:
        """The model of this run, or of its post-run checks, and the limits it is asked with.

        `reader` is the run's own and remembers what it read. A model that cannot be used refuses every task
        and says why, which ends the run before its first action.
        """
        chosen = await self._chosen(claim)
        refusals = [refusal for one in chosen if (refusal := await self._refusal(*one, claim))]
        if refusals:
            return ModelsInOrder((), self._clock, refusals), self._limits
        by_role = {
            role: self._candidate(configuration, claim, reader)
            for role, configuration in chosen
            if configuration is not None
        }
        drivers = [by_role[role] for role in ORDER if role in by_role]
        drivers = drivers or [self._candidate(STEPS, claim, reader)]
        comparer = by_role.get(DETECTION)
        judges = {
            UUID(role.removeprefix(CHECK)): candidate
            for role, candidate in by_role.items()
            if role.startswith(CHECK)
        }
        knows_its_way = isinstance(drivers[0].model, Retracer)
        if knows_its_way and not (comparer or judges):
            # It has no provider that could fail, so nobody ever takes over from it.
            return drivers[0].model, self._limits
        kind = ModelsOnTheirWay if knows_its_way else ModelsInOrder
        model = kind(drivers, self._clock, comparer=comparer, judges=judges)
        # It keeps its own time and asks again by itself.
        return model, replace(self._limits, model_answer_seconds=model.longest_seconds, max_model_attempts=1)

    async def close(self) -> None:
        await self._libraries.close()

    async def _chosen(self, claim: CheckClaim) -> Sequence[tuple[str, ModelConfiguration | None]]:
        """The configurations by role, in order; None for one that is not there."""
        named = {**_named(claim.workflow.model_metadata), **_named(claim.run.model_metadata)}
        given = {role: UUID(str(named[role])) for role in (*ORDER, DETECTION) if role in named}
        given |= {f"{CHECK}{judge}": judge for judge in _judges(claim)}
        if not given:
            return []
        organization_id = claim.run.organization_id
        async with self._database.read() as conn:
            return [
                (role, await model_configurations.get(conn, organization_id, ModelConfigurationId(one)))
                for role, one in given.items()
            ]

    async def _refusal(
        self, role: str, configuration: ModelConfiguration | None, claim: CheckClaim
    ) -> Refusal | None:
        if configuration is None:
            return Refusal(f"the model of {role} cannot be used: there is no such model configuration")
        reason = await self._why_not(configuration, claim)
        named = f'the model "{configuration.name}" of {role}'
        return None if reason is None else Refusal(f"{named} cannot be used: {reason}")

    def _candidate(
        self, configuration: ModelConfiguration, claim: CheckClaim, reader: ScreenReader
    ) -> Candidate:
        retries = configuration.max_retries
        attempts = self._limits.max_model_attempts if retries is None else retries + 1
        timeout_seconds = configuration.timeout_seconds or self._limits.model_answer_seconds
        if configuration.provider == STEPS.provider:
            return Candidate(configuration.name, _steps(reader), attempts, timeout_seconds)
        provider, organization_id = self._provider(configuration), claim.run.organization_id
        model = LanguageModel(
            provider,
            lambda: self._keys.open(organization_id, configuration),
            Costs(self._database, claim.run.id).add,
            self._blobs,
        )
        return Candidate(configuration.name, model, attempts, timeout_seconds, provider.prepare)

    def _provider(self, configuration: ModelConfiguration) -> Provider:
        """As `_why_not` has found usable."""
        extra = dict(configuration.additional_params or {})
        own_url = extra.pop("base_url", None)
        uses_responses = extra.pop("use_responses_api", own_url is None)
        if configuration.temperature is not None:
            extra["temperature"] = configuration.temperature
        model, max_tokens = configuration.model, configuration.max_tokens
        if configuration.provider == "anthropic":
            from cyberdesk_server.adapters.models.anthropic.client import AnthropicProvider

            url = str(own_url or self._urls.anthropic)
            return AnthropicProvider(
                self._libraries, base_url=url, model=model, max_tokens=max_tokens, extra=extra
            )
        from cyberdesk_server.adapters.models.openai.client import ChatProvider, ResponsesProvider

        url = str(own_url or f"{self._urls.openai}/v1")
        if configuration.provider == "openai" and uses_responses:
            return ResponsesProvider(
                self._libraries, base_url=url, model=model, max_tokens=max_tokens, extra=extra
            )
        platform = configuration.provider
        return ChatProvider(
            self._libraries,
            platform=platform,
            base_url=url,
            model=model,
            max_tokens=max_tokens,
            extra=extra,
        )

    async def _why_not(self, configuration: ModelConfiguration, claim: CheckClaim) -> str | None:
        """Why the configuration cannot be used, as far as that is known without asking; None when it can."""
        if configuration.provider == STEPS.provider:
            return None
        extra = configuration.additional_params or {}
        taken = sorted(RESERVED & extra.keys())
        if taken:
            return f"its additional_params must not hold {', '.join(taken)}"
        base_url = extra.get("base_url")
        if base_url is not None and not self._is_allowed(base_url):
            return f"its base_url is none of the server's model_urls: {base_url}"
        if base_url is None and configuration.provider not in ("anthropic", "openai"):
            return (
                f"the provider {configuration.provider} is not built in; a server that speaks OpenAI's chat "
                "completions needs a base_url in its additional_params"
            )
        if base_url is None and not await self._keys.has_one(claim.run.organization_id, configuration):
            return (
                f"there is no API key: give it one, or set the organization's {configuration.provider} "
                "credential"
            )
        return None

    def _is_allowed(self, base_url: JsonValue) -> bool:
        if not isinstance(base_url, str) or not base_url.startswith(("http://", "https://")):
            return False
        return any(one == "*" or f"{base_url}/".startswith(f"{one}/") for one in self._urls.others)


def _steps(reader: ScreenReader) -> Model:
    from cyberdesk_server.executor.steps.model import StepsModel

    return StepsModel(reader)


def _named(metadata: JsonObject | None) -> JsonObject:
    return {role: named for role, named in (metadata or {}).items() if named is not None}


def _judges(claim: CheckClaim) -> Iterator[UUID]:
    """The models that post-run checks name; what a caller has written over them may be anything."""
    for check in claim.run.post_run_checks or ():
        with suppress(ValueError):
            if check.get("model") is not None:
                yield UUID(str(check["model"]))
