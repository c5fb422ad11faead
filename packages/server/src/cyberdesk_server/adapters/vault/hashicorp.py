"""HashiCorp Vault and OpenBao: a key-value engine of version 2.

A secret is at `{mount}/{path}/{organization}/{id}`, its text in base64 under `value`. It is deleted by its
metadata, and all its versions with it.

| asked | for |
| --- | --- |
| `POST /v1/{mount}/data/…` | keeping |
| `GET /v1/{mount}/data/…` | opening |
| `DELETE /v1/{mount}/metadata/…` | deleting |
| `POST /v1/auth/{approle_mount}/login` | a token, for an AppRole |
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from cyberdesk_server.adapters.vault.asking import Answer, VaultServer, member
from cyberdesk_server.adapters.vault.outside import Undecodable, decoded, encoded
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.sealed import HASHICORP
from cyberdesk_server.ports import Clock, VaultUnavailable

_OF_THE_LEASE = 2 / 3
"""After this part of its time a token is replaced."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token the operator has made; renewing it is the operator's."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppRole:
    """Who the server is to the vault; it gets its tokens itself."""

    role_id: str
    secret_id: str = field(repr=False)
    mount: str = "approle"


class HashiCorpKeeper:
    """An `outside.Keeper`."""

    kind = HASHICORP

    def __init__(
        self,
        server: VaultServer,
        login: Token | AppRole,
        clock: Clock,
        *,
        mount: str,
        path: str,
        namespace: str | None = None,
    ) -> None:
        self._server = server
        self._login = login
        self._clock = clock
        self._mount = mount
        self._path = path
        self._namespace = {} if namespace is None else {"X-Vault-Namespace": namespace}
        self._token: tuple[str, datetime] | None = None
        self._logging_in = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._server.name

    async def put(self, organization_id: OrganizationId, secret_id: UUID, text: str) -> None:
        body = {"data": {"value": encoded(text)}}
        answer = await self._ask("POST", self._at("data", organization_id, secret_id), body)
        if answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise self._server.refusal(answer)

    async def get(self, organization_id: OrganizationId, secret_id: UUID) -> str | None:
        answer = await self._ask("GET", self._at("data", organization_id, secret_id))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise self._server.refusal(answer)
        try:
            return decoded(member(answer.body, "data", "data", "value"))
        except Undecodable:
            raise VaultUnavailable(f"{self.name} answered without the secret") from None

    async def delete(self, organization_id: OrganizationId, secret_id: UUID) -> None:
        answer = await self._ask("DELETE", self._at("metadata", organization_id, secret_id))
        if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise self._server.refusal(answer)

    async def close(self) -> None:
        await self._server.close()

    def _at(self, what: str, organization_id: OrganizationId, secret_id: UUID) -> str:
        parts = (*self._path.split("/"), organization_id, str(secret_id))
        return f"/v1/{self._mount}/{what}/" + "/".join(quote(part, safe="") for part in parts)

    async def _ask(self, method: str, path: str, body: object = None) -> Answer:
        for is_last in (False, True):
            token = await self._current_token()
            headers = {**self._namespace, "X-Vault-Token": token}
            answer = await self._server.ask(method, path, headers=headers, body=body)
            if answer.status != HTTPStatus.FORBIDDEN or is_last or isinstance(self._login, Token):
                break
            self._drop(token)  # it was revoked, or is over by the vault's clock
        return answer

    async def _current_token(self) -> str:
        match self._login:
            case Token(value):
                return value
            case AppRole() as role:
                async with self._logging_in:
                    if self._token is None or self._token[1] <= self._clock.now():
                        self._token = await self._new_token(role)
                    return self._token[0]

    def _drop(self, token: str) -> None:
        if self._token is not None and self._token[0] == token:
            self._token = None

    async def _new_token(self, role: AppRole) -> tuple[str, datetime]:
        answer = await self._server.ask(
            "POST",
            f"/v1/auth/{role.mount}/login",
            headers=self._namespace,
            body={"role_id": role.role_id, "secret_id": role.secret_id},
        )
        token = member(answer.body, "auth", "client_token")
        seconds = member(answer.body, "auth", "lease_duration")
        if answer.status != HTTPStatus.OK or not isinstance(token, str) or not isinstance(seconds, int):
            raise VaultUnavailable(f"{self.name} refuses the AppRole ({answer.status})")
        lasts = timedelta(seconds=_OF_THE_LEASE * seconds) if seconds else timedelta(days=1)
        return token, self._clock.now() + lasts
