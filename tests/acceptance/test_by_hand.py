"""A desktop operated by hand, over plain HTTP: seen, typed into, and touched once whatever is repeated."""

import base64
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

RECORDER = Path(__file__).resolve().parent / "programs" / "byte_recorder.py"


def test_a_desktop_is_operated_over_http(site: Any, machine_for: Any, tmp_path: Path, until: Any) -> None:
    typed = tmp_path / "typed.bin"
    typed.touch()
    terminal = ("xterm", "-u8", "-geometry", "80x20", "-e", sys.executable, str(RECORDER), str(typed))
    machine = machine_for(*terminal, name="by hand")
    headers = {"Authorization": f"Bearer {site.server.api_key}"}
    address = f"{site.server.base_url}/v1/computer/{machine.id}"

    with httpx.Client(headers=headers, timeout=60) as http:

        def post(path: str, body: Any = None, key: str | None = None) -> httpx.Response:
            sent = {} if key is None else {"Idempotency-Key": key}
            return http.post(f"{address}/{path}", json=body, headers=sent)

        def picture() -> Image.Image | None:
            """The screen, once there is something on it."""
            answer = http.get(f"{address}/display/screenshot")
            assert answer.headers["content-type"] == "image/png"
            shown = Image.open(BytesIO(answer.content))
            return shown if len(shown.getcolors(2**24) or ()) > 1 else None

        shown, key = until(picture, what="a window"), str(uuid4())
        moved = post("input/mouse/move", {"x": 200, "y": 150})
        position = http.get(f"{address}/input/mouse/position").json()
        clicked = post("input/mouse/click", {"x": 200, "y": 150})
        answers = [post("input/keyboard/type", {"text": "Ada < Łódź"}, key) for _ in range(3)]
        until(lambda: typed.read_bytes().endswith("ź".encode()), what="the typed text")

        assert (shown.format, shown.size) == ("PNG", (1280, 800))
        assert [moved.status_code, clicked.status_code] == [204, 204]
        assert position == {"x": 200, "y": 150}
        assert [answer.status_code for answer in answers] == [204, 204, 204]
        assert typed.read_bytes().decode() == "Ada < Łódź"

        file = str(tmp_path / "new" / "note.txt")
        content = base64.b64encode(b"note").decode()
        assert post("fs/write", {"path": file, "content": content}).status_code == 200
        ran = post("shell/powershell/exec", {"command": f"cat {file}", "same_session": False}).json()
        assert (ran["stdout"], ran["exit_code"]) == ("note", 0)
        health = http.get(f"{site.server.base_url}/v1/health/machines").json()
        assert machine.id not in {error["machine_id"] for error in health["errored_machines"]}

        def paths() -> list[str] | None:
            query = {"machine_id": machine.id, "method": "POST"}
            logs = http.get(f"{site.server.base_url}/v1/request-logs", params=query).json()["items"]
            return [log["path"] for log in reversed(logs)] if len(logs) >= 5 else None

        assert until(paths, what="the request logs") == [
            "/computer/input/mouse/move",
            "/computer/input/mouse/click",
            "/computer/input/keyboard/type",
            "/computer/fs/write",
            "/computer/shell/powershell/exec",
        ]
