"""Basis Theory: one token for each secret, under an id of ours, in a container of ours.

| asked | for |
| --- | --- |
| `POST /tokens` | keeping |
| `GET /tokens/{id}` | opening |
| `DELETE /tokens/{id}` | deleting |
"""

from http import HTTPStatus
from uuid import UUID

from cyberdesk_server.adapters.vault.asking import Answer, VaultServer, member
from cyberdesk_server.adapters.vault.outside import Undecodable, decoded, encoded
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.sealed import BASIS_THEORY
from cyberdesk_server.ports import VaultUnavailable

ORGANIZATION = "organization_id"
"""In the metadata of a token: whose it is. A token opens for nobody else."""


class BasisTheoryKeeper:
    """An `outside.Keeper`."""

    kind = BASIS_THEORY

    def __init__(self, server: VaultServer, api_key: str, *, path: str) -> None:
        """The key is a private application's that may create, read and delete tokens in `/{path}/`."""
        self._server = server
        self._headers = {"BT-API-KEY": api_key}
        self._container = f"/{path}/"

    @property
    def name(self) -> str:
        return self._server.name

    async def put(self, organization_id: OrganizationId, secret_id: UUID, text: str) -> None:
        body = {
            "id": str(secret_id),
            "type": "token",
            "data": encoded(text),
            "containers": [self._container],
            "metadata": {ORGANIZATION: organization_id},
        }
        answer = await self._ask("POST", "/tokens", body)
        # A conflict is with an earlier try whose answer was lost: nobody else knows the id.
        if answer.status not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):
            raise self._server.refusal(answer)

    async def get(self, organization_id: OrganizationId, secret_id: UUID) -> str | None:
        answer = await self._ask("GET", f"/tokens/{secret_id}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise self._server.refusal(answer)
        if member(answer.body, "metadata", ORGANIZATION) != organization_id:
            return None
        try:
            return decoded(member(answer.body, "data"))
        except Undecodable:
            raise VaultUnavailable(f"{self.name} answered without the secret") from None

    async def delete(self, organization_id: OrganizationId, secret_id: UUID) -> None:
        answer = await self._ask("DELETE", f"/tokens/{secret_id}")
        if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
            raise self._server.refusal(answer)

    async def close(self) -> None:
        await self._server.close()

    async def _ask(self, method: str, path: str, body: object = None) -> Answer:
        return await self._server.ask(method, path, headers=self._headers, body=body)
