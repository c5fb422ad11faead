"""`cyberdesk workflows`, in the API and as files."""

from __future__ import annotations

import json

import pytest

from cyberdesk.testing import Scripted, a_page

ID = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
OTHER_ID = "7e4f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
FILE = f"---\nid: {ID}\nname: Register a patient\n---\nClick OK\n"


def a_workflow(**changes):
    moment = "2025-01-31T12:00:00+00:00"
    workflow = {
        "id": ID,
        "name": "Register a patient",
        "main_prompt": "Click OK",
        "created_at": moment,
        "updated_at": moment,
    }
    return {**workflow, **changes}


def writes(api):
    return [(one.method, one.path, one.json) for one in api.asked if one.method != "GET"]


def test_workflows_are_listed_with_their_tags(run, api):
    api.answers(Scripted(200, json=a_page(a_workflow(tags=[{"name": "daily"}, {"name": "front"}]))))

    ran = run("workflows", "list", "--search", "patient")

    assert ran.stdout.splitlines()[1] == f"{ID}  Register a patient  daily, front  2025-01-31 12:00:00Z"
    assert dict(api.asked[0].query)["search"] == "patient"


def test_a_workflow_is_shown_as_its_file_or_as_json(run, as_json, api):
    api.answers(*[Scripted(200, json=a_workflow())] * 2)

    assert run("workflows", "show", ID).stdout == FILE
    assert as_json("workflows", "show", ID)["main_prompt"] == "Click OK"


def test_a_workflow_is_deleted_by_name(run, api):
    api.answers(Scripted(200, json=a_page(a_workflow())), Scripted(204))

    assert run("workflows", "delete", "Register a patient", "--yes").exit_code == 0
    assert writes(api) == [("DELETE", f"/v1/workflows/{ID}", None)]


def test_pull_writes_every_workflow_into_a_file_of_its_own(run, api, tmp_path):
    same_name = a_workflow(id=OTHER_ID)
    api.answers(
        Scripted(200, json=a_page(a_workflow(), same_name)),
        Scripted(200, json=a_workflow()),
        Scripted(200, json=same_name),
    )

    ran = run("workflows", "pull", "--all", str(tmp_path / "flows"))

    assert ran.exit_code == 0, ran.stderr
    names = ["register-a-patient-7e4f0a52.md", "register-a-patient.md"]
    assert sorted(path.name for path in (tmp_path / "flows").iterdir()) == names
    assert (tmp_path / "flows" / names[1]).read_text() == FILE


def test_pull_finds_the_file_that_has_the_workflow_already(run, api, tmp_path):
    (tmp_path / "mine.md").write_text(FILE)
    (tmp_path / "README.md").write_text("# No workflow")
    api.answers(
        Scripted(200, json=a_workflow()),
        Scripted(200, json=a_workflow(main_prompt="Click Cancel")),
    )

    first, second = run("workflows", "pull", ID, str(tmp_path)), run("workflows", "pull", ID, str(tmp_path))

    assert first.stdout == f"unchanged  {tmp_path / 'mine.md'}\n"
    assert second.stdout == f"changed    {tmp_path / 'mine.md'}\n"
    assert (tmp_path / "mine.md").read_text().endswith("Click Cancel\n")


@pytest.mark.parametrize("words", [("--all", ID, "out"), ("out",)])
def test_pull_wants_either_workflows_or_all(run, api, words):
    assert run("workflows", "pull", *words).exit_code == 2
    assert api.asked == []


def test_push_sends_only_what_differs(run, api, tmp_path):
    (tmp_path / "a.md").write_text(FILE)
    theirs = a_workflow(main_prompt="Click Cancel", output_schema='{"type": "object"}')
    api.answers(Scripted(200, json=theirs), Scripted(200, json=a_workflow()))

    ran = run("workflows", "push", str(tmp_path))

    assert ran.stdout == f"changed    {tmp_path / 'a.md'}  output_schema, main_prompt\n"
    assert writes(api) == [
        ("PATCH", f"/v1/workflows/{ID}", {"output_schema": None, "main_prompt": "Click OK"})
    ]


def test_push_after_pull_changes_nothing(run, api, tmp_path):
    workflow = a_workflow(
        input_schema='{"type":   "object", "minProperties": 1.0}', main_prompt=" a\r\n\n---\nb\n\n"
    )
    api.answers(*[Scripted(200, json=workflow)] * 2)

    run("workflows", "pull", ID, str(tmp_path))
    ran = run("workflows", "push", str(tmp_path))

    assert ran.stdout == f"unchanged  {tmp_path / 'register-a-patient.md'}\n"
    assert writes(api) == []


def test_push_of_a_new_file_creates_it_and_notes_its_id(run, api, tmp_path):
    path = tmp_path / "new.md"
    path.write_bytes(
        b'---\r\n# ours\r\nname: New\r\noutput_schema: {"type": "object"}\r\n---\r\nClick OK\r\n'
    )
    api.answers(Scripted(201, json=a_workflow()))

    ran = run("workflows", "push", str(path))

    assert ran.stdout == f"new        {path}\n"
    [(method, where, sent)] = writes(api)
    assert (method, where) == ("POST", "/v1/workflows")
    assert (sent["name"], sent["main_prompt"]) == ("New", "Click OK")
    assert json.loads(sent["output_schema"]) == {"type": "object"}
    assert path.read_bytes().startswith(f"---\r\nid: {ID}\r\n# ours\r\nname: New\r\n".encode())


def test_a_dry_run_shows_the_difference_and_writes_nothing(run, api, tmp_path):
    (tmp_path / "a.md").write_text(FILE)
    (tmp_path / "b.md").write_text("---\n---\nClick Yes\n")
    api.answers(Scripted(200, json=a_workflow(main_prompt="Click Cancel")))

    ran = run("workflows", "push", str(tmp_path), "--dry-run")

    assert ran.exit_code == 0
    assert "    -Click Cancel\n    +Click OK\n" in ran.stdout
    assert "    +Click Yes\n" in ran.stdout
    assert writes(api) == []
    assert (tmp_path / "b.md").read_text() == "---\n---\nClick Yes\n"


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"a.md": FILE, "b.md": FILE}, "are of the same workflow"),
        ({"a.md": FILE, "b.md": "---\nnome: x\n---\n"}, "b.md: line 2: nome is none of"),
        ({"README.md": "# Nothing"}, "there is no workflow in"),
        ({"a.md": b"---\n\xff"}, "is not UTF-8"),
    ],
)
def test_a_bad_folder_is_refused_before_anything_is_asked(run, api, tmp_path, files, line):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    ran = run("workflows", "push", str(tmp_path))

    assert (ran.exit_code, api.asked) == (2, [])
    assert line in ran.stderr


def test_push_of_a_workflow_that_is_gone_says_how_to_make_a_new_one(run, api, tmp_path):
    (tmp_path / "a.md").write_text(FILE)
    api.answers(Scripted(404, json={"detail": "not found"}))

    ran = run("workflows", "push", str(tmp_path / "a.md"))

    assert ran.exit_code == 2
    assert f"there is no workflow {ID}; without the line with its id" in ran.stderr


def test_a_folder_that_cannot_be_written_is_one_line(run, api, tmp_path):
    (tmp_path / "file").touch()
    api.answers(Scripted(200, json=a_workflow()))

    ran = run("workflows", "pull", ID, str(tmp_path / "file" / "below"))

    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
