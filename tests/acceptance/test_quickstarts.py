"""The quick starts of the vendor's own documents, word for word but for key, address and ids."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import MachineUpdate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ROOT / "packages" / "sdk" / "tests" / "documents"
PROMPT = (ROOT / "demo" / "workflow.txt").read_text(encoding="utf-8")
QUICK_STARTS_SECONDS = 150

_BLOCK = re.compile(r"^([ ]*)```python[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def quick_starts() -> list[tuple[str, str]]:
    """The Python blocks of each document's quick start that create a run and wait for it, with a name."""
    found = []
    for document in sorted(DOCUMENTS.glob("*.md")):
        section = re.split(r"^## ", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (quick_start,) = [text for text in section if text.startswith("Quick Start")]
        for _, block in _BLOCK.findall(quick_start):
            code = textwrap.dedent(block)
            if "your-workflow-id" in code:
                found.append((f"{document.stem}, {'async' if 'asyncio' in code else 'sync'}", code))
    return found


def test_both_documents_have_quick_starts_in_both_manners() -> None:
    assert [name for name, _ in quick_starts()] == [
        "python_sdk_guide, async",
        "python_sdk_guide, sync",
        "sdk_readme, sync",
    ]


def test_every_quick_start_prints_a_result(site: Any, clinic: Any, tmp_path: Path) -> None:
    # The quick starts know no secrets, so the desktop brings its own, as the documents recommend.
    site.client.machines.update_sync(
        clinic.id,
        MachineUpdate(
            machine_parameters={"username": "clinic"},
            machine_sensitive_parameters={"password": "legacy"},
        ),
    )
    workflow_id = site.workflow(PROMPT)
    programs = {
        name: substituted(code, site.server, workflow_id=workflow_id, machine_id=clinic.id)
        for name, code in quick_starts()
    }

    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, code in programs.items()
    }
    said = {name: process.communicate(timeout=QUICK_STARTS_SECONDS)[0] for name, process in running.items()}

    for name, text in said.items():
        assert re.match(r"(Patient data|Result): \{.*'demographics'", text), f"{name} said: {text}"


def substituted(code: str, server: Any, *, workflow_id: str, machine_id: str) -> str:
    """The code with a real key, address and ids in it."""
    code = code.replace("your-workflow-id", workflow_id).replace("your-machine-id", machine_id)
    with_key, count = re.subn(
        r"CyberdeskClient\((?:api_key=)?(['\"]).*?\1\)",
        f"CyberdeskClient({server.api_key!r}, base_url={server.base_url!r})",
        code,
    )
    assert count == 1
    return with_key
