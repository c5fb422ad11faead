"""Which machine this is: a fingerprint made once and kept, and a lock so that one machine joins once."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyberdriver.errors import AlreadyRunning, SettingsError

IDENTITY_FILE = "identity.json"
LOCK_FILE = "lock"


def load_identity(folder: Path) -> uuid.UUID:
    """The fingerprint of this machine, a version 4 UUID; made and stored at the first call.

    Golden images must be taken before the first call or after a `reset_identity`: machines with one
    fingerprint are one machine to the server. Raises `SettingsError` when the file cannot be read or holds
    something else.
    """
    path = folder / IDENTITY_FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return uuid.UUID(stored["fingerprint"])
    except FileNotFoundError:
        return reset_identity(folder)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(
            f"{path} holds no fingerprint; `cyberdriver identity --reset` makes a new one"
        ) from error


def reset_identity(folder: Path) -> uuid.UUID:
    """A new fingerprint in place of the old one: the server will see a new machine."""
    fingerprint = uuid.uuid4()
    write_private(folder / IDENTITY_FILE, json.dumps({"fingerprint": str(fingerprint)}) + "\n")
    return fingerprint


def write_private(path: Path, text: str) -> None:
    """The file holds this text, all or nothing, readable by its owner only. Raises `SettingsError`."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error


@contextmanager
def sole_user_of(folder: Path) -> Iterator[None]:
    """Holds the folder for one driver at a time; freed even by a kill. Raises `AlreadyRunning`."""
    with (folder / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(folder) from None
        yield
