"""What a strict type checker sees: both twins of every method, and every model that is loaded late."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PACKAGE = HERE.parent


def checked(*arguments: str, cache: Path) -> str:
    done = subprocess.run(  # our own interpreter on our own files
        [sys.executable, "-m", "mypy", "--config-file=", "--strict", f"--cache-dir={cache}", *arguments],
        cwd=HERE,
        env={**os.environ, "MYPYPATH": str(PACKAGE / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_callers_see_both_twins_and_all_models(tmp_path):
    report = checked("--explicit-package-bases", "typed_usage.py", cache=tmp_path)

    assert report.startswith("Success"), report


def test_the_oldest_python_is_fine_with_the_package(tmp_path):
    report = checked("--python-version=3.10", "-p", "cyberdesk", "-p", "openapi_client", cache=tmp_path)

    assert report.startswith("Success"), report
