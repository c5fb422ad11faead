"""Fuzz the API; the exit code is 0 when nothing was found."""

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cyberdesk_server.testing.programs import script
from cyberdesk_server.testing.rows import a_postgresql

from fuzz import verdict
from fuzz.site import ROOT, Site, a_site

FULL_SECONDS = 600
GRACE_SECONDS = 300
"""How long schemathesis may take beyond its time: what it has begun it finishes, and shrinks."""


def main() -> None:
    arguments = _arguments()
    with TemporaryDirectory(prefix="cyberdesk-fuzz-") as made, _database(arguments.database) as url:
        folder = arguments.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        with a_site(folder, database_url=url) as site:
            exit_code = _fuzz(site, arguments)
        found = verdict.read(folder / "server-0.log")
    for fault in found.faults:
        print(f"fuzz: the server says: {fault}", file=sys.stderr)
    total = sum(found.statuses.values())
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    print(f"fuzz: {total} answers ({statuses}), {len(found.faults)} faults of the server")
    sys.exit(exit_code or bool(found.faults))


def _arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m fuzz", description=__doc__, epilog="Example: python -m fuzz --seconds 60 --seed 1"
    )
    parser.add_argument(
        "--seconds", type=int, default=FULL_SECONDS, help="how long to go on; %(default)s when not told"
    )
    parser.add_argument("--seed", type=int, help="of an earlier run, which it then repeats")
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="%(default)s when not told"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where data and logs stay afterwards")
    parser.add_argument("rest", nargs="*", metavar="-- OPTION", help="options of `schemathesis run` besides")
    return parser.parse_args()


@contextmanager
def _database(kind: str) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
    else:
        with a_postgresql() as server:
            yield server.url("postgres")


def _fuzz(site: Site, arguments: Namespace) -> int:
    """The exit code of schemathesis."""
    command = [script("schemathesis"), f"--config-file={ROOT / 'fuzz' / 'schemathesis.toml'}", "run"]
    command += [f"{site.server.base_url}/openapi.json", f"--max-time={arguments.seconds}"]
    if arguments.seed is not None:
        command.append(f"--seed={arguments.seed}")
    environment = {"FUZZ_USERS": str(site.users), "FUZZ_MACHINE_ID": site.machine_id}
    asked = subprocess.run(
        [*command, *arguments.rest],
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=arguments.seconds + GRACE_SECONDS,
        check=False,
    )
    return asked.returncode


if __name__ == "__main__":
    main()
