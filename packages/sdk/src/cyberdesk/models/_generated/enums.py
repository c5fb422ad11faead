# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from cyberdesk.models._model import TextEnum


class AttachmentType(TextEnum):
    """One of `input`, `output`."""

    INPUT = "input"
    OUTPUT = "output"


class BedrockAuthMode(TextEnum):
    """One of `api_key`, `iam`."""

    API_KEY = "api_key"
    IAM = "iam"


class ConnectionStatus(TextEnum):
    """One of `connected`, `disconnected`, `error`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    ACTIVE = CONNECTED


class MachineStatus(TextEnum):
    """One of `connected`, `disconnected`, `error`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    ACTIVE = CONNECTED


class MachinesHealthCheckResponseScope(TextEnum):
    """One of `all_organizations`, `organization`."""

    ALL_ORGANIZATIONS = "all_organizations"
    ORGANIZATION = "organization"


class MachinesHealthCheckResponseStatus(TextEnum):
    """One of `error`, `ok`."""

    ERROR = "error"
    OK = "ok"


class PostRunCheckFileTargetMode(TextEnum):
    """One of `exact`, `loop_items`, `regex`."""

    EXACT = "exact"
    LOOP_ITEMS = "loop_items"
    REGEX = "regex"


class PostRunCheckStatus(TextEnum):
    """One of `cancelled`, `failed`, `infra_error`, `pending`, `running`, `success`."""

    CANCELLED = "cancelled"
    FAILED = "failed"
    INFRA_ERROR = "infra_error"
    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"


class PostRunCheckType(TextEnum):
    """One of 4 words."""

    OUTPUT_DATA_AGENTIC_CHECK = "output_data_agentic_check"
    OUTPUT_DATA_PASSES_SCHEMA_VALIDATION = "output_data_passes_schema_validation"
    RUN_ATTACHMENT_EXISTS = "run_attachment_exists"
    RUN_ATTACHMENT_IMAGE_CHECK = "run_attachment_image_check"


class ProviderCredentialAuthType(TextEnum):
    """One of `api_key`, `aws_bedrock_api_key`, `aws_iam`, `service_account_json`."""

    API_KEY = "api_key"
    AWS_BEDROCK_API_KEY = "aws_bedrock_api_key"
    AWS_IAM = "aws_iam"
    SERVICE_ACCOUNT_JSON = "service_account_json"


class ProviderCredentialSlot(TextEnum):
    """One of `anthropic`, `aws_bedrock`, `google`, `openai`."""

    ANTHROPIC = "anthropic"
    AWS_BEDROCK = "aws_bedrock"
    GOOGLE = "google"
    OPENAI = "openai"


class ProviderCredentialSource(TextEnum):
    """One of `cyberdesk`, `organization`."""

    CYBERDESK = "cyberdesk"
    ORGANIZATION = "organization"


class ProviderCredentialStatus(TextEnum):
    """One of `active`, `invalid`, `missing`."""

    ACTIVE = "active"
    INVALID = "invalid"
    MISSING = "missing"


class RunField(TextEnum):
    """One of 25 words."""

    COST_LIMIT_USD = "cost_limit_usd"
    ENDED_AT = "ended_at"
    ERROR = "error"
    INPUT_ATTACHMENT_IDS = "input_attachment_ids"
    INPUT_VALUES = "input_values"
    IS_PRIORITY = "is_priority"
    MACHINE_ID = "machine_id"
    MAIN_PROMPT = "main_prompt"
    MAX_TURNS = "max_turns"
    MODEL_METADATA = "model_metadata"
    ORGANIZATION_ID = "organization_id"
    OUTPUT_ATTACHMENT_IDS = "output_attachment_ids"
    OUTPUT_DATA = "output_data"
    POOL_IDS = "pool_ids"
    POST_RUN_CHECKS = "post_run_checks"
    RELEASE_SESSION_AFTER = "release_session_after"
    RUN_MESSAGE_HISTORY = "run_message_history"
    RUN_TIME_LIMIT_SECONDS = "run_time_limit_seconds"
    SENSITIVE_INPUT_ALIASES = "sensitive_input_aliases"
    SESSION_ALIAS = "session_alias"
    SESSION_ID = "session_id"
    STARTED_AT = "started_at"
    USAGE_METADATA = "usage_metadata"
    USER_ID = "user_id"
    WAIT_TIME_LIMIT_SECONDS = "wait_time_limit_seconds"


class RunListSortMode(TextEnum):
    """One of `activity`, `created_at_desc`."""

    ACTIVITY = "activity"
    CREATED_AT_DESC = "created_at_desc"


class RunStatus(TextEnum):
    """One of `cancelled`, `error`, `running`, `running_checks`, `scheduling`, `success`, `task_failed`."""

    CANCELLED = "cancelled"
    ERROR = "error"
    RUNNING = "running"
    RUNNING_CHECKS = "running_checks"
    SCHEDULING = "scheduling"
    SUCCESS = "success"
    TASK_FAILED = "task_failed"
    COMPLETED = SUCCESS


class UsageMode(TextEnum):
    """One of `billed`, `simulated`."""

    BILLED = "billed"
    SIMULATED = "simulated"


class WebhookDeliveryStatus(TextEnum):
    """One of `delivered`, `failed`, `waiting`."""

    DELIVERED = "delivered"
    FAILED = "failed"
    WAITING = "waiting"


class WebhookDeliveryTrigger(TextEnum):
    """One of `event`, `recovery`, `replay`, `test`."""

    EVENT = "event"
    RECOVERY = "recovery"
    REPLAY = "replay"
    TEST = "test"


class WebhookDisabledReason(TextEnum):
    """One of `failing`, `gone`, `requested`."""

    FAILING = "failing"
    GONE = "gone"
    REQUESTED = "requested"


class WebhookEventType(TextEnum):
    """One of `downed_machines`, `run_complete`, `session_released`, `webhook_endpoint_disabled`."""

    DOWNED_MACHINES = "downed_machines"
    RUN_COMPLETE = "run_complete"
    SESSION_RELEASED = "session_released"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint_disabled"
