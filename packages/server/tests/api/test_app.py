"""What all operations have in common, and those without a noun."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cyberdesk_server import api
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.rates import Rates
from cyberdesk_server.api.version import API_VERSION
from sqlalchemy.exc import OperationalError


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/health/ready", "/health/db", "/v1/health", "/v1/health/db"]
)
async def test_a_healthy_server_says_so_to_anybody(
    connect: Callable[[str | None], httpx.AsyncClient], path: str
) -> None:
    async with connect(None) as client:
        response = await client.get(path)

    assert (response.status_code, response.json()["status"]) == (200, "ok")


async def test_a_server_without_its_database_is_alive_but_not_ready(
    connect: Callable[[str | None], httpx.AsyncClient], parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> Any:
        raise OSError("no such host")

    monkeypatch.setattr(type(parts.database), "read", broken)
    async with connect(None) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")

    assert [live.status_code, ready.status_code] == [200, 503]


async def test_what_needs_an_absent_database_is_worth_trying_again(
    client: httpx.AsyncClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: object) -> Any:
        raise OperationalError("SELECT", None, ConnectionRefusedError())

    for way in ("read", "transaction"):
        monkeypatch.setattr(type(parts.database), way, away)
    answers = [await client.get("/v1/runs"), await client.post("/v1/workflows", json={"main_prompt": "Wait"})]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    assert answers[0].json() == {"detail": "the database does not answer"}


async def test_the_root_says_what_this_is(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).json()["name"] == "Cyberdesk"


async def test_drivers_learn_their_newest_version(
    connect: Callable[[str | None], httpx.AsyncClient], parts: Parts
) -> None:
    async with connect(None) as client:
        response = await client.get("/v1/internal/cyberdriver-version")

    assert response.json() == {"latest_version": parts.driver_version}


async def test_the_description_is_served_to_anybody(
    connect: Callable[[str | None], httpx.AsyncClient],
) -> None:
    async with connect(None) as client:
        response = await client.get("/openapi.json")

    assert response.json()["paths"]["/v1/runs"]["post"]["operationId"] == "create_run_v1_runs_post"


async def test_nobody_learns_which_version_of_the_program_answers(
    connect: Callable[[str | None], httpx.AsyncClient],
) -> None:
    async with connect(None) as client:
        answers = [(await client.get(path)).json() for path in ("/openapi.json", "/", "/v1/health")]

    description, root, health = answers
    assert description["info"]["version"] == root["version"] == health["version"] == API_VERSION


def test_what_answers_does_not_know_the_version_of_the_program() -> None:
    modules = Path(api.__path__[0]).rglob("*.py")

    assert [path.name for path in modules if "__version__" in path.read_text()] == []


async def test_a_request_keeps_its_callers_id_when_that_is_usable(client: httpx.AsyncClient) -> None:
    given = await client.get("/v1/runs", headers={"X-Request-Id": "trace-1"})
    unusable = await client.get("/v1/runs", headers={"X-Request-Id": "a b\tc"})

    assert given.headers["x-request-id"] == "trace-1"
    assert unusable.headers["x-request-id"] != "a b\tc"


async def test_every_answer_has_a_request_id_of_its_own(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(type(parts.bus), "publish", broken)
    limited = replace(parts, rates=Rates(4, 3600), max_body_bytes=1000)
    transport = httpx.ASGITransport(create_app(limited))
    key = {"Authorization": "Bearer cd_own"}
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        workflow = (await client.post("/v1/workflows", json={"main_prompt": "x"}, headers=key)).json()
        answers = [
            await client.get("/health"),
            await client.get("/v1/runs"),
            await client.get("/nowhere"),
            await client.put("/v1/runs"),
            await client.post("/v1/workflows", json={"name": "x" * 1000}, headers=key),
            await client.post("/v1/workflows", json=[], headers=key),
            await client.post("/v1/runs", json={"workflow_id": workflow["id"]}, headers=key),
            await client.get("/v1/runs", headers=key),
        ]

    statuses = [answer.status_code for answer in answers]
    assert statuses == [200, 401, 404, 405, 413, 422, 500, 429]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/runs/", "/v1/nowhere/x?a=b", "/%00", "/tunnel"])
async def test_a_path_that_is_not_there_is_a_404_in_json(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path)

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/runs", "GET, POST"),
        ("PUT", "/v1/pools/0b5e6f3a-0000-4000-8000-000000000000", "DELETE, GET, PATCH"),
        ("POST", "/health", "GET"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/v1/pools/x/machines", "DELETE, POST"),
        ("BREW", "/v1/machines/x/pools", "GET, PUT"),
    ],
)
async def test_a_method_that_is_not_possible_is_a_405_that_names_those_that_are(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)

    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.json() == {"detail": f"{method} is not possible here"}


async def test_each_request_is_one_line_in_the_log(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await client.get("/v1/runs?search=private", headers={"X-Request-Id": "trace-1"})

    assert [{**line, "duration_ms": 0} for line in lines] == [
        {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "path": "/v1/runs",
            "status": 200,
            "duration_ms": 0,
            "request_id": "trace-1",
            "organization_id": "org_own",
        }
    ]


async def test_a_bug_of_ours_is_a_500_without_its_story(
    client: httpx.AsyncClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the story")

    monkeypatch.setattr(type(parts.bus), "publish", broken)
    workflow = (await client.post("/v1/workflows", json={"main_prompt": "x"})).json()
    with structlog.testing.capture_logs() as lines:
        response = await client.post("/v1/runs", json={"workflow_id": workflow["id"]})

    assert response.status_code == 500
    assert "the story" not in response.text
    assert "x-request-id" in response.headers
    assert [line["event"] for line in lines] == ["request failed", "request"]


async def test_a_body_has_a_largest_size(client: httpx.AsyncClient, parts: Parts) -> None:
    body = b'"' + b"x" * parts.max_body_bytes + b'"'

    response = await client.post("/v1/workflows", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_not_declared_json_is_refused(
    client: httpx.AsyncClient, content_type: str
) -> None:
    response = await client.post("/v1/workflows", content=b"{}", headers={"content-type": content_type})

    assert response.status_code == 422


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_the_scheme_of_the_key_is_in_any_case(client: httpx.AsyncClient, scheme: str) -> None:
    key = client.headers["Authorization"].split()[1]

    response = await client.get("/v1/runs", headers={"Authorization": f"{scheme}  {key} "})

    assert response.status_code == 200


async def test_blobs_need_a_valid_link(client: httpx.AsyncClient, parts: Parts) -> None:
    await parts.blobs.put("a/b.html", b"<script>", content_type="text/html")
    link = parts.blobs.signed_url("a/b.html", expires_in_seconds=60)
    nothing_there = parts.blobs.signed_url("a/c.html", expires_in_seconds=60)

    opened = await client.get(link)
    forged = await client.get(link.replace("b.html", "../b.html"))
    later = await client.get(link.replace("expires=", "expires=1"))

    assert (opened.status_code, opened.content) == (200, b"<script>")
    assert opened.headers["content-disposition"].startswith('attachment; filename="b.html"')
    assert [forged.status_code, later.status_code] == [403, 403]
    assert (await client.get(nothing_there)).status_code == 404
    assert (await client.get("/v1/blobs/a/b.html")).status_code == 422


async def test_a_store_that_answers_its_own_links_has_none_here(parts: Parts) -> None:
    await parts.blobs.put("a", b"a", content_type="text/plain")
    link = parts.blobs.signed_url("a", expires_in_seconds=60)
    transport = httpx.ASGITransport(create_app(replace(parts, links=None)))

    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        assert (await client.get(link)).status_code == 403


async def test_requests_at_the_same_time_do_not_mix(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.get("/v1/runs", headers={"X-Request-Id": f"r-{number}"}) for number in range(10))
    )

    assert [answer.headers["x-request-id"] for answer in answers] == [f"r-{number}" for number in range(10)]


async def test_every_answer_keeps_browsers_from_harm_and_tells_no_version(
    client: httpx.AsyncClient, connect: Callable[[str | None], httpx.AsyncClient]
) -> None:
    async with connect(None) as nobody:
        answers = [
            *(await client.get("/v1/runs"), await client.get("/nowhere"), await client.post("/v1/runs")),
            *(await nobody.get("/v1/runs"), await nobody.get("/health"), await client.put("/v1/runs")),
        ]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert not {"server", "x-powered-by", "strict-transport-security"} & answer.headers.keys()


async def test_over_tls_browsers_are_told_to_stay_with_it(parts: Parts) -> None:
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="https://server") as client:
        answer = await client.get("/health/live")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


PAGE = {"Origin": "https://tools.example", "Access-Control-Request-Method": "POST"}


async def test_pages_of_other_origins_are_told_nothing_unless_they_are_set(parts: Parts) -> None:
    for origins, is_told in (((), False), (("https://other.example",), False), ((PAGE["Origin"],), True)):
        transport = httpx.ASGITransport(create_app(parts, cors_origins=origins))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            asked = await client.options("/v1/runs", headers=PAGE)
            answer = await client.get("/health/live", headers=PAGE)

        told = answer.headers.get("access-control-allow-origin")
        assert (asked.status_code == 200, told) == (is_told, PAGE["Origin"] if is_told else None)
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_packed_body_is_not_unpacked(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(b'{"name": "p"}')

    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/v1/pools", content=packed, headers=headers)

    assert answer.status_code == 422
    assert "is not JSON" in answer.json()["detail"][0]["msg"]
