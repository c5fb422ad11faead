# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from attrs import define

from cyberdesk.models._model import Answered, given
from cyberdesk.models._readers import Reads, moment, word

if TYPE_CHECKING:
    from cyberdesk.models._generated.enums import UsageMode


@define(on_setattr=given)
class UsageAggregateResponse(Answered):
    """Answered by `GET /v1/usage/aggregate`."""

    total_agentic_steps: int
    """Turns of models, and extractions, of all runs counted."""

    total_cached_steps: int
    """Steps of all runs counted that were replayed from trajectories."""

    period_start: datetime
    """Runs made from this moment on are counted, in UTC."""

    period_end: datetime
    """Runs made before this moment are counted, in UTC."""

    mode: UsageMode
    """Whether it is told what was done or what is charged for."""

    runs_counted: int
    """How many runs were counted; those that failed by our fault are not among them."""

    _reads: ClassVar[Reads] = {"period_start": moment, "period_end": moment, "mode": word("UsageMode")}
