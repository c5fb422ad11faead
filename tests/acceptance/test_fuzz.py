"""The short form of `make fuzz`: every operation is asked, with a fixed seed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
PATIENCE_SECONDS = 480
"""On a busy machine the server starts slowly, and what has been begun is finished."""


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_nothing_is_found_in_a_minute(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fuzz", f"--seconds={SECONDS}", "--seed=1", f"--keep={tmp_path}"]

    fuzzed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert fuzzed.returncode == 0, fuzzed.stdout[-8000:] + fuzzed.stderr[-2000:]
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", fuzzed.stdout)
    assert tested is not None
    assert len(set(tested.groups())) == 1
