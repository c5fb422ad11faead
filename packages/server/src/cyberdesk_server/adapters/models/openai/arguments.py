"""The arguments of a function call, as OpenAI's interfaces and all like them send them: JSON in a text."""

import json

from cyberdesk_server.domain.json import JsonObject


def parsed(text: str | None) -> JsonObject:
    """The arguments. A text that is no JSON object is one argument no tool has, which then says so."""
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {f"(not JSON: {text})": True}
    return arguments if isinstance(arguments, dict) else {f"(not an object: {text})": True}
