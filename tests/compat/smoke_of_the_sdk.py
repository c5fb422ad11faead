"""Runs in a bare environment that holds the SDK and what it depends on; prints "fine" when all of it works.

Not a test module: `test_pythons.py` runs it once for each Python.
"""

import asyncio
import importlib.util
import pickle
import sys
import warnings
from importlib.metadata import distributions

from cyberdesk import CyberdeskClient, RetryConfig, RunCreate, RunResponse, RunStatus
from cyberdesk.testing import Scripted, ScriptedApi, a_page, a_run
from openapi_client.cyberdesk_cloud_client.models.run_completed_event import RunCompletedEvent

NEVER_INSTALLED = ("cyberdesk_server", "cyberdriver", "cyberdesk_wire", "fastapi", "sqlalchemy", "pydantic")
ALLOWED = {
    "anyio",
    "attrs",
    "certifi",
    "cyberdesk",
    "exceptiongroup",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "pip",
    "setuptools",
    "typing_extensions",
}


def call_both_ways(api: ScriptedApi) -> None:
    run = a_run(status="running", created_at="2025-01-31T12:00:00.5Z")
    retry = RetryConfig(min_delay_seconds=0)
    api.answers(Scripted(503), Scripted(201, json=run), Scripted(200, json={**run, "status": "success"}))
    with CyberdeskClient("key", api.base_url, retry=retry) as client:
        created = client.runs.create_sync(RunCreate(workflow_id="w", input_values={"a": 1})).data
        ended = client.runs.wait_sync(created.id, poll_interval_seconds=0).data
    assert (ended.status, f"{ended.status}") == (RunStatus.SUCCESS, "success")
    assert pickle.loads(pickle.dumps(ended)) == ended

    async def list_runs() -> list[RunResponse]:
        async with CyberdeskClient("key", api.base_url) as client:
            page = (await client.runs.list()).data
            return list(page)

    for _ in range(3):
        api.answers(Scripted(200, json=a_page(run)))
        [listed] = asyncio.run(list_runs())
        assert listed.created_at.isoformat() == "2025-01-31T12:00:00.500000+00:00"


def main() -> None:
    warnings.simplefilter("error")
    names = {one.metadata["Name"].lower().replace("-", "_") for one in distributions()}
    assert names <= ALLOWED, names - ALLOWED
    assert [name for name in NEVER_INSTALLED if importlib.util.find_spec(name)] == []
    with ScriptedApi() as api:
        call_both_ways(api)
    event = RunCompletedEvent.from_dict({"event_type": "run_complete", "run": a_run(status="success")})
    assert event.run.status == "success"
    print("fine", *sys.version_info[:2])


if __name__ == "__main__":
    main()
