"""What the server needs from the outside: protocols only.

A port exists where two real adapters exist, an embedded one for a single machine and one for many.
The adapters are in `adapters/`; the fakes for tests in `testing.py`. Each error below says whether
trying again makes sense.

    PortError
     +-- DesktopError
     |    +-- DesktopUnreachable   no tunnel, or it broke; trying again makes sense
     |    |    +-- DesktopNotAsked  nothing has left: nothing has happened
     |    |    +-- DesktopTooSlow   asked, but its time was up
     |    +-- DesktopRefused       the driver answered an error; final for this action
     |    +-- OutcomeUnknown       the action may or may not have happened; never repeat it blindly
     +-- BusError
     |    +-- NobodyAnswers        nobody serves the topic
     |    +-- AnswerTimeout        somebody does, but too slowly
     +-- BlobMissing
     +-- SecretUnreadable          final
     +-- VaultUnavailable          trying again makes sense
     +-- ModelError                the model failed; `is_retryable` says whether to ask again
          +-- ModelUnavailable     its provider gave no answer: another model may take over
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from cyberdesk_server.domain.actions import Action, ActionResult
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import OrganizationId, SecretId, StepId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.recordings import RecordedTurn
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal, Task


class PortError(Exception):
    """The world failed, not the caller and not we."""


class DesktopError(PortError):
    """A desktop did not do what it was asked."""


class DesktopUnreachable(DesktopError):
    """There is no live tunnel to the machine, or it broke before an answer came."""


class DesktopNotAsked(DesktopUnreachable):
    """The request never left whole: nothing has happened on the desktop."""


class DesktopTooSlow(DesktopUnreachable):
    """The time for the answer was up; what was asked may still happen."""


class DesktopRefused(DesktopError):
    """The driver answered with an error."""

    def __init__(self, status: int, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        """`problems` are the fields the driver names, for a status of 422."""
        super().__init__(f"the desktop answered {status}: {detail}")
        self.status = status
        self.detail = detail
        self.problems = problems


class OutcomeUnknown(DesktopError):
    """The tunnel broke while an action was on its way and the driver cannot say whether it happened."""


class BusError(PortError):
    """A message did not get through."""


class NobodyAnswers(BusError):
    """Nobody serves this topic now."""


class AnswerTimeout(BusError):
    """Somebody serves this topic but did not answer in time."""


class BlobMissing(PortError):
    """There is no blob with this key."""


class SecretUnreadable(PortError):
    """The sealed secret does not open with this key and context."""


class VaultUnavailable(PortError):
    """The vault that keeps the secret gives no answer, or refuses this server; it may do so no longer later.

    The text never has anything of the secret in it.
    """


class ModelError(PortError):
    """A model did not answer, or not usably."""

    output: JsonObject | None = None
    """What the run's output would have been; kept with the run although it ends with this error."""

    def __init__(self, message: str, *, is_retryable: bool = False) -> None:
        super().__init__(message)
        self.is_retryable = is_retryable


class ModelUnavailable(ModelError):
    """The provider gave no answer: it is down, overloaded or too slow, or refuses the key or the request."""

    def __init__(
        self, message: str, *, is_retryable: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        """`retry_after_seconds` is what the provider asks for before it is asked again."""
        super().__init__(message, is_retryable=is_retryable)
        self.retry_after_seconds = retry_after_seconds


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Message:
    """What travels on the bus: a small JSON-able head and raw bytes."""

    head: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


EMPTY_MESSAGE = Message()

Answer = Callable[[Message], Awaitable[Message]]


class Bus(Protocol):
    """Wake-ups and questions between the server's parts. Nothing on it is durable:
    every wake-up is backed by a sweep of the database, so a lost one costs seconds and never a run."""

    async def publish(self, topic: str, message: Message = EMPTY_MESSAGE) -> None:
        """Tell everybody who listens; at most once, never blocking on a slow listener."""
        ...

    def listen(self, *topics: str) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, Message]]]:
        """Hear these topics from the moment the context is entered."""
        ...

    async def ask(self, topic: str, message: Message, *, timeout_seconds: float) -> Message:
        """The answer of whoever serves `topic`.

        Raises `NobodyAnswers` at once when nobody does, `AnswerTimeout` when the time is up.
        """
        ...

    def serve(self, topic: str, answer: Answer) -> AbstractAsyncContextManager[None]:
        """Answer questions on `topic` while the context is open; questions run concurrently.

        The newest server of a topic gets the questions.
        """
        ...


BLOB_PIECE_BYTES = 256 * 1024
"""Of a blob that is read as a stream."""


class Blobs(Protocol):
    """Files by key, such as `run-images/message-history/org_1/3f….png`."""

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Store; storing the same key again with the same content changes nothing."""
        ...

    async def put_stream(self, key: str, pieces: AsyncIterable[bytes], *, content_type: str) -> None:
        """Store what comes, without ever holding the whole. When `pieces` raises, nothing is stored."""
        ...

    async def get(self, key: str) -> bytes:
        """The content; `BlobMissing` when there is none."""
        ...

    async def size(self, key: str) -> int:
        """Bytes of the content; `BlobMissing` when there is none."""
        ...

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in pieces of about `BLOB_PIECE_BYTES`.

        The range lies inside the content. Raises `BlobMissing` before the first piece.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        ...

    def signed_url(self, key: str, *, expires_in_seconds: int) -> str:
        """A link anybody can read the blob by until it expires."""
        ...


@dataclass(frozen=True, slots=True)
class SecretContext:
    """To whom a sealed secret belongs; a secret does not open in another context."""

    organization_id: OrganizationId
    secret_id: SecretId


class Vault(Protocol):
    """Turns a secret into bytes that may be stored, and back."""

    async def seal(self, plaintext: str, context: SecretContext) -> bytes:
        """Bytes that hold the secret: when they are deleted, it is gone. Asks nobody else."""
        ...

    async def open(self, sealed: bytes, context: SecretContext) -> str:
        """The plaintext. Raises `SecretUnreadable` when key or context are not those it was sealed with, or
        it is kept elsewhere and not there any more, `VaultUnavailable` when there is no answer from there."""
        ...


@runtime_checkable
class OutsideVault(Vault, Protocol):
    """What a `Vault` can be besides: one that keeps secrets outside of the database.

    The database then has their places only. Whoever names a place writes it down before anything is kept
    there, so that it can be discarded whatever happens; `usecases.sealing.preparing` does.
    """

    def new_place(self) -> bytes:
        """A place where nothing is; what the database may keep in the place of a secret."""
        ...

    async def keep(self, place: bytes, plaintext: str, organization_id: OrganizationId) -> None:
        """Keep a secret there; twice is once. After `VaultUnavailable` it may be there all the same."""
        ...

    async def discard(self, place: bytes, organization_id: OrganizationId) -> None:
        """Delete what is there, for good; that nothing is there is no error. Raises `VaultUnavailable`."""
        ...


class Desktop(Protocol):
    """One machine's screen, keyboard, mouse, shell and files. Errors: see `DesktopError`."""

    async def size(self) -> Size:
        """Real pixels of the screen."""
        ...

    async def screenshot(self) -> Screenshot:
        """The screen now, in real pixels."""
        ...

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        """Do this once.

        Asking again with the same id after `DesktopUnreachable` is safe: a desktop that keeps a journal
        answers what it did; with one that keeps none, `OutcomeUnknown` is raised instead of a second attempt.
        `is_repeat` says that somebody else may have asked with this id before: the worker that had the run.
        """
        ...

    async def write_file(self, path: str, content: bytes, *, is_more: bool = False) -> str:
        """Write a file, in place of what is there; with `is_more`, behind what is there.

        Folders on the way are made, `~` is the home folder. Returns the path it really has. Raises
        `DesktopRefused` and `DesktopUnreachable`; after that a file may be written in part.
        """
        ...

    async def read_file(self, path: str) -> Base64Text:
        """The content of a file of up to 100 MB. Raises `DesktopRefused` and `DesktopUnreachable`."""
        ...

    async def is_folder(self, path: str) -> bool:
        """True when there is a folder at this path that can be looked into."""
        ...


class Model(Protocol):
    """Decides which tool calls come next. Knows tools, not desktops; never sees a secret's value."""

    def check(self, task: Task) -> Sequence[Refusal]:
        """Why this model cannot follow the task; empty when it can. Asked before the first action."""
        ...

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        """True when nothing is left to do, whatever the screen shows. A model that must look says False.

        It spares the look at a desktop whose program the last action may have closed.
        """
        ...

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        """What to do now. Everything the model must remember is in `history` (see `Turn.memo`):
        any worker can ask the same question again."""
        ...

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        """What `instruction` asks to be read from the screen. `ModelError` when it cannot be read."""
        ...

    async def judge(self, question: Question) -> Judgement:
        """Whether output data or pictures are as a post-run check wants them. `ModelError` when it cannot
        tell."""
        ...

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        """The run's output data, built from what was read; None when nothing was."""
        ...


class Retrace(StrEnum):
    """Whether a recorded turn is what a model would ask for next."""

    NEVER = "never"
    SURELY = "surely"
    ON_A_LOOK = "on a look"
    """The screen decides."""


@runtime_checkable
class Retracer(Protocol):
    """What a `Model` can be besides: one that knows its way, and so whether a recorded turn lies on it.

    The memo of such a turn is then its own, whichever run it was recorded in. `recorded` None asks whether
    nothing is left to do.
    """

    def retrace(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
    ) -> Retrace: ...

    async def retrace_on(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
        screenshot: Screenshot,
    ) -> bool:
        """What `Retrace.ON_A_LOOK` leaves open. `ModelError` when the screen cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a recorded step still fits the screen, and why."""

    is_hit: bool
    reason: str


@runtime_checkable
class Comparer(Protocol):
    """What a `Model` can be besides: one that compares screens by an author's own words."""

    async def compare(
        self, instructions: str, call: ToolCall, recorded: Screenshot, current: Screenshot
    ) -> Comparison:
        """Whether `call` would still do what it did on the recorded screen. `ModelError` counts as a miss."""
        ...
