"""What schemathesis is told about this API beyond its description; `schemathesis.toml` names this file."""

import os
from itertools import count
from typing import Any

import schemathesis
from schemathesis import Response
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.core.failures import Failure

MACHINE_ID = os.environ["FUZZ_MACHINE_ID"]
"""Of the machine that is connected, and stays."""

IDEMPOTENCY_KEY = "Idempotency-Key"
MOST_CHARACTERS_OF_A_KEY = 240
"""With a number behind it a key of so many characters is not too long yet."""

_numbers = count()

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
"""Why a value that fits its description cannot be kept: NUL characters, numbers beyond 64 bits, deep nests."""

BEYOND_THE_DESCRIPTION = {
    "body.command": "there is nothing to run in an empty one",
    "body.dimensions": "needs a width and a height on a screen",
    "body.expires_at": "must be in the future",
    "body.path": "cannot be empty",
    "body.post_run_checks": "need what their type says",
    "body.reserved_session_id": "can only be cleared",
    "body.target_workflow_id": "must be another workflow",
    "body.text": "there is nothing to type or to press in an empty one",
    "body.session_id": "is needed to destroy a session of a shell",
    "query.include": "is a list of names in one text",
    "query.tag_ids": "is a list of ids in one text",
}
"""Fields that may be refused although they fit their type in the contract, and why."""


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
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """The machine that everything else is asked of is not deleted."""
    deletes_a_machine = (case.method, case.path) == ("DELETE", "/v1/machines/{machine_id}")
    return not (deletes_a_machine and case.path_parameters.get("machine_id") == MACHINE_ID)


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """An idempotency key that may be used is used for one request: schemathesis has few, and would get the
    answer that the key belongs to another request to nearly everything."""
    key = case.headers.get(IDEMPOTENCY_KEY)
    if isinstance(key, str) and 0 < len(key.strip()) < MOST_CHARACTERS_OF_A_KEY:
        case.headers[IDEMPOTENCY_KEY] = f"{key}-{next(_numbers)}"


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: schemathesis.Case, response: Response
) -> bool:
    """A 422 to what fits the description is no failure where each problem in it has a reason above."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    return not all(_is_explained(problem) for problem in response.json()["detail"])


def _is_explained(problem: dict[str, Any]) -> bool:
    place = ".".join(part for part in problem["loc"] if isinstance(part, str))
    known = any(place == field or place.startswith(f"{field}.") for field in BEYOND_THE_DESCRIPTION)
    return known or problem["type"] in NOT_TO_BE_KEPT
