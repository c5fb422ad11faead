"""Puts values into the placeholders of a tool call, right before it is carried out."""

from collections.abc import Mapping

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import PathError, fill, fill_secrets
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.secrets import secrets_in
from cyberdesk_server.executor.signals import RunFails, ToolFailed


def filled_arguments(
    arguments: JsonObject,
    fills: Mapping[str, Fill],
    inputs: JsonObject,
    runtime_values: Mapping[str, JsonValue],
) -> JsonObject:
    """The arguments as the tool gets them.

    An argument marked `Fill.SECRETS_TOO` stays a template for its secrets; anywhere else a secret is refused
    (`ToolFailed`), because everything but typed text is kept. `RunFails` when a path goes into a text or a
    number.
    """

    def filled(value: JsonValue, how: Fill | None) -> JsonValue:
        match value:
            case _ if how is Fill.NOTHING:
                return value
            case str():
                return filled_text(value, inputs, runtime_values, how)
            case Mapping():
                return {name: filled(item, how) for name, item in value.items()}
            case list() | tuple():
                return [filled(item, how) for item in value]
            case _:
                return value

    return {name: filled(value, fills.get(name)) for name, value in arguments.items()}


def filled_text(
    text: str, inputs: JsonObject, runtime_values: Mapping[str, JsonValue], how: Fill | None = None
) -> str:
    """One text of the arguments, as `filled_arguments`."""
    try:
        template = fill(text, inputs, runtime_values)
    except PathError as error:
        raise RunFails(str(error)) from error
    if how is Fill.SECRETS_TOO:
        return template
    for secret in secrets_in(template):
        raise ToolFailed(f"{secret} is a secret: it can be typed, and used nowhere else")
    return fill_secrets(template, {})
