"""Receivers take our messages with the libraries that people use, and with the kit that the SDK brings.

Each library is in an environment of its own, kept in `var/`; without a network the tests are skipped.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from uuid import UUID

import httpx
import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.webhooks import HttpCourier
from cyberdesk_server.domain.ids import WebhookMessageId
from cyberdesk_server.domain.networks import Reach, networks_in
from cyberdesk_server.domain.webhooks import new_secret, signed_headers
from cyberdesk_server.testing.webhooks import a_receiver

from bench.sdk_environments import FOLDER, environment

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "packages" / "sdk"
RECEIVERS = Path(__file__).with_name("receivers")
KIT = FOLDER / "webhook-kit"
README = SDK / "tests" / "documents" / "sdk_readme.md"
START_SECONDS = 30.0
COMMAND_SECONDS = 170.0

pytestmark = pytest.mark.slow

CHECK = """
import json, sys
from {module}.webhooks import Webhook, WebhookVerificationError

message = json.load(sys.stdin)
for secret in message["secrets"]:
    for prefix in {prefixes}:
        headers = {{name: value for name, value in message["headers"].items() if name.startswith(prefix)}}
        assert Webhook(secret).verify(message["body"], headers) in (None, json.loads(message["body"]))
        for body, its_secret in ((message["body"] + " ", secret), (message["body"], message["other"])):
            try:
                Webhook(its_secret).verify(body, headers)
            except WebhookVerificationError:
                continue
            raise SystemExit("a forged message was taken")
print("verified")
"""


@pytest.mark.parametrize(
    ("name", "module", "prefixes"),
    [
        ("svix-1", "svix", ("svix-", "webhook-")),
        ("svix-2", "svix", ("svix-", "webhook-")),
        ("standardwebhooks", "standardwebhooks", ("webhook-",)),
    ],
)
async def test_a_library_verifies_what_arrives_with_both_secrets_of_a_rotation(
    name: str, module: str, prefixes: tuple[str, ...]
) -> None:
    python = environment(RECEIVERS / f"{name}.requirements.lock")
    if python is None:
        pytest.skip(f"{name} cannot be installed here")
    secrets = [new_secret(), new_secret()]
    body = json.dumps({"event_type": "run_complete", "name": "Zoë"}, ensure_ascii=False).encode()
    headers = signed_headers(WebhookMessageId(UUID(int=1)), body, secrets, now=datetime.now(UTC))
    reach = Reach(networks_in("127.0.0.0/8"), allows_http=True)
    courier = HttpCourier(reach, SystemClock(), timeout_seconds=10)
    async with a_receiver() as receiver:
        await courier.carry(receiver.url, headers, body)
    await courier.close()

    [arrived] = receiver.received
    message = {
        "body": arrived.body.decode(),
        "headers": arrived.headers,
        "secrets": secrets,
        "other": new_secret(),
    }
    program = CHECK.format(module=module, prefixes=prefixes)
    done = await asyncio.to_thread(checked, python, program, json.dumps(message))

    assert (done.stdout.strip(), done.returncode) == ("verified", 0), done.stderr


def checked(python: Path, program: str, message: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", "-c", program],
        input=message,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the SDK to stand in, as the README has its readers do."""
    if not is_installed():
        pytest.skip("the extra `testing` cannot be installed here")
    folder = tmp_path_factory.mktemp("kit") / "sdk"
    copytree(SDK, folder, ignore=ignore_patterns("__pycache__", ".env"))
    (folder / ".env").write_text((folder / ".env.example").read_text())
    return folder


def is_installed() -> bool:
    """Whether `KIT` has what `pip install ".[testing]"` brings; it is made anew when that has changed."""
    stamp = KIT / sha256((SDK / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists():
        rmtree(KIT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", KIT], check=True, timeout=COMMAND_SECONDS)
        pip = [KIT / "bin" / "pip", "install", "-q", "--disable-pip-version-check", ".[testing]"]
        if subprocess.run(pip, cwd=SDK, capture_output=True, timeout=COMMAND_SECONDS, check=False).returncode:
            return False
        stamp.touch()
    return True


@pytest.fixture(scope="module")
def receiver(kit: Path) -> Iterator[str]:
    """The address of the example receiver, started as the README says but for its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = "python -m uvicorn tests.webhooks.example_webhook_handler:app --reload"
    assert told in README.read_text()
    running = subprocess.Popen([*command(told), "--port", str(port)], cwd=kit, env=clean())
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield f"{url}/webhooks/cyberdesk"
    finally:
        running.terminate()
        running.wait(COMMAND_SECONDS)


def command(told: str) -> list[str]:
    program, *arguments = told.split(" ")
    return [str(KIT / "bin" / program), *arguments]


def clean(**variables: str) -> dict[str, str]:
    """The environment with the SDK of this checkout, which may be newer than the installed one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CYBERDESK"))}
    return {**kept, "PYTHONPATH": str(SDK / "src"), **variables}


@pytest.mark.timeout(300)
def test_the_local_sender_of_the_kit_is_answered_by_its_receiver(kit: Path, receiver: str) -> None:
    told = "python -m tests.webhooks.test_webhook_local"
    assert told in README.read_text()

    done = subprocess.run(
        command(told),
        cwd=kit,
        env=clean(WEBHOOK_URL=receiver),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        *(f"run_complete {status}: 200" for status in ("success", "task_failed", "error", "cancelled")),
        "forged: 400",
    ]


@pytest.mark.timeout(300)
def test_the_tests_of_the_kit_pass_where_only_its_extra_is_installed(kit: Path) -> None:
    done = subprocess.run(
        command("pytest tests/webhooks tests/integration -v -p no:cacheprovider"),
        cwd=SDK,
        env=clean(),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "test_a_forged_message_is_refused PASSED" in done.stdout
