"""A machine that joins a server with a painted desktop, so that whatever is asked of it hurts nobody.

Its shell finds no programs and begins in its own folder; its files are below that folder; it does not end
when it is told to.
"""

import asyncio
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from cyberdriver.api_key import find_key
from cyberdriver.backends.fake import FakeBackend
from cyberdriver.identity import load_identity
from cyberdriver.joining import Machine, run
from cyberdriver.log import start_logging
from cyberdriver.settings import Allowed, Settings, make_config_folder
from cyberdriver.tunnel import Greeting, parse_address


def main() -> None:
    parser = ArgumentParser(prog="python -m fuzz.desktop", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--server", required=True, help="address of the server")
    parser.add_argument("--name", required=True, help="name of the machine")
    parser.add_argument("--folder", type=Path, required=True, help="of its settings, its shell and its files")
    arguments = parser.parse_args()
    start_logging(is_verbose=False)
    asyncio.run(run(_machine(arguments.server, arguments.name, arguments.folder), None))


def _machine(server: str, name: str, folder: Path) -> Machine:
    config, files = make_config_folder(folder / "config"), folder / "files"
    files.mkdir(exist_ok=True)
    key = find_key(None, False, sys.stdin, os.environ)
    return Machine(
        parse_address(server, allow_insecure=False),
        Greeting(key, str(load_identity(config)), name, name, None),
        Settings(allow=Allowed(file_roots=(files,), shutdown=False), shell_program="sh"),
        config,
        FakeBackend,
        environment={"HOME": str(files), "PATH": str(folder / "no programs")},
        is_virtual=True,
    )


if __name__ == "__main__":
    main()
