"""A secret is typed, printed, copied, read from the screen and said by the model, and is nowhere afterwards.

Nowhere: in no request to a model, no row and no byte of the database, no blob, no log record, no history, no
trajectory, no ending.
"""

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from cyberdesk_server.adapters.models.registry import Models, ModelUrls
from cyberdesk_server.domain.actions import Action, ActionResult, CopyToClipboard, RunCommand, TypeText
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.history import message_history
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.store.tables import metadata, workflows
from cyberdesk_server.testing.model_servers import (
    ModelServer,
    Scripted,
    completion,
    computer_call,
    computer_use,
    function_call,
    message,
    response,
    said,
    text_block,
    thinking_block,
    tool_use,
)
from cyberdesk_server.usecases import model_configurations
from sqlalchemy import select, update

KEY = "sk-own-key-0123456789"
SECRET = "canary-hunter22"
TRACES = [SECRET.encode()] + [
    base64.b64encode(b" " * shift + SECRET.encode())[shift + 1 : -4] for shift in range(3)
]
"""As it is, and in base64 wherever it begins."""


def anthropic() -> list[Scripted]:
    return [
        message(
            thinking_block(f"The field shows {SECRET}."),
            text_block(f"I type {SECRET}."),
            computer_use("type", "toolu_1", text="{$pin}"),
            tool_use("copy_to_clipboard", "toolu_2", key_name="echo", output="echo"),
            tool_use("execute_terminal_command", "toolu_3", command="whoami"),
            tool_use("upsert_runtime_values", "toolu_4", values={SECRET: [SECRET]}),
        ),
        message(tool_use("focused_action", "toolu_5", instruction=f"Type {{$pin}}; it is not {SECRET}")),
        message(computer_use("type", "toolu_6", text="{$pin}")),
        message(text_block(f"It shows {SECRET}.")),
        message(tool_use("screenshot", "toolu_7", extract_prompt=f"Is {SECRET} there?")),
        message(tool_use("report", observation=f"{SECRET} is there", runtime_values={"seen": SECRET})),
        message(tool_use(f"no_tool_{SECRET}", "toolu_8")),
        message(text_block(f"Done with {SECRET}.")),
        message(text_block(json.dumps({"pin": SECRET}))),
    ]


def openai() -> list[Scripted]:
    typing = {"type": "type", "text": "{$pin}"}
    return [
        response(
            said(f"I type {SECRET}."),
            computer_call(typing),
            function_call("copy_to_clipboard", {"key_name": "echo", "output": "echo"}, "call_2"),
            function_call("execute_terminal_command", {"command": "whoami"}, "call_3"),
            function_call("upsert_runtime_values", {"values": {SECRET: [SECRET]}}, "call_4"),
        ),
        response(function_call("focused_action", {"instruction": f"Type {{$pin}}; not {SECRET}"}, "call_5")),
        response(computer_call(typing, call_id="call_6")),
        response(said(f"It shows {SECRET}.")),
        response(function_call("screenshot", {"extract_prompt": f"Is {SECRET} there?"}, "call_7")),
        response(
            function_call("report", {"observation": SECRET, "runtime_values": {"seen": SECRET}}, "call_8")
        ),
        response(function_call(f"no_tool_{SECRET}", {}, "call_9")),
        response(said(f"Done with {SECRET}.")),
        response(said(json.dumps({"pin": SECRET}))),
    ]


def compatible() -> list[Scripted]:
    typing = ("type", {"text": "{$pin}"})
    return [
        completion(
            f"I type {SECRET}.",
            typing,
            ("copy_to_clipboard", {"key_name": "echo", "output": "echo"}),
            ("execute_terminal_command", {"command": "whoami"}),
            ("upsert_runtime_values", {"values": {SECRET: [SECRET]}}),
        ),
        completion(None, ("focused_action", {"instruction": f"Type {{$pin}}; it is not {SECRET}"})),
        completion(None, typing),
        completion(f"It shows {SECRET}."),
        completion(None, ("screenshot", {"extract_prompt": f"Is {SECRET} there?"})),
        completion(None, ("report", {"observation": SECRET, "runtime_values": {"seen": SECRET}})),
        completion(None, (f"no_tool_{SECRET}", {})),
        completion(f"Done with {SECRET}."),
        completion(json.dumps({"pin": SECRET})),
    ]


SCRIPTS: dict[str, Callable[[], list[Scripted]]] = {
    "anthropic": anthropic,
    "openai": openai,
    "vllm": compatible,
}

STEPS = """
Type {$pin}
Copy the selection as {{echo}} and echo
Run the command "whoami"
Remember {{echo}} as {{again}}
Use focused_action:
    Type {$pin}
    Copy the selection as {{third}} and third
"""


def echoing(action: Action) -> ActionResult:
    """A desktop that tells whatever was typed."""
    match action:
        case CopyToClipboard():
            return ActionResult(text=f"it is {SECRET}")
        case RunCommand():
            return ActionResult(text=SECRET, error_text=f"{SECRET}?", exit_code=0)
        case _:
            return ActionResult()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer().running() as server:
        yield server


@dataclass
class Logged:
    """Everything that is logged: by us, and by the libraries at their most talkative."""

    ours: Sequence[Any]
    theirs: pytest.LogCaptureFixture

    def __str__(self) -> str:
        return "\n".join([*map(str, self.ours), *(record.getMessage() for record in self.theirs.records)])


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logged]:
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    monkeypatch.setenv("OPENAI_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as ours:
        yield Logged(ours, caplog)


@pytest.mark.parametrize("provider", [*SCRIPTS, "steps"])
async def test_it_is_nowhere(
    stage: Any, server: ModelServer, logged: Logged, tmp_path: Path, provider: str
) -> None:
    stage.desktop.react = echoing
    prompt = STEPS if provider == "steps" else "Sign in with {$pin}."
    await stage.a_waiting_run(main_prompt=prompt, hidden={"pin": SECRET})
    models = Models(
        stage.database,
        stage.vault,
        stage.blobs,
        stage.clock,
        ModelUrls(server.url, server.url, (f"{server.url}/v1",)),
        stage.limits,
    )
    if provider != "steps":
        await choose(stage, provider, server)
        server.answers(*SCRIPTS[provider]())

    claim = await stage.claim()
    model, _ = await models.of(claim, ScreenReader())
    ending: Ending = await stage.carry_out(claim, model)
    await models.close()

    assert (ending.status, ending.error) == (RunStatus.SUCCESS, ())
    assert stage.desktop.performed.count(TypeText(SECRET)) == 2
    assert server.script == []
    history = await stage.history()
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    assert "{$pin}" in str(trajectory), "what was typed is recorded by its name"
    places = {
        "requests": [asked.text + str(asked.headers) for asked in server.asked],
        "ending": ending,
        "history": [history, message_history(prompt, history)],
        "trajectory": trajectory,
        "rows": await rows(stage),
        "logs": logged,
    }
    for place, content in places.items():
        assert not [trace for trace in TRACES if trace.decode() in str(content)], place
    assert KEY not in str(logged)
    contents = {**stage.blobs.contents, **files_in(tmp_path)}
    assert stage.blobs.contents
    is_a_file = stage.database.url.startswith("sqlite")
    assert (len(contents) > len(stage.blobs.contents)) == is_a_file
    for name, content in contents.items():
        assert not [trace for trace in TRACES if trace in content], name


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def choose(stage: Any, provider: str, server: ModelServer) -> None:
    """Let this provider carry the run out."""
    fields: JsonObject = {
        "name": "mine",
        "provider": provider,
        "model": {"anthropic": "claude-opus-5", "openai": "gpt-5.4"}.get(provider, "qwen3-vl"),
        "is_computer_use_model": True,
        "additional_params": {"base_url": f"{server.url}/v1"} if provider == "vllm" else None,
    }
    async with stage.database.transaction() as conn:
        (organization_id,) = (await conn.execute(select(workflows.c.organization_id))).one()
        configuration = await model_configurations.create(
            conn,
            fields,
            api_key=KEY,
            organization_id=organization_id,
            vault=stage.vault,
            now=stage.clock.now(),
        )
        named = {"main_agent_model_id": str(configuration.id)}
        await conn.execute(update(workflows).values(model_metadata=named))


async def rows(stage: Any) -> list[Any]:
    """Every row of every table."""
    async with stage.database.read() as conn:
        return [tuple(row) for table in metadata.sorted_tables for row in await conn.execute(select(table))]
