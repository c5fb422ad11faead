"""`cyberdesk-server` as its operator meets it."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx
import pytest
from cyberdesk_server.adapters.data_folder import DataFolder, write_private_file
from cyberdesk_server.cli import app
from cyberdesk_server.testing.programs import until
from typer.testing import CliRunner

PROGRAM = [sys.executable, "-c", "from cyberdesk_server.cli import main; main()"]
KEY_LINE = re.compile(r"API key: (cd_[\w-]{43})")

COMMANDS = [
    *(
        ["up"],
        ["migrate"],
        ["rotate-master-key"],
        ["settings"],
        ["audit", "verify"],
        ["organizations", "create"],
    ),
    *(
        ["organizations", "list"],
        ["keys", "create"],
        ["keys", "list"],
        ["keys", "rotate"],
        ["keys", "revoke"],
    ),
]


class Started:
    """A running server, what it said, and where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("ready: "):
                break
        assert self.said, self._complaint(process.stderr)
        self.url = self.said[-1].removeprefix("ready: ")

    @property
    def key(self) -> str | None:
        match = KEY_LINE.fullmatch(self.said[0])
        return match and match[1]

    def get(self, path: str, key: str | None) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {key}"}, trust_env=False)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    @staticmethod
    def _complaint(stream: IO[str] | None) -> str:
        return stream.read() if stream else ""


@contextmanager
def up(data_dir: Path, *options: str, program: Sequence[str] = PROGRAM) -> Iterator[Started]:
    command = [*program, "up", "--data-dir", str(data_dir), "--port", "0", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CYBERDESK_")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Started(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def refused(*arguments: str) -> str:
    """The one line with which the program refuses these arguments."""
    result = CliRunner().invoke(app, list(arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.slow
def test_a_first_start_shows_a_key_once(tmp_path: Path) -> None:
    with up(tmp_path / "data") as first:
        assert first.get("/v1/machines", first.key).status_code == 200
        assert first.get("/v1/machines", "wrong").status_code == 401
        assert first.end(signal.SIGTERM) == 0

    with up(tmp_path / "data") as second:
        assert second.key is None
        assert second.get("/v1/machines", first.key).status_code == 200
        assert second.end(signal.SIGINT) == 0


@pytest.mark.slow
def test_a_key_is_written_nowhere_in_clear_unless_asked(tmp_path: Path) -> None:
    with up(tmp_path / "data", "--write-key", str(tmp_path / "key")) as server:
        key = (tmp_path / "key").read_text().strip()
        assert server.get("/v1/machines", key).status_code == 200
        server.end(signal.SIGTERM)

    assert server.key is None
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    for path in (tmp_path / "data").rglob("*"):
        assert path.is_dir() or key.encode() not in path.read_bytes()


@pytest.mark.slow
def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    with up(tmp_path / "data") as first:
        assert first.end(signal.SIGKILL) == -signal.SIGKILL

    with up(tmp_path / "data") as second:
        assert second.get("/health/ready", None).status_code == 200


@pytest.mark.slow
def test_the_server_speaks_https_with_a_certificate(tmp_path: Path) -> None:
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    config = tmp_path / "server.toml"
    config.write_text(f"tls_certificate = '{tmp_path}/chain.pem'\ntls_key = '{tmp_path}/key.pem'\n")

    with up(tmp_path / "data", "--config", str(config)) as server:
        import ssl

        trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        assert server.url.startswith("https://127.0.0.1:")
        assert httpx.get(server.url + "/health", verify=trust, trust_env=False).status_code == 200


@pytest.mark.slow
def test_a_server_answers_only_so_many_connections(tmp_path: Path) -> None:
    few = "from cyberdesk_server import bootstrap; bootstrap.MAX_CONNECTIONS = 3"
    program = [sys.executable, "-c", f"{few}; {PROGRAM[-1]}"]
    (tmp_path / "server.toml").write_text("max_tunnels = 1\n")

    def connection() -> HTTPConnection:
        return parts.enter_context(closing(HTTPConnection(address.netloc, timeout=30)))

    def status(connection: HTTPConnection) -> int:
        connection.request("GET", "/health")
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    with (
        up(tmp_path / "data", "--config", str(tmp_path / "server.toml"), program=program) as server,
        ExitStack() as parts,
    ):
        address = urlsplit(server.url)
        kept = [connection() for _ in range(3)]
        # Whoever asked whether the server is up may not have left yet.
        until(lambda: [status(one) for one in kept] == [200] * 3, seconds=30, what="three that are answered")
        beyond = status(connection())
        # It counts until it is closed, which the server does a moment after its answer.
        until(lambda: [status(one) for one in kept] == [200] * 3, seconds=30, what="the three once more")
        kept[0].close()
        until(lambda: status(connection()) == 200, seconds=30, what="an answer once one is gone")

    assert beyond == 503


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = ["--data-dir", str(tmp_path / "data")]
    before = refused("keys", "create", "--name", "laptop", *folder)
    assert "start the server once" in before
    _first_start(tmp_path / "data")

    made = runner.invoke(app, ["keys", "create", "--name", "laptop", *folder])
    assert KEY_LINE.fullmatch(made.stdout.strip())
    _, line = runner.invoke(app, ["keys", "list", *folder]).stdout.splitlines()
    key_id = line.split()[0]
    assert "valid" in line
    assert line.endswith("laptop")
    assert runner.invoke(app, ["keys", "revoke", key_id, *folder]).stdout == "revoked\n"
    assert "revoked" in runner.invoke(app, ["keys", "list", *folder]).stdout
    assert f"no valid key {key_id}" in refused("keys", "revoke", key_id, *folder)
    assert f"no valid key {key_id}" in refused("keys", "rotate", key_id, *folder)


def test_an_organization_has_keys_with_scopes_and_ends(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = ["--data-dir", str(tmp_path / "data")]

    def told(*arguments: str) -> str:
        return runner.invoke(app, [*arguments, *folder]).stdout.strip()

    organization = told("organizations", "create", "--name", "clinic")
    assert told("organizations", "list").split("  ")[::2] == [organization, "clinic"]
    own = ["--organization", organization]
    told("keys", "create", "--name", "ci", "--scope", "run", "--expires-in-days", "90", *own)
    line = told("keys", "list", *own)
    key_id = line.split()[0]
    assert f"  {organization}  run  made " in line
    assert "  never used  valid until " in line
    assert KEY_LINE.fullmatch(told("keys", "rotate", key_id, "--overlap-hours", "0"))
    old, new = told("keys", "list", *own).splitlines()
    assert "  expired " in old
    assert "  run  " in new
    assert "org_none" in refused("keys", "create", "--name", "x", "--organization", "org_none", *folder)


def test_the_audit_log_is_verified(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = ["--data-dir", str(tmp_path / "data")]
    runner.invoke(app, ["organizations", "create", "--name", "clinic", *folder])
    for name in ("one", "two"):
        runner.invoke(app, ["keys", "create", "--name", name, *folder])

    verified = runner.invoke(app, ["audit", "verify", *folder])
    head = verified.stdout.strip()
    with sqlite3.connect(tmp_path / "data" / "cyberdesk.sqlite3") as database:
        database.execute("DROP TRIGGER audit_log_refuses_delete")
        database.execute("DELETE FROM audit_log WHERE number = 2")
    cut = runner.invoke(app, ["audit", "verify", "--expect", head, *folder])

    assert verified.exit_code == 0
    assert re.fullmatch(r"org_\w+:2:[0-9a-f]{64}", head)
    assert (cut.exit_code, cut.stdout.strip()) == (
        1,
        f"{head.split(':')[0]}:2: broken: it is not the one that was noted",
    )
    assert "no organization org_x" in refused("audit", "verify", "--expect", f"org_x:1:{'0' * 64}", *folder)
    assert "must be what `audit verify` printed" in refused("audit", "verify", "--expect", "1", *folder)


def _first_start(data_dir: Path) -> None:
    import asyncio
    from datetime import UTC, datetime

    from cyberdesk_server import bootstrap
    from cyberdesk_server.settings import load_settings
    from cyberdesk_server.usecases import organizations

    async def start() -> None:
        database = await bootstrap.open_database(load_settings(data_dir=data_dir))
        await organizations.first_start(database, now=datetime.now(UTC))
        await database.close()

    asyncio.run(start())


def test_migrating_makes_a_database(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["migrate", "--data-dir", str(tmp_path / "data")])

    assert result.stdout == "the database is up to date\n"
    assert (tmp_path / "data" / "cyberdesk.sqlite3").exists()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = refused("up", "--data-dir", str(tmp_path / "data"), "--port", str(port))

    assert line == f"cyberdesk-server: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    line = refused("up", "--data-dir", str(tmp_path / "data"), "--host", "256.0.0.1")

    assert line.startswith("cyberdesk-server: cannot listen on 256.0.0.1:8080: ")


def test_a_data_folder_in_use_is_named(tmp_path: Path) -> None:
    held = DataFolder(tmp_path)

    line = refused("up", "--data-dir", str(tmp_path), "--port", "0")

    held.close()
    assert line == f"cyberdesk-server: the data folder {tmp_path} is in use by another server\n"


@pytest.mark.parametrize("command", [["up", "--port", "0"], ["migrate"], ["keys", "list"]])
def test_a_data_folder_that_is_not_writable_is_named(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")

    line = refused(*command, "--data-dir", str(tmp_path / "file" / "data"))

    assert (
        line == f"cyberdesk-server: the data folder {tmp_path}/file/data is not writable: Not a directory\n"
    )


def test_a_bad_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYBERDESK_LEASE_SECONDS", "soon")

    line = refused("up", "--data-dir", str(tmp_path))

    assert line.startswith("cyberdesk-server: lease_seconds (CYBERDESK_LEASE_SECONDS): Input should be")


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_bad_certificate_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    certificate = tmp_path / "chain.pem"
    if content:
        certificate.write_text(content)
    monkeypatch.setenv("CYBERDESK_TLS_CERTIFICATE", str(certificate))
    monkeypatch.setenv("CYBERDESK_TLS_KEY", str(certificate))

    line = refused("up", "--data-dir", str(tmp_path / "data"), "--port", "0")

    assert line.startswith(
        f"cyberdesk-server: tls_certificate {certificate} and tls_key {certificate} cannot be used"
    )


@pytest.mark.parametrize(
    "url", ["mysql://localhost/x", "nonsense", "postgresql+asyncpg://nobody@127.0.0.1:1/none"]
)
def test_a_database_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CYBERDESK_DATABASE_URL", url)

    assert refused("migrate", "--data-dir", str(tmp_path)).startswith("cyberdesk-server: database_url: ")


@pytest.mark.parametrize("key", ["c2hvcnQ=", "not base64!"])
def test_a_bad_master_key_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("CYBERDESK_MASTER_KEY", key)

    line = refused("up", "--data-dir", str(tmp_path / "data"), "--port", "0")

    assert line == "cyberdesk-server: master_key: must be 32 bytes in base64\n"


def test_a_key_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    line = refused(
        "up", "--data-dir", str(tmp_path), "--port", "0", "--write-key", str(tmp_path / "no" / "key")
    )

    assert line.startswith(f"cyberdesk-server: --write-key: {tmp_path}/no/key cannot be written")


def test_a_key_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    line = refused("up", "--data-dir", str(tmp_path), "--port", "0", "--write-key", str(tmp_path))

    assert line == f"cyberdesk-server: --write-key: {tmp_path} cannot be written: it is a folder\n"


def test_a_damaged_master_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(b"short")
    (tmp_path / "master.key").chmod(0o600)

    line = refused("up", "--data-dir", str(tmp_path), "--port", "0")

    damage = "a master key has 32 bytes, not 5"
    assert line == f"cyberdesk-server: {tmp_path}/master.key is damaged: {damage}\n"


def test_a_blob_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CYBERDESK_BLOB_URL", f"file://{tmp_path}/file/blobs")

    line = refused("up", "--data-dir", str(tmp_path), "--port", "0", "--write-key", str(tmp_path / "key"))

    folder = f"{tmp_path}/file/blobs"
    assert line == f"cyberdesk-server: blob_url: the folder {folder} cannot be used: Not a directory\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_an_example(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"]).stdout

    assert f"Example: cyberdesk-server {' '.join(command)}" in " ".join(shown.split())


def test_the_table_of_settings_is_printed() -> None:
    assert "| `port` | `CYBERDESK_PORT` |" in CliRunner().invoke(app, ["settings"]).stdout


def rotated(data_dir: Path) -> str:
    result = CliRunner().invoke(app, ["rotate-master-key", "--data-dir", str(data_dir)])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a_rotated_key_file_is_another_one_and_the_former_is_gone(tmp_path: Path) -> None:
    with closing(DataFolder(tmp_path)) as folder:
        before = folder.secret("master.key")

    assert rotated(tmp_path) == "0 secrets were sealed with the new key\n"

    assert (tmp_path / "master.key").read_bytes() != before
    assert not (tmp_path / "master.key.former").exists()


@pytest.mark.parametrize("was_written", [False, True])
def test_a_rotation_that_was_broken_off_goes_on(tmp_path: Path, was_written: bool) -> None:
    with closing(DataFolder(tmp_path)) as folder:
        before = folder.secret("master.key")
        write_private_file(tmp_path / "master.key.former", before)
        if was_written:
            write_private_file(tmp_path / "master.key", b"n" * 32)

    rotated(tmp_path)

    after = (tmp_path / "master.key").read_bytes()
    assert (after == b"n" * 32) is was_written
    assert after != before
    assert not (tmp_path / "master.key.former").exists()


def test_a_key_file_is_not_rotated_under_a_running_server(tmp_path: Path) -> None:
    with closing(DataFolder(tmp_path)):
        assert "in use by another server" in refused("rotate-master-key", "--data-dir", str(tmp_path))


@pytest.mark.slow
def test_a_running_server_writes_its_audit_log_and_soon_forgets_a_revoked_key(tmp_path: Path) -> None:
    data_dir, runner = tmp_path / "data", CliRunner()
    folder = ["--data-dir", str(data_dir)]
    with up(data_dir) as server:
        made = runner.invoke(app, ["keys", "create", "--name", "ci", "--scope", "run", *folder])
        key = made.stdout.split()[-1]
        refused = httpx.post(
            f"{server.url}/v1/pools", json={}, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )
        key_id = runner.invoke(app, ["keys", "list", *folder]).stdout.splitlines()[1].split()[0]
        runner.invoke(app, ["keys", "revoke", key_id, *folder])

        until(lambda: server.get("/v1/runs", key).status_code == 401, what="the key opens nothing")
        server.end(signal.SIGTERM)

    assert refused.status_code == 403
    assert "server" not in refused.headers
    head = runner.invoke(app, ["audit", "verify", *folder]).stdout
    assert ":3:" in head  # the key was made, was refused, and was revoked
