"""Finding text inside columns."""

from typing import Any

from sqlalchemy import ColumnElement, or_

from cyberdesk_server.store.types import storable_text


def contains(part: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """True for rows where `part` stands in one of the columns, in any case; `%` and `_` mean themselves."""
    return or_(*(column.icontains(storable_text(part), autoescape=True) for column in columns))
