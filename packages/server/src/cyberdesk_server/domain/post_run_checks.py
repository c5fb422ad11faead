"""Post-run checks: what a workflow's author wants to be true once a run's main part has ended well."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.domain.ids import OrganizationId, PostRunCheckId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import Kind, Placeholder, parts


class PostRunCheckType(StrEnum):
    """Values of the contract's `PostRunCheckType`."""

    RUN_ATTACHMENT_EXISTS = "run_attachment_exists"
    """The run exported these files."""

    RUN_ATTACHMENT_IMAGE_CHECK = "run_attachment_image_check"
    """A model looks at these exported pictures and judges by `check_prompt`."""

    OUTPUT_DATA_PASSES_SCHEMA_VALIDATION = "output_data_passes_schema_validation"
    """The output data fits the workflow's `output_schema`."""

    OUTPUT_DATA_AGENTIC_CHECK = "output_data_agentic_check"
    """A model reads the output data and judges by `check_prompt`."""

    @property
    def is_about_files(self) -> bool:
        return self in (self.RUN_ATTACHMENT_EXISTS, self.RUN_ATTACHMENT_IMAGE_CHECK)

    @property
    def asks_a_model(self) -> bool:
        return self in (self.RUN_ATTACHMENT_IMAGE_CHECK, self.OUTPUT_DATA_AGENTIC_CHECK)


class PostRunCheckFileTargetMode(StrEnum):
    """How a check names its files; values of the contract's `PostRunCheckFileTargetMode`."""

    EXACT = "exact"
    """Each of `file_names`."""

    REGEX = "regex"
    """Every file whose whole name matches `file_name_regex`."""

    LOOP_ITEMS = "loop_items"
    """One file for each item of the input `loop_input`, named by `loop_item_filename_template`."""


class PostRunCheckStatus(StrEnum):
    """Values of the contract's `PostRunCheckStatus`."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    INFRA_ERROR = "infra_error"
    CANCELLED = "cancelled"


COUNT_ROOTS = ("inputs", "outputs")
"""Where `expected_match_count_ref` may start: `inputs.copies`, `outputs.pages[0].count`."""

SNAPSHOT_VERSION = 1
"""Of the shape of `snapshots`."""


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """What an author writes about a check, with the contract's names."""

    name: str
    type: PostRunCheckType
    description: str | None = None
    file_target_mode: PostRunCheckFileTargetMode | None = None
    """None means `exact`."""

    file_names: tuple[str, ...] | None = None
    file_name_regex: str | None = None
    expected_match_count: int | None = None
    """How many files must match `file_name_regex`; None asks for at least one."""

    expected_match_count_ref: str | None = None
    """A path to that number; wins over `expected_match_count`."""

    loop_input: str | None = None
    """The name of an input that holds a list, or a path to one."""

    loop_item_filename_template: str | None = None
    allow_missing_attachments: bool = False
    """An image check passes over files that are not there."""

    check_prompt: str | None = None
    model: UUID | None = None
    """The model configuration that judges; None takes the workflow's main one."""

    @property
    def mode(self) -> PostRunCheckFileTargetMode:
        return self.file_target_mode or PostRunCheckFileTargetMode.EXACT

    def faults(self) -> Iterator[tuple[str, str]]:
        """Why this check could never pass: the member that is at fault, and what is wrong with it."""
        if not self.name.strip():
            yield "name", "must not be blank"
        if self.type.is_about_files:
            yield from self._faults_of_files()
        if self.type.asks_a_model and not (self.check_prompt or "").strip():
            yield "check_prompt", f"is required by {self.type}"

    def _faults_of_files(self) -> Iterator[tuple[str, str]]:
        match self.mode:
            case PostRunCheckFileTargetMode.EXACT:
                if not self.file_names or not all(name.strip() for name in self.file_names):
                    yield "file_names", "must name the files when file_target_mode is exact"
            case PostRunCheckFileTargetMode.REGEX:
                yield from _faults_of_regex(self.file_name_regex)
            case PostRunCheckFileTargetMode.LOOP_ITEMS:
                if _path_root(self.loop_input) is None:
                    yield "loop_input", "must be the name of an input, or a path into one"
                if not (self.loop_item_filename_template or "").strip():
                    yield "loop_item_filename_template", "is required when file_target_mode is loop_items"
        ref = self.expected_match_count_ref
        if ref is not None and _path_root(ref) not in COUNT_ROOTS:
            yield "expected_match_count_ref", "must be a path such as inputs.copies or outputs.pages[0]"

    def as_json(self) -> dict[str, JsonValue]:
        """Every member, as JSON has it."""
        told: dict[str, JsonValue] = {member.name: getattr(self, member.name) for member in fields(self)}
        return told | {
            "file_names": None if self.file_names is None else list(self.file_names),
            "model": None if self.model is None else str(self.model),
        }


@dataclass(frozen=True, slots=True)
class PostRunCheck:
    """A check of a workflow."""

    id: PostRunCheckId
    organization_id: OrganizationId
    workflow_id: WorkflowId
    spec: CheckSpec
    order: int
    """Its place among the workflow's checks, from 0."""

    created_at: datetime
    updated_at: datetime
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class WrittenCheck:
    """A check as an author sends it: with an id it takes the place of that check, without one it is new."""

    spec: CheckSpec
    id: PostRunCheckId | None = None


def as_kept(checks: Sequence[PostRunCheck]) -> list[JsonObject]:
    """The checks as a workflow's history keeps them."""
    return [{"id": str(check.id), **check.spec.as_json()} for check in checks]


def snapshots(checks: Sequence[PostRunCheck], new_id: Callable[[], UUID]) -> tuple[JsonObject, ...]:
    """The checks of a workflow as a new run keeps them, whatever becomes of them later.

    Members are those of the contract's `RunPostRunCheckSnapshot`; each snapshot has an id of its own.
    """
    return tuple(
        {
            **check.spec.as_json(),
            "id": str(new_id()),
            "post_run_check_id": str(check.id),
            "snapshot_version": SNAPSHOT_VERSION,
            "order": check.order,
            "status": PostRunCheckStatus.PENDING.value,
            "started_at": None,
            "ended_at": None,
            "error_message": None,
            "messages": None,
            "matched_filenames": None,
        }
        for check in checks
    )


def _faults_of_regex(pattern: str | None) -> Iterator[tuple[str, str]]:
    if not pattern:
        yield "file_name_regex", "is required when file_target_mode is regex"
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        yield "file_name_regex", f"is not a regular expression: {error}"


def _path_root(path: str | None) -> str | None:
    """The name a path starts with; None when it is no path."""
    if path is None:
        return None
    match parts(f"{{{path}}}"):
        case (Placeholder(kind=Kind.INPUT, name=name),):
            return name
        case _:
            return None
