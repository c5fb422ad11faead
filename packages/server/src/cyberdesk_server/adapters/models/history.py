"""A run's journal as a model is shown it: what it did, what came of it, and the last few screens.

Everything is told from the history alone, so any worker can ask the next question. Old screens are left out,
and old long results cut, several at a time: until the next ones go, the beginning of every question stays the
same to the byte, and a provider's cache of it stays good.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from cyberdesk_server.adapters.models.conversation import Past, Picture, Result
from cyberdesk_server.adapters.models.pictures import Pictures
from cyberdesk_server.adapters.models.scaling import on_picture
from cyberdesk_server.domain.geometry import Scale
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.steps import BEING_READ, Step, StepState, is_read_later
from cyberdesk_server.executor.tools.reading import ProcessAsync
from cyberdesk_server.executor.usage import is_extraction

NEWEST_KEPT = 3
"""Of the screens, and of the long results: a model is always shown so many, when there are."""

LEFT_OUT_AT_ONCE = 4
"""So many go together. A provider looks back some 20 blocks for what it has cached; four turns are fewer."""

NOT_TOLD = frozenset({"output", "is_being_read", "read_at"})
"""Members of a result that say nothing to a model."""

MOST_CHARACTERS = 20_000
"""Of one result; a command may have printed more."""

OLD_CHARACTERS = 500
"""Of an old result. A longer one is a long result: shown up to `MOST_CHARACTERS` as long as it is kept."""


def memo_text(author: str, memo: JsonObject) -> str:
    """A `Turn.memo` by this author: a provider's interface and its model."""
    return json.dumps({"author": author, "memo": memo}, ensure_ascii=False)


def memo_of(author: str, text: str | None) -> JsonObject | None:
    """The memo, when this author wrote it; those of others say nothing to it."""
    try:
        written = json.loads(text or "null")
    except ValueError:
        return None
    if not isinstance(written, dict) or written.get("author") != author:
        return None
    memo: JsonObject = written["memo"]
    return memo


async def told(
    history: Sequence[Step], now: str, *, author: str, pictures: Pictures, scale: Scale
) -> tuple[Picture | None, tuple[Past, ...]]:
    """The screen the first turn was decided on, if it is still shown, and the turns so far.

    `now` is the address of the screen the next turn is decided on.
    """
    turns = _turns(history, now)
    addresses = [history[0].screen if history else now]
    for turn in turns:
        addresses += [address for looks in turn.looks for address in looks] + [turn.screen_after]
    frames, texts = iter(_frames(addresses)), iter(_result_texts(history))

    async def picture() -> tuple[Picture | None, bool]:
        frame = next(frames)
        shown = await pictures.at(frame.address) if frame.address and frame.is_shown else None
        return shown, frame.is_unchanged

    opening, _ = await picture()
    past = []
    for turn in turns:
        results = []
        for step, looks in zip(turn.steps, turn.looks, strict=True):
            text = next(texts)
            taken = [await picture() for _ in looks]
            shown = tuple(look for look, _ in taken if look is not None)
            results.append(Result(text, step.state is StepState.FAILED, shown))
        screen, is_unchanged = await picture()
        first = turn.steps[0]
        words = "\n".join(_in_words(turn.steps, results, scale))
        past.append(Past(tuple(results), words, memo_of(author, first.memo), screen, is_unchanged))
    return opening, tuple(past)


def result_text(step: Step, most_characters: int = MOST_CHARACTERS) -> str:
    """What a call came to, for the model that goes on.

    What is read in the background until the run's end is the same to it all along: it does not wait for it.
    """
    return BEING_READ if _is_read_until_the_end(step) else full_result_text(step, most_characters)


def _is_read_until_the_end(step: Step) -> bool:
    return is_read_later(step) and step.call.arguments.get("process_async") == ProcessAsync.RUN


def full_result_text(step: Step, most_characters: int = MOST_CHARACTERS) -> str:
    """What a call came to; of more characters the first, and how many are missing."""
    text = _whole_result_text(step)
    more = len(text) - most_characters
    return text if more <= 0 else f"{text[:most_characters]} … ({more} characters more)"


def _whole_result_text(step: Step) -> str:
    if step.error:
        return f"failed: {step.error}"
    result = {name: value for name, value in (step.result or {}).items() if name not in NOT_TOLD}
    if set(result) <= {"text"}:
        return str(result.get("text") or "done")
    return json.dumps(result, ensure_ascii=False)


def number_left_out(shown: int) -> int:
    """How many of so many screens, or long results, are not shown any more, the oldest first."""
    return max(shown - NEWEST_KEPT, 0) // LEFT_OUT_AT_ONCE * LEFT_OUT_AT_ONCE


def _result_texts(history: Sequence[Step]) -> list[str]:
    """What each call came to. Of old long results only the beginning is told."""
    texts = [result_text(step) for step in history]
    long = [place for place, text in enumerate(texts) if len(text) > OLD_CHARACTERS]
    for place in long[: number_left_out(len(long))]:
        texts[place] = result_text(history[place], OLD_CHARACTERS)
    return texts


@dataclass(frozen=True, slots=True)
class _Turn:
    steps: tuple[Step, ...]
    looks: tuple[tuple[str, ...], ...]
    """The pictures each step took for the model: not those it had read, nor the screen that follows."""

    screen_after: str | None


@dataclass(frozen=True, slots=True)
class _Frame:
    address: str | None
    is_shown: bool
    is_unchanged: bool
    """True when it is the same picture as the one before."""


def _turns(history: Sequence[Step], now: str) -> list[_Turn]:
    grouped = [tuple(steps) for _, steps in groupby(history, key=lambda step: step.turn)]
    following = [*(steps[0].screen for steps in grouped[1:]), now]
    return [
        _Turn(steps, tuple(_looks(step, after) for step in steps), after)
        for steps, after in zip(grouped, following, strict=False)  # without turns nothing follows any
    ]


def _looks(step: Step, screen_after: str | None) -> tuple[str, ...]:
    if is_extraction(step):
        return ()
    return tuple(address for address in step.images if address != screen_after)


def _frames(addresses: Sequence[str | None]) -> Iterator[_Frame]:
    changes = [True, *(before != after for before, after in pairwise(addresses))]
    left_out = number_left_out(sum(changes))
    seen = 0
    for address, is_new in zip(addresses, changes, strict=True):
        seen += is_new
        yield _Frame(address, seen > left_out, not is_new)


def _in_words(steps: Sequence[Step], results: Sequence[Result], scale: Scale) -> Iterator[str]:
    if steps[0].thought:
        yield steps[0].thought
    for step, result in zip(steps, results, strict=True):
        call = on_picture(step.call, scale)
        yield f"{call.tool} {json.dumps(dict(call.arguments), ensure_ascii=False)}: {result.text}"
