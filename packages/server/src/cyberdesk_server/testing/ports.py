"""A desktop, a model, a reader and a clock for tests of everything that drives runs.

Everything else in such a test is real: the database, the bus, the vault, the executor.
"""

import asyncio
import struct
import zlib
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.ids import OrganizationId, StepId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.provider_credentials import CredentialCheck, ProviderSlot, Secret
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.sealed import HASHICORP
from cyberdesk_server.domain.steps import Observation, Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.ports import (
    BLOB_PIECE_BYTES,
    BlobMissing,
    DesktopRefused,
    ModelError,
    OutcomeUnknown,
    VaultUnavailable,
)

SMALL = Size(64, 48)
_LINES_KEY = b"Lines\0"


def a_screenshot(*lines: str, size: Size = SMALL) -> Screenshot:
    """A valid grey PNG which carries the lines that are printed on it, for `PrintedReader`."""
    rows = (b"\0" + b"\xc0\xc0\xc0" * size.width) * size.height
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)),
            (b"tEXt", _LINES_KEY + "\n".join(lines).encode()),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )
    return Screenshot(png, size, sha256(png).hexdigest())


def printed_lines(screenshot: Screenshot) -> list[str]:
    """The lines `a_screenshot` was made with."""
    start = screenshot.png.index(b"tEXt" + _LINES_KEY)
    length = struct.unpack_from(">I", screenshot.png, start - 4)[0] - len(_LINES_KEY)
    first = start + 4 + len(_LINES_KEY)
    return screenshot.png[first : first + length].decode().split("\n")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


class PrintedReader:
    """An `executor.parts.Reader` of such screenshots; line n is at the height 10 n."""

    async def find(self, screenshot: Screenshot, text: str) -> list[Box]:
        return [
            Box(0, 10 * row, 10 * len(line), 10 * row + 10)
            for row, line in enumerate(printed_lines(screenshot))
            if text in line
        ]

    async def is_visible(self, screenshot: Screenshot, text: str) -> bool:
        return bool(await self.find(screenshot, text))


class ManualClock:
    """A `ports.Clock` on which sleeping takes no time: it moves the hands instead."""

    def __init__(self, now: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


class MemoryBlobs:
    """A `ports.Blobs` in a dict."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.puts: list[str] = []
        """Every key that was written, in order, repetitions included."""

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        self.puts.append(key)
        self.contents[key] = content

    async def get(self, key: str) -> bytes:
        try:
            return self.contents[key]
        except KeyError as error:
            raise BlobMissing(f"there is no blob {key}") from error

    async def put_stream(self, key: str, pieces: AsyncIterable[bytes], *, content_type: str) -> None:
        await self.put(key, b"".join([piece async for piece in pieces]), content_type=content_type)

    async def size(self, key: str) -> int:
        return len(await self.get(key))

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        wanted = (await self.get(key))[start:end]
        for first in range(0, len(wanted), BLOB_PIECE_BYTES):
            yield wanted[first : first + BLOB_PIECE_BYTES]

    async def delete(self, key: str) -> None:
        self.contents.pop(key, None)

    def signed_url(self, key: str, *, expires_in_seconds: int) -> str:
        return f"memory://{key}?expires_in={expires_in_seconds}"


Reaction = Callable[[Action], ActionResult]


@dataclass
class ScriptedDesktop:
    """A `ports.Desktop` that shows what it is told to show and remembers what was done to it."""

    screen: Screenshot = field(default_factory=a_screenshot)
    react: Reaction = field(default=lambda _: ActionResult())
    """Called once per action that happens; may set `screen` or raise what a desktop raises."""

    keeps_journal: bool = True
    """True: a repeated id is answered with what was done. False: it is refused, as `OutcomeUnknown`."""

    performed: list[Action] = field(default_factory=list)
    """Every action that happened, in order."""

    looks: int = 0
    journal: dict[StepId, ActionResult] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """Its files by path. A path that ends in `/` is an empty folder."""

    async def size(self) -> Size:
        return self.screen.size

    async def screenshot(self) -> Screenshot:
        self.looks += 1
        return self.screen

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        if is_repeat and not self.keeps_journal:
            raise OutcomeUnknown("this desktop keeps no journal")
        if action_id in self.journal:
            if not self.keeps_journal:
                raise OutcomeUnknown("this desktop keeps no journal")
            return self.journal[action_id]
        result = self.react(action)
        self.performed.append(action)
        self.journal[action_id] = result
        return result

    async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
        real = _expanded(path)
        if await self.is_folder(real):
            raise DesktopRefused(400, f"{path} is a folder")
        self.files[real] = self.files.get(real, b"") + content if is_more else content
        return real

    async def read_file(self, path: str) -> Base64Text:
        try:
            return Base64Text(b64encode(self.files[_expanded(path)]))
        except KeyError:
            raise DesktopRefused(404, f"{path} does not exist") from None

    async def is_folder(self, path: str) -> bool:
        folder = _expanded(path).rstrip("/") + "/"
        return any(file.startswith(folder) for file in self.files)


def _expanded(path: str) -> str:
    return "/home/user" + path[1:] if path.startswith("~") else path


Decide = Callable[[Task, Sequence[Step], Mapping[str, JsonValue], Screenshot], Turn]


@dataclass
class FunctionModel:
    """A `ports.Model` made of functions; it refuses to read and gathers no output unless told how."""

    decide: Decide
    read: Callable[[str, Task, Screenshot], Observation] | None = None
    refusals: tuple[Refusal, ...] = ()
    before_answer: Callable[[], Awaitable[None]] | None = None
    """Awaited before each turn: a model takes its time."""

    is_over: Callable[[Sequence[Step]], bool] | None = None
    """Whether it knows without a look that nothing is left to do."""

    verdict: Callable[[Question], Judgement] | None = None
    before_judging: Callable[[], Awaitable[None]] | None = None
    judged: list[Question] = field(default_factory=list)
    questions: list[tuple[Task, tuple[Step, ...], Mapping[str, JsonValue]]] = field(default_factory=list)
    """What it was shown, turn by turn."""

    def check(self, task: Task) -> Sequence[Refusal]:
        return self.refusals

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        return self.is_over is not None and self.is_over(history)

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        if self.before_answer:
            await self.before_answer()
        self.questions.append((task, tuple(history), dict(runtime_values)))
        return self.decide(task, history, runtime_values, screenshot)

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        if self.read is None:
            raise ModelError("this model does not read")
        return self.read(instruction, task, screenshot)

    async def judge(self, question: Question) -> Judgement:
        if self.before_judging:
            await self.before_judging()
        if self.verdict is None:
            raise ModelError("this model does not judge")
        self.judged.append(question)
        return self.verdict(question)

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        """Every value that a step read, by the path it was read for."""
        output: dict[str, JsonValue] = {}
        for step in history:
            written = (step.result or {}).get("output")
            if isinstance(written, Mapping):
                output.update(written)
        return output or None


def a_call(tool: str, **arguments: Any) -> ToolCall:
    return ToolCall(tool, arguments)


def a_turn(*calls: ToolCall) -> Turn:
    return Turn(calls)


def turns(*script: Turn) -> FunctionModel:
    """A model that asks for these turns one after another, whatever it sees, and then for nothing more.

    Where it stands is kept in the memo, as a model does that any worker can ask.
    """

    def decide(
        task: Task, history: Sequence[Step], values: Mapping[str, JsonValue], screenshot: Screenshot
    ) -> Turn:
        position = int(history[-1].memo or 0) if history else 0
        if position == len(script):
            return Turn()
        turn = script[position]
        return Turn(turn.calls, turn.thought, memo=str(position + 1))

    return FunctionModel(decide)


@dataclass
class ScriptedProviders:
    """Providers that answer every check the same."""

    answer: CredentialCheck = field(default_factory=lambda: CredentialCheck("list_models", "List models"))
    before_answer: Callable[[], Awaitable[None]] | None = None
    asked: list[tuple[ProviderSlot, Secret]] = field(default_factory=list)

    async def check(self, slot: ProviderSlot, secret: Secret) -> CredentialCheck:
        self.asked.append((slot, secret))
        if self.before_answer:
            await self.before_answer()
        return self.answer


@dataclass
class MemoryKeeper:
    """A keeper of secrets outside of the database, in a dict."""

    kind: bytes = HASHICORP
    name: str = "the keeper"
    kept: dict[tuple[OrganizationId, UUID], str] = field(default_factory=dict)
    is_away: bool = False
    """True: no call is answered."""

    async def put(self, organization_id: OrganizationId, secret_id: UUID, text: str) -> None:
        self._answer()
        self.kept[organization_id, secret_id] = text

    async def get(self, organization_id: OrganizationId, secret_id: UUID) -> str | None:
        self._answer()
        return self.kept.get((organization_id, secret_id))

    async def delete(self, organization_id: OrganizationId, secret_id: UUID) -> None:
        self._answer()
        self.kept.pop((organization_id, secret_id), None)

    async def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.is_away:
            raise VaultUnavailable("the keeper is away")
