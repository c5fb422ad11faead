"""What a caller over HTTP gets for each refusal: one table."""

from collections.abc import Iterable, Mapping

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, problem_details
from cyberdesk_server.domain import refusals
from cyberdesk_server.domain.refusals import InvalidFields, Problem, Refused
from cyberdesk_server.ports import (
    DesktopError,
    DesktopNotAsked,
    DesktopRefused,
    DesktopTooSlow,
    DesktopUnreachable,
    OutcomeUnknown,
    VaultUnavailable,
)

STATUS: Mapping[type[Refused], int] = {
    refusals.Unknown: 404,
    refusals.UnknownRunImage: 404,
    refusals.UnknownTrajectoryImage: 404,
    refusals.RunDidNotSucceed: 409,
    refusals.RunAlreadyEnded: 409,
    refusals.RunAlreadyStarted: 409,
    refusals.RunNotEnded: 409,
    refusals.RunStillHoldsMachine: 409,
    refusals.SessionEnded: 409,
    refusals.WorkflowHasUnfinishedRuns: 409,
    refusals.MachineIsBusy: 409,
    refusals.TagClashesInGroup: 409,
    refusals.FingerprintTaken: 409,
    refusals.WriteUnderWay: 409,
    refusals.ModelConfigurationIsSystemDefault: 403,
    refusals.ModelConfigurationInUse: 409,
    refusals.ProviderCredentialReplaced: 409,
    refusals.WebhookEndpointDisabled: 409,
    refusals.WebhookSecretUnreadable: 409,
    refusals.LiveViewNotSetUp: 501,
    refusals.NoLiveView: 409,
    refusals.InvalidFields: 422,
    refusals.IdempotencyKeyReused: 422,
}
"""A test fails when a refusal is missing here."""

DESKTOP_STATUS: Mapping[type[DesktopError], int] = {
    DesktopNotAsked: 503,
    DesktopTooSlow: 504,
    DesktopUnreachable: 502,
    OutcomeUnknown: 409,
}
"""What is none of the caller's doing is a 5xx, and trying again makes sense; an unknown outcome is final."""

IN_PROGRESS = {"Idempotency-Status": "in_progress", "Retry-After": "1"}
"""By these headers a client knows a 409 that is worth trying again."""

PASSED_ON = frozenset({400, 403, 404, 409, 413, 422, 501, 503, 507})
"""Statuses of a driver that mean the same to a caller. A busy driver's 429 is a 503, for the caller asked
not too often; all others are a 502."""

BUSY = 429


Answered = Refused | DesktopError | VaultUnavailable | RequestValidationError | HTTPException
"""What `answer` has an answer for; everything else is a bug of ours."""


def answer(error: Answered) -> Response:
    """The answer that says why there is no other. A `detail` of status 422 is always a list."""
    match error:
        case InvalidFields(problems):
            return problem_list(problems)
        case refusals.IdempotencyKeyReused():
            return problem_list([Problem(("header", "Idempotency-Key"), str(error))])
        case refusals.WriteUnderWay():
            return JsonAnswer({"detail": str(error)}, STATUS[type(error)], IN_PROGRESS)
        case Refused():
            return JsonAnswer({"detail": str(error)}, STATUS[type(error)])
        case DesktopRefused():
            return _refused_by_the_desktop(error)
        case DesktopError():
            return JsonAnswer({"detail": str(error)}, DESKTOP_STATUS[type(error)])
        case VaultUnavailable():
            return JsonAnswer({"detail": str(error)}, 503)
        case RequestValidationError():
            return problem_list(_problems(error))
        case HTTPException():
            return JsonAnswer({"detail": error.detail}, error.status_code, error.headers)


def problem_list(problems: Iterable[Problem]) -> Response:
    """422 in the shape of the contract's `HTTPValidationError`."""
    return JsonAnswer({"detail": problem_details(problems)}, 422)


def _refused_by_the_desktop(refusal: DesktopRefused) -> Response:
    if refusal.status == 422:
        return problem_list(refusal.problems or [Problem(("body",), refusal.detail, "desktop_refused")])
    status = refusal.status if refusal.status in PASSED_ON else 503 if refusal.status == BUSY else 502
    return JsonAnswer({"detail": str(refusal)}, status)


def _problems(error: RequestValidationError) -> Iterable[Problem]:
    for found in error.errors():
        # What was sent is left out: it may be a secret, and it may be large.
        yield Problem(tuple(found["loc"]), str(found["msg"]), str(found["type"]))
