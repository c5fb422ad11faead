"""The guides keep their word: every Python block compiles, and every one that can run here runs.

They run from top to bottom with a shared namespace, as a reader would follow them, against a server that
answers each published operation with an example of its published schema. Only ids are substituted.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import textwrap
import time
import types
from pathlib import Path

import pytest

from cyberdesk import (
    ConnectionStatus,
    MachineStatus,
    RunCreate,
    RunStatus,
    _twins,
)
from cyberdesk._envelope import enveloped
from cyberdesk.testing import Scripted, ScriptedApi

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OPENAPI = json.loads((ROOT / "contract" / "openapi.json").read_text())
ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"

BLOCK = re.compile(r"^( *)```python[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(
    r"""(['"])(?!invalid)(?:[a-z\d-]*-(?:id|uuid)(?:-\d)?|(?:machine|pool|group|tag|wf)-(?:\d|a|b))\1"""
)
NOT_A_PLACEHOLDER = {"svix-id"}

CANNOT_RUN = {
    "from fastapi import": "a web application",
    "from django": "a web application",
    "import pandas": "needs pandas",
    '"steps": [ ... ]': "has an ellipsis for its steps",
    "chain_sync(...)": "has an ellipsis for its argument",
    "csv.DictReader": "reads a file of patients that the guide does not show",
    "patient_ids[:10]": "a sketch: create_patient_run is not shown",
    'if event["run"]': "a line of the reader's own webhook handler",
}


def blocks(document):
    text = (HERE / "documents" / document).read_text()
    return [textwrap.dedent(match[2]) for match in BLOCK.finditer(text)]


def with_ids(block):
    return PLACEHOLDER.sub(
        lambda match: match[0] if match[0][1:-1] in NOT_A_PLACEHOLDER else f'"{ID}"', block
    )


def why_not(block):
    return next((reason for sign, reason in CANNOT_RUN.items() if sign in block), None)


DOCUMENTS = {name: blocks(name) for name in ("python_sdk_guide.md", "sdk_readme.md")}
ALL_BLOCKS = [(name, number) for name, found in DOCUMENTS.items() for number in range(len(found))]


def test_all_blocks_were_found():
    assert {name: len(found) for name, found in DOCUMENTS.items()} == {
        "python_sdk_guide.md": 78,
        "sdk_readme.md": 13,
    }


def test_every_reason_not_to_run_is_needed():
    for sign in CANNOT_RUN:
        assert any(sign in block for found in DOCUMENTS.values() for block in found), sign


@pytest.mark.parametrize(("document", "number"), ALL_BLOCKS)
def test_every_block_compiles_and_its_imports_are_there(document, number):
    block = DOCUMENTS[document][number]

    tree = compile(block, f"{document}:{number}", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("cyberdesk", "openapi_client"):
            module = __import__(node.module, fromlist=[alias.name for alias in node.names])
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def an_example(schema):
    """The simplest JSON of a schema, with every property, so that a block can read what it likes."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return "success" if name == "RunStatus" else an_example(OPENAPI["components"]["schemas"][name])
    if "anyOf" in schema:
        return an_example(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"), schema.get("format"):
        case None, _:
            return {}
        case "object", _:
            return {key: an_example(part) for key, part in schema.get("properties", {}).items()}
        case "array", _:
            return [an_example(schema["items"])]
        case "string", "uuid":
            return ID
        case "string", "date-time":
            return "2025-01-31T12:00:00Z"
        case "boolean", _:
            return False
        case "integer", _:
            return 1
        case _:
            return "text"


def answer_as_published(asked):
    """The declared success of the operation that was asked for; what is not published is a 404."""
    for template, verbs in sorted(OPENAPI["paths"].items(), key=lambda item: "{" in item[0]):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, asked.path) and asked.method.lower() in verbs:
            return success_of(verbs[asked.method.lower()])
    return Scripted(404, json={"detail": "not published"})


def success_of(operation):
    status, answer = min(operation["responses"].items())
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if status == "204":
        return Scripted(204)
    return (
        Scripted(int(status), content=b"bytes")
        if schema is None
        else Scripted(int(status), json=an_example(schema))
    )


@pytest.fixture
def published_api():
    with ScriptedApi(otherwise=answer_as_published) as api:
        yield api


@pytest.fixture
def responses(monkeypatch):
    """Every `ApiResponse` that a method answers with."""
    seen = []

    def noted(flow):
        response = yield from enveloped(flow)
        seen.append(response)
        return response

    monkeypatch.setattr(_twins, "enveloped", noted)
    return seen


@pytest.fixture
def reader(published_api, monkeypatch, tmp_path):
    """Somebody who follows a guide: an address, keys, the files it mentions, and no patience."""
    monkeypatch.setenv("CYBERDESK_BASE_URL", published_api.base_url)
    for name in ("CYBERDESK_API_KEY", "APP_PASSWORD", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    monkeypatch.chdir(tmp_path)
    for name in ("path/to/your/file.txt", "screenshot.png", "image.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"bytes")
    return published_api


async def no_sleep(seconds):
    """Go on at once."""


@pytest.mark.parametrize(
    ("document", "errors"),
    [("python_sdk_guide.md", []), ("sdk_readme.md", ["machine_id: 'invalid-id' is not a UUID"])],
)
def test_every_block_runs(document, errors, reader, responses):
    namespace = {
        "__name__": "__guide__",
        "os": os,
        "data": RunCreate(workflow_id=ID),
        "order_id": 7,
        "base64_pdf": "JVBERg==",
        "existing_session_id": ID,
        **{enum.__name__: enum for enum in (MachineStatus, RunStatus, ConnectionStatus)},
    }

    for number, block in enumerate(DOCUMENTS[document]):
        if why_not(block) is None:
            source = with_ids(block).replace("https://custom-api.cyberdesk.io", reader.base_url)
            run_block(source, f"{document}:{number}", namespace)

    assert [str(response.error) for response in responses if response.error] == errors
    assert [asked.path for asked in reader.asked if answer_as_published(asked).status == 404] == []
    assert len(responses) > 20


def run_block(source, name, namespace):
    code = compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(types.FunctionType(code, namespace)())
    else:
        exec(code, namespace)  # noqa: S102  # that is the test


@pytest.mark.parametrize(
    ("page", "examples", "first_line"),
    [("packages/sdk/README.md", 6, "Result: {}"), ("docs/how-to/sdk.md", 11, "success")],
)
def test_the_examples_of_our_own_pages_run(reader, responses, capsys, page, examples, first_line):
    found = [with_ids(match[2]) for match in BLOCK.finditer((ROOT / page).read_text())]

    for block in found:
        run_block(block, page, {"__name__": "__readme__"})

    assert len(found) == examples
    assert [response.error for response in responses if response.error] == []
    assert [asked.path for asked in reader.asked if answer_as_published(asked).status == 404] == []
    assert capsys.readouterr().out.splitlines()[0] == first_line


def test_the_quick_starts_print_their_result(reader, capsys):
    everything = [block for found in DOCUMENTS.values() for block in found]
    quick_starts = [block for block in everything if "Patient data:" in block or "Result:" in block]

    for block in quick_starts:
        run_block(with_ids(block), "quick start", {"__name__": "__guide__"})

    assert capsys.readouterr().out.splitlines() == ["Patient data: {}", "Patient data: {}", "Result: {}"]
