"""The JSON Schemas that callers write: which texts are some, and how values are checked against them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_KEYWORDS = frozenset({"type", "properties", "$schema", "$ref", "anyOf", "allOf", "oneOf"})


def is_json_schema(schema: Mapping[str, Any]) -> bool:
    """False for the short notation `{"field": "type"}`."""
    return not _KEYWORDS.isdisjoint(schema)


def validator_of(schema: Mapping[str, Any]) -> "Validator":
    """What checks values against the schema, by the draft it names or 2020-12.

    A reference to another document is a `referencing.exceptions.Unresolvable`: nothing is ever fetched.
    """
    import jsonschema  # only who uses a schema waits for it
    import referencing

    draft = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return draft(schema, registry=referencing.Registry())
