"""HashiCorp Vault and Basis Theory on this machine: as much of their HTTP APIs as keeping secrets takes.

What they do is told by their published references: paths, headers, bodies, statuses and errors.
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Json = dict[str, Any]


@dataclass
class _Standing(ABC):
    """What both have: moods, and a memory of what they were asked."""

    moods: list[int] = field(default_factory=list)
    """Statuses that are answered next in place of the answers, one after another; 0 gives none at all."""

    asked: list[str] = field(default_factory=list)
    """Method and path of each request."""

    url: str = ""

    async def _in_a_mood(self, request: Request) -> Response | None:
        self.asked.append(f"{request.method} {request.url.path}")
        if not self.moods:
            return None
        status = self.moods.pop(0)
        if status == 0:
            await asyncio.sleep(3600)
        return _errors(status, "internal error")

    @abstractmethod
    def routes(self) -> list[Route]:
        """What it answers to."""


@dataclass
class HashiCorpServer(_Standing):
    """A Vault with one KV engine of version 2 and AppRoles."""

    mount: str = "secret"
    namespace: str = ""
    tokens: set[str] = field(default_factory=lambda: {"root"})
    role_id: str = "role"
    secret_id: str = "of the role"
    lease_seconds: int = 3600
    kept: dict[str, list[Json | None]] = field(default_factory=dict)
    """The versions by path; None for one that was deleted softly."""

    def routes(self) -> list[Route]:
        return [
            Route("/v1/auth/approle/login", self._guarded(self._login, needs_token=False), methods=["POST"]),
            Route(
                "/v1/{mount}/data/{path:path}", self._guarded(self._data), methods=["GET", "POST", "DELETE"]
            ),
            Route("/v1/{mount}/metadata/{path:path}", self._guarded(self._metadata), methods=["DELETE"]),
        ]

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]], *, needs_token: bool = True
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            mood = await self._in_a_mood(request)
            if mood is not None:
                return mood
            if needs_token and request.headers.get("x-vault-token") not in self.tokens:
                return _errors(403, "permission denied")
            if request.headers.get("x-vault-namespace", "") != self.namespace:
                return _errors(403, "permission denied")
            mount = request.path_params.get("mount", self.mount)
            if mount != self.mount:
                return _errors(404, f'no handler for route "{mount}". route entry not found.')
            return await answer(request)

        return guarded

    async def _login(self, request: Request) -> Response:
        body = await request.json()
        if (body.get("role_id"), body.get("secret_id")) != (self.role_id, self.secret_id):
            return _errors(400, "invalid role or secret ID")
        token = f"hvs.{uuid4().hex}"
        self.tokens.add(token)
        auth = {"client_token": token, "lease_duration": self.lease_seconds, "renewable": True}
        return JSONResponse({"request_id": str(uuid4()), "data": None, "auth": auth})

    async def _data(self, request: Request) -> Response:
        path = request.path_params["path"]
        versions = self.kept.get(path)
        match request.method:
            case "POST":
                body = await request.json()
                if not isinstance(body.get("data"), dict):
                    return _errors(400, "no data provided")
                self.kept.setdefault(path, []).append(body["data"])
                return JSONResponse({"data": self._told(path)})
            case "DELETE":
                if versions:
                    versions[-1] = None
                return Response(status_code=204)
            case _:
                if not versions:
                    return _errors(404)
                told = {"data": versions[-1], "metadata": self._told(path)}
                return JSONResponse({"data": told}, 200 if versions[-1] is not None else 404)

    async def _metadata(self, request: Request) -> Response:
        self.kept.pop(request.path_params["path"], None)
        return Response(status_code=204)

    def _told(self, path: str) -> Json:
        return {"version": len(self.kept[path]), "destroyed": False, "deletion_time": ""}


@dataclass
class BasisTheoryServer(_Standing):
    """A tenant with one private application."""

    api_key: str = "key_of_the_application"
    container: str = "/cyberdesk/"
    """Where the application may do anything; nowhere else anything."""

    kept: dict[str, Json] = field(default_factory=dict)
    """The tokens by id."""

    def routes(self) -> list[Route]:
        return [
            Route("/tokens", self._create, methods=["POST"]),
            Route("/tokens/{id}", self._one, methods=["GET", "DELETE"]),
        ]

    async def _create(self, request: Request) -> Response:
        refusal = await self._refusal(request)
        if refusal is not None:
            return refusal
        body = await request.json()
        problems = {name: ["is required"] for name in ("type", "data") if not body.get(name)}
        if not all(isinstance(value, str) for value in body.get("metadata", {}).values()):
            problems["metadata"] = ["must be texts"]
        if problems:
            return _problem(400, "One or more validation errors occurred.", problems)
        if body.get("containers") != [self.container]:
            return _problem(403, "Forbidden")
        token_id = str(UUID(body["id"])) if "id" in body else str(uuid4())
        if token_id in self.kept:
            return _problem(409, "Conflict")
        self.kept[token_id] = {**body, "id": token_id, "tenant_id": str(uuid4())}
        return JSONResponse(self.kept[token_id], 201)

    async def _one(self, request: Request) -> Response:
        refusal = await self._refusal(request)
        if refusal is not None:
            return refusal
        token_id = request.path_params["id"]
        if token_id not in self.kept:
            return _problem(404, "Not Found")
        if request.method == "DELETE":
            del self.kept[token_id]
            return Response(status_code=204)
        return JSONResponse(self.kept[token_id])

    async def _refusal(self, request: Request) -> Response | None:
        mood = await self._in_a_mood(request)
        if mood is None and request.headers.get("bt-api-key") != self.api_key:
            return _problem(401, "Unauthorized")
        return mood


@asynccontextmanager
async def serving(server: HashiCorpServer | BasisTheoryServer) -> AsyncIterator[str]:
    """The server's address while it answers, on a free port of this machine."""
    config = uvicorn.Config(
        Starlette(routes=server.routes()), log_config=None, access_log=False, timeout_graceful_shutdown=0
    )
    program = uvicorn.Server(config)
    program.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # of older releases
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running = asyncio.create_task(program._serve([listener]))
        try:
            yield server.url
        finally:
            program.should_exit = True
            await running


def _errors(status: int, *errors: str) -> Response:
    return JSONResponse({"errors": list(errors)}, status)


def _problem(status: int, title: str, errors: Json | None = None) -> Response:
    return JSONResponse({"errors": errors or {}, "title": title, "status": status, "detail": None}, status)
