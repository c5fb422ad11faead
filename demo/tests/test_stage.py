"""What the demo starts, it stops: however the block is left, and whatever the program started itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from stage import Part, StageError, running

WITH_A_CHILD = "sleep 600 & echo child $!; wait"
DEAF = "trap '' TERM; echo ready; while true; do sleep 0.05; done"


def said(part: Part, *, lines: int = 1) -> list[str]:
    deadline = monotonic() + 20
    while part.said().count("\n") < lines:
        assert monotonic() < deadline
        sleep(0.01)
    return part.said().splitlines()


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return "State:\tZ" not in status


def test_a_program_and_its_children_end_with_the_block(tmp_path: Path) -> None:
    with running("parent", ["sh", "-c", WITH_A_CHILD], tmp_path, {}) as part:
        child = int(said(part)[0].split()[1])
        assert is_alive(child)

    assert part.process.returncode is not None
    assert not is_alive(child)


def test_a_program_ends_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), running("parent", ["sleep", "600"], tmp_path, {}) as part:
        raise KeyboardInterrupt

    assert part.process.returncode is not None


def test_a_program_that_will_not_listen_is_killed(tmp_path: Path) -> None:
    with running("deaf", ["sh", "-c", DEAF], tmp_path, {}, stop_seconds=0.2) as part:
        said(part)

    assert part.process.returncode == -9


def test_a_program_that_has_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    with running(
        "brief", [sys.executable, "-c", "print('no room'); raise SystemExit(3)"], tmp_path, {}
    ) as part:
        part.process.wait(20)

        with pytest.raises(StageError, match=r"brief ended with status 3\n  no room"):
            part.check()


def test_a_running_program_passes_the_check(tmp_path: Path) -> None:
    with running("parent", ["sleep", "600"], tmp_path, {}) as part:
        part.check()


def test_the_environment_is_added_to_ours(tmp_path: Path) -> None:
    with running("env", ["sh", "-c", "echo $PLAY $HOME"], tmp_path, {"PLAY": "hamlet"}) as part:
        assert said(part) == [f"hamlet {os.environ['HOME']}"]
