"""Why a provider gave no answer, whichever library says so.

`anthropic` and `openai` are made by the same generator: their errors have the same names and members, and are
told apart by them, so that nothing is imported before it is needed. The text of an answer is passed on for
requests that were refused, never for keys: some providers quote the key.
"""

from http import HTTPStatus
from typing import Any

from cyberdesk_server.ports import ModelUnavailable

MOST_CHARACTERS = 300
"""Of what a provider says about a request it refused."""

OVERLOADED = 529
"""What Anthropic answers when it is; no status of HTTP itself."""

NO_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})


def unavailable(error: Exception, model: str, key: str | None) -> ModelUnavailable:
    """What an error of `anthropic` or `openai` means. `key` is kept out of its text."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "APITimeoutError" in names:
        return ModelUnavailable(f"{model} did not answer in time", is_retryable=True)
    if "APIConnectionError" in names:
        cause = type(error.__cause__ or error).__name__
        return ModelUnavailable(f"{model} cannot be reached: {cause}", is_retryable=True)
    if "APIStatusError" in names:
        return _refused(error, model, key)
    return unreadable(model)


def unreadable(model: str) -> ModelUnavailable:
    """For an answer that is none."""
    return ModelUnavailable(f"{model} answered something that cannot be read", is_retryable=True)


def _refused(error: Any, model: str, key: str | None) -> ModelUnavailable:
    status: int = error.status_code
    if status in NO_KEY:
        return ModelUnavailable(f"{model}: the provider refused the API key ({status})")
    if status == HTTPStatus.NOT_FOUND:
        return ModelUnavailable(f"{model}: the provider does not know this model ({status})")
    said = _said(error, key)
    if _code(error) == "insufficient_quota":
        return ModelUnavailable(f"{model}: the quota at the provider is used up ({status})")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reason = f"{model} was asked too often (429)"
    elif status in (OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE):
        reason = f"{model} is overloaded ({status})"
    elif status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = f"{model}: the provider failed ({status})"
    else:
        return ModelUnavailable(f"{model}: the provider refused the request ({status}): {said}")
    return ModelUnavailable(reason, is_retryable=True, retry_after_seconds=_retry_after(error))


def _code(error: Any) -> str | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else None


def _said(error: Any, key: str | None) -> str:
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else body
    said = inner.get("message") if isinstance(inner, dict) else inner
    text = " ".join(str(said or "it gave no reason").split())
    if key:
        text = text.replace(key, "…")
    return text[:MOST_CHARACTERS]


def _retry_after(error: Any) -> float | None:
    """Seconds, when the provider named some; a date is not worth reading here."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
