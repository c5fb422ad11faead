"""What the executor is handed: its parts and its limits."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID, uuid4

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS, Limited, RunLimits
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.ports import Blobs, Bus, Clock, Desktop, Model, Vault
from cyberdesk_server.store.database import Database


class Reader(Protocol):
    """Finds printed text on a screen; one per run, because it remembers the regions it has read."""

    async def find(self, screenshot: Screenshot, text: str) -> list[Box]:
        """Where this label is, best match first; empty when it is nowhere."""
        ...

    async def is_visible(self, screenshot: Screenshot, text: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often the executor tries."""

    run_time_limit_seconds: float = 7200.0
    """From the run's start, over all its workers."""

    max_turns: int = 500
    """Questions to the model in one run."""

    cost_limit_usd: float | None = None
    """What the calls of language models may cost in one run; None is no limit."""

    most: RunLimits = BUILT_IN_LIMITS.most
    """As far as a run or its workflow may go beyond the three."""

    max_failures_in_a_row: int = 5
    """Turns that fail one after another before the run is given up."""

    desktop_grace_seconds: float = 30.0
    """How long an unreachable desktop is waited for."""

    still_screen_seconds: float = 2.0
    """How long a moving screen is watched before the latest look is taken as it is."""

    look_pause_seconds: float = 0.05
    """Between two looks that must be equal for the screen to count as still."""

    replay_pause_seconds: float = 0.025
    """Between two looks of a replay, for which the screen must be still."""

    replay_patience_seconds: float = 0.75
    """How long a still screen that does not fit the recording is watched before the model is asked."""

    replay_loading_seconds: float = 4.0
    """The same behind a step that was replayed, because what it opened may be loading: about as long as a
    language model takes for a step."""

    text_poll_seconds: float = 0.25
    """Between two looks of a tool that waits for a text."""

    model_answer_seconds: float = 300.0
    """For one answer of the model."""

    max_model_attempts: int = 4
    """Questions with the same content, when the model fails in a way that may pass."""

    cleanup_seconds: float = 30.0
    """For removing the run's input files from the machine when it has ended."""

    stop_sweep_seconds: float = 5.0
    """How often a run is looked up in the store in case the news of its cancellation got lost."""

    def asked_for_by(self, run: Limited, workflow: Limited) -> "Limits":
        """These limits, with those of the run, or else of its workflow, in the place of the usual ones.

        What was asked for before the operator allowed less is cut down to it.
        """
        asked = RunLimits.of(run).or_else(RunLimits.of(workflow)).at_most(self.most)
        return replace(
            self,
            run_time_limit_seconds=asked.run_time_limit_seconds or self.run_time_limit_seconds,
            max_turns=asked.max_turns or self.max_turns,
            cost_limit_usd=asked.cost_limit_usd or self.cost_limit_usd,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckParts:
    """Everything the post-run checks of a run are made with."""

    database: Database
    model: Model
    blobs: Blobs
    bus: Bus
    clock: Clock
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutorParts(CheckParts):
    """Everything one run is executed with."""

    desktop: Desktop
    reader: Reader
    vault: Vault
    new_id: Callable[[], UUID] = uuid4
    """Names steps. An id names one desktop action for ever, so it must never be drawn twice."""
