"""The API key: from the environment, a private file or standard input, and never from the command line."""

import os
import stat
from collections.abc import MutableMapping
from pathlib import Path
from typing import TextIO

from cyberdriver.errors import NoKey

ENVIRONMENT_VARIABLE = "CYBERDESK_AGENT_KEY"
THREE_WAYS = (
    f"give the API key in the environment variable {ENVIRONMENT_VARIABLE}, "
    "in a file that only you can read (--key-file FILE), or on standard input (--key-stdin)"
)
MAX_KEY_CHARACTERS = 512


def find_key(
    key_file: Path | None, is_on_stdin: bool, stdin: TextIO, environment: MutableMapping[str, str]
) -> str:
    """The key. It is taken out of the environment, so that no program started later inherits it.

    Raises `NoKey` when there is none, two are named, or the file is open to others.
    """
    from_environment = environment.pop(ENVIRONMENT_VARIABLE, "")
    if key_file is not None and is_on_stdin:
        raise NoKey("--key-file and --key-stdin exclude each other")
    if key_file is not None:
        return _checked(_read(key_file), str(key_file))
    if is_on_stdin:
        return _checked(stdin.readline(), "standard input")
    if not from_environment:
        raise NoKey(f"no API key: {THREE_WAYS}")
    return _checked(from_environment, ENVIRONMENT_VARIABLE)


def _read(path: Path) -> str:
    try:
        with path.expanduser().open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise NoKey(f"--key-file {path}: others can read it (mode {mode:04o}); chmod 600 {path}")
            return file.readline()
    except UnicodeDecodeError:
        raise NoKey(f"--key-file {path}: holds no text") from None
    except OSError as error:
        raise NoKey(f"--key-file {path}: {error.strerror or error}") from error


def _checked(text: str, origin: str) -> str:
    key = text.strip()
    if not key:
        raise NoKey(f"{origin} holds no API key")
    if len(key) > MAX_KEY_CHARACTERS or not all("!" <= character <= "~" for character in key):
        raise NoKey(f"{origin} holds something that is no API key")
    return key
