"""`cyberdesk runs`."""

from __future__ import annotations

import base64

import pytest

from cyberdesk.cli import options
from cyberdesk.testing import Scripted, a_page, a_run

RUN = "0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55"
WORKFLOW = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
MACHINE = "11111111-1111-4111-8111-111111111111"
POOL = "22222222-2222-4222-8222-222222222222"

HISTORY = [
    {"role": "user", "content": [{"type": "text", "text": "Click OK"}], "timestamp": "2025-01-31T12:00:00Z"},
    {
        "role": "assistant",
        "timestamp": "2025-01-31T12:00:01Z",
        "content": [
            {"type": "text", "text": "Click OK"},
            {
                "type": "tool_use",
                "tool_use_id": "1",
                "tool_name": "click",
                "tool_input": {"x": 5, "y": 6, "target": [0, 0, 9, 9]},
            },
        ],
    },
    {
        "role": "user",
        "timestamp": "2025-01-31T12:00:02.500Z",
        "content": [{"type": "tool_result", "tool_use_id": "1", "tool_result": "clicked"}],
    },
    {
        "role": "assistant",
        "timestamp": "2025-01-31T12:00:03Z",
        "step_kind": "cached",
        "content": [{"type": "tool_use", "tool_use_id": "2", "tool_name": "wait", "tool_input": {}}],
    },
    {
        "role": "user",
        "timestamp": "2025-01-31T12:00:04Z",
        "content": [{"type": "tool_result", "tool_use_id": "2", "error": "nothing\ncame"}],
    },
]
STEP_LINES = [
    "  1  12:00:01     1.5 s  Click OK -> clicked",
    "  2  12:00:03     1.0 s  wait() (replayed) failed: nothing came",
]


def ended(status="success", **changes):
    return a_run(
        id=RUN,
        workflow_id=WORKFLOW,
        status=status,
        created_at="2025-01-31T12:00:00+00:00",
        started_at="2025-01-31T12:00:00+00:00",
        ended_at="2025-01-31T12:02:05+00:00",
        **changes,
    )


def test_create_sends_what_was_typed_and_prints_the_id(run, api, tmp_path):
    (tmp_path / "inputs.json").write_text('{"count": 2, "name": "from the file"}')
    (tmp_path / "letter.txt").write_bytes(b"Dear \xff")
    api.answers(Scripted(201, json=a_run(id=RUN)))

    ran = run(
        "runs", "create", WORKFLOW, "--machine", MACHINE, "--pool", POOL,
        "--input", "name=Ada=Countess", "--inputs-file", str(tmp_path / "inputs.json"),
        "--file", str(tmp_path / "letter.txt"),
    )  # fmt: skip

    assert (ran.exit_code, ran.stdout) == (0, f"{RUN}\n")
    assert api.asked[0].json == {
        "workflow_id": WORKFLOW,
        "machine_id": MACHINE,
        "pool_ids": [POOL],
        "input_values": {"count": 2, "name": "Ada=Countess"},
        "file_inputs": [
            {
                "filename": "letter.txt",
                "content": base64.b64encode(b"Dear \xff").decode(),
                "cleanup_imports_after_run": False,
            }
        ],
        "is_priority": False,
        "start_session": False,
    }


def test_create_takes_names(run, api):
    api.answers(
        Scripted(200, json=a_page({"id": WORKFLOW, "name": "Register a patient"})),
        Scripted(200, json=a_page({"id": MACHINE, "name": "Reception 2"})),
        Scripted(200, json=a_page({"id": POOL, "name": "reception"}, {"id": RUN, "name": "other"})),
        Scripted(201, json=a_run(id=RUN)),
    )

    ran = run(
        "runs", "create", "Register a patient", "--machine", "Reception 2", "--pool", "reception"
    )  # fmt: skip

    assert ran.exit_code == 0, ran.stderr
    sent = api.asked[-1].json
    assert (sent["workflow_id"], sent["machine_id"], sent["pool_ids"]) == (WORKFLOW, MACHINE, [POOL])


def test_secrets_come_from_the_environment_then_from_standard_input(run, api):
    api.answers(Scripted(201, json=a_run(id=RUN)))

    ran = run(
        "runs", "create", WORKFLOW, "--secret", "pin", "--secret", "pass-word", "--secret", "other",
        env={"CYBERDESK_SECRET_PASS_WORD": "hunter2"},
        stdin="1234\n  with spaces \n",
    )  # fmt: skip

    assert ran.exit_code == 0, ran.stderr
    assert api.asked[0].json["sensitive_input_values"] == {
        "pin": "1234",
        "pass-word": "hunter2",
        "other": "  with spaces ",
    }
    assert "1234" not in ran.output
    assert "hunter2" not in ran.output


def test_a_secret_is_asked_for_at_a_terminal_and_not_shown(run, api, monkeypatch):
    monkeypatch.setattr(options, "can_ask", lambda: True)
    api.answers(Scripted(201, json=a_run(id=RUN)))

    ran = run("runs", "create", WORKFLOW, "--secret", "pin", stdin="1234\n")

    assert api.asked[0].json["sensitive_input_values"] == {"pin": "1234"}
    assert "pin:" in ran.stderr
    assert "1234" not in ran.output


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--secret", "pin=1234"), "--secret: give the name only (pin)"),
        (("--secret", "pin"), "no value for pin: set CYBERDESK_SECRET_PIN"),
        (("--input", "nonsense"), "--input: 'nonsense' is not NAME=VALUE"),
        (("--input", "a=1", "--input", "a=2"), "--input: a is given twice"),
        (("--inputs-file", "list.json"), "holds no JSON object"),
        (("--inputs-file", "broken.json"), "is not JSON"),
        (("--file", "missing.txt"), "cyberdesk: missing.txt: No such file or directory"),
    ],
)
def test_inputs_that_cannot_be_right_send_nothing(run, api, tmp_path, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text("{")

    ran = run("runs", "create", WORKFLOW, *words)

    assert (ran.exit_code, api.asked) == (2, [])
    assert line in ran.stderr
    assert "1234" not in ran.output


def test_create_that_waits_shows_steps_and_result(run, api):
    api.answers(
        Scripted(201, json=a_run(id=RUN)),
        Scripted(200, json=a_run(id=RUN, status="running", run_message_history=HISTORY[:4])),
        Scripted(200, json=ended(run_message_history=HISTORY, output_data={"name": "Ada"})),
    )

    ran = run("runs", "create", WORKFLOW, "--wait")

    assert ran.exit_code == 0
    assert ran.stderr.splitlines() == [f"run {RUN}", STEP_LINES[0], "running", STEP_LINES[1], "success"]
    assert ran.stdout.startswith(f"id        {RUN}\nstatus    success\n")
    assert "took      2 min 05 s\n" in ran.stdout
    assert ran.stdout.endswith('output\n  {\n    "name": "Ada"\n  }\n')


@pytest.mark.parametrize("status", ["task_failed", "error", "cancelled"])
def test_a_run_that_did_not_succeed_is_exit_code_1(run, api, status):
    api.answers(Scripted(200, json=ended(status, error=["no such patient"])))

    ran = run("runs", "wait", RUN)

    assert ran.exit_code == 1
    assert "error     no such patient\n" in ran.stdout


def test_a_run_that_does_not_end_in_time_is_exit_code_4_and_goes_on(run, api):
    api.answers(Scripted(200, json=a_run(id=RUN, status="running")))

    ran = run("runs", "wait", RUN, "--timeout", "0")

    assert (ran.exit_code, ran.stdout) == (4, "")
    assert ran.stderr.splitlines()[-1] == (
        f"cyberdesk: run {RUN} is still running after 0 seconds; it goes on: cyberdesk runs wait {RUN}"
    )


def test_waiting_that_is_interrupted_tells_how_to_go_on(run, api, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("cyberdesk._resources.runs.RunsAPI.wait_sync", interrupted)

    ran = run("runs", "wait", RUN)

    assert (ran.exit_code, ran.stderr) == (130, f"the run goes on: cyberdesk runs wait {RUN}\n")


def test_list_sends_the_filters_and_draws_a_table(run, api):
    listed = ended(machine_id=MACHINE)
    included = [
        {"type": "workflow", "id": WORKFLOW, "name": "Register a patient"},
        {"type": "machine", "id": MACHINE, "name": "Reception 2"},
    ]
    api.answers(Scripted(200, json=a_page(listed, total=3, included=included)))

    ran = run(
        "runs", "list", "--status", "success", "--workflow", WORKFLOW, "--machine", MACHINE,
        "--since", "2025-01-31", "--search", "Ada", "--limit", "1",
    )  # fmt: skip

    assert [line.split("  ") for line in ran.stdout.splitlines()[1:]] == [
        [RUN, "success", "Register a patient", "Reception 2", "2025-01-31 12:00:00Z", "2 min 05 s"]
    ]
    assert ran.stderr == "and 2 more: --skip 1\n"
    asked = dict(api.asked[0].query)
    assert {name: asked[name] for name in ("status", "workflow_id", "machine_id", "search", "limit")} == {
        "status": "success",
        "workflow_id": WORKFLOW,
        "machine_id": MACHINE,
        "search": "Ada",
        "limit": "1",
    }
    assert asked["created_at_from"] == "2025-01-31T00:00:00+00:00"
    assert "run_message_history" not in {value for name, value in api.asked[0].query if name == "fields"}


def test_lists_and_single_runs_are_json_with_the_members_of_the_api(as_json, api):
    one = ended(output_data={"a": 1}, is_priority=False)
    api.answers(Scripted(200, json=a_page(one)), Scripted(200, json=one))

    assert as_json("runs", "list") == a_page(one)
    assert as_json("runs", "show", RUN) == one


def test_show_writes_the_history_when_asked(run, api):
    api.answers(*[Scripted(200, json=ended(run_message_history=HISTORY))] * 2)

    without, with_history = run("runs", "show", RUN), run("runs", "show", RUN, "--history")

    assert STEP_LINES[0] not in without.stdout
    assert with_history.stdout.splitlines()[-4:] == [
        "steps",
        STEP_LINES[0],
        " " * 25 + "click(x=5, y=6)",
        STEP_LINES[1],
    ]


def test_show_says_what_a_run_waits_for(run, api):
    api.answers(Scripted(200, json=a_run(id=RUN, waiting_reason="machine [Desk] is \x1b[2J not connected")))

    assert "waits     machine [Desk] is" in run("runs", "show", RUN).stdout


def test_wait_tells_what_the_run_waits_for_and_whenever_it_changes(run, api):
    waiting = [a_run(id=RUN, waiting_reason=why) for why in ("no machine is free: 2 busy",) * 2]
    now = a_run(id=RUN, waiting_reason="no machine is free: 1 busy")
    api.answers(*[Scripted(200, json=one) for one in (*waiting, now, ended())])

    told = run("runs", "wait", RUN).stderr.splitlines()

    assert told[:2] == [
        "scheduling: no machine is free: 2 busy",
        "scheduling: no machine is free: 1 busy",
    ]


def test_show_ends_well_however_the_run_ended(run, api):
    api.answers(Scripted(200, json=ended("error")))

    assert run("runs", "show", RUN).exit_code == 0


def test_what_a_run_read_cannot_command_the_terminal(run, api):
    api.answers(Scripted(200, json=ended(error=["\x1b[2J\x07gone"])))

    assert "\x1b" not in run("runs", "show", RUN).stdout


def test_cancel_changes_the_status(run, api):
    api.answers(Scripted(200, json=a_run(id=RUN, status="cancelled")))

    ran = run("runs", "cancel", RUN)

    assert (api.asked[0].method, api.asked[0].json) == ("PATCH", {"status": "cancelled"})
    assert ran.stderr == f"run {RUN}: cancelled\n"


def test_retry_sends_only_what_is_new(run, api):
    api.answers(Scripted(200, json=a_run(id=RUN)))

    ran = run("runs", "retry", RUN, "--secret", "pin", stdin="1234\n")

    assert ran.stdout == f"{RUN}\n"
    assert api.asked[0].path == f"/v1/runs/{RUN}/retry"
    assert api.asked[0].json == {
        "sensitive_input_values": {"pin": "1234"},
        "reuse_session": True,
        "start_session": False,
    }


@pytest.mark.parametrize(
    ("asked", "status"), [(("create", WORKFLOW), 201), (("retry", RUN), 200)], ids=["create", "retry"]
)
def test_a_run_gets_the_limits_that_were_typed(run, api, asked, status):
    api.answers(Scripted(status, json=a_run(id=RUN)))

    ran = run(
        "runs", *asked, "--run-time-limit", "600", "--max-turns", "50", "--wait-time-limit", "3600"
    )  # fmt: skip

    sent = api.asked[0].json
    assert ran.exit_code == 0, ran.stderr
    assert (sent["run_time_limit_seconds"], sent["max_turns"]) == (600, 50)
    assert sent["wait_time_limit_seconds"] == 3600


def test_deleting_needs_a_yes(run, api, monkeypatch):
    alone = run("runs", "delete", RUN)
    monkeypatch.setattr(options, "can_ask", lambda: True)
    refused = run("runs", "delete", RUN, stdin="n\n")

    assert (alone.exit_code, refused.exit_code, api.asked) == (2, 2, [])
    assert "needs --yes" in alone.stderr
    assert refused.stderr.endswith("cyberdesk: nothing was deleted\n")


@pytest.mark.parametrize("answer", [("--yes", ""), (None, "y\n")])
def test_deleting_after_a_yes(run, api, monkeypatch, answer):
    monkeypatch.setattr(options, "can_ask", lambda: True)
    api.answers(Scripted(204))
    flag, stdin = answer

    ran = run("runs", "delete", RUN, *([flag] if flag else []), stdin=stdin)

    assert ran.exit_code == 0
    assert (api.asked[0].method, api.asked[0].path) == ("DELETE", f"/v1/runs/{RUN}")


def attachment(name, number):
    return {"id": f"0000000{number}-0000-4000-8000-000000000000", "filename": name}


def test_download_keeps_files_apart_and_inside_the_folder(run, api, tmp_path):
    files = [attachment("report.pdf", 1), attachment("report.pdf", 2), attachment("..\\../etc/passwd", 3)]
    api.answers(Scripted(200, json=a_page(*files)))
    for number, file in enumerate(files, start=1):
        api.answers(Scripted(200, json=file), Scripted(200, content=b"%d" % number))

    ran = run("runs", "download", RUN, "--to", str(tmp_path / "out"))

    names = ["report.pdf", "report (2).pdf", "passwd"]
    assert ran.stdout.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert [(tmp_path / "out" / name).read_bytes() for name in names] == [b"1", b"2", b"3"]
    assert dict(api.asked[0].query)["attachment_type"] == "output"


def test_download_tells_when_there_is_nothing(run, api, tmp_path):
    api.answers(Scripted(200, json=a_page()))

    ran = run("runs", "download", RUN, "--to", str(tmp_path))

    assert (ran.exit_code, ran.stderr) == (0, f"run {RUN} has no output files\n")


def test_download_refuses_a_file_as_folder(run, api, tmp_path):
    (tmp_path / "file").touch()

    assert run("runs", "download", RUN, "--to", str(tmp_path / "file")).exit_code == 2
    assert api.asked == []
