"""Every Python block of the vendor's two documents, word for word, against a real server and a real desktop.

A reader follows each document from top to bottom. Only ids, keys, addresses and paths are put in, each of
the kind that its placeholder names (`vendor/world.py`).
The table of results is part of `docs/reference/compatibility.md`.
"""

import ast
import asyncio
import inspect
import io
import os
import re
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import (
    ConnectionStatus,
    HTTPValidationError,
    MachineStatus,
    MachineUpdate,
    RunStatus,
    _twins,
)
from cyberdesk._envelope import enveloped
from cyberdesk_server.testing.programs import ServerProgram

from tests.acceptance.vendor.documents import NAMES, Block, blocks_of
from tests.acceptance.vendor.visits import SIGNING_SECRET, STAND_INS, VISITS
from tests.acceptance.vendor.world import KINDS, LEFT_TO_THE_READER, LITERAL, World, put_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "compatibility.md"
WRITTEN = ROOT / "var" / "vendor-documents"
"""Where the test leaves the tables it found, to be copied into the page."""

SHOWN_ERRORS = {'client.machines.get_sync("invalid-id")': ["machine_id: 'invalid-id' is not a UUID"]}
"""The errors that blocks are there to show."""

ELLIPSES = {
    '"steps": [ ... ]': '"steps": [{"workflow_id": "wf-a"}]',
    "chain_sync(...)": 'chain_sync(WorkflowChainCreate.from_dict({"steps": [{"workflow_id": "wf-a"}]}))',
}
FAILURE = re.compile(
    r"^(Error|Failed\b(?!: 0$)|Run failed|Validation failed|No output|Exported 0)", re.MULTILINE
)
"""What blocks say when something went wrong."""

POLL_SECONDS = 0.5
ENDED = ("success", "task_failed", "error", "cancelled")


@dataclass
class Result:
    """What came of a block."""

    block: Block
    calls: list[str] = field(default_factory=list)
    """Methods that answered, each once."""

    complaints: list[str] = field(default_factory=list)

    def row(self) -> str:
        calls = ", ".join(f"`{name}`" for name in self.calls)
        missing = [f"with a stand-in for {package}" for package in missing_packages(self.block)]
        outcome = "; ".join(self.complaints) or ", ".join(["runs", *missing])
        return f"| {self.block.line} | {self.block.place} | {calls} | {outcome} |"


class Reader:
    """Follows a document block by block, in one namespace."""

    def __init__(self, world: World, responses: list[tuple[str, Any]]) -> None:
        self.world = world
        self.responses = responses
        self.namespace: dict[str, Any] = {
            "__name__": "__main__",
            "os": os,
            **{enum.__name__: enum for enum in (MachineStatus, RunStatus, ConnectionStatus)},
        }

    def follow(self, block: Block) -> Result:
        result = Result(block)
        said = io.StringIO()
        try:
            with redirect_stdout(said), pytest.MonkeyPatch.context() as patch:
                for package in missing_packages(block):
                    for name, module in STAND_INS[package]().items():
                        patch.setitem(sys.modules, name, module)
                self._run(block)
        except Exception as error:
            result.complaints.append(f"{type(error).__name__}: {error}")
        shown = next((errors for sign, errors in SHOWN_ERRORS.items() if sign in block.code), [])
        errors = [str(response.error) for _, response in self.responses if response.error is not None]
        if errors != shown:
            result.complaints += errors or [f"no error: {shown}"]
        result.complaints += [
            f"{name} refused: {response.data.detail}"
            for name, response in self.responses
            if isinstance(response.data, HTTPValidationError)
        ]
        if not shown and FAILURE.search(said.getvalue()):
            result.complaints.append(f"said {said.getvalue()!r}")
        result.calls = list(dict.fromkeys(name for name, _ in self.responses))
        return result

    def _run(self, block: Block) -> None:
        self.world.block = block.code
        source = block.code
        for ellipsis, filling in ELLIPSES.items():
            source = source.replace(ellipsis, filling)
        tree = ast.parse(source)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        made = {name: make(self.world) for name, make in LEFT_TO_THE_READER.items() if name in used}
        source = put_in(source, self.world)
        self.responses.clear()

        self.namespace.update(made)
        run_code(source, f"line {block.line}", self.namespace)
        for function in defined_and_not_called(tree):
            self._call(self.namespace[function])
        for sign, visit in VISITS.items():
            if sign in source:
                visit(self.namespace, self.world)

    def _call(self, function: Callable[..., Any]) -> None:
        """What a block only defines is called with what the blocks before it made."""
        outcome = function(*(self.namespace[name] for name in inspect.signature(function).parameters))
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)


def missing_packages(block: Block) -> list[str]:
    """The packages it imports that this repository does not install."""
    return [name for name in STAND_INS if re.search(rf"^(import|from) {name}\b", block.code, re.MULTILINE)]


def defined_and_not_called(tree: ast.Module) -> list[str]:
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    defined = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list
    ]
    return [name for name in defined if name not in called]


def run_code(source: str, name: str, namespace: dict[str, Any]) -> None:
    code = compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(types.FunctionType(code, namespace)())
    else:
        exec(code, namespace)  # noqa: S102  # that is the test


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, site_of: Any) -> Iterator[World]:
    """A server of the documents' own, with the demo clinic on its only desktop."""
    folder = tmp_path_factory.mktemp("documents")
    server = ServerProgram(folder)
    clinic = (sys.executable, str(ROOT / "demo" / "clinic"))
    with (
        pytest.MonkeyPatch.context() as patch,
        server.up(),
        site_of(server) as site,
        site.machines(folder) as machine_for,
    ):
        patch.setenv("HOME", str(folder))  # of the desktop: files of runs go there
        machine = machine_for(*clinic, name="clinic", environment={"CLINIC_PASSWORD": "legacy"})
        site.client.machines.update_sync(
            machine.id,
            MachineUpdate(
                machine_parameters={"username": "clinic"}, machine_sensitive_parameters={"password": "legacy"}
            ),
        ).unwrap()
        yield World(site, machine)


@pytest.fixture
def reader(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reader:
    """Somebody with a key, the files the documents mention, and the server's address in the environment, who
    polls twice a second where the documents say every five seconds."""
    sleep, async_sleep = time.sleep, asyncio.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, POLL_SECONDS)))
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: async_sleep(min(seconds, POLL_SECONDS)))
    monkeypatch.setenv("CYBERDESK_BASE_URL", world.site.server.base_url)
    monkeypatch.setenv("CYBERDESK_API_KEY", world.site.server.api_key)
    monkeypatch.setenv("APP_PASSWORD", "legacy")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-reader")
    monkeypatch.setenv("SVIX_WEBHOOK_SECRET", SIGNING_SECRET)
    monkeypatch.chdir(tmp_path)
    picture = (ROOT / "docs" / "images" / "report.png").read_bytes()
    files = {
        "path/to/your/file.txt": b"Dear reader",
        "screenshot.png": picture,
        "image.png": picture,
        "patients.csv": b"patient_id,first_name,last_name\n12345,John,Doe\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    responses: list[tuple[str, Any]] = []

    def noted(flow: Any) -> Any:
        response = yield from enveloped(flow)
        responses.append((called(flow.__qualname__), response))
        return response

    monkeypatch.setattr(_twins, "enveloped", noted)
    return Reader(world, responses)


def called(qualified_name: str) -> str:
    """`client.run_attachments.list` from the `RunAttachmentsAPI.list` of its class."""
    group, _, method = qualified_name.partition("API.")
    return f"{re.sub(r'(?<!^)(?=[A-Z])', '_', group).lower()}.{method}"


@pytest.mark.parametrize("document", NAMES)
def test_every_block_does_what_it_says(document: str, reader: Reader, until: Any) -> None:
    results = [reader.follow(block) for block in blocks_of(document)]

    rows = [result.row() for result in results]
    WRITTEN.mkdir(parents=True, exist_ok=True)
    (WRITTEN / document).write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert [result.row() for result in results if result.complaints] == []

    # What the blocks only start is carried out too.
    def none_on_the_desktop() -> Any:
        runs = reader.world.client.runs.list_sync(machine_id=reader.world.clinic.id, limit=100).unwrap().items
        return runs if all(run.status in ENDED for run in runs) else None

    runs = until(none_on_the_desktop, seconds=120, what="the end of the runs on the desktop")
    assert [(run.status, run.error) for run in runs if run.status not in ("success", "cancelled")] == []
    page = PAGE.read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row not in page] == [], f"copy {WRITTEN / document} into {PAGE.name}"


def test_stand_ins_are_needed() -> None:
    blocks = [block for document in NAMES for block in blocks_of(document)]

    assert [name for name in STAND_INS if not any(name in missing_packages(block) for block in blocks)] == []
    assert [name for name in STAND_INS if find_spec(name) is not None] == []


def test_everything_that_is_put_in_stands_in_a_document() -> None:
    code = [block.code for document in NAMES for block in blocks_of(document)]
    literals = {found[2] for text in code for found in LITERAL.finditer(text)}

    assert [kind for kind in KINDS if not any(re.fullmatch(kind, text) for text in literals)] == []
    assert [
        sign for sign in (*ELLIPSES, *SHOWN_ERRORS, *VISITS) if not any(sign in text for text in code)
    ] == []
    assert [name for name in LEFT_TO_THE_READER if not any(name in text for text in code)] == []
