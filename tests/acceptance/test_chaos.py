"""The short form of `make chaos`: a few blows on each database, with a fixed seed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
PATIENCE_SECONDS = 300
"""On a busy machine servers start slowly."""


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS + 30)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_doubled(database: str) -> None:
    command = [sys.executable, "-m", "chaos", f"--rounds={ROUNDS}", "--seed=1", f"--database={database}"]

    hit = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert hit.returncode == 0, hit.stdout[-8000:] + hit.stderr[-4000:]
    assert len(re.findall(r"^round \d", hit.stdout, re.MULTILINE)) == ROUNDS
    succeeded = re.search(r"figure chaos_runs_success (\d+)", hit.stdout)
    assert succeeded is not None
    assert int(succeeded[1]) > 0
