"""What the generated models owe to programs of old, and our own description of the API does not say.

The client of old was generated from another document: it names some schemas differently, gives a name to
every object with free keys, and has the fields of some classes in another order. Programs use all of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NOUNS = {
    "machines": r"Machine|Downed|CyberdriverWebSession|CyberdriverShutdown",
    "pools": r"Pool",
    "webhook_endpoints": r"Webhook|SessionReleased",
    "workflow_tags": r"WorkflowTag|AddTags|BulkAddTags|Reorder",
    "run_attachments": r"RunAttachment",
    "workflows": r"Workflow(?!Chain)|BodyUploadWorkflow",
    "runs": r"Run|ChainStep|WorkflowChain|FileInput",
    "connections": r"Connection",
    "trajectories": r"Trajectory|DisplayDimensions",
    "model_configurations": r"ModelConfiguration|ProviderCredential",
    "usage": r"Usage",
    "request_logs": r"RequestLog",
    "computer": r"Mouse|Keyboard|CopyToClipboard|FileWrite|Cyberdriver",
    "common": r"",
}
"""Module -> the schemas in it, by the beginning of their names; the first match wins."""


@dataclass(frozen=True)
class Extra:
    """What a model is beyond its schema."""

    first: tuple[str, ...] = ()
    """Members of the schema that stand before all others, in this order."""
    unsent: tuple[str, ...] = ()
    """Fields whose default is left to the server."""
    keyword_only: tuple[str, ...] = ()
    """Fields that the client of old does not have: none of its positions is theirs."""
    ignored: tuple[str, ...] = ()
    """Texts of the documents that no schema has."""
    other_names: dict[str, str] = field(default_factory=dict)
    """Second name -> field."""
    base: str = ""
    """A class of `cyberdesk.models._files` that it extends instead of `Model`."""


_MACHINE_FACTS = (
    "id",
    "unkey_key_id",
    "status",
    "is_available",
    "alerts_enabled",
    "created_at",
    "last_seen",
)
_TRAJECTORY_FACTS = (
    "id",
    "workflow_id",
    "is_approved",
    "has_been_approved",
    "is_generated",
    "is_main",
    "dimensions",
    "created_at",
    "updated_at",
)

_LIMITS = ("run_time_limit_seconds", "max_turns", "wait_time_limit_seconds", "cost_limit_usd")

EXTRAS = {
    **{
        name: Extra(keyword_only=_LIMITS)
        for name in ("ChainStep", "RunCreate", "RunBulkCreate", "RunRetry", "RunResponse")
    },
    "MachineCreate": Extra(keyword_only=("description",), ignored=("provider", "region")),
    "MachineUpdate": Extra(keyword_only=("description",)),
    "MachineResponse": Extra(keyword_only=("description",)),
    "MachineResponseWithIncludes": Extra(
        first=(*_MACHINE_FACTS, "user_id", "organization_id"), keyword_only=("description",)
    ),
    "WorkflowCreate": Extra(unsent=("main_prompt",), keyword_only=("description", *_LIMITS)),
    "WorkflowUpdate": Extra(keyword_only=("description", *_LIMITS)),
    "WorkflowResponse": Extra(keyword_only=("description", *_LIMITS)),
    "WorkflowResponseWithIncludes": Extra(keyword_only=("description", *_LIMITS)),
    "PoolResponseWithIncludes": Extra(first=("id", "organization_id", "name")),
    "RunResponseWithIncludes": Extra(first=("id",), keyword_only=(*_LIMITS, "waiting_reason")),
    "RunPostRunCheckSnapshot": Extra(
        first=(
            "status",
            "id",
            "post_run_check_id",
            "snapshot_version",
            "name",
            "description",
            "type",
            "order",
        )
    ),
    "BulkAddTagsRequest": Extra(first=("workflow_ids",)),
    "FileInput": Extra(unsent=("target_path",), base="ReadFromPath"),
    "ConnectionCreate": Extra(first=("websocket_id",), ignored=("connection_type",)),
    "TrajectoryCreate": Extra(unsent=("trajectory_data",), other_names={"steps": "trajectory_data"}),
    "TrajectoryResponse": Extra(unsent=("is_on_trial",), first=("workflow_id", "trajectory_data")),
    "TrajectoryResponseWithIncludes": Extra(
        unsent=("is_on_trial",),
        first=(
            *_TRAJECTORY_FACTS,
            "run_id",
            "user_id",
            "organization_id",
            "name",
            "description",
            "trajectory_data",
        ),
    ),
    "TrajectoryUpdate": Extra(other_names={"steps": "trajectory_data"}),
    "ModelConfigurationCreate": Extra(other_names={"model_id": "model"}),
    "ModelConfigurationUpdate": Extra(other_names={"model_id": "model"}),
}

IGNORED = "Taken from programs that send it; the server does nothing with it."

ENUM_ALIASES = {
    "MachineStatus": {"ACTIVE": "CONNECTED"},
    "ConnectionStatus": {"ACTIVE": "CONNECTED"},
    "RunStatus": {"COMPLETED": "SUCCESS"},
}

BASES = {
    "MachineResponseWithIncludes": "MachineResponse",
    "PoolResponseWithIncludes": "PoolResponse",
    "PoolWithMachines": "PoolResponse",
    "WorkflowResponseWithIncludes": "WorkflowResponse",
    "RunResponseWithIncludes": "RunResponse",
    "RunCompletedWebhookRunPayload": "RunResponse",
    "TrajectoryResponseWithIncludes": "TrajectoryResponse",
}
"""A model that has all that another has can stand wherever the other is expected."""

ALIASES = {"PaginatedResponseWorkflowResponse": "PaginatedResponseWithIncludesWorkflowResponse"}
"""Names without a schema of their own."""

DESCRIPTIONS = {
    "HTTPValidationError.detail": "What is wrong, one entry for each place in the request.",
    "ValidationError.loc": "Where: `body`, `query`, `path` or `header`, then names and indexes inside it.",
    "ValidationError.msg": "What is wrong there, in words.",
    "ValidationError.type": "What is wrong there, as a word for programs.",
    "ValidationError.input": "What was sent there; the server does not repeat it.",
    "ValidationError.ctx": "What the word leaves open, such as a limit.",
}
"""Of what the framework brings: it does not say what a field means."""

_SCHEMAS = {
    "AuthType": "ProviderCredentialAuthType",
    "CredentialSource": "ProviderCredentialSource",
    "CredentialStatus": "ProviderCredentialStatus",
    "HealthScope": "MachinesHealthCheckResponseScope",
    "HealthStatus": "MachinesHealthCheckResponseStatus",
    "PaginatedResponse_object_": "PaginatedResponse",
    "ProviderSlot": "ProviderCredentialSlot",
    "RunListOrder": "RunListSortMode",
    "TrajectoryCreateDimensionsType0": "TrajectoryCreateDimensions",
}
_WORD = re.compile(r"V\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_TAKEN = frozenset({"type", "input"})


def class_name(schema: str) -> str:
    """The name that the client of old has for a schema of our document, or for an object inside it."""
    return _SCHEMAS.get(schema) or in_one_word(schema)


def in_one_word(text: str) -> str:
    """`Workflow prompt_image` as `WorkflowPromptImage`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", text))


def field_name(key: str) -> str:
    """How Python code calls the member of that name: builtins get an underscore."""
    return f"{key}_" if key in _TAKEN else key


def module_name(name: str) -> str:
    """The module of a class in the client of old."""
    return "_".join(_WORD.findall(name)).lower()
