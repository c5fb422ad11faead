"""What a workflow is: a prompt and what belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.limits import LIMITS, Limited
from cyberdesk_server.domain.post_run_checks import PostRunCheck, as_kept
from cyberdesk_server.domain.tags import Tag

KEPT_IN_VERSIONS = (
    "name",
    "description",
    "main_prompt",
    "input_schema",
    "output_schema",
    "includes_file_exports",
    "is_webhooks_enabled",
    "terminal_command_allowlist",
    "model_metadata",
    "post_run_check_failure_cleanup_prompt",
    *LIMITS,
)
"""The fields of a workflow an author writes, and that its history keeps."""


class Terms(Limited, Protocol):
    """What of a workflow holds for the runs that are made of it."""

    @property
    def id(self) -> WorkflowId: ...
    @property
    def organization_id(self) -> OrganizationId: ...
    @property
    def main_prompt(self) -> str: ...
    @property
    def input_schema(self) -> str | None: ...
    @property
    def has_post_run_checks(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Workflow:
    id: WorkflowId
    organization_id: OrganizationId
    main_prompt: str
    """HTML as the author wrote it; empty until there is a prompt."""

    created_at: datetime
    updated_at: datetime
    user_id: UUID | None = None
    name: str | None = None
    description: str | None = None
    input_schema: str | None = None
    """JSON Schema as text."""

    output_schema: str | None = None
    """JSON Schema as text, or the short notation `{"field": "type"}`."""

    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: tuple[str, ...] | None = None
    """None allows every command, empty none."""

    model_metadata: JsonObject | None = None
    post_run_check_failure_cleanup_prompt: str | None = None
    run_time_limit_seconds: int | None = None
    """These limits hold for its runs that have none of their own: see `domain.limits`."""

    max_turns: int | None = None
    wait_time_limit_seconds: int | None = None
    cost_limit_usd: float | None = None
    includes_input_variables: bool = False
    """True when the prompt holds an `{x}` that a run must be given."""

    has_post_run_checks: bool = field(default=False, compare=False)
    """True when it was read from the store and has some there."""

    workflow_metadata: JsonObject | None = None
    """`has_unaddressed_error`, `last_errored_run_start`, `last_errored_run_uuid`."""

    def version(self, checks: Sequence[PostRunCheck] = (), tags: Sequence[Tag] = ()) -> JsonObject:
        """What the history keeps of this state, with the checks and tags the workflow has in it."""
        kept: dict[str, JsonValue] = {name: getattr(self, name) for name in KEPT_IN_VERSIONS}
        return kept | {
            "post_run_checks": as_kept(checks),
            "tags": [{"id": str(tag.id), "name": tag.name} for tag in tags],
            "updated_at": self.updated_at.isoformat(),
        }

    def is_rewritten_as(self, other: "Workflow") -> bool:
        """True when an author wrote something else in `other`."""
        return any(getattr(self, name) != getattr(other, name) for name in KEPT_IN_VERSIONS)
