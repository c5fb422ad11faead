"""The limits that runs and workflows can be given; the most a server allows is the operator's to say."""

from typing import Annotated

from pydantic import Field

A_YEAR = 365 * 24 * 3600

RunTimeLimit = Annotated[int, Field(ge=1, le=A_YEAR)] | None
MaxTurns = Annotated[int, Field(ge=1, le=1_000_000)] | None
CostLimit = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None
WaitTimeLimit = Annotated[int, Field(ge=1, le=A_YEAR)] | None
