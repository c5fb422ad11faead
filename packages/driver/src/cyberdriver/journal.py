"""At most once: what was asked with an action id, and what it answered, kept across reconnects and restarts.

Before an action runs, a *begun* line is appended to the journal; after it ran, a *finished* line with the
answer. A repeated id is answered from there. A begun line without a finished one means that the driver died
in between: nobody can know whether the click reached the program, so the answer says so instead of guessing.

Durability. A line is one `write` to a file opened for appending: once that returned, the line outlives this
process whatever kills it, because it is in the kernel's hands, and that costs microseconds. It is not forced
to the disk before the action, since an fsync costs milliseconds and a click through the tunnel must not.
`sync` does that afterwards, from its own thread, at most a second later. So only a crash of the whole
machine can lose lines, and that takes the desktop with all its programs along; the run that was acting on it
has failed anyway.

The file is bounded: it is rewritten with the newest entries when it has grown.
"""

import base64
import errno
import hashlib
import json
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cyberdriver.answers import Answer
from cyberdriver.errors import SettingsError

JOURNAL_FILE = "actions.jsonl"
MAX_ENTRIES = 2048
MAX_KEPT_BODY_BYTES = 256 * 1024
MAX_KEPT_BYTES = 16 * 1024 * 1024
_SALT_BYTES = 16
_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder per line


@dataclass(frozen=True, slots=True)
class Begin:
    """The id is new and now begun: run the action, then call `finish`."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The action ran before; this is what it answered."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class AnswerNotKept:
    """The action ran before, but its answer was too large to keep."""


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The action was begun and the driver died before it was finished."""


@dataclass(frozen=True, slots=True)
class OtherWork:
    """The id belongs to a different request."""


Recollection = Begin | Replay | AnswerNotKept | OutcomeUnknown | OtherWork


@dataclass(frozen=True, slots=True)
class _Entry:
    work: str
    finished: bool = False
    answer: Answer | None = None

    @property
    def kept_bytes(self) -> int:
        return len(self.answer.body) if self.answer else 0


class Journal:
    """The journal in one folder; its methods may be called from any thread.

    `begin` and `finish` raise `OSError` when the disk does not take the line.
    """

    def __init__(self, folder: Path, max_entries: int = MAX_ENTRIES) -> None:
        """Opens or makes the journal. Raises `SettingsError` when the folder does not allow it."""
        self._path = folder / JOURNAL_FILE
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._kept_bytes = 0
        self._lines = 0
        self._is_dirty = False
        self._is_torn = False
        self._is_closed = False
        self._has_salt = False
        self._salt = secrets.token_bytes(_SALT_BYTES)
        try:
            self._load()
            self._descriptor = self._reopen() if self._has_salt else self._rewrite()
        except OSError as error:
            raise SettingsError(f"{self._path}: {error.strerror or error}") from error

    @property
    def is_dirty(self) -> bool:
        """Whether `sync` has something to do."""
        return self._is_dirty

    def fingerprint_of(self, *parts: bytes) -> str:
        """What binds an id to a request. Salted, because a typed secret may be among the parts."""
        digest = hashlib.blake2b(key=self._salt, digest_size=16)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()

    def begin(self, action_id: str, work: str) -> Recollection:
        """What is known about this id; `Begin` when nothing was, and from now on it is begun.

        Ask once per id at a time: for an id that another thread has begun the outcome counts as unknown.
        """
        with self._lock:
            entry = self._entries.get(action_id)
            if entry is None:
                self._append({"begun": action_id, "work": work})
                self._keep(action_id, _Entry(work))
                return Begin()
        if entry.work != work:
            return OtherWork()
        if not entry.finished:
            return OutcomeUnknown()
        return Replay(entry.answer) if entry.answer else AnswerNotKept()

    def finish(self, action_id: str, answer: Answer) -> None:
        """From now on the id answers this. Kept in memory even when the disk refuses it."""
        with self._lock:
            entry = self._entries.get(action_id)
            if entry is None:
                return
            kept = answer if len(answer.body) <= MAX_KEPT_BODY_BYTES else None
            finished = _Entry(entry.work, True, kept)
            self._keep(action_id, finished)
            self._append(_finished_line(action_id, finished))

    def sync(self) -> None:
        """Forces what was appended to the disk, rewrites the file when it has grown; takes milliseconds."""
        with self._lock:
            if not self._is_dirty:
                return
            self._is_dirty = False
            if self._lines > 4 * self._max_entries:
                previous, self._descriptor = self._descriptor, self._rewrite()
                os.close(previous)
                return
            descriptor = os.dup(self._descriptor)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """The last lines are on the disk. The journal cannot be used any more. Twice is once."""
        if self._is_closed:
            return
        self._is_closed = True
        self.sync()
        with self._lock:
            os.close(self._descriptor)

    def _keep(self, action_id: str, entry: _Entry) -> None:
        replaced = self._entries.pop(action_id, None)
        self._kept_bytes += entry.kept_bytes - (replaced.kept_bytes if replaced else 0)
        self._entries[action_id] = entry
        while len(self._entries) > self._max_entries or self._kept_bytes > MAX_KEPT_BYTES:
            _, oldest = self._entries.popitem(last=False)
            self._kept_bytes -= oldest.kept_bytes

    def _append(self, line: dict[str, object]) -> None:
        encoded = b"\n" * self._is_torn + _encoded(line)
        written = os.write(self._descriptor, encoded)
        self._is_torn = written != len(encoded)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._lines += 1
        self._is_dirty = True

    def _load(self) -> None:
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            self._load_line(line)
        self._is_torn = lines[-1] != b""
        self._lines = len(lines) - 1

    def _load_line(self, line: bytes) -> None:
        try:
            match json.loads(line):
                case {"salt": str(salt)}:
                    self._salt = bytes.fromhex(salt)
                    self._has_salt = True
                case {"begun": str(action_id), "work": str(work)}:
                    self._keep(action_id, _Entry(work))
                case {"finished": str(action_id), **answer} if action_id in self._entries:
                    work = self._entries[action_id].work
                    self._keep(action_id, _Entry(work, True, _answer_of(answer)))
                case _:
                    pass
        except ValueError:
            # The process was killed inside a write: what the line would have said had not happened yet.
            pass

    def _reopen(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _rewrite(self) -> int:
        temporary = self._path.with_name(f"{JOURNAL_FILE}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600)
        lines = [_encoded(line) for line in self._all_lines()]
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.writelines(lines)
        os.fdatasync(descriptor)
        temporary.replace(self._path)
        self._is_torn = False
        self._lines = len(lines)
        return descriptor

    def _all_lines(self) -> Iterator[dict[str, object]]:
        yield {"salt": self._salt.hex()}
        for action_id, entry in self._entries.items():
            yield {"begun": action_id, "work": entry.work}
            if entry.finished:
                yield _finished_line(action_id, entry)


def _finished_line(action_id: str, entry: _Entry) -> dict[str, object]:
    line: dict[str, object] = {"finished": action_id}
    if entry.answer is not None:
        line["status"] = entry.answer.status
        line["headers"] = dict(entry.answer.headers)
        line["body"] = base64.b64encode(entry.answer.body).decode()
    return line


def _answer_of(line: Mapping[object, object]) -> Answer | None:
    match line:
        case {"status": int(status), "headers": dict(headers), "body": str(body)}:
            return Answer(status, base64.b64decode(body), headers)
        case _:
            return None


def _encoded(line: dict[str, object]) -> bytes:
    return _to_json(line).encode() + b"\n"
