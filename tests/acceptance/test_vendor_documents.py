"""Every Python block of the vendor's two documents, word for word, against a real server and a real desktop.

A reader follows each document from top to bottom. Only ids, keys, addresses and paths are put in, each of
the kind that its placeholder names; what the documents leave to their readers is in `LEFT_TO_THE_READER`.
The table of results is part of `docs/reference/compatibility.md`.
"""

import ast
import asyncio
import base64
import inspect
import io
import os
import re
import sys
import textwrap
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk import (
    AttachmentType,
    ConnectionStatus,
    HTTPValidationError,
    MachineCreate,
    MachinePoolAssignment,
    MachineStatus,
    MachineUpdate,
    ModelConfigurationCreate,
    PoolCreate,
    RunAttachmentCreate,
    RunCreate,
    RunStatus,
    RunUpdate,
    TrajectoryCreate,
    _twins,
)
from cyberdesk._envelope import enveloped
from cyberdesk_server.testing.programs import ServerProgram

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "packages" / "sdk" / "tests" / "documents"
PAGE = ROOT / "docs" / "reference" / "compatibility.md"
WRITTEN = ROOT / "var" / "vendor-documents"
"""Where the test leaves the tables it found, to be copied into the page."""

CLINIC_PROMPT = (ROOT / "demo" / "workflow.txt").read_text(encoding="utf-8")
FILE_PROMPT = """
Run the command "echo Summary: nothing to report. >> ~/CyberdeskTransfers/report.txt"
Export the file "~/CyberdeskTransfers/report.txt"
"""
QUICK_PROMPT = 'Check whether "Patient" is visible as result'

CANNOT_RUN = {"svix.webhooks": "svix", "django.http": "Django", "pandas": "pandas"}
"""Packages the documents use and this repository does not install, by the module that is imported."""

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

_BLOCK = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_LITERAL = re.compile(r"(['\"])([^'\"\n]+)\1")
_DELETED = re.compile(r"\.delete(_sync)?\($")


@dataclass(frozen=True)
class Block:
    """A Python block of a document: where it stands, and what it says."""

    line: int
    place: str
    code: str

    def cannot_run(self) -> str | None:
        return next((package for name, package in CANNOT_RUN.items() if name in self.code), None)


def blocks_of(document: str) -> list[Block]:
    text = (DOCUMENTS / document).read_text(encoding="utf-8")
    blocks = []
    for found in _BLOCK.finditer(text):
        before = text[: found.start()]
        blocks.append(Block(before.count("\n") + 1, place_of(before), textwrap.dedent(found[2])))
    return blocks


def place_of(before: str) -> str:
    """The heading, the fold and the tab that are open at the end of this text."""
    place: dict[str, str] = {}
    for line in before.splitlines():
        if heading := re.match(r"##+ (.+)", line):
            place = {"heading": heading[1].replace("\\", "")}
        elif opened := re.match(r"\s*<(Accordion|Tab) title=\"(.+)\"", line):
            place[opened[1]] = opened[2]
        elif closed := re.match(r"\s*</(Accordion|Tab)>", line):
            place.pop(closed[1], None)
    return place.get("Accordion", place["heading"]) + (f", {place['Tab']}" if "Tab" in place else "")


class World:
    """What a reader has on the server; a new thing for each placeholder of a block."""

    def __init__(self, site: Any, clinic: Any) -> None:
        self.site = site
        self.clinic = clinic
        self.block = ""

    def workflow(self, prompt: str = QUICK_PROMPT, **fields: Any) -> str:
        workflow_id: str = self.site.workflow(prompt, **fields)
        if "trajectories" in self.block:
            self.client.trajectories.create_sync(TrajectoryCreate(workflow_id, steps=[])).unwrap()
        return workflow_id

    def machine(self) -> str:
        """A machine that never connects, so that its runs wait."""
        return str(self.client.machines.create_sync(MachineCreate(name="spare")).unwrap().id)

    def pool(self) -> str:
        """A pool; with the clinic in it where a block starts a session and ends it again."""
        pool_id = str(self.client.pools.create_sync(PoolCreate(name=f"pool {uuid4()}")).unwrap().id)
        if "start_session=True" in self.block or '"step1.outputs.result"' in self.block:
            machines = MachinePoolAssignment(machine_ids=[self.clinic.id])
            self.client.pools.add_machines_sync(pool_id, machines).unwrap()
        return pool_id

    def run(self, **fields: Any) -> Any:
        """A run that has ended well; one that still waits where a block updates it."""
        order = RunCreate(self.site.workflow(QUICK_PROMPT), machine_id=self.machine(), **fields)
        made = self.client.runs.create_sync(order).unwrap()
        if "runs.update" in self.block:
            return made
        ended = RunUpdate(status=RunStatus.SUCCESS, output_data={"result": "seen"})
        return self.client.runs.update_sync(made.id, ended).unwrap()

    def attachment(self) -> str:
        content = base64.b64encode(b"%PDF-1.7").decode()
        made = self.client.run_attachments.create_sync(
            RunAttachmentCreate(self.run().id, "chart.pdf", content, "application/pdf", AttachmentType.OUTPUT)
        )
        return str(made.unwrap().id)

    def session(self) -> str:
        order = RunCreate(self.site.workflow(QUICK_PROMPT), machine_id=self.machine(), start_session=True)
        return str(self.client.runs.create_sync(order).unwrap().session_id)

    def trajectory(self) -> str:
        order = TrajectoryCreate(self.site.workflow(QUICK_PROMPT), steps=[])
        return str(self.client.trajectories.create_sync(order).unwrap().id)

    def tag(self) -> str:
        return str(self.client.workflow_tags.create_sync(name=f"tag {uuid4()}").unwrap().id)

    def group(self) -> str:
        return str(self.client.workflow_tag_groups.create_sync(name=f"group {uuid4()}").unwrap().id)

    def model(self) -> str:
        order = ModelConfigurationCreate(name="mine", provider="openai", model_id="gpt-4o", api_key="k")
        return str(self.client.model_configurations.create_sync(order).unwrap().id)

    def picture(self) -> str:
        uploaded = self.client.workflows.upload_prompt_image_sync(file_path="screenshot.png").unwrap()
        return str(uploaded.supabase_url).removeprefix("supabase://workflow-prompt-images/")

    @property
    def client(self) -> Any:
        return self.site.client


KINDS: Mapping[str, Callable[[World], str]] = {
    r"YOUR_API_KEY|your-api-key": lambda world: world.site.server.api_key,
    r"https://(api\.your-domain\.com|custom-api\.cyberdesk\.io)": lambda world: world.site.server.base_url,
    r"your-workflow-id|550e8400-.*-446655440000": lambda world: world.workflow(CLINIC_PROMPT),
    r"your-file-processing-workflow-id": lambda world: world.workflow(
        FILE_PROMPT, includes_file_exports=True
    ),
    r"your-machine-id|550e8400-.*-446655440001": lambda world: world.clinic.id,
    r"([a-z\d]+-)+workflow-id|workflow-(id|uuid)|wf-.": World.workflow,
    r"machine-(id|uuid|\d)": World.machine,
    r"pool-(id|\d|uuid-\d|with-chrome)|customer-a|(customer-a|excel)-pool-id": World.pool,
    r"run-(id|uuid)": lambda world: str(world.run().id),
    r"attachment-uuid": World.attachment,
    r"existing-session-uuid": World.session,
    r"trajectory-id": World.trajectory,
    r"(production-)?tag-(id|\d)": World.tag,
    r"(priority-)?group-(id|\d)": World.group,
    r"config-id": World.model,
    r"org_xxx/prompt-assets/my-image\.png": World.picture,
}
"""What a placeholder stands for, by how it is spelled; the first that fits counts."""


def _patient_run(world: World) -> Callable[..., Any]:
    async def create_patient_run(client: Any, patient_id: str) -> Any:
        inputs = {"patient_id": patient_id, "patient_last_name": "Doe"}
        order = RunCreate(workflow_id, machine_id=world.clinic.id, input_values=inputs)
        return (await client.runs.create(order)).data

    workflow_id = world.workflow(CLINIC_PROMPT)
    return create_patient_run


def _event(world: World) -> dict[str, Any]:
    run = world.run(start_session=True, release_session_after=True)
    return {"event_id": str(uuid4()), "event_type": "run_complete", "run": run.to_dict()}


LEFT_TO_THE_READER: Mapping[str, Callable[[World], Any]] = {
    "data": lambda world: RunCreate(world.workflow()),
    "order_id": lambda world: 7,
    "base64_pdf": lambda world: base64.b64encode(b"%PDF-1.7").decode(),
    "existing_session_id": World.session,
    "patient_ids": lambda world: ["12345"],
    "create_patient_run": _patient_run,
    "event": _event,
}
"""Names that blocks use and no block defines."""


@dataclass
class Result:
    """What came of a block."""

    block: Block
    calls: list[str] = field(default_factory=list)
    """Methods that answered, each once."""

    complaints: list[str] = field(default_factory=list)

    def row(self) -> str:
        package = self.block.cannot_run()
        calls = ", ".join(f"`{name}`" for name in self.calls)
        outcome = "; ".join(self.complaints) or ("runs" if package is None else f"needs {package}")
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
        if block.cannot_run() is not None:
            return result
        self.responses.clear()
        said = io.StringIO()
        try:
            with redirect_stdout(said):
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
        if "FastAPI()" in source:
            self._ask(self.namespace["app"])

    def _call(self, function: Callable[..., Any]) -> None:
        """What a block only defines is called with what the blocks before it made."""
        outcome = function(*(self.namespace[name] for name in inspect.signature(function).parameters))
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)

    def _ask(self, app: Any) -> None:
        patient = {"patient_id": "12345", "patient_first_name": "John", "patient_last_name": "Doe"}

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://reader", timeout=150) as http:
                return await http.post("/patients/lookup", json=patient)

        answer = asyncio.run(asked())
        assert answer.status_code == 200, answer.text
        assert answer.json()["demographics"]["dateOfBirth"] == "1968-04-23"


def put_in(source: str, world: World) -> str:
    """The source with something real in place of each placeholder; after its deletion something new."""
    real: dict[str, str] = {}

    def replaced(found: re.Match[str]) -> str:
        text = found[2]
        make = next((make for kind, make in KINDS.items() if re.fullmatch(kind, text)), None)
        if make is None:
            return found[0]
        value = real[text] = real.get(text) or make(world)
        if _DELETED.search(source[: found.start()]):
            del real[text]
        return repr(value)

    return _LITERAL.sub(replaced, source)


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


@pytest.mark.parametrize("document", ["python_sdk_guide.md", "sdk_readme.md"])
def test_every_block_does_what_it_says(document: str, reader: Reader, until: Any) -> None:
    results = [reader.follow(block) for block in blocks_of(document)]

    found = "\n".join(result.row() for result in results)
    WRITTEN.mkdir(parents=True, exist_ok=True)
    (WRITTEN / document).write_text(f"{found}\n", encoding="utf-8")
    assert [result.row() for result in results if result.complaints] == []

    # What the blocks only start is carried out too.
    def none_on_the_desktop() -> Any:
        runs = reader.world.client.runs.list_sync(machine_id=reader.world.clinic.id, limit=100).unwrap().items
        return runs if all(run.status in ENDED for run in runs) else None

    runs = until(none_on_the_desktop, seconds=120, what="the end of the runs on the desktop")
    assert [(run.status, run.error) for run in runs if run.status not in ("success", "cancelled")] == []
    assert found in PAGE.read_text(encoding="utf-8"), "the page is old: copy the table from var/"


def test_a_block_that_cannot_run_needs_a_package_that_is_not_here() -> None:
    code = [block.code for document in DOCUMENTS.glob("*.md") for block in blocks_of(document.name)]

    assert {name for name in CANNOT_RUN if not any(name in text for text in code)} == set()
    assert [name for name in CANNOT_RUN if find_spec(name.split(".")[0]) is not None] == []


def test_everything_that_is_put_in_stands_in_a_document() -> None:
    code = [block.code for document in DOCUMENTS.glob("*.md") for block in blocks_of(document.name)]
    literals = {found[2] for text in code for found in _LITERAL.finditer(text)}

    assert [kind for kind in KINDS if not any(re.fullmatch(kind, text) for text in literals)] == []
    assert [sign for sign in (*ELLIPSES, *SHOWN_ERRORS) if not any(sign in text for text in code)] == []
    assert [name for name in LEFT_TO_THE_READER if not any(name in text for text in code)] == []
