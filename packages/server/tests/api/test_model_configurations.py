"""Model configurations over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.model_configurations import ModelConfigurationResponse
from cyberdesk_server.domain.ids import ModelConfigurationId, OrganizationId
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.store import model_configurations
from cyberdesk_server.usecases.sealing import open_one

Make = Callable[..., Awaitable[dict[str, Any]]]

PATH = "/v1/model-configurations"
LEAST = {"name": "Mine", "provider": "openai", "model": "gpt-4o"}
KEY = "sk-this-is-a-secret"


async def key_of(parts: Parts, configuration_id: str) -> Any:
    """The plaintext of the stored key; None when there is none."""
    own = OrganizationId("org_own")
    async with parts.database.read() as conn:
        sealed = await model_configurations.sealed_key(
            conn, own, ModelConfigurationId(UUID(configuration_id))
        )
    return None if sealed is None else await open_one(parts.vault, own, sealed)


async def test_a_configuration_keeps_everything_but_its_key(client: httpx.AsyncClient, parts: Parts) -> None:
    written = LEAST | {
        "description": "Ours",
        "temperature": 0.5,
        "max_tokens": 4096,
        "timeout_seconds": 30.0,
        "max_retries": 2,
        "additional_params": {"top_p": 0.9},
        "agent_harness_version_string": "2",
        "is_computer_use_model": True,
        "is_archived": True,
    }

    created = await client.post(PATH, json=written | {"api_key": KEY})

    assert created.status_code == 201
    assert KEY not in created.text
    configuration = created.json()
    assert configuration == written | {
        "id": configuration["id"],
        "organization_id": "org_own",
        "is_system_default": False,
        "api_key_alias": configuration["api_key_alias"],
        "created_at": "2030-01-01T12:00:01Z",
        "updated_at": "2030-01-01T12:00:01Z",
    }
    assert configuration["api_key_alias"].startswith("secret_")
    assert set(configuration) == set(ModelConfigurationResponse.model_fields)
    assert (await client.get(f"{PATH}/{configuration['id']}")).json() == configuration
    assert await key_of(parts, configuration["id"]) == KEY


async def test_the_guides_name_of_the_model_is_understood(client: httpx.AsyncClient) -> None:
    created = await client.post(PATH, json={"name": "Mine", "provider": "openai", "model_id": "gpt-4o"})
    updated = await client.patch(f"{PATH}/{created.json()['id']}", json={"model_id": "gpt-5"})

    assert (created.status_code, created.json()["model"]) == (201, "gpt-4o")
    assert updated.json()["model"] == "gpt-5"


async def test_every_server_has_the_built_in_model(client: httpx.AsyncClient, make: Make) -> None:
    own = await make("model-configurations", **LEAST)

    listed = (await client.get(PATH)).json()
    steps = (await client.get(f"{PATH}/{STEPS.id}")).json()

    assert listed == [steps, own]
    assert (steps["id"], steps["provider"]) == (str(STEPS.id), "steps")
    assert (steps["is_system_default"], steps["is_computer_use_model"], steps["is_archived"]) == (
        True,
        True,
        False,
    )
    assert (steps["organization_id"], steps["api_key_alias"]) == (None, None)


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"name": "Mine now"}), ("DELETE", None)])
async def test_a_system_default_cannot_be_changed(
    client: httpx.AsyncClient, method: str, body: dict[str, Any] | None
) -> None:
    answer = await client.request(method, f"{PATH}/{STEPS.id}", json=body)

    assert answer.status_code == 403
    assert "comes with the server" in answer.json()["detail"]
    assert (await client.get(f"{PATH}/{STEPS.id}")).json()["name"] == "steps"


async def test_an_update_changes_what_is_sent(client: httpx.AsyncClient, make: Make) -> None:
    configuration = await make("model-configurations", **LEAST, description="Old", temperature=1)

    updated = await client.patch(
        f"{PATH}/{configuration['id']}",
        json={"name": "New", "temperature": None, "provider": None, "is_archived": True},
    )

    assert updated.json() == configuration | {
        "name": "New",
        "temperature": None,
        "is_archived": True,
        "updated_at": "2030-01-01T12:00:02Z",
    }


async def test_a_key_can_be_replaced_and_cleared(client: httpx.AsyncClient, make: Make, parts: Parts) -> None:
    configuration = await make("model-configurations", **LEAST, api_key=KEY)
    path = f"{PATH}/{configuration['id']}"

    kept = (await client.patch(path, json={"name": "Other", "api_key": None})).json()
    assert kept["api_key_alias"] == configuration["api_key_alias"]
    assert await key_of(parts, configuration["id"]) == KEY

    replaced = (await client.patch(path, json={"api_key": "sk-new"})).json()
    assert replaced["api_key_alias"] not in (None, configuration["api_key_alias"])
    assert await key_of(parts, configuration["id"]) == "sk-new"

    cleared = (await client.patch(path, json={"clear_api_key": True})).json()
    assert cleared["api_key_alias"] is None
    assert await key_of(parts, configuration["id"]) is None


async def test_a_key_is_not_replaced_and_cleared_at_once(client: httpx.AsyncClient, make: Make) -> None:
    configuration = await make("model-configurations", **LEAST, api_key=KEY)

    answer = await client.patch(
        f"{PATH}/{configuration['id']}", json={"api_key": "sk-new", "clear_api_key": True}
    )

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "clear_api_key"]


async def test_a_configuration_in_use_is_archived_and_not_deleted(
    client: httpx.AsyncClient, make: Make
) -> None:
    configuration = await make("model-configurations", **LEAST)
    path = f"{PATH}/{configuration['id']}"
    workflow = await make("workflows", model_metadata={"cache_detection_model_id": configuration["id"]})

    refused = await client.delete(path)
    await client.patch(f"/v1/workflows/{workflow['id']}", json={"model_metadata": None})
    deleted = await client.delete(path)

    assert refused.status_code == 409
    assert "1 workflows and 0 unfinished runs; archive it instead" in refused.json()["detail"]
    assert deleted.status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": None}, "name"),
        ({"provider": ""}, "provider"),
        ({"provider": "p" * 51}, "provider"),
        ({"model": ""}, "model"),
        ({"model": "m" * 256}, "model"),
        ({"temperature": -0.1}, "temperature"),
        ({"max_tokens": 2**31}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"max_retries": -1}, "max_retries"),
        ({"additional_params": []}, "additional_params"),
        ({"api_key": ""}, "api_key"),
    ],
)
async def test_what_cannot_be_a_configuration_names_the_field(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await client.post(PATH, json=LEAST | change)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", field]]


async def test_a_missing_model_is_called_by_its_name_in_the_contract(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"name": "Mine", "provider": "openai"})

    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", "model"]]


async def test_an_unknown_configuration_is_not_found(client: httpx.AsyncClient) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body = {} if method == "PATCH" else None
        assert (await client.request(method, f"{PATH}/{uuid4()}", json=body)).status_code == 404
