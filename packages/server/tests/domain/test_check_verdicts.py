"""What comes of a post-run check, over what a run put out."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.domain.check_verdicts import (
    Evidence,
    Judgement,
    NotACheck,
    after_the_end,
    begun,
    complaints,
    could_be_made,
    decided,
    found_by_name,
    found_by_pattern,
    found_or_not,
    is_over,
    judged,
    not_made,
    prompt_of,
    spec_of,
    unmade,
    was_judged,
)
from cyberdesk_server.domain.ids import OrganizationId, PostRunCheckId, WorkflowId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.post_run_checks import CheckSpec, PostRunCheck, PostRunCheckStatus, snapshots
from cyberdesk_server.testing.rows import NOON
from hypothesis import given
from hypothesis import strategies as st

S = PostRunCheckStatus
names = st.lists(st.sampled_from(["a.pdf", "b.pdf", "c.txt"]), max_size=5)


def a_snapshot(**members: Any) -> JsonObject:
    usual = {"name": "Check", "type": "run_attachment_exists", "file_names": ["a"], "status": "pending"}
    return usual | members


def a_spec(**members: Any) -> CheckSpec:
    return spec_of(a_snapshot(**members))


def a_run(*filenames: str, outputs: Any = None, **inputs: Any) -> Evidence:
    return Evidence(inputs, outputs, filenames)


def by_pattern(pattern: str, evidence: Evidence, **members: Any) -> Any:
    spec = a_spec(file_target_mode="regex", file_name_regex=pattern, **members)
    matching = {name for name in evidence.filenames if re.fullmatch(pattern, name)}
    return found_by_pattern(spec, evidence, matching)


def by_items(template: str, evidence: Evidence, loop_input: str = "items") -> Any:
    return found_by_name(
        a_spec(file_target_mode="loop_items", loop_input=loop_input, loop_item_filename_template=template),
        evidence,
    )


@given(names, names.filter(bool))
def test_every_exact_name_must_be_there(there: list[str], wanted: list[str]) -> None:
    found = found_by_name(a_spec(file_names=wanted), a_run(*there))

    verdict = found_or_not(found)
    assert (verdict.status is S.SUCCESS) == (set(wanted) <= set(there))
    assert verdict.matched == tuple(name for name in there if name in wanted)
    assert verdict.messages == tuple(
        f"there is no file {name}" for name in dict.fromkeys(wanted) if name not in there
    )


@given(names, st.none() | st.integers(0, 5), st.none() | st.integers(0, 5))
def test_as_many_files_match_as_are_expected(
    there: list[str], expected: int | None, referred: int | None
) -> None:
    ref = None if referred is None else "inputs.copies"
    evidence = a_run(*there, copies=referred)

    found = by_pattern(r".*\.pdf", evidence, expected_match_count=expected, expected_match_count_ref=ref)

    wanted = expected if referred is None else referred  # the reference wins
    number = sum(name.endswith(".pdf") for name in there)
    assert (found.complaints == ()) == (number == wanted if wanted is not None else number > 0)
    assert len(found.matched) == number


@pytest.mark.parametrize(
    ("ref", "complaint"),
    [
        ("outputs.pages[0].count", None),
        ("outputs.pages[1].count", "expected_match_count_ref: outputs.pages[1].count is no whole number"),
        ("inputs.word", "expected_match_count_ref: inputs.word is no whole number"),
        ("inputs.text", None),
    ],
)
def test_the_number_of_files_is_looked_up(ref: str, complaint: str | None) -> None:
    evidence = a_run("1.pdf", outputs={"pages": [{"count": 1}]}, word="x", text="1")

    found = by_pattern(".*", evidence, expected_match_count_ref=ref)

    assert found.complaints == (() if complaint is None else (complaint,))


def test_a_complaint_says_how_many_were_found_and_wanted() -> None:
    assert by_pattern("b+", a_run("a")).complaints == ("0 files match b+; expected: at least one",)
    assert by_pattern("a", a_run("a", "a"), expected_match_count=1).complaints == (
        "2 files match a; expected: 1",
    )


@pytest.mark.parametrize(
    ("items", "missing"),
    [
        ([{"id": 7}, {"id": 8}], ["8.pdf"]),
        ('[{"id": 7}]', []),
        ([], []),
        (None, []),
    ],
)
def test_there_is_a_file_for_each_item(items: Any, missing: list[str]) -> None:
    found = by_items("{{loop_item.id}}.pdf", a_run("7.pdf", items=items))

    assert found.complaints == tuple(f"there is no file {name}" for name in missing)


def test_a_number_loops_from_0_and_templates_know_the_inputs() -> None:
    found = by_items("{patient.name}-{{loop_item}}.pdf", a_run("Ada-0.pdf", items=3, patient={"name": "Ada"}))

    assert found.matched == ("Ada-0.pdf",)
    assert found.complaints == ("there is no file Ada-1.pdf", "there is no file Ada-2.pdf")
    assert by_items("x", a_run(items=-1)).complaints == ()


@pytest.mark.parametrize("items", [True, 1.5, "no list", {"a": 1}])
def test_what_is_no_list_is_complained_about(items: Any) -> None:
    assert by_items("x", a_run(items=items)).complaints == ("loop_input: items is no list",)


def test_a_path_into_a_text_is_complained_about() -> None:
    [in_template] = by_items("{{loop_item.id}}", a_run(items=["text"])).complaints
    [in_input] = by_items("x", a_run(items="text"), loop_input="items.id").complaints

    assert in_template.startswith("loop_item_filename_template: ")
    assert in_input.startswith("loop_input: ")


def test_a_secret_never_comes_into_a_name() -> None:
    assert by_items("{$pin}{x}.pdf", a_run(items=1, x="{$pin}")).complaints == (
        "there is no file __EMPTY__{$pin}.pdf",
    )


@pytest.mark.parametrize(
    "members",
    [
        {"type": None},
        {"type": "other"},
        {"file_names": None},
        {"file_names": 5},
        {"file_target_mode": "regex", "file_name_regex": "("},
        {"model": "no id"},
    ],
)
def test_what_a_caller_wrote_over_a_check_may_be_none(members: dict[str, Any]) -> None:
    with pytest.raises(NotACheck):
        a_spec(**members)


def test_a_run_keeps_all_that_its_checks_are_made_of() -> None:
    spec = a_spec(
        type="run_attachment_image_check",
        description="d",
        check_prompt="Is it {x}?",
        model=str(uuid4()),
        expected_match_count=1,
        allow_missing_attachments=True,
    )
    check = PostRunCheck(
        PostRunCheckId(uuid4()), OrganizationId("o"), WorkflowId(uuid4()), spec, 0, NOON, NOON
    )

    [kept] = snapshots([check], uuid4)

    assert spec_of(kept) == spec
    assert isinstance(spec.model, UUID)
    assert prompt_of(spec, a_run(x="blue")) == "Is it blue?"


def test_a_check_goes_from_begun_to_what_came_of_it() -> None:
    running = begun(a_snapshot(), NOON)
    failed = decided(running, judged(Judgement(False, "It is red."), ("a",)), NOON)

    assert (is_over(a_snapshot()), is_over(running), is_over(failed)) == (False, False, True)
    assert running["started_at"] == failed["ended_at"] == NOON.isoformat()
    assert (failed["status"], failed["messages"], failed["matched_filenames"], failed["error_message"]) == (
        "failed",
        ["It is red."],
        ["a"],
        None,
    )


def test_what_did_not_pass_is_told_by_name() -> None:
    passed, failed, unsure = (
        decided(a_snapshot(name=name), verdict, NOON)
        for name, verdict in (
            ("one", judged(Judgement(True, "Yes."), None)),
            ("two", judged(Judgement(False, "No."), None)),
            ("three", not_made("the model is away")),
        )
    )

    assert complaints([passed]) == ()
    assert complaints([passed, failed, unsure]) == (
        "post-run check two failed: No.",
        "post-run check three could not be made: the model is away",
    )
    assert (could_be_made([passed, failed]), could_be_made([failed, unsure])) == (True, False)


def test_checks_that_were_not_made_when_time_was_up_could_not_be_made() -> None:
    over = decided(a_snapshot(), not_made("x"), NOON)

    first, second = unmade([over, begun(a_snapshot(), NOON)], "the time was up", NOON)

    assert first == over
    assert (second["status"], second["error_message"]) == ("infra_error", "the time was up")


def test_checks_of_a_run_that_ended_without_them_are_cancelled() -> None:
    over = decided(a_snapshot(), not_made("x"), NOON)

    statuses = [each["status"] for each in after_the_end([a_snapshot(), begun(a_snapshot(), NOON), over])]

    assert statuses == ["cancelled", "cancelled", "infra_error"]


def test_only_what_a_model_decided_was_judged() -> None:
    yes = judged(Judgement(True, "Yes."), None)
    looked, saw_nothing = judged(Judgement(True, "Yes."), ("a",)), judged(Judgement(True, "No file."), ())
    agentic, image = (
        a_snapshot(type="output_data_agentic_check"),
        a_snapshot(type="run_attachment_image_check"),
    )

    assert was_judged(decided(agentic, yes, NOON))
    assert was_judged(decided(image, looked, NOON))
    assert not was_judged(decided(image, saw_nothing, NOON))
    assert not was_judged(decided(agentic, not_made("x"), NOON))
    assert not was_judged(decided(a_snapshot(), yes, NOON))
