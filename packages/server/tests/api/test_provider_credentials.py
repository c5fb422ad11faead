"""Credentials at the providers of models, over HTTP."""

import json
import os
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.provider_credentials import (
    ProviderCredentialResponse,
    ProviderCredentialValidationCheck,
    ProviderCredentialValidationResponse,
)
from cyberdesk_server.domain.provider_credentials import (
    ApiKey,
    AwsIam,
    BedrockApiKey,
    CredentialCheck,
    ProviderSlot,
    Secret,
    ServiceAccount,
)

PATH = "/v1/provider-credentials"
KEY = "sk-secret-0123456789-last"
ACCOUNT = {
    "type": "service_account",
    "project_id": "project",
    "client_email": "robot@project",
    "private_key": "-----BEGIN PRIVATE KEY-----",
    "token_uri": "http://elsewhere",
}
NOTHING_SHOWN = dict.fromkeys(
    ("key_last4", "project_id", "client_email", "aws_region", "access_key_id_last4")
)
REFUSAL = CredentialCheck("list_models", "List models", error="OpenAI refused it", is_auth_error=True)
NO_WORD = CredentialCheck("list_models", "List models", error="OpenAI answered 503")


async def test_every_slot_is_listed_whether_it_is_filled_or_not(client: httpx.AsyncClient) -> None:
    filled = (await client.put(f"{PATH}/openai", json={"api_key": KEY})).json()

    listed = (await client.get(PATH)).json()

    assert [one["slot"] for one in listed] == ["anthropic", "aws_bedrock", "google", "openai"]
    assert listed[3] == filled
    empty = listed[0]
    assert (empty["source"], empty["status"], empty["display_metadata"]) == ("cyberdesk", "missing", {})
    assert empty["covered_providers"] == ["anthropic"]
    assert set(empty) == set(filled) == set(ProviderCredentialResponse.model_fields)


@pytest.mark.parametrize(
    ("slot", "body", "auth_type", "shown", "secret"),
    [
        ("anthropic", {"api_key": KEY}, "api_key", {"key_last4": "last"}, ApiKey(KEY)),
        ("anthropic", {"api_key": "short-key"}, "api_key", {}, ApiKey("short-key")),
        ("google", {"api_key": KEY}, "api_key", {"key_last4": "last"}, ApiKey(KEY)),
        (
            "google",
            {"service_account_json": json.dumps(ACCOUNT)},
            "service_account_json",
            {"project_id": "project", "client_email": "robot@project"},
            ServiceAccount("project", "robot@project", "-----BEGIN PRIVATE KEY-----"),
        ),
        (
            "aws_bedrock",
            {"api_key": KEY, "aws_region": "eu-central-1"},
            "aws_bedrock_api_key",
            {"key_last4": "last", "aws_region": "eu-central-1"},
            BedrockApiKey(KEY, "eu-central-1"),
        ),
        (
            "aws_bedrock",
            {
                "bedrock_auth_mode": "iam",
                "aws_access_key_id": "AKID-0123456789",
                "aws_secret_access_key": KEY,
                "aws_region": "us-gov-west-1",
                "api_key": None,
            },
            "aws_iam",
            {"access_key_id_last4": "6789", "aws_region": "us-gov-west-1"},
            AwsIam("AKID-0123456789", KEY, "us-gov-west-1"),
        ),
    ],
)
async def test_a_credential_is_sealed_and_shown_by_its_last_characters_only(
    client: httpx.AsyncClient,
    parts: Parts,
    slot: str,
    body: dict[str, Any],
    auth_type: str,
    shown: dict[str, str],
    secret: Secret,
) -> None:
    answer = await client.put(f"{PATH}/{slot}", json=body)
    await client.post(f"{PATH}/{slot}/validate")

    assert answer.status_code == 200
    assert KEY not in answer.text
    credential = answer.json()
    assert (credential["source"], credential["status"]) == ("organization", "active")
    assert (credential["auth_type"], credential["display_metadata"]) == (auth_type, NOTHING_SHOWN | shown)
    assert (credential["activated_at"], credential["last_validated_at"]) == ("2030-01-01T12:00:01Z", None)
    assert parts.providers.asked == [(ProviderSlot(slot), secret)]


@pytest.mark.parametrize(
    ("slot", "body", "fields"),
    [
        ("openai", {}, ["api_key"]),
        ("openai", {"api_key": ""}, ["api_key"]),
        ("openai", {"api_key": "two\nlines"}, ["api_key"]),
        ("openai", {"api_key": "żółw"}, ["api_key"]),
        ("openai", {"api_key": KEY, "aws_region": "us-east-1"}, ["aws_region"]),
        ("openai", {"apikey": KEY}, ["apikey"]),
        ("anthropic", {"service_account_json": "{}"}, ["api_key", "service_account_json"]),
        ("google", {}, ["api_key"]),
        ("google", {"api_key": KEY, "service_account_json": json.dumps(ACCOUNT)}, ["api_key"]),
        ("google", {"service_account_json": "{"}, ["service_account_json"]),
        ("google", {"service_account_json": "[]"}, ["service_account_json"]),
        ("google", {"service_account_json": "[" * 100_000}, ["service_account_json"]),
        (
            "google",
            {"service_account_json": json.dumps(ACCOUNT | {"private_key": 7})},
            ["service_account_json"],
        ),
        ("aws_bedrock", {"api_key": KEY}, ["aws_region"]),
        ("aws_bedrock", {"api_key": KEY, "aws_region": "evil.example/"}, ["aws_region"]),
        ("aws_bedrock", {"bedrock_auth_mode": "iam", "aws_region": "us-east-1", "api_key": KEY},
         ["aws_access_key_id", "aws_secret_access_key", "api_key"]),
        ("aws_bedrock", {"bedrock_auth_mode": "other"}, ["bedrock_auth_mode"]),
    ],
)  # fmt: skip
async def test_what_makes_no_credential_names_the_field(
    client: httpx.AsyncClient, slot: str, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await client.put(f"{PATH}/{slot}", json=body)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", name] for name in fields]
    assert KEY not in answer.text


async def test_an_unknown_slot_is_malformed(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"{PATH}/mistral", json={"api_key": KEY})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["path", "slot"]


async def test_a_refused_credential_is_invalid_until_the_provider_accepts_it(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await client.put(f"{PATH}/openai", json={"api_key": KEY})
    parts.providers.answer = REFUSAL

    refused = (await client.post(f"{PATH}/openai/validate")).json()
    parts.providers.answer = NO_WORD
    unknown = (await client.post(f"{PATH}/openai/validate")).json()
    parts.providers.answer = CredentialCheck("list_models", "List models")
    accepted = (await client.post(f"{PATH}/openai/validate")).json()

    def told(answer: dict[str, Any]) -> tuple[Any, ...]:
        credential = answer["credential"]
        return answer["ok"], credential["status"], credential["last_error"], credential["activated_at"]

    assert set(refused) == set(ProviderCredentialValidationResponse.model_fields)
    assert set(refused["checks"][0]) == set(ProviderCredentialValidationCheck.model_fields)
    assert refused["checks"][0]["is_auth_error"]
    assert told(refused) == (False, "invalid", "OpenAI refused it", None)
    assert told(unknown) == (False, "invalid", "OpenAI answered 503", None)
    assert told(accepted) == (True, "active", None, accepted["credential"]["last_validated_at"])
    assert unknown["credential"]["last_validated_at"] == refused["credential"]["last_validated_at"]
    assert (await client.get(PATH)).json()[3] == accepted["credential"]


async def test_a_provider_that_cannot_tell_leaves_a_credential_active(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    before = (await client.put(f"{PATH}/openai", json={"api_key": KEY})).json()
    parts.providers.answer = NO_WORD

    answer = (await client.post(f"{PATH}/openai/validate")).json()

    assert answer["credential"] == before | {"last_error": "OpenAI answered 503"}


async def test_a_credential_that_was_changed_while_it_was_checked_is_not_judged(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await client.put(f"{PATH}/openai", json={"api_key": KEY})

    async def change() -> None:
        await client.put(f"{PATH}/openai", json={"api_key": "another"})

    parts.providers.answer, parts.providers.before_answer = REFUSAL, change
    answer = await client.post(f"{PATH}/openai/validate")

    assert answer.status_code == 409
    assert (await client.get(PATH)).json()[3]["status"] == "active"


async def test_a_credential_of_another_master_key_is_invalid(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.put(f"{PATH}/openai", json={"api_key": KEY})
    other = replace(parts, vault=EnvelopeVault(MasterKey(os.urandom(32))))

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(other)), base_url="http://server", headers=client.headers
    ) as later:
        answer = (await later.post(f"{PATH}/openai/validate")).json()

    assert answer["credential"]["status"] == "invalid"
    assert "master key" in answer["credential"]["last_error"]
    assert parts.providers.asked == []


async def test_a_deleted_credential_leaves_an_empty_slot(client: httpx.AsyncClient) -> None:
    await client.put(f"{PATH}/openai", json={"api_key": KEY})

    deleted = await client.delete(f"{PATH}/openai")

    assert deleted.status_code == 200
    assert deleted.json()["status"] == "missing"
    assert (await client.get(PATH)).json()[3] == deleted.json()
    assert (await client.delete(f"{PATH}/openai")).status_code == 404
    assert (await client.post(f"{PATH}/openai/validate")).status_code == 404


async def test_a_new_credential_takes_the_place_of_the_old_one(client: httpx.AsyncClient) -> None:
    first = (await client.put(f"{PATH}/openai", json={"api_key": KEY})).json()

    second = (await client.put(f"{PATH}/openai", json={"api_key": f"{KEY}-2"})).json()

    assert second["display_metadata"]["key_last4"] == "st-2"
    assert second["created_at"] == first["created_at"]
    assert second["activated_at"] == second["updated_at"] > first["updated_at"]


async def test_credentials_of_organizations_stay_apart(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    await client.put(f"{PATH}/openai", json={"api_key": KEY})
    await stranger.put(f"{PATH}/openai", json={"api_key": "another-0123456789"})

    await stranger.delete(f"{PATH}/openai")

    assert (await client.get(PATH)).json()[3]["display_metadata"]["key_last4"] == "last"
    assert (await stranger.get(PATH)).json()[3]["status"] == "missing"
