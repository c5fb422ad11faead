"""What a language model is asked and what it answers, whoever its provider is.

A `Question` is told from a run's journal alone (`history.py`); a `Provider` puts it into the words of one
interface and reads the answer. Places are pixels of the picture of the screen, as the model sees it.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.domain.tasks import ToolSpec


class Role(StrEnum):
    """What a model is asked as; the `role` of its costs."""

    MAIN_AGENT = "main_agent"
    EXTRACTION = "extraction"
    TRANSFORMATION = "transformation"
    POST_RUN_CHECK = "post_run_check"
    CACHE_DETECTION = "cache_detection"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest picture a provider looks at as it is. One made smaller on the way would move all places."""

    edge: int
    """Pixels of the longer side."""

    pixels: int
    """Of the whole picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is sent."""

    content: bytes = field(repr=False)
    media_type: str
    size: Size
    """Of the picture that is sent, not of what it shows."""

    @property
    def base64(self) -> str:
        return b64encode(self.content).decode()

    @property
    def url(self) -> str:
        """The whole picture as an address."""
        return f"data:{self.media_type};base64,{self.base64}"


Part = str | Picture


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one tool call."""

    text: str
    is_error: bool = False
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A turn that is over, and what the screen showed after it."""

    results: tuple[Result, ...]
    """One for each call, in order."""

    told: str
    """Calls and results in plain words, for a model that cannot be shown its own words of that turn."""

    memo: JsonObject | None = None
    """What the provider gave to remember the turn by; None when another model took it."""

    screen: Picture | None = None
    """None when it was left out because newer ones are there."""

    is_unchanged: bool = False
    """True when the screen is the picture that was shown last."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a model needs for its next answer."""

    role: Role
    system: str
    opening: tuple[Part, ...]
    """What it is told first."""

    past: tuple[Past, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    screen_size: Size | None = None
    """Of the picture of the screen it acts on; None when it only reads."""

    conversation: str = ""
    """The same for all questions of one conversation: whoever asks them shares a cache."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call has used."""

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    """Reasoning included."""

    reasoning: int = 0

    @property
    def input(self) -> int:
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said."""

    text: str
    calls: tuple[ToolCall, ...]
    memo: JsonObject
    """What `Past.memo` is to be when the turn is over."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it arrived: its tokens are paid for, whether it can be used or not."""

    tokens: Tokens
    content: object = field(repr=False)
    """In the provider's own type; for `Provider.read`."""


class Provider(Protocol):
    """One model behind one interface."""

    platform: str
    """Who sends the bill, as LangChain names it."""

    endpoint: str
    """Which interface it is: `messages`, `responses`, `chat_completions`."""

    model: str
    base_url: str
    bounds: Bounds

    async def prepare(self) -> None:
        """Load what the first question needs. Takes seconds, once; `send` does it too when nobody has."""
        ...

    async def send(self, question: Question, key: str | None) -> Reply:
        """Ask once. Raises `ModelUnavailable` when no answer comes."""
        ...

    def read(self, question: Question, reply: Reply) -> Answer:
        """What the reply says. `ModelError` when it was refused or cut off."""
        ...
