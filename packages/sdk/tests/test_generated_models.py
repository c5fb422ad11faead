"""The generated folder is what the generator writes, and nothing of it is loaded before it is used."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1]
GENERATOR = PACKAGE / "tools" / "generate_models.py"
GENERATED = PACKAGE / "src" / "cyberdesk" / "models" / "_generated"


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_models_are_up_to_date():
    done = run_python(str(GENERATOR), "--check")

    assert (done.returncode, done.stdout) == (0, "the generated models are up to date\n")


def test_a_change_of_what_the_server_says_makes_the_models_stale(tmp_path):
    pytest.importorskip("cyberdesk_server")
    copy = tmp_path / "packages" / "sdk"
    shutil.copytree(PACKAGE / "tools", copy / "tools")
    shutil.copytree(GENERATED, copy / GENERATED.relative_to(PACKAGE))
    shutil.copytree(PACKAGE.parents[1] / "contract", tmp_path / "contract")
    described = (PACKAGE / "openapi.json").read_text()
    (copy / "openapi.json").write_text(described.replace('"create_run_v1_runs_post"', '"another_name"'))

    done = run_python(str(copy / "tools" / GENERATOR.name), "--check")

    assert (done.returncode, done.stdout) == (1, "stale, make fix writes anew: openapi.json\n")


def fields_without_docstring(path):
    for model in ast.walk(ast.parse(path.read_text())):
        if isinstance(model, ast.ClassDef):
            for field, after in zip(model.body, [*model.body[1:], None], strict=True):
                is_field = isinstance(field, ast.AnnAssign) and not field.target.id.startswith("_")
                is_docstring = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                if is_field and not is_docstring:
                    yield f"{model.name}.{field.target.id}"


def test_every_field_of_every_model_says_what_it_means():
    assert [name for path in GENERATED.glob("*.py") for name in fields_without_docstring(path)] == []


def test_generated_files_say_so():
    for path in GENERATED.glob("*.py"):
        assert "Do not edit." in path.read_text().splitlines()[0]


@pytest.mark.parametrize(
    "statement",
    [
        "import cyberdesk",
        "from cyberdesk import CyberdeskClient; CyberdeskClient('key')",
        "import openapi_client.cyberdesk_cloud_client.models",
        "import cyberdesk; dir(cyberdesk)",
    ],
)
def test_no_model_is_loaded_before_it_is_used(statement):
    done = run_python(
        "-c",
        f"{statement}\nimport sys\n"
        "print([name for name in sys.modules if name.startswith(('attr', 'cyberdesk.models._generated.'))])",
    )

    loaded = "['cyberdesk.models._generated.module_names']" if "openapi" in statement else "[]"
    assert (done.stdout.strip(), done.stderr) == (loaded, "")


def test_what_takes_long_to_load_is_not_loaded_by_the_import():
    done = run_python(
        "-c",
        "from cyberdesk import CyberdeskClient\nimport sys\n"
        "slow = ('asyncio', 'attrs', 'email', 'httpx', 'logging', 'pathlib')\n"
        "print([name for name in slow if name in sys.modules])",
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_model_loads_its_own_module_only():
    done = run_python(
        "-c",
        "from cyberdesk import RunCreate\nimport sys\n"
        "print(sorted(name for name in sys.modules if name.startswith('cyberdesk.models._generated.')))",
    )

    assert done.stdout.strip() == "['cyberdesk.models._generated.runs']"
