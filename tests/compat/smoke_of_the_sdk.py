"""Runs in a bare environment that holds the SDK and what it depends on; prints "fine" when all of it works.

Not a test module: `test_pythons.py` runs it once for each Python.
"""

import asyncio
import importlib.util
import pickle
import sys
import warnings
from importlib.metadata import distributions
from tempfile import TemporaryDirectory

from cyberdesk import (
    AttemptResult,
    CyberdeskClient,
    FileInput,
    NotFound,
    RetryConfig,
    RunCreate,
    RunResponse,
    RunStatus,
)
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


def use_what_programs_used_to_build(api: ScriptedApi) -> None:
    heard: list[AttemptResult] = []
    run_id = a_run()["id"]
    api.answers(
        *(Scripted(200, json=a_page(a_run(), total=2)) for _ in range(2)),
        Scripted(404, headers={"X-Request-Id": "7"}),
        Scripted(200, json={"filename": "../a.txt"}),
        Scripted(200, content=b"text"),
    )
    with (
        CyberdeskClient("key", api.base_url, on_response=heard.append) as client,
        TemporaryDirectory() as folder,
    ):
        assert len(list(client.runs.iterate_sync())) == 2
        error = client.with_options(timeout=5, headers={"X-Trace": "a"}).runs.get_sync(run_id).error
        assert isinstance(error, NotFound)
        assert error.request_id == "7"
        saved = client.run_attachments.save_to_file_sync(run_id, folder).unwrap()
        assert FileInput.from_path(saved["path"]).content == "dGV4dA=="
    assert [result.status for result in heard] == [200, 200, 404, 200, 200]


def main() -> None:
    warnings.simplefilter("error")
    names = {one.metadata["Name"].lower().replace("-", "_") for one in distributions()}
    assert names <= ALLOWED, names - ALLOWED
    assert [name for name in NEVER_INSTALLED if importlib.util.find_spec(name)] == []
    with ScriptedApi() as api:
        call_both_ways(api)
        use_what_programs_used_to_build(api)
    event = RunCompletedEvent.from_dict({"event_type": "run_complete", "run": a_run(status="success")})
    assert event.run.status == "success"
    print("fine", *sys.version_info[:2])


if __name__ == "__main__":
    main()
