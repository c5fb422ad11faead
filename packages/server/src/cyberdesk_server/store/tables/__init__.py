"""Every table of the server. `migrations/` brings a database to this shape; a test compares the two."""

from cyberdesk_server.store.tables.machines import (
    connections,
    machines,
    pool_machines,
    pools,
    request_logs,
)
from cyberdesk_server.store.tables.models import model_configurations, provider_credentials
from cyberdesk_server.store.tables.organizations import api_keys, audit_log, idempotency, organizations
from cyberdesk_server.store.tables.places import places_to_discard
from cyberdesk_server.store.tables.runs import (
    ONE_RUN_PER_MACHINE,
    WAITING,
    attachments,
    llm_costs,
    pictures,
    pool_sets,
    runs,
    secrets,
    sessions,
    steps,
)
from cyberdesk_server.store.tables.scheduling import news, offers, openings, standings
from cyberdesk_server.store.tables.servers import servers
from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.tables.trajectories import trajectories, trajectory_pictures
from cyberdesk_server.store.tables.webhooks import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_messages,
)
from cyberdesk_server.store.tables.workflows import (
    post_run_checks,
    prompt_images,
    tagged_workflows,
    workflow_tag_groups,
    workflow_tags,
    workflow_versions,
    workflows,
)

__all__ = [
    "ONE_RUN_PER_MACHINE",
    "WAITING",
    "api_keys",
    "attachments",
    "audit_log",
    "connections",
    "idempotency",
    "llm_costs",
    "machines",
    "metadata",
    "model_configurations",
    "news",
    "offers",
    "openings",
    "organizations",
    "pictures",
    "places_to_discard",
    "pool_machines",
    "pool_sets",
    "pools",
    "post_run_checks",
    "prompt_images",
    "provider_credentials",
    "request_logs",
    "runs",
    "secrets",
    "servers",
    "sessions",
    "standings",
    "steps",
    "tagged_workflows",
    "trajectories",
    "trajectory_pictures",
    "webhook_attempts",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhook_messages",
    "workflow_tag_groups",
    "workflow_tags",
    "workflow_versions",
    "workflows",
]
