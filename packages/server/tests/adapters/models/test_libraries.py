"""The providers' libraries are loaded with the first question and not before."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cyberdesk_server.adapters.models.libraries import Libraries
from cyberdesk_server.adapters.providers.checks import ProviderUrls, _question
from cyberdesk_server.domain.provider_credentials import ApiKey, ProviderSlot
from cyberdesk_server.testing.model_servers import (
    ModelServer,
    Scripted,
    completion,
    message,
    response,
    said,
    text_block,
)
from cyberdesk_server.testing.talks import KEY, Talk

HEAVY = ("anthropic", "openai", "genai_prices", "httpx2", "cv2")


def test_an_idle_server_loads_none_of_them() -> None:
    code = f"import sys, cyberdesk_server.bootstrap; print([name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert loaded.stdout.strip() == "[]"


async def test_one_client_for_each_address_and_no_key_in_it() -> None:
    libraries = Libraries()

    first, again = await libraries.anthropic("http://a"), await libraries.anthropic("http://a")
    other = await libraries.openai("http://b/v1")

    assert first is again
    assert (first.api_key, other.api_key) == ("none", "none")
    await libraries.close()


ENVIRONMENT = {
    "ANTHROPIC_API_KEY": "sk-environment",
    "ANTHROPIC_AUTH_TOKEN": "token-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/environment",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Environment: yes\nX-Api-Key: sk\nanthropic-version: environment",
    "OPENAI_API_KEY": "sk-environment",
    "OPENAI_ADMIN_KEY": "sk-environment",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/environment",
    "OPENAI_ORG_ID": "org-environment",
    "OPENAI_PROJECT_ID": "project-environment",
    "OPENAI_CUSTOM_HEADERS": "X-Environment: yes\nAuthorization: Bearer sk-environment",
}
ANSWERS = {
    "messages": message(text_block("done")),
    "responses": response(said("done")),
    "chat_completions": completion("done"),
}


@pytest.mark.parametrize("endpoint", list(ANSWERS))
async def test_a_request_is_the_same_whatever_the_environment_says(
    server: ModelServer, talking: Callable[..., Talk], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    await _one_turn(talking(endpoint), ANSWERS[endpoint])
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    await _one_turn(talking(endpoint), ANSWERS[endpoint])

    without, with_it = server.asked
    assert (with_it.headers, with_it.text) == (without.headers, without.text)
    assert "environment" not in str(with_it.headers)


async def _one_turn(talk: Talk, answer: Scripted) -> None:
    """With a client of its own, made in the environment of now."""
    libraries = talk.provider._libraries = Libraries()  # type: ignore[attr-defined]
    await talk.turn(answer)
    await libraries.close()


async def test_a_key_goes_where_the_check_of_a_credential_sends_it(
    server: ModelServer, talking: Callable[..., Talk]
) -> None:
    for endpoint, answer in ANSWERS.items():
        await talking(endpoint).turn(answer)

    credentials = [
        {name: value for name, value in asked.headers.items() if KEY in value} for asked in server.asked
    ]
    checks = [
        _question(ProviderUrls(), slot, ApiKey(KEY), datetime.now(UTC)).headers
        for slot in (ProviderSlot.ANTHROPIC, ProviderSlot.OPENAI)
    ]
    checked = [{name.lower(): value for name, value in check.items() if KEY in value} for check in checks]
    assert credentials == [checked[0], checked[1], checked[1]]
    assert "authorization" not in server.asked[0].headers
