"""Trajectories: recordings of runs, and the pictures they show."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, false

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

trajectories = Table(
    "trajectories",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="SET NULL"), index=True),
    Column("user_id", Id),
    Column("name", Words),
    Column("description", Words),
    Column("trajectory_data", Json, nullable=False),
    # Width and height of the display it was recorded on, in pixels.
    Column("dimensions", Json, nullable=False),
    Column("original_input_values", Json),
    # Of the prompt it was recorded for. NULL: nobody knows, so it is not replayed.
    Column("prompt_digest", Words),
    # Of what it does: equal recordings are kept once.
    Column("calls_digest", Words),
    Column("is_approved", Boolean, nullable=False, server_default=false()),
    Column("has_been_approved", Boolean, nullable=False, server_default=false()),
    Column("is_generated", Boolean, nullable=False, server_default=false()),
    Column("is_main", Boolean, nullable=False, server_default=false()),
    Column("is_on_trial", Boolean, nullable=False, server_default=false()),
    # What came of the last trial.
    Column("trial", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_trajectories_newest", "organization_id", "created_at", "id"),
    Index("ix_trajectories_workflow", "workflow_id", "created_at"),
)

trajectory_pictures = Table(
    "trajectory_pictures",
    metadata,
    # Pictures are stored by content, so trajectories and runs may show the same one.
    Column("address", Words, primary_key=True),
    Column("trajectory_id", ForeignKey("trajectories.id", ondelete="CASCADE"), primary_key=True, index=True),
)
