"""Secrets that a real run types on a real desktop are looked for everywhere: in every table, file and log, in
what models, webhooks and callers get, and in the pictures, which are read. Nothing is found.
"""

import asyncio
import base64
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from cyberdesk import (
    MachineUpdate,
    ModelConfigurationCreate,
    RunCreate,
    TrajectoryUpdate,
    WorkflowModelMetadata,
)
from cyberdesk_server.domain.screens import Screenshot, png_size
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.executor.replay.screens import pixels
from cyberdesk_server.testing.model_servers import ModelServer, computer_use, in_a_thread, message
from cyberdesk_server.testing.programs import ServerProgram

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).resolve().parent / "programs" / "login.py"
USER, CARD, PASSWORD = "Canarybird", "Goldfinch4711", "Nightingale/+<99>"
CANARIES = USER, CARD, PASSWORD
FIELDS = {152: "{$user}", 202: "{$card.number}", 252: "{$password}"}
"""What goes into the field at this height."""

LOG_IN, LOG_OUT = [360, 318], [180, 318]
PROMPT = """<ol>
<li>Type {$user} into "User name"</li>
<li>Type {$card.number} into "Card number"</li>
<li>Type {$password} into "Password"</li>
<li>Save a screenshot as "form"</li>
<li>Click "Log in"</li>
<li>Read the text below "Patients today" as patients</li>
<li>Click "Log out"</li>
<li>Wait until "User name" appears</li>
</ol>"""


@pytest.fixture
def webhooks() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a receiver on this machine, and what it got."""
    got: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(str(self.headers).encode() + self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()
    thread.join()
    server.server_close()


def spellings(canary: str) -> set[bytes]:
    """How a secret may be written."""
    raw = canary.encode()
    # Of base64 only the middle is the same wherever in the content the secret begins.
    in_base64 = {base64.b64encode(bytes(start) + raw)[4:-4] for start in range(3)}
    return {
        raw,
        raw[::-1],
        json.dumps(canary)[1:-1].encode(),
        canary.encode("utf-16-le"),
        raw.hex().encode(),
        quote(canary, safe="").encode(),
        *in_base64,
    }


SPELLINGS = {spelling.lower() for canary in CANARIES for spelling in spellings(canary)}


def found_in(content: bytes) -> list[bytes]:
    low = content.lower()
    return [spelling for spelling in SPELLINGS if spelling in low]


def pictures_in(text: str) -> list[bytes]:
    """The PNGs that a request shows a model."""
    return [base64.b64decode(found) for found in re.findall(r"iVBORw0KGgo[A-Za-z0-9+/=]+", text)]


def readable_in(pictures: list[bytes]) -> list[str]:
    """The canaries that can be read in any of these pictures."""

    async def read() -> list[str]:
        reader, found = ScreenReader(), []
        for png in pictures:
            size = png_size(png)
            assert size is not None
            screen = Screenshot(png, size, sha256(png).hexdigest())
            found += [canary for canary in CANARIES if await reader.is_visible(screen, canary)]
        return found

    return asyncio.run(read())


def test_no_canary_is_found_anywhere(
    tmp_path: Path, site_of: Callable[..., Any], webhooks: tuple[str, list[bytes]], until: Callable[..., Any]
) -> None:
    provider, typed = ModelServer(), tmp_path / "typed.jsonl"
    hook_url, delivered = webhooks
    folder = tmp_path / "server"
    folder.mkdir()
    with in_a_thread(provider):
        settings = {
            "CYBERDESK_ANTHROPIC_URL": provider.url,
            "CYBERDESK_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "CYBERDESK_WEBHOOK_HTTP": "true",
            "CYBERDESK_LOG_LEVEL": "debug",
        }
        server = ServerProgram(folder, settings)
        with server.up(), site_of(server) as site, site.machines(tmp_path) as machine_for:
            http = httpx.Client(
                base_url=server.base_url,
                headers={"Authorization": f"Bearer {server.api_key}"},
                trust_env=False,
            )
            machine = machine_for(sys.executable, str(PROGRAM), str(typed), name="login")
            hook = {"url": hook_url, "event_types": ["run_complete"]}
            made = http.post("/v1/webhooks/endpoints", json=hook)
            assert made.status_code == 201, made.text
            assert not site.client.machines.update_sync(
                machine.id, MachineUpdate.from_dict({"machine_sensitive_parameters": {"password": PASSWORD}})
            ).error
            secrets = {"user": USER, "card": {"number": CARD}}

            def run(workflow_id: str, times: int) -> Any:
                made = site.client.runs.create_sync(
                    RunCreate(workflow_id=workflow_id, machine_id=machine.id, sensitive_input_values=secrets)
                )
                ended = site.ended(str(made.data.id))
                assert (ended.status, ended.error) == ("success", None)
                lines = typed.read_text(encoding="utf-8").splitlines()
                assert [json.loads(line) for line in lines] == [
                    {"User name": USER, "Card number": CARD, "Password": PASSWORD}
                ] * times
                return ended

            # A run that follows its prompt, and one that replays it.
            steps = site.workflow(PROMPT, is_webhooks_enabled=True)
            first = run(steps, 1)
            assert first.output_data == {"patients": "Seventeen"}
            for recording in site.client.trajectories.list_sync(workflow_id=steps).data.items:
                assert not site.client.trajectories.update_sync(
                    str(recording.id), TrajectoryUpdate(is_approved=True)
                ).error
            second = run(steps, 2)
            replayed = [one["step_kind"] for one in second.run_message_history if one.get("cache_detection")]
            assert set(replayed) == {"cached"}

            # One that a language model drives, which is shown the screen again and again.
            model = site.client.model_configurations.create_sync(
                ModelConfigurationCreate(
                    name="m",
                    provider="anthropic",
                    model="claude-opus-5",
                    api_key="k",
                    is_computer_use_model=True,
                )
            )
            driven = site.workflow(
                "Log in with {$user}, {$card.number} and {$password}",
                is_webhooks_enabled=True,
                model_metadata=WorkflowModelMetadata(main_agent_model_id=model.data.id),
            )
            provider.answers(*_turns())
            run(driven, 3)

            # That the reader would have read them is seen on the screen itself.
            shown = {"text": USER}
            http.post(
                f"/v1/computer/{machine.id}/input/mouse/click", json={"x": 400, "y": 152}
            ).raise_for_status()
            http.post(f"/v1/computer/{machine.id}/input/keyboard/type", json=shown).raise_for_status()
            bare = http.get(f"/v1/computer/{machine.id}/display/screenshot").content
            assert readable_in([bare]) == [USER]

            answers = _everything(http, [first, second], steps, machine.id)
            until(lambda: len(delivered) >= 3, what="the webhooks")
            http.close()

    assert found_in(typed.read_bytes())  # and here they are
    assert {str(path): found_in(path.read_bytes()) for path in _files(tmp_path, besides=typed)} == {
        str(path): [] for path in _files(tmp_path, besides=typed)
    }
    assert [found_in(answer) for answer in answers if found_in(answer)] == []
    assert [found_in(body) for body in delivered if found_in(body)] == []
    asked = [one.text for one in provider.asked]
    assert [found_in(text.encode()) for text in asked if found_in(text.encode())] == []
    stored = [path.read_bytes() for path in _files(server.data_dir, besides=typed)]
    screens = {png for png in stored if png.startswith(b"\x89PNG")}
    shown_to_models = {png for text in asked for png in pictures_in(text)}
    assert len(screens) > 5
    assert len(shown_to_models) > 3
    assert readable_in(sorted(screens | shown_to_models)) == []
    assert any(_is_covered(png) for png in screens)
    assert any(_is_covered(png) for png in shown_to_models)


def _is_covered(png: bytes) -> bool:
    """True when the writing in the first field is painted over."""
    return not pixels(png)[146:158, 306:340].any()


def _turns() -> list[Any]:
    """What the language model does: a click and a text for each field, then the two buttons."""
    return [
        *(
            message(
                computer_use("left_click", f"click_{y}", coordinate=[400, y]),
                computer_use("type", f"type_{y}", text=text),
            )
            for y, text in FIELDS.items()
        ),
        message(computer_use("left_click", "log_in", coordinate=LOG_IN)),
        message(computer_use("left_click", "log_out", coordinate=LOG_OUT)),
        message({"type": "text", "text": "Done."}),
    ]


def _files(folder: Path, *, besides: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != besides)


def _everything(http: httpx.Client, runs: list[Any], workflow_id: str, machine_id: str) -> list[bytes]:
    """What callers can get of these runs."""
    paths = [
        "/v1/runs",
        "/v1/machines",
        f"/v1/machines/{machine_id}",
        f"/v1/workflows/{workflow_id}",
        "/v1/trajectories",
        "/v1/request-logs?limit=1000",
        "/v1/webhooks/messages",
        "/v1/audit-log",
        *(f"/v1/runs/{run.id}" for run in runs),
    ]
    answers = [http.get(path) for path in paths]
    return [answer.content for answer in answers]
