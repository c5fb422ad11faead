"""A run's output data, as its model wrote it: read as JSON and held against the output schema."""

import json
import re
from typing import Any

from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.executor.steps.outputs import OutputDoesNotFit, fitted
from cyberdesk_server.json_schemas import is_json_schema
from cyberdesk_server.ports import ModelError

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class NoOutput(ModelError):
    """The model's answer is no JSON object."""


def read_output(text: str, output_schema: str | None) -> JsonObject:
    """The object in an answer, as the schema wants it.

    The short notation `{"field": "type"}` asks for its fields; their types are for the model. Raises
    `NoOutput`, and `OutputDoesNotFit` with the object.
    """
    output = _object(text)
    missing = [name for name in _fields(output_schema) if name not in output]
    if missing:
        raise OutputDoesNotFit(f"it lacks {', '.join(missing)}", output)
    return fitted(output, output_schema)


def _object(text: str) -> dict[str, Any]:
    fenced = _FENCED.search(text)
    candidate = fenced[1] if fenced else text[text.find("{") : text.rfind("}") + 1]
    try:
        output = json.loads(candidate)
    except (ValueError, RecursionError):
        output = None
    if not isinstance(output, dict):
        raise NoOutput("the model's output data is no JSON object")
    return output


def _fields(output_schema: str | None) -> list[str]:
    """The fields of the short notation."""
    schema = json.loads(output_schema or "null")
    return list(schema) if isinstance(schema, dict) and not is_json_schema(schema) else []
