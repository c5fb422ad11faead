"""Tools that type and press keys."""

from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.domain import actions
from cyberdesk_server.domain.prompts import CLEAR, EMPTY
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

CLEARING_KEYS = "ctrl+a backspace"


@dataclass(frozen=True, slots=True)
class TypeArguments:
    text: Annotated[
        str,
        "Typed into the focused field. `{x}`, `{{x}}` and `{$x}` are filled in; `__CLEAR__` empties the "
        "field first, `__EMPTY__` types nothing.",
        Fill.SECRETS_TOO,
    ]


async def type_text(bench: Bench, arguments: TypeArguments) -> Outcome:
    """Types what `arguments.text` says once the secrets are in it.

    `__EMPTY__` and `__CLEAR__` never reach the desktop as letters, wherever in the text they stand: a missing
    middle name inside `{first} {middle} {last}` must not be typed either.
    """
    text = await bench.secrets.fill(arguments.text)
    if CLEAR in text:
        await bench.act(actions.PressKeys(CLEARING_KEYS), part=1)
    typed = text.replace(CLEAR, "").replace(EMPTY, "")
    if typed:
        await bench.act(actions.TypeText(typed))
    elif CLEAR not in text:
        return Outcome("there was nothing to type")
    return Outcome()


@dataclass(frozen=True, slots=True)
class KeyArguments:
    keys: Annotated[str, "Chords pressed one after another, such as `ctrl+a shift+tab`."]


async def key(bench: Bench, arguments: KeyArguments) -> Outcome:
    await bench.act(actions.PressKeys(arguments.keys))
    return Outcome()


TOOLS = (
    Tool("type", "Type a text into the focused field.", TypeArguments, type_text, is_action=True),
    Tool("key", "Press keys.", KeyArguments, key, is_action=True),
)
