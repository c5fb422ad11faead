"""The tools that do the same for each item of a list.

The model does the first round by hand, between `start_loop` and `end_loop_iteration`. The other rounds are
steps that `end_loop_iteration` is made of (`rounds.py`): what was done in the first is replayed, and
`{{loop_item}}` is the next item.
"""

import json
from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompts import EMPTY, LOOP_ITEM, Kind, Placeholder
from cyberdesk_server.domain.steps import END_LOOP_ITERATION, START_LOOP, Step, StepState, course
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.filling import filled_text
from cyberdesk_server.executor.moves import runtime_values
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool
from cyberdesk_server.executor.tools.focused import parts_of
from cyberdesk_server.executor.tools.rounds import Rounds

MOST_ITEMS = 1000
ITEM = str(Placeholder(Kind.RUNTIME, LOOP_ITEM))


@dataclass(frozen=True, slots=True)
class StartArguments:
    text: Annotated[
        str,
        "What to loop over: a JSON array, or how many times as a whole number; an input (`{patients}`) or a "
        "runtime value (`{{order_ids}}`) that is one.",
    ]


async def start_loop(bench: Bench, arguments: StartArguments) -> Outcome:
    own = course(bench.steps(), bench.step.within)
    if any(step.turn == bench.step.turn and step.number > bench.step.number for step in own):
        raise ToolFailed(f"{START_LOOP} is the last call of its turn: what comes next depends on it")
    if open_loop(bench) is not None:
        raise ToolFailed(f"there is a loop already: end its first round with {END_LOOP_ITERATION}")
    items = items_of(arguments.text)
    if not items:
        return Outcome(
            "there is nothing to loop over, and no loop: go on behind it, and do not call "
            f"{END_LOOP_ITERATION}"
        )
    return Outcome(
        f"a loop over {len(items)} item{'' if len(items) == 1 else 's'}. Do the first round now, writing "
        f"{ITEM} or a path into it instead of values, and leave the screen as it is now; then call "
        f"{END_LOOP_ITERATION}, which does the other rounds",
        runtime_values={LOOP_ITEM: items[0]},
        facts={"items": items},
    )


def items_of(text: str) -> list[JsonValue]:
    """The items of a list, or 0, 1, 2, … for a number. Raises `ToolFailed` for anything else."""
    if text.strip() in ("", EMPTY):
        return []
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    match value:
        case None:
            return []
        case list():
            items: list[JsonValue] = value
        case int() if not isinstance(value, bool) and value <= MOST_ITEMS:
            items = list(range(value))
        case int() if not isinstance(value, bool):
            raise ToolFailed(f"`text` asks for {value} rounds, more than {MOST_ITEMS}")
        case _:
            raise ToolFailed(f"`text` is neither a JSON array nor a whole number: {text[:200]}")
    if len(items) > MOST_ITEMS:
        raise ToolFailed(f"`text` has {len(items)} items, more than {MOST_ITEMS}")
    return items


def open_loop(bench: Bench) -> Step | None:
    """The step that began the loop which is not over; None when there is none."""
    found = None
    for step in course(bench.steps(), bench.step.within):
        if step.id == bench.step.id:
            break
        if step.state is StepState.DONE and step.call.tool == START_LOOP and (step.result or {}).get("items"):
            found = step
        if step.state is StepState.DONE and step.call.tool == END_LOOP_ITERATION:
            found = None
    return found


@dataclass(frozen=True, slots=True)
class EndArguments:
    text: Annotated[
        str,
        "What came of the round, for its result; with runtime values, such as `{{loop_item}}: {{total}}`.",
        Fill.NOTHING,
    ]


async def end_loop_iteration(bench: Bench, arguments: EndArguments) -> Outcome:
    began = open_loop(bench)
    if began is None:
        raise ToolFailed(f"there is no loop: {START_LOOP} begins one, when there is something to loop over")
    before = _before(bench)
    own = course(before, bench.step.within)
    first_round = own[own.index(began) + 1 :]
    items = (began.result or {})["items"]
    assert isinstance(items, list)
    display = bench.eyes.size or (await bench.eyes.look()).size
    rounds = Rounds(bench, items, first_round, display)
    await bench.follow(rounds)
    done, stopped = rounds.done(course(bench.steps(), bench.step.id))
    inner = parts_of(bench)
    values = [runtime_values(before)]
    for last in done:
        values.append(runtime_values([*before, *inner[: inner.index(last) + 1]]))
    results = [filled_text(arguments.text, bench.task.inputs, known) for known in values]
    said = f"{len(results)} of {len(items)} rounds are done"
    return Outcome(
        said + (f"; the loop ended early: {stopped}" if stopped else ""),
        runtime_values=runtime_values(inner),
        facts={"results": results},
    )


def _before(bench: Bench) -> tuple[Step, ...]:
    """The steps that happened before this one, in order."""
    steps = bench.steps()
    return steps[: next(place for place, step in enumerate(steps) if step.id == bench.step.id)]


TOOLS = (
    Tool(
        START_LOOP,
        "Begin to do the same for each item of a list, when the task says so or there is one to go through. "
        "You do the first round; the others are replayed. The last call of its turn.",
        StartArguments,
        start_loop,
    ),
    Tool(
        END_LOOP_ITERATION,
        "End the first round of a loop: what you did in it is done again for every other item.",
        EndArguments,
        end_loop_iteration,
    ),
)
