"""A page with a button, recordings of what was done on it, and their replay."""

from collections.abc import Callable
from typing import Any

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, ToolCall, Turn
from cyberdesk_server.domain.trajectories import Trajectory, dimensions, recorded
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.ports import FunctionModel, ScriptedDesktop, turns
from cyberdesk_server.testing.rows import a_trajectory
from cyberdesk_server.testing.screens import Canvas

Stage = Any
"""The fixture `stage` of the executor's tests."""

SIZE = Size(400, 300)
SAVE = Box(40, 240, 150, 268)


def a_screen(name: str = "", *, page: str = "Patient", save: str = "Save", at: int = 0) -> Screenshot:
    """A page with a name in its field and a button, which stands at `SAVE` or `at` pixels to its right."""
    canvas = Canvas(*SIZE)
    canvas.text(20, 16, page, is_bold=True)
    canvas.field(20, 60, name)
    canvas.button(SAVE.left + at, SAVE.top, save)
    return canvas.screenshot()


CLICK = ToolCall("click", {"x": 95, "y": 254}, target=SAVE)
TYPE = ToolCall("type", {"text": "{name}"})
READ = ToolCall("screenshot", {"extract_prompt": "the name"})
F3 = ToolCall("key", {"keys": "F3"})


def reads_doe(*_: Any) -> Observation:
    """What a model answers that is asked to read."""
    return Observation("Doe", {"name": "Doe"})


async def record(
    stage: Stage,
    *script: Turn,
    screen: Screenshot | None = None,
    read: Callable[..., Observation] = reads_doe,
    **inputs: Any,
) -> Any:
    """A run of this script that ends well, and its trajectory, approved."""
    stage.desktop.screen = screen or a_screen("Doe")
    await stage.a_waiting_run(inputs=inputs or {"name": "Doe"})
    claim = await stage.claim()
    model = turns(*script)
    model.read = read
    ending = await execute(claim, stage.parts(model))
    assert ending.status is RunStatus.SUCCESS
    await stage.finish(claim, ending)
    stage.desktop = ScriptedDesktop()
    trajectory = await kept(stage, claim, is_approved=True, has_been_approved=True)
    return claim.workflow, trajectory


async def kept(stage: Stage, claim: Any, **marks: Any) -> Trajectory:
    """The trajectory of the run that this claim was for, with these fields."""
    async with stage.database.transaction() as conn:
        return await a_trajectory(
            conn,
            claim.workflow,
            trajectory_data=recorded(await stage.history()),
            dimensions=dimensions(SIZE),
            prompt_digest=prompt_digest(claim.prompt),
            **marks,
        )


async def replay(stage: Stage, workflow: Any, model: FunctionModel, screen: Screenshot, **inputs: Any) -> Any:
    """Another run of the same workflow, on a desktop that shows this."""
    stage.desktop.screen = screen
    await stage.another_run(workflow, inputs=inputs or {"name": "Santos"})
    claim = await stage.claim()
    ending = await execute(claim, stage.parts(model))
    await stage.finish(claim, ending)
    return ending


def never_asked() -> FunctionModel:
    """A model that fails the run when it has to decide."""

    def decide(*_: Any) -> Turn:
        raise ModelError("the model was asked")

    return FunctionModel(decide)
