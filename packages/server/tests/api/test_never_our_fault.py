"""Invariant 10: bad input gets a 4xx that names the field; nothing the caller sends produces a 5xx."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ScriptedProviders
from cyberdesk_server.testing.rows import (
    HERE,
    an_api_key,
    an_organization,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NASTY_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\ud800",
        "\U0001f600",
        "{x}",
        "{$x}",
        "{{x}}",
        "{x.y[0]}",
        "{",
        "__EMPTY__",
        "%",
        "_",
        "'",
        "\\",
    ]
) | st.text(max_size=20)
NASTY_NUMBERS = st.sampled_from([0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, 1.5])
NASTY_VALUES = st.recursive(
    st.none() | st.booleans() | NASTY_NUMBERS | NASTY_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY_TEXTS, inner, max_size=3),
    max_leaves=8,
)
SCHEMAS = st.sampled_from(
    [
        '{"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}}',
        '{"type": "object", "additionalProperties": false}',
        '{"$ref": "#"}',
        '{"$ref": "http://127.0.0.1:1/schema"}',
        '{"properties": 7}',
        '{"type": "object", "properties": {"x": {"pattern": "("}}}',
        '{"required": [1], "type": "object"}',
        '{"x": "text"}',
        "[]",
        "1",
        "nothing",
    ]
)
TIMES = st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x", "0", "1e400", ""])


def body_of(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Bodies of known and unknown fields, with values that fit, and values that do not."""
    return st.fixed_dictionaries(
        {},
        optional={name: fitting | NASTY_VALUES for name, fitting in fields.items()}
        | {"unknown": NASTY_VALUES},
    )


PLAIN = st.dictionaries(NASTY_TEXTS | st.just("x"), NASTY_VALUES, max_size=3)
CHECK = body_of(
    {
        "name": NASTY_TEXTS,
        "type": st.sampled_from(
            ["run_attachment_exists", "output_data_agentic_check", "output_data_passes_schema_validation"]
        ),
        "file_target_mode": st.sampled_from(["exact", "regex", "loop_items"]),
        "file_names": st.lists(NASTY_TEXTS, max_size=2),
        "file_name_regex": NASTY_TEXTS | st.sampled_from(["(", "a{99999999999}", "(?i:a)", "[" * 900]),
        "expected_match_count": NASTY_NUMBERS,
        "expected_match_count_ref": NASTY_TEXTS | st.just("inputs.n"),
        "loop_input": NASTY_TEXTS | st.just("rows[0]"),
        "loop_item_filename_template": NASTY_TEXTS,
        "check_prompt": NASTY_TEXTS,
    }
)
TAG = body_of(
    {
        "name": NASTY_TEXTS,
        "description": NASTY_TEXTS,
        "emoji": NASTY_TEXTS,
        "color": NASTY_TEXTS,
        "group_id": st.sampled_from(["", "x", "00000000-0000-4000-8000-000000000000"]),
        "is_archived": st.booleans(),
    }
)
WORKFLOW = body_of(
    {
        "main_prompt": NASTY_TEXTS,
        "name": NASTY_TEXTS,
        "description": NASTY_TEXTS,
        "input_schema": SCHEMAS,
        "output_schema": SCHEMAS,
        "terminal_command_allowlist": st.lists(NASTY_TEXTS, max_size=2),
        "model_metadata": st.just({}),
        "includes_file_exports": st.booleans(),
        "workflow_metadata": st.fixed_dictionaries({"last_errored_run_start": TIMES}),
        "post_run_checks": st.lists(CHECK, max_size=2),
    }
)
RUN = body_of(
    {
        "main_prompt": NASTY_TEXTS,
        "input_values": PLAIN,
        "sensitive_input_values": PLAIN,
        "session_alias": NASTY_TEXTS,
        "is_priority": st.booleans(),
        "release_session_after": st.booleans(),
        "status": st.sampled_from(["success", "running", "error"]),
        "error": st.lists(NASTY_TEXTS, max_size=2),
        "output_data": PLAIN,
        "usage_metadata": PLAIN,
        "started_at": TIMES,
    }
)
MACHINE = body_of(
    {
        "fingerprint": NASTY_TEXTS,
        "unkey_key_id": NASTY_TEXTS,
        "name": NASTY_TEXTS,
        "machine_parameters": PLAIN,
        "machine_sensitive_parameters": st.dictionaries(NASTY_TEXTS, NASTY_TEXTS, max_size=2),
        "is_available": st.booleans(),
        "status": st.sampled_from(["connected", "error", "gone"]),
        "last_seen": TIMES,
    }
)
POOL = body_of(
    {
        "name": NASTY_TEXTS,
        "description": NASTY_TEXTS,
        "pool_parameters": PLAIN,
        "pool_sensitive_parameters": st.dictionaries(NASTY_TEXTS, NASTY_TEXTS | st.none(), max_size=2),
        "machine_ids": st.lists(NASTY_TEXTS, max_size=2),
    }
)
MODEL = body_of(
    {
        "name": NASTY_TEXTS,
        "provider": st.just("openai"),
        "model": NASTY_TEXTS,
        "model_id": NASTY_TEXTS,
        "temperature": NASTY_NUMBERS,
        "max_tokens": NASTY_NUMBERS,
        "timeout_seconds": NASTY_NUMBERS,
        "max_retries": NASTY_NUMBERS,
        "additional_params": PLAIN,
        "api_key": NASTY_TEXTS,
        "clear_api_key": st.booleans(),
    }
)
ADDRESSES = st.sampled_from(
    [
        "supabase://",
        "supabase://run-images/message-history/org_test/..",
        f"supabase://run-images/message-history/org_test/{'a' * 64}.png",
        f"supabase://workflow-prompt-images/org_test/{'a' * 500}",
    ]
)
TRAJECTORY_STEP = body_of(
    {
        "func_name": st.just("click"),
        "action": st.just("click"),
        "args": st.lists(NASTY_VALUES | ADDRESSES, max_size=2),
        "kwargs": PLAIN,
        "pre_check_snapshot": st.fixed_dictionaries({"screenshot": ADDRESSES}),
        "skip_cache_detection": st.booleans(),
    }
)
TRAJECTORY = body_of(
    {
        "trajectory_data": st.lists(TRAJECTORY_STEP, max_size=2),
        "steps": st.lists(TRAJECTORY_STEP, max_size=2),
        "dimensions": st.fixed_dictionaries({"width": NASTY_NUMBERS, "height": st.just(800)}),
        "name": NASTY_TEXTS,
        "original_input_values": PLAIN,
        "is_approved": st.booleans(),
        "is_main": st.booleans(),
    }
)
QUERY = st.dictionaries(
    st.sampled_from(
        [
            *("search", "deep_search", "skip", "limit", "status", "sort_mode", "fields", "include", "name"),
            *("created_at_from", "created_at_to", "updated_at_to", "workflow_id", "machine_id", "tag_ids"),
        ]
    ),
    TIMES | NASTY_TEXTS.filter(lambda text: "\ud800" not in text) | NASTY_NUMBERS.map(str),
    max_size=4,
)


@asynccontextmanager
async def a_client(
    opened: AbstractAsyncContextManager[Database], folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    async with opened as database:
        async with database.transaction() as conn:
            await an_api_key(conn, await an_organization(conn), "cd_own")
        clock = SystemClock()
        links = SignedLinks(bytes(32), public_url="http://server", clock=clock)
        parts = Parts(
            server_id=HERE,
            database=database,
            bus=InProcessBus(),
            blobs=LocalBlobs(folder / "blobs", links),
            vault=EnvelopeVault(MasterKey(bytes(32))),
            clock=clock,
            providers=ScriptedProviders(),
            links=links,
        )
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(parts)),
            base_url="http://server",
            headers={"Authorization": "Bearer cd_own", "Content-Type": "application/json"},
        ) as client:
            yield client


def checked(response: httpx.Response) -> Any:
    """The answer's JSON, which explains itself when it is a refusal."""
    assert response.status_code < 500, response.text
    if response.status_code == 204:
        return None
    answer = response.json()
    if response.status_code == 422:
        assert answer["detail"]
        assert all(set(problem) == {"loc", "msg", "type"} for problem in answer["detail"])
    elif response.status_code >= 400:
        assert isinstance(answer["detail"], str)
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_nothing_a_caller_sends_is_our_fault(kind: str, database_of: Any, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opened = a_client(database_of(kind), tmp_path)
        client = runner.run(opened.__aenter__())

        async def send(method: str, path: str, body: Any = None, query: Any = None) -> Any:
            content = None if body is None else json.dumps(body).encode()
            return checked(await client.request(method, path, content=content, params=query))

        async def models_and_trajectories(workflow_id: str, model: Any, trajectory: Any, query: Any) -> None:
            configured = await send("POST", "/v1/model-configurations", model)
            if "id" in configured:
                await send("PATCH", f"/v1/model-configurations/{configured['id']}", model)
            written = await send("POST", "/v1/trajectories", trajectory | {"workflow_id": workflow_id})
            if "id" in written:
                path = f"/v1/trajectories/{written['id']}"
                await send("PATCH", path, trajectory)
                await send("POST", f"{path}/duplicate")
                await send("GET", f"{path}/image/signed-url", query={"image_url": "supabase://x"})
                await send("DELETE", path)
            await send("GET", "/v1/trajectories", query=query)

        async def pools(pool: Any, machine_id: Any, query: Any) -> None:
            made = await send("POST", "/v1/pools", pool)
            pool_id = made.get("id", pool.get("name"))
            await send("PUT", f"/v1/machines/{machine_id}/pools", {"pool_ids": [pool_id]})
            if "id" in made:
                await send("PATCH", f"/v1/pools/{pool_id}", pool)
                await send("POST", f"/v1/pools/{pool_id}/machines", {"machine_ids": [machine_id]})
                await send("DELETE", f"/v1/pools/{pool_id}/machines", pool)
                await send("GET", f"/v1/pools/{pool_id}", query=query)

        async def story(
            workflow: Any,
            run: Any,
            machine: Any,
            pool: Any,
            tag: Any,
            model: Any,
            trajectory: Any,
            query: Any,
        ) -> None:
            group = await send("POST", "/v1/workflow-tag-groups", tag)
            label = await send("POST", "/v1/workflow-tags", tag)
            if "id" in label and "id" in group:
                await send("PATCH", f"/v1/workflow-tags/{label['id']}", tag | {"group_id": group["id"]})
                await send("PATCH", f"/v1/workflow-tag-groups/{group['id']}", tag)
            made = await send("POST", "/v1/workflows", workflow)
            place = await send("POST", "/v1/machines", machine)
            await pools(pool, place.get("id", "x"), query)
            if "id" in made:
                await send("PATCH", f"/v1/workflows/{made['id']}", workflow)
                await send("POST", f"/v1/workflows/{made['id']}/tags", {"tag_ids": [label.get("id")]})
                asked = {**run, "workflow_id": made["id"]}
                if "id" in place:
                    await send("PATCH", f"/v1/machines/{place['id']}", machine)
                    asked["machine_id"] = place["id"]
                started = await send("POST", "/v1/runs", asked)
                if "id" in started:
                    await send("PATCH", f"/v1/runs/{started['id']}", run)
                    await send("GET", f"/v1/runs/{started['id']}", query=query)
                    await send("DELETE", f"/v1/runs/{started['id']}")
                await models_and_trajectories(made["id"], model, trajectory, query)
            for noun in ("runs", "workflows", "machines", "pools"):
                await send("GET", f"/v1/{noun}", query=query)

        @settings(max_examples=60, suppress_health_check=list(HealthCheck))
        @given(st.tuples(WORKFLOW, RUN, MACHINE, POOL, TAG, MODEL, TRAJECTORY, QUERY))
        def whatever(asked: tuple[Any, ...]) -> None:
            runner.run(story(*asked))

        try:
            whatever()
        finally:
            runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize(
    "path", ["/v1/runs/%00", "/v1/runs/x", "/v1/runs/%ff%fe", "/v1/machines/'", "/v1/workflows/1"]
)
async def test_a_malformed_id_is_named(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "path"


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'"x"', b"7", b"{", b"\xff", b"[" * 5000])
@pytest.mark.parametrize("noun", ["runs", "machines", "workflows"])
async def test_a_body_that_is_no_object_is_refused(
    client: httpx.AsyncClient, noun: str, content: bytes
) -> None:
    response = await client.post(f"/v1/{noun}", content=content, headers={"content-type": "application/json"})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"
