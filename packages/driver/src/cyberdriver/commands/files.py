"""Folders and files of the machine. Relative paths begin in the transfer folder, `~` expands.

Where the owner named roots, a path counts by where it really leads, symbolic links followed, before it is
touched.
"""

import base64
import binascii
import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyberdriver.answers import JSON, Answer, Refused, json_answer
from cyberdriver.commands.call import Call, Fields, Work
from cyberdriver.commands.desk import Desk

MAX_FILE_BYTES = 100 * 1024 * 1024
_CHUNK_BYTES = 3 * 64 * 1024
"""Divisible by three, so that the base64 of chunks is the base64 of the whole."""


def list_folder(call: Call, desk: Desk) -> Work:
    """Query `path`: `{"path", "entries": [{"name", "path", "is_dir", "is_file", "size", "modified"}]}`.

    Folders come first. Published drivers call the list `entries` or `items`; both are here. An unreadable
    entry has an `error`.
    """
    query = call.query()
    given = query.optional_text("path") or "."
    path = _path(desk, query, given)

    def run() -> Answer:
        with _failures(given):
            if path == desk.transfers:
                path.mkdir(parents=True, exist_ok=True)
            if not path.is_dir():
                _must_exist(path, given)
                raise Refused(400, f"{given} is not a folder")
            entries = sorted(
                map(_entry, path.iterdir()), key=lambda entry: (not entry["is_dir"], str(entry["name"]))
            )
        return json_answer({"path": str(path), "entries": entries, "items": entries})

    return Work(run, {"path": str(path)})


def read_file(call: Call, desk: Desk) -> Work:
    """Query `path`: `{"path", "content": base64, "size"}`; 413 above 100 MiB."""
    query = call.query()
    given = query.text("path")
    path = _path(desk, query, given)

    def run() -> Answer:
        with _failures(given), _opened(path, given, os.O_RDONLY) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes > MAX_FILE_BYTES:
                raise Refused(413, f"{given} has {size_bytes} bytes, more than {MAX_FILE_BYTES}")
            return _file_answer(path, file)

    return Work(run, {"path": str(path)})


def write_file(call: Call, desk: Desk) -> Work:
    """`{"path", "content": base64, "mode"?: write|append}`: `{"path", "size", "modified"}`; makes folders."""
    body = call.body()
    given = body.text("path")
    path = _path(desk, body, given)
    mode = body.choice("mode", ["write", "append"], default="write")
    try:
        content = base64.b64decode(body.text("content", is_filled=False), validate=True)
    except (binascii.Error, ValueError):
        raise body.wrong("content", "must be base64") from None
    if len(content) > MAX_FILE_BYTES:
        raise Refused(413, f"content has {len(content)} bytes, more than {MAX_FILE_BYTES}")

    def run() -> Answer:
        with _failures(given):
            if path.is_dir():
                raise Refused(400, f"{given} is a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "append" else os.O_TRUNC)
            with _opened(path, given, flags) as file:
                _write_fully(file, content)
                status = os.fstat(file.fileno())
        return json_answer({"path": str(path), "size": status.st_size, "modified": status.st_mtime})

    return Work(run, {"path": str(path), "bytes": len(content), "mode": mode})


def _path(desk: Desk, fields: Fields, given: str) -> Path:
    """Where this path leads. Raises `Refused` outside the allowed roots."""
    if "\0" in given:
        raise fields.wrong("path", "must not hold a null character")
    try:
        path = desk.transfers / Path(given).expanduser()
    except RuntimeError:
        raise Refused(404, f"{given}: there is no such user") from None
    roots, own = desk.allowed.file_roots, desk.own_folder
    try:
        real = path.resolve()
        is_inside = roots is None or any(real.is_relative_to(root.resolve()) for root in roots)
        is_own = own is not None and real.is_relative_to(own.resolve())
    except (OSError, RuntimeError):
        is_inside, is_own, real = roots is None, False, path
    if is_own or not is_inside:
        raise Refused(403, f"{given} is outside the folders this machine allows")
    return Path(os.path.normpath(path)) if roots is None else real


@contextmanager
def _opened(path: Path, given: str, flags: int) -> Iterator[io.FileIO]:
    """The regular file, opened without waiting for the other end of a pipe. Others are refused."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "wb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused(400, f"{given} is not a file")
        assert isinstance(file, io.FileIO)
        yield file


def _file_answer(path: Path, file: io.FileIO) -> Answer:
    """The answer, built chunk by chunk: whole copies of a large file would cost several times its size."""
    head = json_answer({"path": str(path), "content": ""}).body
    body = io.BytesIO()
    body.write(head[: -len(b'"}')])
    size_bytes = 0
    while chunk := _read_fully(file, min(_CHUNK_BYTES, MAX_FILE_BYTES - size_bytes)):
        body.write(base64.b64encode(chunk))
        size_bytes += len(chunk)
    body.write(b'","size":%d}' % size_bytes)
    return Answer(200, body.getvalue(), {"content-type": JSON})


def _read_fully(file: io.FileIO, count: int) -> bytes:
    chunk = file.read(count) or b""
    while chunk and len(chunk) < count and (more := file.read(count - len(chunk))):
        chunk += more
    return chunk


def _write_fully(file: io.FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _entry(path: Path) -> dict[str, object]:
    entry: dict[str, object] = {"name": path.name, "path": str(path), "is_dir": False, "is_file": False}
    try:
        status = path.stat()
    except OSError as error:
        return entry | {"size": 0, "modified": 0.0, "error": error.strerror or str(error)}
    return entry | {
        "is_dir": stat.S_ISDIR(status.st_mode),
        "is_file": stat.S_ISREG(status.st_mode),
        "size": status.st_size,
        "modified": status.st_mtime,
    }


def _must_exist(path: Path, given: str) -> None:
    if not path.exists():
        raise Refused(404, f"{given} does not exist")


_STATUSES = {
    errno.ENOENT: 404,
    errno.EACCES: 403,
    errno.EPERM: 403,
    errno.EROFS: 403,
    errno.ENOSPC: 507,
    errno.EDQUOT: 507,
}


@contextmanager
def _failures(given: str) -> Iterator[None]:
    """The operating system's refusals as answers: missing 404, forbidden 403, full 507, wrong kind 400."""
    try:
        yield
    except OSError as error:
        status = _STATUSES.get(error.errno or 0, 400)
        raise Refused(status, f"{given}: {error.strerror or error}") from error
