"""Shapes several nouns share."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from cyberdesk_server.domain.refusals import invalid

Item = TypeVar("Item")
JsonDict = dict[str, Any]


class Model(BaseModel):
    """Unknown members are ignored: clients of other versions send some."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a time that can be told in UTC") from None


UtcTime = Annotated[datetime, AfterValidator(_in_utc)]
"""A time; without an offset it is taken as UTC."""


class IncludedResource(Model):
    """A related object, told apart by `type`; it has the members of its own kind besides."""

    type: str
    id: UUID

    model_config = ConfigDict(extra="allow")


class PaginatedResponse(Model, Generic[Item]):
    items: list[Item]
    total: int
    skip: int
    limit: int


class PaginatedResponseWithIncludes(PaginatedResponse[Item], Generic[Item]):
    included: list[IncludedResource] | None = None


MAX_SKIP = 2**63 - 1
MAX_LIMIT = 1000

Skip = Annotated[int, Query(ge=0, le=MAX_SKIP)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


async def _describe_idempotency_key(
    idempotency_key: Annotated[str | SkipJsonSchema[None], Header(alias="Idempotency-Key")] = None,
) -> None:
    """Only the description of the header; `api.writes` reads it."""


WRITES = [Depends(_describe_idempotency_key)]
"""Dependencies of every route that changes something."""


def inclusion(*allowed: str, default: Collection[str] = ()) -> Callable[..., Awaitable[Collection[str]]]:
    """A dependency that reads `include`: names separated by commas, each one of `allowed`.

    A request without `include` asks for `default`; an empty `include` for nothing.
    """

    async def included(include: str | None = None) -> Collection[str]:
        if include is None:
            return frozenset(default)
        names = frozenset(name.strip() for name in include.split(",") if name.strip())
        unknown = sorted(names - frozenset(allowed))
        if unknown:
            raise invalid(
                ("query", "include"), f"unknown: {', '.join(unknown)}; known: {', '.join(allowed)}", "enum"
            )
        return names

    return included
