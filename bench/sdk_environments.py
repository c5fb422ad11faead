"""Two fresh environments of one Python: with our SDK and with the vendor's, each with what it needs.

They are kept in `var/bench/`, and made anew when what is installed in them has changed. pip compiles what it
installs, so no measurement pays for that.
"""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

BENCH = Path(__file__).resolve().parent
SDK = BENCH.parent / "packages" / "sdk"
FOLDER = BENCH.parent / "var" / "bench"
INSTALL_TIMEOUT_SECONDS = 300


def vendors() -> Path | None:
    """The Python that has the vendor's SDK; None when it cannot be installed."""
    return environment(BENCH / "vendor-sdk.requirements.lock")


def ours() -> Path | None:
    """The Python that has our SDK as it is now; None when what it needs cannot be installed."""
    python = environment(BENCH / "our-sdk.requirements.lock")
    if python is not None:
        with TemporaryDirectory() as folder:
            _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=SDK)
            [wheel] = Path(folder).glob("*.whl")
            _pip(python, "--no-deps", "--no-index", "--force-reinstall", str(wheel))
    return python


def environment(lock: Path) -> Path | None:
    """The Python of an environment with the packages of `NAME.requirements.lock`; None without a network."""
    folder = FOLDER / lock.name.partition(".requirements")[0]
    python = folder / "bin" / "python"
    stamp = folder / sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(folder))
    try:
        _pip(python, "--require-hashes", "-r", str(lock))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    stamp.touch()
    return python


def _pip(python: Path, *arguments: str) -> None:
    _run(str(python), "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_SECONDS)
