"""Invariant 6: a secret's plaintext is typed and never kept."""

import json
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.executor.arguments import Fill
from cyberdesk_server.executor.filling import filled_arguments
from cyberdesk_server.executor.secrets import SHORTEST_INSIDE_A_WORD, RunSecrets
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.ports import SecretContext
from hypothesis import given
from hypothesis import strategies as st

ORGANIZATION = OrganizationId("org_1")
VAULT = EnvelopeVault(MasterKey(b"k" * 32))


async def secrets_of(**values: Any) -> RunSecrets:
    sealed = {}
    for name, value in values.items():
        secret_id = SecretId(uuid4())
        sealed[name] = (
            secret_id,
            await VAULT.seal(json.dumps(value), SecretContext(ORGANIZATION, secret_id)),
        )
    return RunSecrets(sealed, VAULT, ORGANIZATION)


async def test_a_secret_is_filled_in_with_its_path() -> None:
    secrets = await secrets_of(password="p{x}w", login={"user": "doe", "pins": [1, 2]})

    assert await secrets.fill("{$login.user}/{$password}/{$login.pins[1]}") == "doe/p{x}w/2"


async def test_a_path_into_a_secret_text_fails_without_quoting_it() -> None:
    secrets = await secrets_of(password="hunter2")

    with pytest.raises(RunFails) as failure:
        await secrets.fill("{$password.first}")

    assert "hunter2" not in str(failure.value)
    assert "{$password.first}" in str(failure.value)


async def test_a_secret_that_does_not_open_ends_the_run() -> None:
    secrets = RunSecrets({"password": (SecretId(uuid4()), b"garbage")}, VAULT, ORGANIZATION)

    with pytest.raises(RunFails, match=r"\{\$password\} cannot be opened"):
        await secrets.fill("{$password}")


async def test_a_repr_shows_names_only() -> None:
    assert repr(await secrets_of(password="hunter2")) == "RunSecrets(password)"


async def test_masks_reach_into_every_part_of_a_value() -> None:
    secrets = await secrets_of(password="hunter2", card={"pin": 4711})

    masked = await secrets.mask({"a": ["my hunter2!", {"hunter2": 4711}], "b": True, "n": 47})

    assert masked == {"a": ["my {$password}!", {"{$password}": "{$card.pin}"}], "b": True, "n": 47}


async def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    secrets = await secrets_of(pin="12")

    assert await secrets.mask("12 of 120, 12.") == "{$pin} of 120, {$pin}."


async def test_a_memo_that_is_json_stays_json() -> None:
    secrets = await secrets_of(password="hunter2")

    masked = await secrets.mask_memo('{"at": 3, "said": "hunter2"}')

    assert json.loads(masked or "") == {"at": 3, "said": "{$password}"}


async def test_a_memo_keeps_its_numbers() -> None:
    secrets = await secrets_of(pin="3")

    masked = await secrets.mask_memo('{"at": 3, "said": "3"}')

    assert json.loads(masked or "") == {"at": 3, "said": "{$pin}"}


async def test_a_click_does_not_miss_because_a_pin_is_its_x() -> None:
    secrets = await secrets_of(pin="640")

    click: JsonObject = {"x": 640, "y": 2, "target": [630, 0, 640, 4], "text": "640", "values": {"pin": 640}}

    assert await secrets.mask_arguments(click, typed={"text"}) == {
        **click,
        "text": "{$pin}",
        "values": {"pin": "\\{$pin}"},
    }


async def test_what_a_model_says_of_a_secret_is_no_wish_to_use_it() -> None:
    """It stood on the screen: a final message must not fail because it tells it."""
    secrets = await secrets_of(pin="hunter22")

    masked = await secrets.mask_arguments({"text": "it is hunter22", "reason": "hunter22"}, typed={"text"})

    assert masked == {"text": "it is {$pin}", "reason": "\\{$pin}"}
    assert filled_arguments(masked, {"text": Fill.SECRETS_TOO}, {}, {}) == {
        "text": "it is {$pin}",
        "reason": "{$pin}",
    }


async def test_a_memo_without_a_secret_is_not_touched() -> None:
    secrets = await secrets_of(password="hunter2")

    assert await secrets.mask_memo('{"at":3}') == '{"at":3}'


@given(st.text(min_size=SHORTEST_INSIDE_A_WORD).filter(str.strip), st.text(), st.text())
async def test_no_masked_text_holds_the_secret(secret: str, before: str, after: str) -> None:
    name = "name-of-the-secret"
    secrets = await secrets_of(**{name: secret})

    masked = await secrets.mask(f"{before}{secret}{after}")

    assert secret not in masked.replace(f"{{${name}}}", "\0") or secret in "\0"
