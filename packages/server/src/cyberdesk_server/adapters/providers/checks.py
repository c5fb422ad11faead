"""One cheap question to a provider that only a good credential gets answered: usually its list of models.

| slot | secret | asked |
| --- | --- | --- |
| `anthropic` | API key | `GET /v1/models` |
| `openai` | API key | `GET /v1/models` |
| `google` | API key | `GET /v1beta/models` |
| `google` | service account | `POST /token`: an access token for a signed assertion |
| `aws_bedrock` | API key, or IAM keys (Signature Version 4) | `GET /foundation-models` in its region |

Nothing of an answer but its status is read: some providers quote the key in their errors.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from cyberdesk_server.adapters.providers.aws import signed_headers
from cyberdesk_server.adapters.providers.google import UnusableKey, assertion
from cyberdesk_server.domain.provider_credentials import (
    SLOTS,
    ApiKey,
    AwsIam,
    BedrockApiKey,
    CredentialCheck,
    ProviderSlot,
    Secret,
    ServiceAccount,
)
from cyberdesk_server.ports import Clock

ANTHROPIC_VERSION = "2023-06-01"
REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
REFUSED_BY_GOOGLE = REFUSED | {HTTPStatus.BAD_REQUEST}
"""Google calls a key that is none, and an assertion of nobody, a bad request."""

LIST_MODELS = CredentialCheck("list_models", "List models")
GET_TOKEN = CredentialCheck("get_access_token", "Get an access token")


@dataclass(frozen=True, slots=True)
class ProviderUrls:
    """Where the providers answer."""

    anthropic: str = "https://api.anthropic.com"
    openai: str = "https://api.openai.com"
    google: str = "https://generativelanguage.googleapis.com"
    google_token: str = "https://oauth2.googleapis.com/token"
    bedrock: str = "https://bedrock.{region}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Question:
    check: CredentialCheck
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """Sent with POST; None asks with GET."""

    refusals: frozenset[int] = REFUSED
    """Statuses by which the provider says that the credential is not good."""


class HttpProviders:
    """Asks over HTTPS, through the proxy of the environment when there is one."""

    def __init__(self, urls: ProviderUrls, clock: Clock, *, timeout_seconds: float) -> None:
        """`timeout_seconds` is for one check, from looking the name up to the head of the answer."""
        self._urls = urls
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def check(self, slot: ProviderSlot, secret: Secret) -> CredentialCheck:
        try:
            question = _question(self._urls, slot, secret, self._clock.now())
        except UnusableKey as error:
            return _failed(GET_TOKEN, str(error), is_auth_error=True)
        return await self._asked(SLOTS[slot].display_name, question)

    async def _asked(self, provider: str, question: Question) -> CredentialCheck:
        import httpx  # only who checks a credential needs it

        seconds = self._timeout_seconds
        method = "GET" if question.form is None else "POST"
        try:
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(timeout=seconds) as client,
                client.stream(method, question.url, headers=question.headers, data=question.form) as answer,
            ):
                return _judged(provider, question, answer.status_code)
        except (TimeoutError, httpx.TimeoutException):
            return _failed(question.check, f"{provider} did not answer in {seconds:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _failed(question.check, f"{provider} cannot be asked: {type(error).__name__}")


def _judged(provider: str, question: Question, status: int) -> CredentialCheck:
    if status == HTTPStatus.OK:
        return question.check
    if status in question.refusals:
        return _failed(question.check, f"{provider} refused the credential ({status})", is_auth_error=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _failed(question.check, f"{provider} was asked too often (429); try again later")
    return _failed(question.check, f"{provider} answered {status}")


def _failed(check: CredentialCheck, error: str, *, is_auth_error: bool = False) -> CredentialCheck:
    return CredentialCheck(check.check, check.label, check.location, error, is_auth_error)


def _question(urls: ProviderUrls, slot: ProviderSlot, secret: Secret, now: datetime) -> Question:
    match secret:
        case ApiKey(key) if slot is ProviderSlot.ANTHROPIC:
            headers = {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION}
            return Question(LIST_MODELS, f"{urls.anthropic}/v1/models?limit=1", headers)
        case ApiKey(key) if slot is ProviderSlot.GOOGLE:
            url = f"{urls.google}/v1beta/models?pageSize=1"
            return Question(LIST_MODELS, url, {"x-goog-api-key": key}, refusals=REFUSED_BY_GOOGLE)
        case ApiKey(key):
            return Question(LIST_MODELS, f"{urls.openai}/v1/models", {"Authorization": f"Bearer {key}"})
        case ServiceAccount():
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": assertion(secret, now),
            }
            # Never the `token_uri` of the file: whoever wrote it would choose whom this server talks to.
            return Question(GET_TOKEN, urls.google_token, form=form, refusals=REFUSED_BY_GOOGLE)
        case BedrockApiKey(key, region):
            return _of_bedrock(urls, region, {"Authorization": f"Bearer {key}"})
        case AwsIam(region=region):
            return _of_bedrock(urls, region, signed_headers(secret, _models_of(urls, region), now))


def _of_bedrock(urls: ProviderUrls, region: str, headers: Mapping[str, str]) -> Question:
    check = CredentialCheck(LIST_MODELS.check, LIST_MODELS.label, location=region)
    return Question(check, _models_of(urls, region), headers)


def _models_of(urls: ProviderUrls, region: str) -> str:
    return urls.bedrock.replace("{region}", region) + "/foundation-models"
