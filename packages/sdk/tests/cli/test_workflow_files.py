"""A workflow written as a file and read again is the same workflow."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cyberdesk import WorkflowCreate, WorkflowResponse
from cyberdesk.cli.workflow_files import DEFAULTS, UnreadableFile, WorkflowFile

ID = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
MODEL = "44444444-4444-4444-8444-444444444444"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
objects = st.dictionaries(texts, values, max_size=3)
schemas = st.none() | texts | objects.map(json.dumps) | objects.map(lambda one: json.dumps(one, indent=3))
models = st.none() | st.fixed_dictionaries({}, optional={"main_agent_model_id": st.just(MODEL)})
checks = st.lists(
    st.fixed_dictionaries(
        {"name": texts, "type": st.just("run_attachment_exists"), "id": st.just(MODEL)},
        optional={"file_names": st.lists(texts, max_size=2), "expected_match_count": st.integers()},
    ),
    max_size=2,
)
members = st.fixed_dictionaries(
    {"main_prompt": texts},
    optional={
        "name": st.none() | texts,
        "description": st.none() | texts,
        "input_schema": schemas,
        "output_schema": schemas,
        "includes_file_exports": st.booleans(),
        "is_webhooks_enabled": st.booleans(),
        "terminal_command_allowlist": st.none() | st.lists(texts, max_size=3),
        "model_metadata": models,
        "post_run_check_failure_cleanup_prompt": st.none() | texts,
        "post_run_checks": st.none() | checks,
    },
)


def in_the_api(**changes):
    moment = datetime(2025, 1, 31, tzinfo=timezone.utc).isoformat()
    base = {"id": ID, "main_prompt": "Click OK", "created_at": moment, "updated_at": moment}
    return WorkflowResponse.from_dict({**base, **changes})


@given(members)
@example({"main_prompt": "", "name": "Infinity"})
def test_what_was_written_is_read_again(told):
    file = WorkflowFile.of(in_the_api(**told))

    assert WorkflowFile.read(file.text()) == file


@given(members)
def test_a_file_that_was_not_edited_changes_nothing(told):
    theirs = WorkflowFile.of(in_the_api(**told))

    assert WorkflowFile.read(theirs.text()).differences(theirs) == []


@given(members, members)
def test_an_update_makes_the_workflow_what_the_file_says(told, edited):
    theirs, mine = WorkflowFile.of(in_the_api(**told)), WorkflowFile.of(in_the_api(**edited))

    sent = mine.update(mine.differences(theirs)).to_dict()

    assert WorkflowFile.of(in_the_api(**{**told, **sent})) == mine


@given(members)
def test_a_creation_makes_the_workflow_that_the_file_says(told):
    mine = WorkflowFile.of(in_the_api(**{**told, "post_run_checks": None}))

    assert WorkflowFile.of(in_the_api(**mine.creation().to_dict())) == mine


def test_a_file_reads_like_this():
    workflow = in_the_api(
        name="Register a patient",
        description="name: in quotes",
        input_schema='{"type":"object","required":["first_name"]}',
        is_webhooks_enabled=True,
        terminal_command_allowlist=["dir", "type"],
        main_prompt="Type {first_name}\nClick OK\n",
    )

    assert WorkflowFile.of(workflow).text() == (
        "---\n"
        f"id: {ID}\n"
        "name: Register a patient\n"
        'description: "name: in quotes"\n'
        "input_schema: {\n"
        '    "type": "object",\n'
        '    "required": [\n'
        '      "first_name"\n'
        "    ]\n"
        "  }\n"
        "is_webhooks_enabled: true\n"
        'terminal_command_allowlist: ["dir", "type"]\n'
        "---\n"
        "Type {first_name}\n"
        "Click OK\n"
        "\n"
    )


def test_a_file_written_by_hand_may_be_loose():
    text = (
        f"\ufeff---\r\n# ours\r\n\r\nname:Say hello: twice\r\nid: {ID.upper()}\r\n---\r\nClick OK\r\nClick OK"
    )

    file = WorkflowFile.read(text)

    assert file == WorkflowFile("Click OK\nClick OK", ID, {"name": "Say hello: twice"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Click OK", "line 1: a workflow begins with a line ---"),
        ("---", "line 1: a workflow begins with a line ---"),
        ("---\nname: a\n", "line 3: the line --- before the prompt is missing"),
        ("---\nname: a\nname: b\n---\n", "line 4: name is there twice"),
        ("---\nnome: a\n---\n", "line 2: nome is none of id, name, "),
        ("---\njust words\n---\n", "line 2: expected `member: value`"),
        ("---\nname: 5\n---\n", "line 2: name must be text"),
        ("---\n\nincludes_file_exports: maybe\n---\n", "line 3: includes_file_exports must be true or false"),
        ('---\ninput_schema: {"a": \n---\n', "line 2: input_schema is not JSON"),
        ("---\ninput_schema: {} {}\n---\n", "line 2: input_schema: something follows its JSON"),
        ("---\nid: abc\n---\n", "id: 'abc' is not the id of a workflow"),
        ('---\nmodel_metadata: {"best": 1}\n---\n', "WorkflowModelMetadata has no member best"),
    ],
)
def test_what_is_no_workflow_is_refused_with_its_line(text, reason):
    with pytest.raises(UnreadableFile) as refusal:
        WorkflowFile.read(text)

    assert str(refusal.value).startswith(reason)


def test_every_member_that_people_set_is_in_the_file():
    sent = WorkflowCreate("", **dict.fromkeys(DEFAULTS)).to_dict()

    assert set(sent) == {*DEFAULTS, "main_prompt"}
