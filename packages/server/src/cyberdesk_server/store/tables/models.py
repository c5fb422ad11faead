"""Models callers configure, and their credentials, sealed."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table, false

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

model_configurations = Table(
    "model_configurations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    Column("name", Words, nullable=False),
    Column("description", Words),
    Column("provider", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("temperature", Float),
    Column("max_tokens", Integer),
    Column("timeout_seconds", Float),
    Column("max_retries", Integer),
    Column("additional_params", Json),
    Column("agent_harness_version_string", Words),
    Column("is_computer_use_model", Boolean, nullable=False, server_default=false()),
    Column("is_archived", Boolean, nullable=False, server_default=false()),
    # The API key, sealed under this id; both NULL when the configuration has none of its own.
    Column("secret_id", Id),
    Column("sealed", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

provider_credentials = Table(
    "provider_credentials",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("slot", String(32), primary_key=True),
    Column("auth_type", String(32), nullable=False),
    Column("display_metadata", Json, nullable=False),
    Column("status", String(16), nullable=False),
    Column("last_error", Words),
    # The credential, sealed under this id.
    Column("secret_id", Id, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("activated_at", UtcDateTime),
    Column("last_validated_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
