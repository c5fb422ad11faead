"""Shapes several nouns share."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from cyberdesk_server.api.schemas.exact import no_number, take_as_it_is
from cyberdesk_server.domain.refusals import invalid

Item = TypeVar("Item")
JsonDict = dict[str, Any]


class Model(BaseModel):
    """Unknown members are ignored: clients of other versions send some. Values are what they are: no text is
    taken for a number, and neither is `false`."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=(), use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        take_as_it_is(cast(dict[str, Any], handler.resolve_ref_schema(schema)))
        return schema


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a time that can be told in UTC") from None


UtcTime = Annotated[datetime, BeforeValidator(no_number), AfterValidator(_in_utc)]
"""A time; without an offset it is taken as UTC. A number is none: nobody knows since when it counts."""


class IncludedResource(Model):
    """A related object, told apart by `type`; it has the members of its own kind besides."""

    type: str
    """Which noun it is: `machine`, `pool`, `workflow`, `tag`, `post_run_check`, …"""

    id: UUID
    """Its id, unique among those of its `type`."""

    model_config = ConfigDict(extra="allow")


class PaginatedResponse(Model, Generic[Item]):
    items: list[Item]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""


class PaginatedResponseWithIncludes(PaginatedResponse[Item], Generic[Item]):
    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""


MAX_SKIP = 2**63 - 1
MAX_LIMIT = 1000

Skip = Annotated[int, Query(ge=0, le=MAX_SKIP)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]

MAX_KEY_LENGTH = 255

WRITES: JsonDict = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The write is done once under this key. The same request sent again within a day"
            " gets the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
        }
    ]
}
"""What the descriptions of writes say besides, as `openapi_extra`; `api.writes` reads the header."""
"""Dependencies of every route that changes something."""


def inclusion(*allowed: str, default: Collection[str] = ()) -> Callable[..., Awaitable[Collection[str]]]:
    """A dependency that reads `include`: names separated by commas, each one of `allowed`.

    A request without `include` asks for `default`; an empty `include` for nothing.
    """

    shown = f"What to add under `included`, separated by commas: {', '.join(allowed)}."

    async def included(include: Annotated[str | None, Query(description=shown)] = None) -> Collection[str]:
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
