"""Tools that type and press keys."""

import re
from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.domain import actions
from cyberdesk_server.domain.prompts import CLEAR, EMPTY
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.secrets import secrets_in
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

CLEARING_KEYS = "ctrl+a backspace"

PAINTED_OVER = "what it changed on the screen is painted over in the pictures"
"""What a model reads when a secret shows."""

_ENDS_OF_FIELDS = re.compile(r"([\t\r\n]+)")
_FIRST_PIECE = 10
"""Above the other parts of the step."""


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
    if not typed:
        return Outcome() if CLEAR in text else Outcome("there was nothing to type")
    if secrets_in(arguments.text):
        return await _type_secret(bench, typed)
    await bench.act(actions.TypeText(typed))
    return Outcome()


async def _type_secret(bench: Bench, text: str) -> Outcome:
    """Types what holds a secret, field by field: after a tab or a line break another screen may come up, and
    what shows of the secret has to be seen before."""
    shows = False
    for number, piece in enumerate(_ENDS_OF_FIELDS.split(text)):
        if not piece:
            continue
        is_end = _ENDS_OF_FIELDS.fullmatch(piece)
        if is_end:
            bench.eyes.stir()
        else:
            await bench.eyes.before_secret(bench.step.screen if bench.is_repeat else None)
        await bench.act(actions.TypeText(piece), part=0 if number == 0 else _FIRST_PIECE + number)
        if not is_end:
            shows |= await bench.eyes.after_secret()
    return Outcome(PAINTED_OVER if shows else None)


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
