"""How every command reaches the API, and how it ends when that does not work."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cyberdesk import __version__
from cyberdesk.cli.app import app
from cyberdesk.testing import Scripted, a_page

ID = "0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55"


def groups():
    return {group.name: group.typer_instance for group in app.registered_groups}


def all_commands():
    for group, commands in groups().items():
        yield from ((group, one.name) for one in commands.registered_commands)
    yield from ((one.name,) for one in app.registered_commands)


def test_the_key_is_sent_to_the_address(run, api):
    api.answers(Scripted(200, json=a_page()))

    ran = run("machines", "list")

    assert ran.exit_code == 0
    assert api.asked[0].headers["authorization"] == "Bearer test-key"


def test_the_file_with_the_key_wins_over_the_environment(run, api, tmp_path):
    api.answers(Scripted(200, json=a_page()))
    (tmp_path / "key").write_text("key-of-the-file\n")

    run("machines", "list", "--api-key-file", str(tmp_path / "key"))

    assert api.asked[0].headers["authorization"] == "Bearer key-of-the-file"


@pytest.mark.parametrize("is_before", [True, False])
def test_shared_options_stand_before_or_after_the_name(run, api, tmp_path, is_before):
    api.answers(Scripted(200, json=a_page()))
    (tmp_path / "key").write_text("key-of-the-file")
    shared = ("--base-url", api.base_url, "--api-key-file", str(tmp_path / "key"))
    words = (*shared, "machines", "list") if is_before else ("machines", "list", *shared)

    ran = run(*words, env={"CYBERDESK_BASE_URL": "http://127.0.0.1:9", "CYBERDESK_API_KEY": None})

    assert ran.exit_code == 0, ran.stderr
    assert api.asked[0].headers["authorization"] == "Bearer key-of-the-file"


@pytest.mark.parametrize(
    ("key_file", "line"),
    [
        (None, "no API key: set CYBERDESK_API_KEY, or give its file with --api-key-file"),
        ("missing", "cannot be read"),
        ("empty", "is empty"),
        ("two-lines", "api_key: contains a character that no key has"),
    ],
)
def test_without_a_usable_key_one_line_says_what_is_wrong(run, api, tmp_path, key_file, line):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "two-lines").write_text("secret-one\nsecret-two")
    given = ("--api-key-file", str(tmp_path / key_file)) if key_file else ()

    ran = run("machines", "list", *given, env={"CYBERDESK_API_KEY": None})

    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert line in ran.stderr
    assert "secret" not in ran.stderr
    assert api.asked == []


def test_an_address_that_is_none_is_refused(run):
    ran = run("machines", "list", "--base-url", "ftp://desk")

    assert ran.exit_code == 2
    assert ran.stderr.startswith("cyberdesk: base_url: 'ftp://desk' is not an address")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Scripted(401, json={"detail": "unknown key"}), "the API does not accept this key: HTTP 401"),
        (Scripted(404, json={"detail": "no such run"}), "the API refused: HTTP 404 Not Found: no such run"),
        (Scripted(409, json={"detail": "it has ended"}), "the API refused: HTTP 409 Conflict: it has ended"),
        (Scripted(200, content=b"<html>"), "HTTP 200 with an unreadable body"),
        (
            Scripted(422, json={"detail": [{"loc": ["body", "name"], "msg": "too long", "type": "x"}]}),
            "body.name: too long",
        ),
    ],
)
def test_what_the_api_refuses_is_one_line_and_exit_code_3(run, api, answer, line):
    api.answers(answer)

    ran = run("runs", "show", ID)

    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (3, "", 1)
    assert line in ran.stderr


def test_an_api_that_is_not_there_is_exit_code_3(run, monkeypatch):
    monkeypatch.setattr("cyberdesk._drivers.time.sleep", lambda seconds: None)

    ran = run("machines", "list", "--base-url", "http://127.0.0.1:9")

    assert ran.exit_code == 3
    assert ran.stderr.startswith("cyberdesk: no answer from http://127.0.0.1:9: ")


def test_verbose_tells_every_request_with_its_status_and_request_id(run, api):
    tried = Scripted(503, headers={"Retry-After": "0"})
    api.answers(tried, Scripted(404, json={"detail": "no"}, headers={"X-Request-Id": "req-7"}))

    ran = run("runs", "show", ID, "--verbose")

    assert ran.stderr.splitlines()[:2] == [
        f"GET /v1/runs/{ID} HTTP 503 request id -",
        f"GET /v1/runs/{ID} HTTP 404 request id req-7",
    ]


def test_without_verbose_nothing_is_told(run, api):
    api.answers(Scripted(200, json=a_page(), headers={"X-Request-Id": "req-7"}))

    assert run("machines", "list").stderr == ""


def test_health_tells_of_the_api_and_its_database(run, as_json, api):
    healthy = (
        Scripted(200, json={"status": "ok", "version": "1.2"}),
        Scripted(200, json={"status": "ok", "database": "ok"}),
    )
    api.answers(*healthy, *healthy)

    assert run("health").stdout == "status    ok\nversion   1.2\ndatabase  ok\n"
    assert as_json("health") == {
        "api": {"status": "ok", "version": "1.2"},
        "database": {"status": "ok", "database": "ok"},
    }


@pytest.mark.parametrize("words", list(all_commands()), ids=" ".join)
def test_every_command_explains_itself_with_an_example(words):
    ran = CliRunner().invoke(app, [*words, "--help"])

    assert ran.exit_code == 0
    assert f"Example: cyberdesk {' '.join(words)}" in ran.stdout
    assert ran.stdout.rstrip().splitlines()[-1].strip().startswith("Example: ")


@pytest.mark.parametrize(
    "words", [("runs", "explode"), ("runs", "show"), ("runs", "list", "--status", "odd")]
)
def test_what_cannot_be_right_is_exit_code_2(run, words):
    assert run(*words).exit_code == 2


def test_the_version_is_that_of_the_package(run):
    assert run("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("module", ["cyberdesk", "cyberdesk.cli"])
def test_both_modules_are_the_program(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_program_says_so(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; from cyberdesk.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stderr == 'cyberdesk: the command line needs its extra: pip install "cyberdesk[cli]"\n'


def test_the_sdk_does_not_load_its_command_line():
    code = (
        "import sys, cyberdesk; cyberdesk.CyberdeskClient('key').close(); "
        "print([name for name in ('cyberdesk.cli', 'cyberdesk.cli.app', 'typer') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "[]\n"
