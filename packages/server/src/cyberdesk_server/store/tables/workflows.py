"""Workflows and what authors attach to them: versions, tags, checks, prompt images."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, false

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

workflows = Table(
    "workflows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Id),
    Column("name", Words),
    Column("description", Words),
    Column("main_prompt", Words, nullable=False),
    Column("input_schema", Words),
    Column("output_schema", Words),
    Column("includes_file_exports", Boolean, nullable=False, server_default=false()),
    Column("is_webhooks_enabled", Boolean, nullable=False, server_default=false()),
    Column("terminal_command_allowlist", Json),
    Column("model_metadata", Json),
    Column("post_run_check_failure_cleanup_prompt", Words),
    Column("run_time_limit_seconds", Integer),
    Column("max_turns", Integer),
    Column("wait_time_limit_seconds", Integer),
    Column("cost_limit_usd", Float),
    Column("includes_input_variables", Boolean, nullable=False, server_default=false()),
    Column("workflow_metadata", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # A deleted workflow stays for the runs that name it, and is found by nobody else.
    Column("deleted_at", UtcDateTime),
    Index("ix_workflows_newest", "organization_id", "updated_at", "id"),
)

workflow_versions = Table(
    "workflow_versions",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Json, nullable=False),
)

workflow_tag_groups = Table(
    "workflow_tag_groups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    Column("name", Words, nullable=False),
    Column("description", Words),
    Column("emoji", Words),
    Column("color", Words),
    Column("order", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

workflow_tags = Table(
    "workflow_tags",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    Column("group_id", ForeignKey("workflow_tag_groups.id", ondelete="SET NULL"), index=True),
    Column("name", Words, nullable=False),
    Column("description", Words),
    Column("emoji", Words),
    Column("color", Words),
    Column("order", Integer, nullable=False),
    Column("is_archived", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

tagged_workflows = Table(
    "tagged_workflows",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("workflow_tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)

post_run_checks = Table(
    "post_run_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", Id),
    Column("name", Words, nullable=False),
    Column("type", String(64), nullable=False),
    # The members that belong to the check's type, as the contract names them.
    Column("settings", Json, nullable=False),
    Column("order", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

prompt_images = Table(
    "prompt_images",
    metadata,
    # The key of the blob, `workflow-prompt-images/<organization>/prompt-assets/<file>`.
    Column("blob_key", Words, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("filename", Words, nullable=False),
    Column("content_type", Words, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_prompt_images_newest", "organization_id", "created_at"),
)
