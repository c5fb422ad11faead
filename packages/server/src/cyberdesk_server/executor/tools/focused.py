"""The tool that has a fresh look: an agent of its own decides, acts and reads what one instruction asks for.

Its course is never recorded, so that it is done live whenever the step is replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from cyberdesk_server.domain.steps import (
    END_LOOP_ITERATION,
    FOCUSED_ACTION,
    START_LOOP,
    Step,
    StepState,
)
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.agent import Agent
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.moves import is_declaration, runtime_values
from cyberdesk_server.executor.pictures import prompt_pictures
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

MOST_TURNS = 30
WITHHELD = frozenset({FOCUSED_ACTION, START_LOOP, END_LOOP_ITERATION})
"""Tools a focused action does without."""


@dataclass(frozen=True, slots=True)
class FocusedArguments:
    instruction: Annotated[
        str,
        "What to look for, decide, do and report on the screen as it is then, complete in itself; with "
        "`{{name}}` for values to keep.",
        Fill.NOTHING,
    ]


async def focused_action(bench: Bench, arguments: FocusedArguments) -> Outcome:
    task = await focused(bench, arguments.instruction)
    refusals = bench.parts.model.check(task)
    if refusals:
        raise ToolFailed("; ".join(map(str, refusals)))
    agent = Agent(
        task,
        bench.parts,
        bench.watch,
        bench.eyes,
        bench.steps,
        withheld=WITHHELD,
        most_turns=MOST_TURNS,
        given_up=ToolFailed,
    )
    end = await bench.follow(agent)
    inner = parts_of(bench)
    return Outcome(
        end.reason or _what_was_read(inner),
        runtime_values=runtime_values(inner),
        facts={"ended_run": True} if any(map(is_declaration, inner)) else {},
    )


async def focused(bench: Bench, instruction: str) -> Task:
    """The task of an agent that carries this instruction out, with what the run knows."""
    pictures = await prompt_pictures(instruction, bench.parts.blobs, bench.task.organization_id)
    return replace(
        bench.task,
        prompt=instruction,
        pictures={**bench.task.pictures, **pictures},
        tools=tuple(spec for spec in bench.task.tools if spec.name not in WITHHELD),
        is_focused=True,
        known=runtime_values(bench.steps()),
    )


def parts_of(bench: Bench) -> tuple[Step, ...]:
    """The steps that this step was made of, and those they were made of, in order."""
    within, found = {bench.step.id}, list[Step]()
    for step in bench.steps():
        if step.within in within:
            within.add(step.id)
            found.append(step)
    return tuple(found)


def _what_was_read(steps: Sequence[Step]) -> str:
    texts = [
        str((step.result or {}).get("text"))
        for step in steps
        if step.state is StepState.DONE and step.call.arguments.get("extract_prompt")
    ]
    return "\n".join(texts) or "done"


TOOLS = (
    Tool(
        FOCUSED_ACTION,
        "Have one instruction carried out with a fresh look at the screen, live also when your steps are "
        "replayed in later runs. For everything that differs between runs: to choose one of several things, "
        "to read changing values, to decide by what is there. Its answer is an observation of the run.",
        FocusedArguments,
        focused_action,
    ),
)
