"""The web applications of the documents, visited; and stand-ins for packages they use that are not installed.

A stand-in has what the blocks use of its package and nothing else.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock
from uuid import uuid4

import httpx
from cyberdesk import webhooks

from tests.acceptance.vendor.world import World

SIGNING_SECRET = "whsec_c2VjcmV0IG9mIHRoZSByZWFkZXI="
PATIENT = {"patient_id": "12345", "patient_first_name": "John", "patient_last_name": "Doe"}
VISIT_SECONDS = 150


class WebhookVerificationError(Exception):
    """As svix has it."""


class Webhook:
    """As svix has it: the message of a request whose signature is right."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def verify(self, payload: bytes, headers: Mapping[str, str]) -> Any:
        try:
            webhooks.verify(payload, headers, self._secret)
        except webhooks.UntrustedWebhook as error:
            raise WebhookVerificationError from error
        return json.loads(payload)


def _json_response(content: Any, status: int = 200) -> SimpleNamespace:
    return SimpleNamespace(content=content, status=status)


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


STAND_INS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "svix": lambda: {
        "svix": _module("svix"),
        "svix.webhooks": _module(
            "svix.webhooks", Webhook=Webhook, WebhookVerificationError=WebhookVerificationError
        ),
    },
    "django": lambda: {
        "django": _module("django"),
        "django.http": _module("django.http", JsonResponse=_json_response),
        "django.views": _module("django.views", View=object),
    },
    "pandas": lambda: {"pandas": MagicMock()},
}
"""Modules by name, by the package they stand in for."""


def _post(app: Any, path: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://reader", timeout=VISIT_SECONDS
        ) as http:
            return await http.post(path, content=body, headers=headers)

    return asyncio.run(asked())


def _look_up_a_patient(namespace: Mapping[str, Any], world: World) -> None:
    headers = {"content-type": "application/json"}

    answer = _post(namespace["app"], "/patients/lookup", json.dumps(PATIENT).encode(), headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["demographics"]["dateOfBirth"] == "1968-04-23"


def _look_up_a_patient_with_django(namespace: Mapping[str, Any], world: World) -> None:
    answer = namespace["PatientLookupView"]().post(SimpleNamespace(body=json.dumps(PATIENT)))

    assert answer.status == 200, answer.content
    assert answer.content["demographics"]["dateOfBirth"] == "1968-04-23"


def _bring_an_event(namespace: Mapping[str, Any], world: World) -> None:
    event = {"event_id": str(uuid4()), "event_type": "run_complete", "run": world.finished.to_dict()}
    body, now = json.dumps(event).encode(), str(int(time.time()))
    signature = webhooks.sign(body, "msg_1", now, SIGNING_SECRET)
    headers = {"svix-id": "msg_1", "svix-timestamp": now, "svix-signature": f"v1,{signature}"}

    trusted = _post(namespace["app"], "/webhooks/cyberdesk", body, headers)
    changed = _post(namespace["app"], "/webhooks/cyberdesk", body + b" ", headers)

    assert (trusted.status_code, trusted.json()) == (200, {"ok": True})
    assert (changed.status_code, changed.json()) == (400, {"detail": "Invalid signature"})


def _see_ten_runs(namespace: Mapping[str, Any], world: World) -> None:
    [rows] = namespace["pd"].DataFrame.call_args.args

    assert len(rows) == 10
    assert {row["status"] for row in rows} <= {"scheduling", "running", "success", "error", "cancelled"}


VISITS: Mapping[str, Callable[[Mapping[str, Any], World], None]] = {
    '@app.post("/patients/lookup")': _look_up_a_patient,
    '@app.post("/webhooks/cyberdesk")': _bring_an_event,
    "class PatientLookupView(View)": _look_up_a_patient_with_django,
    "pd.DataFrame(": _see_ten_runs,
}
"""What is done with what a block made, by what stands in it."""
