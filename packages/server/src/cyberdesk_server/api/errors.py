"""What a caller over HTTP gets for each refusal: one table."""

from collections.abc import Iterable, Mapping

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, problem_details
from cyberdesk_server.domain import refusals
from cyberdesk_server.domain.refusals import InvalidFields, Problem, Refused

STATUS: Mapping[type[Refused], int] = {
    refusals.Unknown: 404,
    refusals.UnknownRunImage: 404,
    refusals.UnknownTrajectoryImage: 404,
    refusals.RunDidNotSucceed: 409,
    refusals.RunAlreadyEnded: 409,
    refusals.RunAlreadyStarted: 409,
    refusals.RunNotEnded: 409,
    refusals.RunStillHoldsMachine: 409,
    refusals.WorkflowHasUnfinishedRuns: 409,
    refusals.MachineIsBusy: 409,
    refusals.TagClashesInGroup: 409,
    refusals.FingerprintTaken: 409,
    refusals.ModelConfigurationIsSystemDefault: 403,
    refusals.ModelConfigurationInUse: 409,
    refusals.InvalidFields: 422,
    refusals.IdempotencyKeyReused: 422,
}
"""A test fails when a refusal is missing here."""


def answer(error: Refused | RequestValidationError | HTTPException) -> Response:
    """The answer that says why there is no other. A `detail` of status 422 is always a list."""
    match error:
        case InvalidFields(problems):
            return problem_list(problems)
        case refusals.IdempotencyKeyReused():
            return problem_list([Problem(("header", "Idempotency-Key"), str(error))])
        case Refused():
            return JsonAnswer({"detail": str(error)}, STATUS[type(error)])
        case RequestValidationError():
            return problem_list(_problems(error))
        case HTTPException():
            return JsonAnswer({"detail": error.detail}, error.status_code, error.headers)


def problem_list(problems: Iterable[Problem]) -> Response:
    """422 in the shape of the contract's `HTTPValidationError`."""
    return JsonAnswer({"detail": problem_details(problems)}, 422)


def _problems(error: RequestValidationError) -> Iterable[Problem]:
    for found in error.errors():
        # What was sent is left out: it may be a secret, and it may be large.
        yield Problem(tuple(found["loc"]), str(found["msg"]), str(found["type"]))
