"""Checks of credentials, against a server on this machine that refuses what the providers refuse.

The providers themselves are not asked: the stand-in follows their published descriptions.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cyberdesk_server.adapters.providers import HttpProviders, ProviderUrls
from cyberdesk_server.adapters.providers.aws import signed_headers
from cyberdesk_server.domain.provider_credentials import (
    ApiKey,
    AwsIam,
    BedrockApiKey,
    CredentialCheck,
    ProviderSlot,
    Secret,
    ServiceAccount,
)
from cyberdesk_server.testing.rows import NOON

GOOD = "sk-good-key-0123456789"
REGION = "us-west-2"
ACCOUNT_KEY = rsa.generate_private_key(65537, 2048)
IAM = AwsIam("AKIDGOOD", "aws-secret-0123456789", REGION)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account(key: str) -> ServiceAccount:
    return ServiceAccount("project", "robot@project.iam.gserviceaccount.com", key)


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Asked], int]


def anthropic(asked: Asked) -> int:
    if asked.headers.get("anthropic-version") is None:
        return 400
    return 200 if asked.headers.get("x-api-key") == GOOD else 401


def openai(asked: Asked) -> int:
    return 200 if asked.headers.get("authorization") == f"Bearer {GOOD}" else 401


def gemini(asked: Asked) -> int:
    return 200 if asked.headers.get("x-goog-api-key") == GOOD else 400


def token(asked: Asked) -> int:
    form = {name: value for name, [value] in parse_qs(asked.body.decode()).items()}
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return 400
    signed, _, signature = form["assertion"].rpartition(".")
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    now = int(NOON.timestamp())
    is_timely = claims["iat"] <= now < claims["exp"] <= claims["iat"] + 3600
    is_ours = claims["aud"] == "https://oauth2.googleapis.com/token" and claims["iss"].startswith("robot@")
    try:
        ACCOUNT_KEY.public_key().verify(
            base64.urlsafe_b64decode(signature + "=="), signed.encode(), PKCS1v15(), SHA256()
        )
    except InvalidSignature:
        return 400
    return 200 if head["alg"] == "RS256" and is_timely and is_ours else 400


def bedrock(asked: Asked) -> int:
    if asked.headers.get("authorization") == f"Bearer {GOOD}":
        return 200
    url = f"http://{asked.headers['host']}{asked.target}"
    expected = signed_headers(IAM, url, NOON)["Authorization"]
    return 200 if asked.headers.get("authorization") == expected else 403


PROVIDERS: Mapping[tuple[str, str], Answer] = {
    ("GET", "/anthropic/v1/models?limit=1"): anthropic,
    ("GET", "/openai/v1/models"): openai,
    ("GET", "/google/v1beta/models?pageSize=1"): gemini,
    ("POST", "/token"): token,
    ("GET", f"/bedrock/{REGION}/foundation-models"): bedrock,
}


@dataclass
class StandIn:
    """An HTTP server of all providers; `status` answers everything with it, `delay_seconds` late."""

    status: int | None = None
    delay_seconds: float = 0
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    answering: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.answering.add(task)
        try:
            await self.answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        start, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = start.split(" ")
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)
        await asyncio.sleep(self.delay_seconds)
        status = self.status or PROVIDERS.get((method, target), lambda _: 404)(asked)
        quoted = f"you sent {head}".encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: {len(quoted)}\r\n\r\n".encode()
        )
        writer.write(quoted)

    def urls(self) -> ProviderUrls:
        base = f"http://127.0.0.1:{self.port}"
        return ProviderUrls(
            anthropic=f"{base}/anthropic",
            openai=f"{base}/openai",
            google=f"{base}/google",
            google_token=f"{base}/token",
            bedrock=f"{base}/bedrock/{{region}}",
        )


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    provider = StandIn()
    async with listening(provider):
        yield provider


@asynccontextmanager
async def listening(provider: StandIn) -> AsyncIterator[None]:
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    async with server:
        yield
        if provider.answering:
            _, late = await asyncio.wait(provider.answering, timeout=0.1)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class NoonClock:
    def now(self) -> datetime:
        return NOON

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def check(
    provider: StandIn, slot: ProviderSlot, secret: Secret, *, timeout_seconds: float = 10
) -> CredentialCheck:
    providers = HttpProviders(provider.urls(), NoonClock(), timeout_seconds=timeout_seconds)
    return await providers.check(slot, secret)


GOOD_SECRETS = [
    pytest.param(ProviderSlot.ANTHROPIC, ApiKey(GOOD), id="anthropic"),
    pytest.param(ProviderSlot.OPENAI, ApiKey(GOOD), id="openai"),
    pytest.param(ProviderSlot.GOOGLE, ApiKey(GOOD), id="google-api-key"),
    pytest.param(ProviderSlot.GOOGLE, account(pem(ACCOUNT_KEY)), id="google-service-account"),
    pytest.param(ProviderSlot.AWS_BEDROCK, BedrockApiKey(GOOD, REGION), id="bedrock-api-key"),
    pytest.param(ProviderSlot.AWS_BEDROCK, IAM, id="bedrock-iam"),
]
BAD_SECRETS = [
    pytest.param(ProviderSlot.ANTHROPIC, ApiKey("sk-wrong"), id="anthropic"),
    pytest.param(ProviderSlot.OPENAI, ApiKey("sk-wrong"), id="openai"),
    pytest.param(ProviderSlot.GOOGLE, ApiKey("sk-wrong"), id="google-api-key"),
    pytest.param(
        ProviderSlot.GOOGLE, account(pem(rsa.generate_private_key(65537, 2048))), id="google-service-account"
    ),
    pytest.param(ProviderSlot.AWS_BEDROCK, BedrockApiKey("sk-wrong", REGION), id="bedrock-api-key"),
    pytest.param(ProviderSlot.AWS_BEDROCK, AwsIam("AKIDGOOD", "sk-wrong", REGION), id="bedrock-iam"),
]


@pytest.mark.parametrize(("slot", "secret"), GOOD_SECRETS)
async def test_a_good_credential_is_accepted(stand_in: StandIn, slot: ProviderSlot, secret: Secret) -> None:
    found = await check(stand_in, slot, secret)

    assert (found.ok, found.error, found.is_auth_error) == (True, None, False)
    assert found.location == (REGION if slot is ProviderSlot.AWS_BEDROCK else None)
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize(("slot", "secret"), BAD_SECRETS)
async def test_a_refused_credential_is_told_apart_and_never_quoted(
    stand_in: StandIn, slot: ProviderSlot, secret: Secret
) -> None:
    found = await check(stand_in, slot, secret)

    assert (found.ok, found.is_auth_error) == (False, True)
    assert re.fullmatch(r"[\w ]+ refused the credential \(4\d\d\)", found.error or "")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, "OpenAI was asked too often (429); try again later"),
        (500, "OpenAI answered 500"),
        (503, "OpenAI answered 503"),
        (302, "OpenAI answered 302"),
        (400, "OpenAI answered 400"),
    ],
)
async def test_a_provider_that_cannot_tell_refuses_nothing(
    stand_in: StandIn, status: int, error: str
) -> None:
    stand_in.status = status

    found = await check(stand_in, ProviderSlot.OPENAI, ApiKey(GOOD))

    assert (found.error, found.is_auth_error) == (error, False)
    assert len(stand_in.asked) == 1


async def test_a_provider_that_takes_too_long_is_not_waited_for(stand_in: StandIn) -> None:
    stand_in.delay_seconds = 2

    found = await check(stand_in, ProviderSlot.ANTHROPIC, ApiKey(GOOD), timeout_seconds=0.2)

    assert (found.error, found.is_auth_error) == ("Anthropic did not answer in 0.2 seconds", False)


async def test_a_provider_that_is_not_there_refuses_nothing() -> None:
    provider = StandIn()
    async with listening(provider):
        pass

    found = await check(provider, ProviderSlot.GOOGLE, ApiKey(GOOD))

    assert (found.error, found.is_auth_error) == ("Google cannot be asked: ConnectError", False)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key"),
    ],
)
async def test_a_service_account_needs_a_key_that_signs(stand_in: StandIn, key: str, error: str) -> None:
    found = await check(stand_in, ProviderSlot.GOOGLE, account(key))

    assert (found.error, found.is_auth_error) == (f"the private key of the service account {error}", True)
    assert stand_in.asked == []


def test_the_signature_is_that_of_the_published_example() -> None:
    """`get-vanilla` of AWS's test suite for Signature Version 4."""
    keys = AwsIam("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1")
    moment = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

    headers = signed_headers(keys, "https://example.amazonaws.com/", moment, service="service")

    assert headers == {
        "x-amz-date": "20150830T123600Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    }


def test_no_secret_is_in_a_repr() -> None:
    secrets = [ApiKey(GOOD), BedrockApiKey(GOOD, REGION), AwsIam("A", GOOD, REGION), account(GOOD)]

    assert GOOD not in repr(secrets)
