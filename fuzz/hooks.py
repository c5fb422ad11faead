"""What schemathesis is told about this API beyond its description; `schemathesis.toml` names this file."""

import os
from itertools import count
from typing import Any

import schemathesis
from cyberdesk_server.domain.limits import LIMITS
from schemathesis import Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from fuzz.known import KnownIds

MACHINE_ID = os.environ["FUZZ_MACHINE_ID"]
"""Of the machine that is connected, and stays."""

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY_LENGTH = 255

_numbers = count()
_known = KnownIds()

REFUSAL = {
    "type": "object",
    "properties": {"detail": {"type": "string", "minLength": 1}},
    "required": ["detail"],
    "additionalProperties": False,
}

MAY_CONFLICT = {
    "POST /v1/runs",  # a session that has ended
    "POST /v1/runs/bulk",
    "POST /v1/runs/chain",
    "POST /v1/runs/{run_id}/retry",
    "PATCH /v1/runs/{run_id}",  # a run that has ended
    "DELETE /v1/runs/{run_id}",  # a run that has not
    "POST /v1/runs/{run_id}/generate-trajectory",  # a run without success
    "DELETE /v1/workflows/{workflow_id}",  # a run of it goes on
    "POST /v1/machines",  # a second one with the same fingerprint
    "DELETE /v1/machines/{machine_id}",  # a run goes on there
    "PATCH /v1/workflow-tags/{tag_id}",  # two tags of one group at a workflow
    "DELETE /v1/model-configurations/{model_configuration_id}",  # a workflow names it
}
"""Operations that a state of things can be in the way of."""

OF_THE_SYSTEM = {
    "PATCH /v1/model-configurations/{model_configuration_id}",
    "DELETE /v1/model-configurations/{model_configuration_id}",
}
"""Operations that are forbidden on what comes with the server."""

OF_THE_DRIVER = (400, 403, 404, 409, 413)
"""What a driver refuses: a path outside its folders, an end it does not allow, a file that is not there."""


NAMED_BY_A_QUERY = {
    "DELETE /v1/workflows/prompt-image",
    "GET /v1/workflows/prompt-image/signed-url",
}
"""Operations on one thing whose name is neither in the path nor in a body."""

NOT_TO_BE_KEPT = {"string_characters", "int_size", "float_size", "too_deep"}
"""Why what fits its description cannot be kept: NUL characters, numbers beyond 64 bits, deep nesting."""

NO_ID = "uuid_parsing"
"""Why a path is refused into which a walk over several operations has put a whole list of ids."""

BEYOND_THE_DESCRIPTION = (
    {
        "body.clear_api_key": "is not asked together with a new key",
        "body.command": "there is nothing to run in an empty one",
        "body.content": "is base64, which nobody generates by chance",
        "body.dimensions": "has a width and a height on a screen",
        "body.expires_at": "is in the future",
        "body.file_inputs": "hold base64",
        "body.file": "is a picture",
        "body.ids": "names each once",
        "body.input_schema": "is a JSON schema in a text",
        "body.input_values": "are those the prompt and the schema of the workflow ask for",
        "body.model_metadata": "names model configurations that are there",
        "body.output_attachment_ids": "names files that are there",
        "body.output_schema": "is a JSON schema in a text",
        "body.path": "is not empty",
        "body.post_run_checks": "have what their type says",
        "body.reserved_session_id": "can only be cleared",
        "body.run_id": "is a run of the same workflow",
        "body.secret": "is the key of a webhook endpoint, in base64",
        "body.sensitive_input_values": "are those the prompt asks for",
        "body.session_id": "is needed to destroy a session of a shell",
        "body.shared_file_inputs": "hold base64",
        "body.shared_inputs": "are those the prompts ask for",
        "body.shared_sensitive_inputs": "are those the prompts ask for",
        "body.start_session": "is not asked together with a session to join",
        "body.steps": "name workflows that have a prompt, and values it asks for",
        "body.status": "is one that ends a run",
        "body.target_workflow_id": "is another workflow",
        "body.text": "there is nothing to type or to press in an empty one",
        "body.trajectory_data": "has steps that say which tool they call",
        "body.url": "is an address by HTTPS that is public",
        "body.workflow_id": "is a workflow that has a prompt",
        "body.y": "is given together with `x`",
        "query.include": "is a list of names in one text",
        "query.session_id": "is no session of a shell, which has the same name",
        "query.tag_ids": "is a list of ids in one text",
        "query.to_date": "is not before `from_date`",
    }
    | {
        f"body.{name}": "belongs to some slots and not to others"
        for name in (
            "api_key",
            "service_account_json",
            "bedrock_auth_mode",
            "aws_access_key_id",
            "aws_secret_access_key",
            "aws_region",
        )
    }
    | {f"body.{name}": "is no more than the operator allows" for name in LIMITS}
)
"""Fields that may be refused although they fit their type in the contract, and what is known of them."""


Case = schemathesis.Case[Any]


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """The contract describes successes and malformed requests. All other refusals are an object with a text;
    which of them an operation has follows from what it is."""
    for path, operations in raw_schema["paths"].items():
        for method, operation in operations.items():
            for status in _refusals(f"{method.upper()} {path}", operation):
                content = {"application/json": {"schema": REFUSAL}}
                described = {"description": "Refused", "content": content}
                operation["responses"].setdefault(str(status), described)


def _refusals(name: str, operation: dict[str, Any]) -> set[int]:
    found = set()
    if operation.get("security"):
        found.add(401)
    if "{" in name or "requestBody" in operation or name in NAMED_BY_A_QUERY:
        found.add(404)
    if name in MAY_CONFLICT:
        found.add(409)
    if name in OF_THE_SYSTEM:
        found.add(403)
    if "/computer/" in name or "/cyberdriver/" in name:
        found.update(OF_THE_DRIVER)
    if name.endswith("/internal/update"):
        found.add(501)
    return found


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: Case) -> bool:
    """The machine that everything else is asked of is not deleted."""
    deletes_a_machine = (case.method, case.path) == ("DELETE", "/v1/machines/{machine_id}")
    return not (deletes_a_machine and case.path_parameters.get("machine_id") == MACHINE_ID)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Schemathesis makes ids up: half of them become ids of what is there. It has few idempotency keys, and
    nearly everything would be answered that its key belongs to another request: each is used once."""
    if case.path_parameters.get("machine_id") != MACHINE_ID:
        _known.put_into(case.path_parameters)
    if isinstance(case.body, dict):
        _known.put_into(case.body)
    key = case.headers.get(IDEMPOTENCY_KEY)
    if isinstance(key, str) and 0 < len(key.strip()) <= MAX_KEY_LENGTH:
        case.headers[IDEMPOTENCY_KEY] = f"{key}-{next(_numbers)}"[-MAX_KEY_LENGTH:]


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: Case, response: Response) -> None:
    """What was made or listed can be asked for."""
    if response.status_code in (200, 201) and "json" in response.headers.get("content-type", [""])[0]:
        _known.remember(case.path, response.json())


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """A 422 to what fits the description is no failure where each problem in it has a reason above; a 404 can
    be about a thing that only the body names; and an empty text is no group, for clients that leave nulls out
    of what they send."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        return not all(_is_explained(problem) for problem in response.json()["detail"])
    if isinstance(failure, EnsureResourceAvailability):
        return any(str(id_) in response.text for id_ in case.path_parameters.values())
    if isinstance(failure, AcceptedNegativeData) and case.path.startswith("/v1/workflow-tags"):
        return not (isinstance(case.body, dict) and case.body.get("group_id") == "")
    return True


def _is_explained(problem: dict[str, Any]) -> bool:
    place = ".".join(part for part in problem["loc"] if isinstance(part, str))
    field = ".".join(place.split(".")[:2])
    is_no_id = problem["loc"][0] == "path" and problem["type"] == NO_ID
    return is_no_id or field in BEYOND_THE_DESCRIPTION or problem["type"] in NOT_TO_BE_KEPT
