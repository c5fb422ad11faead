"""The SDK against a real API: run with `CYBERDESK_API_KEY` set, here or in `.env`; skipped without.

Everything that is made here is removed again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyberdesk import CyberdeskClient, WebhookEndpointCreate, WorkflowCreate

ENV_FILE = Path(__file__).resolve().parents[2] / ".env"


def settings() -> dict[str, str]:
    """What the environment says, and `.env` where it says nothing."""
    try:
        from dotenv import dotenv_values
    except ImportError:
        return dict(os.environ)
    from_file = {name: value for name, value in dotenv_values(ENV_FILE).items() if value}
    return {**from_file, **os.environ}


SETTINGS = settings()

pytestmark = pytest.mark.skipif(
    not SETTINGS.get("CYBERDESK_API_KEY"), reason="needs CYBERDESK_API_KEY, here or in .env"
)


@pytest.fixture
def real() -> Iterator[CyberdeskClient]:
    with CyberdeskClient(SETTINGS["CYBERDESK_API_KEY"], SETTINGS.get("CYBERDESK_BASE_URL")) as client:
        yield client


def test_the_api_and_its_database_answer(real: CyberdeskClient) -> None:
    assert real.health.api_sync().unwrap()
    assert real.health.api_database_sync().unwrap()


def test_a_workflow_is_made_changed_and_removed(real: CyberdeskClient) -> None:
    workflow = real.workflows.create_sync(WorkflowCreate(name="SDK test", main_prompt="Look")).unwrap()
    try:
        assert real.workflows.get_sync(workflow.id).unwrap().name == "SDK test"
    finally:
        real.workflows.delete_sync(workflow.id).unwrap()


def test_an_endpoint_of_webhooks_is_made_and_removed(real: CyberdeskClient) -> None:
    made = real.webhooks.create_endpoint_sync(WebhookEndpointCreate("https://example.com/webhooks")).unwrap()
    try:
        assert real.webhooks.get_secret_sync(made.id).unwrap().secret.startswith("whsec_")
    finally:
        real.webhooks.delete_endpoint_sync(made.id).unwrap()
