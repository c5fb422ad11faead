"""The folder of everything a server keeps on its own disk: locked by one process, readable by one user."""

import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


class DataFolderUnusable(Exception):
    """The folder cannot be used; the text is one line that says why."""


class DataFolder:
    """An open, locked data folder. The lock ends with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Open the folder at `path`, which is made when it is not there. Raises `DataFolderUnusable`."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataFolderUnusable(
                f"the data folder {path} is not writable: {error.strerror or error}"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise DataFolderUnusable(f"the data folder {path} is in use by another server") from error

    @property
    def id(self) -> str:
        """Names the folder, however its path or its host are called at the next start."""
        return self.secret("folder.id", lambda: uuid4().hex.encode()).decode()

    def secret(self, name: str, make: Callable[[], bytes] = lambda: secrets.token_bytes(32)) -> bytes:
        """The bytes of the file of this name, made on first use and readable by this user only."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise DataFolderUnusable(f"{path} can be read by others: chmod 600 it")
                return file.read()
        except FileNotFoundError:
            value = make()
            write_private_file(path, value)
            return value
        except PermissionError as error:
            raise DataFolderUnusable(f"{path} cannot be read: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._lock)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that only this user may read; it is there whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
