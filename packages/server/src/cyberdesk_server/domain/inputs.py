"""Which values a run's variables have, and which are missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import EMPTY, variables


def is_blank(value: JsonValue) -> bool:
    """True for what counts as not given: nothing, or an empty text."""
    return value is None or value == ""


def layered(*layers: JsonObject | None) -> JsonObject:
    """The values of all layers, each over those before it.

    A blank lets the value below in; a name that is blank everywhere reads `__EMPTY__`.
    """
    values: dict[str, JsonValue] = {}
    for layer in layers:
        for name, value in (layer or {}).items():
            if not is_blank(value):
                values[name] = value
            else:
                values.setdefault(name, EMPTY)
    return values


def effective_inputs(
    run_values: JsonObject | None,
    machine_values: JsonObject | None,
    pool_values: JsonObject | None = None,
) -> JsonObject:
    """The values of `{x}` on a machine: the machine's win over the run's, and these over the pools'."""
    return layered(pool_values, run_values, machine_values)


@dataclass(frozen=True, slots=True)
class Missing:
    """Names of a prompt's variables nobody has given a value."""

    inputs: frozenset[str]
    secrets: frozenset[str]


def missing_variables(
    prompt: str,
    *,
    inputs: Collection[str],
    secrets: Collection[str],
    optional: Collection[str] = (),
) -> Missing:
    """What is not among the given names; optional inputs and names the prompt gives itself never are."""
    used = variables(prompt)
    return Missing(
        used.inputs_to_give - frozenset(inputs) - frozenset(optional),
        used.secrets - frozenset(secrets),
    )


def provided(value: JsonValue) -> JsonValue:
    """`value` as a schema sees it: `__EMPTY__` means not provided, so such members and items are left out."""
    match value:
        case Mapping():
            return {name: provided(item) for name, item in value.items() if item != EMPTY}
        case list() | tuple():
            return [provided(item) for item in value if item != EMPTY]
        case _:
            return value
