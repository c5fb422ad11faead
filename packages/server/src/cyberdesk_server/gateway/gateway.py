"""Every tunnel of this process: opened for a valid key, found by machine, closed in good order."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import structlog
from starlette.types import Receive, Scope, Send

from cyberdesk_server.domain.ids import ApiKeyId, ConnectionId, MachineId, ServerId
from cyberdesk_server.domain.organizations import KeyScope
from cyberdesk_server.gateway.dialect import dialect_of
from cyberdesk_server.gateway.handshake import Handshake, Refused, read_handshake
from cyberdesk_server.gateway.request_logs import RequestLogs
from cyberdesk_server.gateway.socket import Socket, SocketClosed
from cyberdesk_server.gateway.tunnel import Tunnel
from cyberdesk_server.gateway.websocket import patience_of
from cyberdesk_server.ports import Bus, Clock
from cyberdesk_server.questions import machine_topic
from cyberdesk_server.store import keys, leases, machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.keys import ApiKey
from cyberdesk_server.store.machines import Machine
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases.keys import KeyUses

log = structlog.get_logger(__name__)

CLOSING_SECONDS = 5.0
"""How long the closing of all tunnels may take."""

TAKEN_OVER = 4001, "another driver with this machine's identity connected"
"""Final, or two clones of one disk image would push each other out for ever."""

RESTARTING = 4008, "Wait 1 seconds"
"""The published drivers come back after that many seconds, with their back-off reset."""


KEY_NOT_VALID = 1008, "the API key is not valid any more"
"""Drivers come back at once, are refused with 403, and stop."""

MAX_TUNNELS = 20_000
"""As many as one process holds: each costs memory and a file descriptor."""


@dataclass(frozen=True, slots=True)
class _Live:
    """The tunnel a machine has."""

    connection_id: ConnectionId
    tunnel: Tunnel
    api_key_id: ApiKeyId


class Gateway:
    """An ASGI application for `/tunnel/ws`.

    One machine, one tunnel: the newest connection of an organization's fingerprint takes the machine, and the
    one before is closed.
    """

    def __init__(
        self,
        server_id: ServerId,
        database: Database,
        bus: Bus,
        clock: Clock,
        key_uses: KeyUses,
        max_tunnels: int = MAX_TUNNELS,
    ) -> None:
        self._server_id = server_id
        self._database = database
        self._bus = bus
        self._clock = clock
        self._logs = RequestLogs(database, clock)
        self._key_uses = key_uses
        self._max_tunnels = max_tunnels
        self._live: dict[MachineId, _Live] = {}
        self._connecting = asyncio.Lock()  # memory and database agree on which connection is the newest
        self._open: set[ConnectionId] = set()
        self._is_closing = False
        self._left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send)
        match await self._admit(socket):
            case Refused(status=status, detail=detail):
                log.info("tunnel refused", status=status, reason=detail, ip_address=socket.ip_address)
                await socket.refuse(status, detail)
            case handshake, api_key:
                await self._hold(socket, scope, handshake, api_key)

    async def check_tunnels(self) -> None:
        """Write `last_seen` of the connected machines, and settle what the database and this process see
        differently.

        A tunnel whose machine has connected to another server is closed for good; one whose machine counts
        as disconnected, so that its driver connects anew. A machine whose tunnel is not here is disconnected.
        """
        live, now = dict(self._live), self._clock.now()
        async with self._database.transaction() as conn:
            known = await machines.seen(conn, self._server_id, now=now)
            for machine_id, connection_id in known.items():
                if connection_id not in self._open:
                    await machines.disconnect(conn, machine_id, connection_id=connection_id, now=now)
            lost = {id_: it.tunnel for id_, it in live.items() if known.get(id_) != it.connection_id}
            elsewhere = await machines.connected_elsewhere(conn, lost, self._server_id)
        await asyncio.gather(
            *(tunnel.close(*(TAKEN_OVER if id_ in elsewhere else RESTARTING)) for id_, tunnel in lost.items())
        )

    async def check_keys(self) -> None:
        """Close the tunnels whose keys have been revoked or have expired."""
        live = tuple(self._live.values())
        if not live:
            return
        async with self._database.read() as conn:
            invalid = await keys.invalid(conn, now=self._clock.now())
        cut = [it.tunnel for it in live if it.api_key_id in invalid]
        await asyncio.gather(*(tunnel.close(*KEY_NOT_VALID) for tunnel in cut))

    async def keep_logs_written(self) -> None:
        """Write down what goes through the tunnels, a moment later, until the gateway is closed."""
        await self._logs.keep_written()

    async def send_away(self) -> None:
        """Let every driver connect anew, wherever it gets to."""
        await asyncio.gather(*(it.tunnel.close(*RESTARTING) for it in tuple(self._live.values())))

    async def close(self) -> None:
        """Send every driver away for a second and wait until their machines are marked as disconnected."""
        self._is_closing = True
        await self.send_away()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while self._open:
                    self._left.clear()
                    await self._left.wait()
        self._logs.end()

    async def _admit(self, socket: Socket) -> Refused | tuple[Handshake, ApiKey]:
        if self._is_closing:
            return Refused(503, "the server is restarting")
        if len(self._open) >= self._max_tunnels:
            return Refused(503, "this server has as many machines as it can")
        handshake = read_handshake(socket.headers)
        if isinstance(handshake, Refused):
            return handshake
        async with self._database.read() as conn:
            api_key = await keys.authenticate(conn, handshake.key)
        if api_key is None or not api_key.is_valid(self._clock.now()):
            return Refused(403, "the API key is not valid")
        if not api_key.scope.covers(KeyScope.DRIVER):
            return Refused(403, f"machines join with the scope driver; this API key has {api_key.scope}")
        self._key_uses.note(api_key.id)
        return handshake, api_key

    async def _hold(self, socket: Socket, scope: Scope, handshake: Handshake, api_key: ApiKey) -> None:
        """The life of one tunnel, from the opening of its socket to the machine's mark as disconnected."""
        try:
            await socket.accept()
        except SocketClosed:
            return
        connection_id = ConnectionId(uuid4())
        self._open.add(connection_id)
        try:
            await self._carry(socket, scope, handshake, api_key, connection_id)
        finally:
            self._open.discard(connection_id)
            self._left.set()

    async def _carry(
        self,
        socket: Socket,
        scope: Scope,
        handshake: Handshake,
        api_key: ApiKey,
        connection_id: ConnectionId,
    ) -> None:
        async with self._connecting:
            machine = await self._connect(socket, handshake, api_key, connection_id)
            dialect = dialect_of(handshake.version, handshake.features)
            tunnel = Tunnel(socket, dialect, self._logs.of(machine))
            patience_of(scope).owes_answer = lambda: tunnel.owes_answer
            before = self._live.get(machine.id)
            self._live[machine.id] = _Live(connection_id, tunnel, api_key.id)
        with structlog.contextvars.bound_contextvars(machine_id=str(machine.id)):
            log.info("machine connected", version=handshake.version, features=sorted(handshake.features))
            try:
                async with self._bus.serve(machine_topic(machine.id), tunnel.answer):
                    if before:
                        await before.tunnel.close(*TAKEN_OVER)
                    if self._is_closing:
                        await tunnel.close(*RESTARTING)
                    await self._bus.publish(MACHINES_FREE)
                    await tunnel.read()
            finally:
                await self._disconnect(machine.id, connection_id)
                log.info("machine disconnected")

    async def _connect(
        self, socket: Socket, handshake: Handshake, api_key: ApiKey, connection_id: ConnectionId
    ) -> Machine:
        now = self._clock.now()
        async with self._database.transaction() as conn:
            machine = await machines.connect(
                conn,
                organization_id=api_key.organization_id,
                api_key_id=api_key.id,
                fingerprint=handshake.fingerprint,
                name=handshake.name,
                hostname=handshake.hostname,
                version=handshake.version,
                features=handshake.features,
                peer_id=handshake.peer_id,
                connection_id=connection_id,
                server_id=self._server_id,
                ip_address=socket.ip_address,
                user_agent=handshake.user_agent,
                now=now,
            )
        if machine.held_by_run_id is not None:
            async with self._database.transaction() as conn:
                await leases.follow_machine(conn, machine.id, server_id=self._server_id, now=now)
        return machine

    async def _disconnect(self, machine_id: MachineId, connection_id: ConnectionId) -> None:
        current = self._live.get(machine_id)
        if current and current.connection_id == connection_id:
            del self._live[machine_id]
        async with self._database.transaction() as conn:
            await machines.disconnect(conn, machine_id, connection_id=connection_id, now=self._clock.now())
