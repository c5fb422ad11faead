"""The one place that knows all the parts: it builds the server from its settings, runs it, and takes it down.

Up:    socket, data folder, migrations, its own past, keys, bus, blobs, vault, gateway, worker, HTTP
Down:  worker (runs left to whoever comes next), gateway (drivers sent away for a second), HTTP, database
"""

import asyncio
import gc
import os
import random
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import uuid4

import structlog
import uvicorn
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import WebSocketRoute

from cyberdesk_server import __version__, vaults
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.data_folder import DataFolder
from cyberdesk_server.adapters.desktop import TunnelDesktop
from cyberdesk_server.adapters.models.registry import Models, ModelUrls
from cyberdesk_server.adapters.providers import HttpProviders, ProviderUrls
from cyberdesk_server.adapters.vault import EnvelopeVault, KeptOutside, MasterKey
from cyberdesk_server.adapters.webhooks import HttpCourier
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.http_protocol import GuardedHttpProtocol
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.rates import Rates
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.limits import RunLimits, ServerLimits
from cyberdesk_server.domain.web_sessions import Relay
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts, Limits
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.gateway import Gateway, TunnelWebSocketProtocol
from cyberdesk_server.gateway.websocket import PING_SECONDS, PONG_LIMIT_SECONDS
from cyberdesk_server.ports import Clock
from cyberdesk_server.settings import Settings
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.migrate import migrate
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import organizations, servers
from cyberdesk_server.usecases.audit_log import Trail
from cyberdesk_server.usecases.keys import KeyUses
from cyberdesk_server.usecases.servers import Lookout
from cyberdesk_server.usecases.webhook_deliveries import Patience
from cyberdesk_server.worker import Worker, WorkerLimits
from cyberdesk_server.worker.chores import Lives, Upkeep, chores
from cyberdesk_server.worker.sender import Sender, SenderLimits
from cyberdesk_server.worker.timers import Chore, keep_doing
from cyberdesk_server.worker.worker import RENEWALS_PER_LEASE

log = structlog.get_logger(__name__)

MAX_FRAME_BYTES = 160 * 1024 * 1024
"""A published driver answers a 100 MB file in one frame of 134 MB."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle HTTP connection stays open: longer than callers and proxies keep theirs."""

WEBHOOK_LEASE_SPARE_SECONDS = 45.0
"""How much longer than an attempt the claim of a webhook lasts: its outcome has to be written, too."""

MAX_CONNECTIONS = 10_000
"""Of callers, beside the tunnels; further requests are answered with 503."""

DRAIN_SECONDS = 5
"""How long requests under way may take when the server stops."""


class CannotStart(Exception):
    """The server cannot start with these settings on this machine; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """The server's parts while it runs."""

    server_id: ServerId
    database: Database
    gateway: Gateway
    worker: Worker
    sender: Sender
    courier: HttpCourier
    http: "HttpServer"
    clock: Clock
    models: Models
    trail: Trail
    upkeep: Upkeep
    vault: EnvelopeVault | KeptOutside
    chores: tuple[Chore, ...]


class HttpServer(uvicorn.Server):
    """uvicorn, which tells when it is ready and leaves signals to `serve`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen_on(settings: Settings) -> socket.socket:
    """The socket the server listens on. Raises `CannotStart`, for instance when the port is in use."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        # The standard library adds the address to the text of some errors and not of others.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CannotStart(f"cannot listen on {settings.host}:{settings.port}: {reason}") from error


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What the certificate settings say; None without them. Raises `CannotStart`."""
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # The empty password keeps a protected key from asking for one on the terminal.
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
    except OSError as error:
        paths = f"tls_certificate {settings.tls_certificate} and tls_key {settings.tls_key}"
        raise CannotStart(f"{paths} cannot be used: {error.strerror or error}") from error
    return context


def make_data_dir(settings: Settings) -> None:
    """The data folder, for commands that need no lock on it. Raises `CannotStart`."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"the data folder {settings.data_dir} is not writable: {error.strerror}") from error


async def open_database(settings: Settings) -> Database:
    """The migrated database. Raises `CannotStart`."""
    url = settings.effective_database_url
    try:
        database = await Database.open(url)  # first, because it knows which databases there are
        await migrate(url)
        return database
    except (SQLAlchemyError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise CannotStart(f"database_url: the database cannot be opened: {reason}") from error


async def serve(
    settings: Settings,
    folder: DataFolder,
    listener: socket.socket,
    *,
    introduce: Callable[[str], None],
    announce: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Run the server until `stop` is set. Raises `CannotStart` before anything runs.

    `introduce` gets the API key that a first start makes; `announce` the address once it answers.
    """
    address = _address(settings, listener)
    context, keys = tls_context(settings), vaults.master_keys(settings, folder)
    database = await open_database(settings)
    server_id = ServerId(f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}")
    try:
        await servers.begin(database, server_id, folder=folder.id, now=datetime.now(UTC))
        site = _build(
            settings,
            folder,
            server_id,
            database,
            context,
            keys,
            public_url=settings.public_url or address,
        )
        key = await organizations.first_start(database, now=datetime.now(UTC))
        if key:
            introduce(key)
        await _run(site, listener, announce=lambda: announce(address), stop=stop)
    finally:
        await database.close()


def _address(settings: Settings, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if listener.family is socket.AF_INET6 else "127.0.0.1"
    return f"{settings.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _build(
    settings: Settings,
    folder: DataFolder,
    server_id: ServerId,
    database: Database,
    context: ssl.SSLContext | None,
    keys: Sequence[MasterKey],
    *,
    public_url: str,
) -> Site:
    clock, bus = SystemClock(), InProcessBus()
    links = SignedLinks(keys[0].key_for("links"), public_url=public_url, clock=clock)
    blobs = _blobs(settings, links)
    vault = vaults.chosen(settings, keys, clock)
    trail, key_uses = Trail(database), KeyUses()
    gateway = Gateway(server_id, database, bus, clock, key_uses, settings.max_tunnels)
    allowed = _server_limits(settings)
    limits = Limits(
        run_time_limit_seconds=settings.run_time_limit_seconds,
        max_turns=settings.max_turns,
        cost_limit_usd=allowed.usual.cost_limit_usd,
        most=allowed.most,
        max_failures_in_a_row=settings.max_failures_in_a_row,
        desktop_grace_seconds=settings.desktop_grace_seconds,
        model_answer_seconds=settings.model_answer_seconds,
    )

    models = Models(database, vault, blobs, clock, _model_urls(settings), limits)

    async def check_parts_for(claim: CheckClaim) -> CheckParts:
        model, limits = await models.of(claim, ScreenReader())
        return CheckParts(database=database, model=model, blobs=blobs, bus=bus, clock=clock, limits=limits)

    async def parts_for(claim: Claim) -> ExecutorParts:
        reader = ScreenReader()
        model, limits = await models.of(claim, reader)
        return ExecutorParts(
            database=database,
            desktop=TunnelDesktop(bus, claim.machine.id, claim.machine.features, clock),
            model=model,
            reader=reader,
            blobs=blobs,
            vault=vault,
            bus=bus,
            clock=clock,
            limits=limits,
        )

    worker_limits = WorkerLimits(
        concurrency=settings.worker_concurrency,
        lease_seconds=settings.lease_seconds,
        sweep_seconds=settings.sweep_seconds,
        shutdown_seconds=settings.shutdown_seconds,
    )
    worker = Worker(server_id, database, bus, clock, parts_for, check_parts_for, worker_limits)
    courier = HttpCourier(settings.webhook_reach, clock, timeout_seconds=settings.webhook_timeout_seconds)
    sender = Sender(
        server_id,
        database,
        bus,
        clock,
        courier,
        vault,
        Patience(luck=random.random),
        SenderLimits(
            concurrency=settings.webhook_concurrency,
            lease_seconds=settings.webhook_timeout_seconds + WEBHOOK_LEASE_SPARE_SECONDS,
            sweep_seconds=settings.sweep_seconds,
            shutdown_seconds=settings.shutdown_seconds,
        ),
    )
    app = create_app(
        Parts(
            server_id=server_id,
            database=database,
            bus=bus,
            blobs=blobs,
            vault=vault,
            clock=clock,
            providers=_providers(settings, clock),
            links=links,
            rates=_rates(settings),
            audit=trail,
            key_uses=key_uses,
            limits=allowed,
            reach=settings.webhook_reach,
            relay=_relay(settings),
        ),
        cors_origins=settings.cors_origin_list,
    )
    app.router.routes.insert(0, WebSocketRoute("/tunnel/ws", gateway))
    http = HttpServer(
        uvicorn.Config(
            app,
            http=GuardedHttpProtocol,
            ws=TunnelWebSocketProtocol,
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PONG_LIMIT_SECONDS,
            ssl_context_factory=(lambda _config, _default: context) if context else None,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            limit_concurrency=settings.max_tunnels + MAX_CONNECTIONS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    lookout = Lookout(database, server_id, clock, patience_seconds=settings.lease_seconds)

    async def stay_alive() -> None:
        if not await servers.give_sign(database, server_id, folder=folder.id, now=clock.now()):
            log.warning("the other servers took this one for gone: it begins anew")
            await gateway.send_away()
        if await lookout.look():
            await bus.publish(MACHINES_FREE)

    lives = Lives(
        idle_session=timedelta(seconds=settings.session_idle_seconds) or None,
        request_log=timedelta(days=settings.request_log_days),
        webhook=timedelta(days=settings.webhook_days),
    )
    upkeep = Upkeep(database, blobs, vault, bus, clock, lives, key_uses, settings.machine_down_seconds)
    table = chores(
        upkeep,
        stay_alive=stay_alive,
        sign_seconds=settings.lease_seconds / RENEWALS_PER_LEASE,
        check_tunnels=gateway.check_tunnels,
        check_keys=gateway.check_keys,
    )
    return Site(
        server_id,
        database,
        gateway,
        worker,
        sender,
        courier,
        http,
        clock,
        models,
        trail,
        upkeep,
        vault,
        table,
    )


def _providers(settings: Settings, clock: Clock) -> HttpProviders:
    urls = ProviderUrls(
        anthropic=settings.anthropic_url,
        openai=settings.openai_url,
        google=settings.google_url,
        google_token=settings.google_token_url,
        bedrock=settings.bedrock_url,
    )
    return HttpProviders(urls, clock, timeout_seconds=settings.provider_check_seconds)


def _model_urls(settings: Settings) -> ModelUrls:
    others = tuple(url.strip().rstrip("/") for url in settings.model_urls.split(",") if url.strip())
    return ModelUrls(settings.anthropic_url, settings.openai_url, others)


def _server_limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        usual=RunLimits(
            settings.run_time_limit_seconds,
            settings.max_turns,
            settings.wait_time_limit_seconds,
            settings.cost_limit_usd or settings.cost_limit_ceiling_usd,
        ),
        most=RunLimits(
            settings.run_time_limit_ceiling_seconds,
            settings.max_turns_ceiling,
            cost_limit_usd=settings.cost_limit_ceiling_usd,
        ),
    )


def _rates(settings: Settings) -> Rates | None:
    if settings.rate_limit_requests is None:
        return None
    return Rates(settings.rate_limit_requests, settings.rate_limit_seconds)


def _relay(settings: Settings) -> Relay | None:
    match settings:
        case Settings(
            web_session_hbbs_url=str(hbbs_url),
            web_session_hbbr_url=str(hbbr_url),
            web_session_public_key=str(public_key),
            web_session_key=SecretStr() as key,
        ):
            return Relay(hbbs_url, hbbr_url, public_key, key.get_secret_value().encode())
        case _:
            return None


def _blobs(settings: Settings, links: SignedLinks) -> LocalBlobs:
    try:
        return LocalBlobs(settings.blob_folder, links)
    except OSError as error:
        raise CannotStart(
            f"blob_url: the folder {settings.blob_folder} cannot be used: {error.strerror or error}"
        ) from error


async def _run(
    site: Site, listener: socket.socket, *, announce: Callable[[], None], stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as group:
        http = group.create_task(site.http.serve(sockets=[listener]))
        await site.http.is_ready.wait()
        worker = group.create_task(site.worker.run())
        sender = group.create_task(site.sender.run())
        logging = group.create_task(site.gateway.keep_logs_written())
        auditing = group.create_task(site.trail.keep_written())
        upkeep = group.create_task(keep_doing(site.clock, site.chores))
        # What the start has left in memory stays: no collection needs to walk through it while a click waits.
        gc.collect()
        gc.freeze()
        log.info("started", version=__version__)
        announce()
        await stop.wait()
        log.info("stopping")
        await asyncio.gather(site.worker.stop(), site.sender.stop())
        await worker
        await sender
        await site.courier.close()
        await site.models.close()
        upkeep.cancel()
        await site.upkeep.note_key_uses()
        await site.gateway.close()
        await logging
        await servers.end(site.database, site.server_id, now=site.clock.now())
        site.http.should_exit = True
        await http
        site.trail.end()
        await auditing
        await site.vault.close()
