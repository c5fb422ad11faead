# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

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
    total_cached_steps: int
    period_start: datetime
    period_end: datetime
    mode: UsageMode
    runs_counted: int

    _reads: ClassVar[Reads] = {"period_start": moment, "period_end": moment, "mode": word("UsageMode")}
