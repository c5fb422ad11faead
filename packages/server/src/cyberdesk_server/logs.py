"""Log lines: for people on a console, or one JSON object each for machines. Never a secret, never a body.

Ids of runs and machines are bound by context (`structlog.contextvars`): every line below carries them.
"""

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"(^|_)(api_key|key|secrets?|password|passphrase|token|authorization|cookie|body|plaintext)$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(r"\b(?:cd|ak|sk|whsec)_[A-Za-z0-9_-]{8,}|(?<=[Bb]earer )\S+", re.IGNORECASE)

_NOISY_LOGGERS = ("uvicorn", "uvicorn.error", "websockets", "asyncio", "sqlalchemy", "aiosqlite", "alembic")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: values under secret names disappear, and what looks like a key in any text."""
    return {name: _clean(name, value) for name, value in event.items()}


def configure(log_format: Literal["console", "json"], level: str, *, stream: TextIO | None = None) -> None:
    """Send every log line of this process, those of the libraries included, to `stream` (standard error)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(
            fmt="iso" if log_format == "json" else "%Y-%m-%d %H:%M:%S", utc=True
        ),
        structlog.processors.format_exc_info,
        redact,
    ]
    target = stream or sys.stderr
    renderer = _renderer(log_format, is_terminal=target.isatty())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        # Our own lines go straight to the stream; only those of libraries pass through `logging`.
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=structlog.WriteLoggerFactory(file=target),
    )


def _renderer(log_format: Literal["console", "json"], *, is_terminal: bool) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(default=str)
    # The coloured traceback of the default would print local variables, and one of them may be a secret.
    return structlog.dev.ConsoleRenderer(
        colors=is_terminal, exception_formatter=structlog.dev.plain_traceback
    )


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _clean(name: str, value: Any) -> Any:
    if _names_a_secret(name):
        return REDACTED
    match value:
        case str():
            return _SECRET_TEXT.sub(REDACTED, value)
        case bytes() | bytearray() | memoryview():
            return f"{len(value)} bytes"
        case Mapping():
            return {key: _clean(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", inner) for inner in value]
        case _:
            return value
