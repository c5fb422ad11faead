"""What makes a check one that could never pass, and what a run keeps of it."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.api.schemas.checks import RunPostRunCheckSnapshot
from cyberdesk_server.domain.ids import OrganizationId, PostRunCheckId, WorkflowId
from cyberdesk_server.domain.post_run_checks import (
    CheckSpec,
    PostRunCheck,
    PostRunCheckFileTargetMode,
    PostRunCheckType,
    snapshots,
)
from cyberdesk_server.testing.rows import NOON

EXISTS, IMAGE, SCHEMA, AGENTIC = (
    PostRunCheckType.RUN_ATTACHMENT_EXISTS,
    PostRunCheckType.RUN_ATTACHMENT_IMAGE_CHECK,
    PostRunCheckType.OUTPUT_DATA_PASSES_SCHEMA_VALIDATION,
    PostRunCheckType.OUTPUT_DATA_AGENTIC_CHECK,
)
REGEX, LOOP = PostRunCheckFileTargetMode.REGEX, PostRunCheckFileTargetMode.LOOP_ITEMS


def a_spec(type_: PostRunCheckType, **members: Any) -> CheckSpec:
    return CheckSpec(name="Check", type=type_, **members)


@pytest.mark.parametrize(
    "spec",
    [
        a_spec(EXISTS, file_names=("report.pdf",)),
        a_spec(EXISTS, file_target_mode=REGEX, file_name_regex=r"\d+\.pdf", expected_match_count=0),
        a_spec(
            EXISTS,
            file_target_mode=REGEX,
            file_name_regex=".",
            expected_match_count_ref="outputs['n'][0]",
        ),
        a_spec(
            EXISTS,
            file_target_mode=LOOP,
            loop_input="patients",
            loop_item_filename_template="{{loop_item.id}}.pdf",
        ),
        a_spec(IMAGE, file_names=("shot.png",), check_prompt="Is it saved?"),
        a_spec(SCHEMA),
        a_spec(AGENTIC, check_prompt="Is it plausible?"),
    ],
)
def test_a_check_that_says_what_its_type_needs_has_no_fault(spec: CheckSpec) -> None:
    assert list(spec.faults()) == []


@pytest.mark.parametrize(
    ("spec", "at_fault"),
    [
        (CheckSpec(" ", SCHEMA), ["name"]),
        (a_spec(EXISTS), ["file_names"]),
        (a_spec(EXISTS, file_names=()), ["file_names"]),
        (a_spec(EXISTS, file_names=("a.pdf", " ")), ["file_names"]),
        (a_spec(EXISTS, file_name_regex="."), ["file_names"]),
        (a_spec(EXISTS, file_target_mode=REGEX, file_names=("a.pdf",)), ["file_name_regex"]),
        (a_spec(EXISTS, file_target_mode=REGEX, file_name_regex="("), ["file_name_regex"]),
        (a_spec(EXISTS, file_target_mode=LOOP), ["loop_input", "loop_item_filename_template"]),
        (
            a_spec(EXISTS, file_target_mode=LOOP, loop_input="a b", loop_item_filename_template="x"),
            ["loop_input"],
        ),
        (
            a_spec(EXISTS, file_names=("a",), expected_match_count_ref="elsewhere.n"),
            ["expected_match_count_ref"],
        ),
        (a_spec(IMAGE), ["file_names", "check_prompt"]),
        (a_spec(AGENTIC, check_prompt="  "), ["check_prompt"]),
    ],
)
def test_a_check_that_could_never_pass_names_what_is_at_fault(spec: CheckSpec, at_fault: list[str]) -> None:
    assert [member for member, _ in spec.faults()] == at_fault


def test_a_run_keeps_the_checks_as_the_contract_shows_them() -> None:
    check = PostRunCheck(
        id=PostRunCheckId(uuid4()),
        organization_id=OrganizationId("org_1"),
        workflow_id=WorkflowId(uuid4()),
        spec=a_spec(IMAGE, file_names=("shot.png",), check_prompt="Saved?", model=uuid4()),
        order=1,
        created_at=NOON,
        updated_at=NOON,
    )
    new = [uuid4(), uuid4()]

    kept = snapshots([check, replace(check, spec=a_spec(SCHEMA))], iter(new).__next__)

    assert [snapshot["id"] for snapshot in kept] == [str(id_) for id_ in new]
    assert [set(snapshot) for snapshot in kept] == [set(RunPostRunCheckSnapshot.model_fields)] * 2
    shown = RunPostRunCheckSnapshot.model_validate(kept[0])
    assert (shown.status, shown.post_run_check_id, shown.order) == ("pending", check.id, 1)
    assert (shown.file_names, shown.model) == (["shot.png"], UUID(str(check.spec.model)))
