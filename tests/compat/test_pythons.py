"""The SDK alone, installed from this checkout, works on every promised Python that this machine has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = Path(__file__).with_name("smoke_of_the_sdk.py")
PROMISED = ("3.10", "3.11", "3.12", "3.13", "3.14")
FAREWELL_SECONDS = 170

pytestmark = pytest.mark.slow


def candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be."""
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    for folder in sorted(Path.home().glob(f".pyenv/versions/{version}*")):
        yield str(folder / "bin" / "python")


def is_usable(python: str, version: str) -> bool:
    """Whether it runs, is of this version, and can make environments."""
    say = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", say], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=FAREWELL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installs into other environments, which need none of their own then: making one takes seconds."""
    environment = tmp_path_factory.mktemp("pip") / "venv"
    run(sys.executable, "-m", "venv", environment)
    return environment / "bin" / "pip"


@pytest.fixture(scope="session")
def wheel(pip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK as people get it, built once."""
    folder = tmp_path_factory.mktemp("wheel")
    run(pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT / "packages" / "sdk")
    [built] = folder.glob("cyberdesk-*.whl")
    return built


def test_this_machine_has_a_promised_python():
    assert any(is_usable(python, version) for version in PROMISED for python in candidates(version))


@pytest.mark.parametrize("version", PROMISED)
def test_the_sdk_alone_works(version: str, pip: Path, wheel: Path, tmp_path: Path):
    python = next((one for one in candidates(version) if is_usable(one, version)), None)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    run(python, "-m", "venv", "--without-pip", tmp_path / "venv")
    inside = tmp_path / "venv" / "bin" / "python"

    run(pip, "--python", inside, "install", "--quiet", "--disable-pip-version-check", wheel)

    assert run(inside, "-I", SMOKE) == f"fine {version.replace('.', ' ')}\n"
    assert says_what_is_missing(tmp_path / "venv" / "bin" / "cyberdesk")


def test_an_older_python_is_told_so(wheel: Path):
    name = wheel.name.split("-")

    assert name[0] == "cyberdesk"
    assert "Requires-Python: >=3.10" in metadata(wheel)


def test_the_wheel_asks_for_httpx_and_attrs_only(wheel: Path):
    wanted = [line for line in metadata(wheel).splitlines() if line.startswith("Requires-Dist: ")]

    assert [line for line in wanted if "extra ==" not in line] == [
        "Requires-Dist: attrs>=23.2",
        "Requires-Dist: httpx>=0.27",
    ]


def says_what_is_missing(command: Path) -> bool:
    """Whether the command line, installed without its extra, ends with 2 and the one line that helps."""
    done = subprocess.run([command, "health"], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode == 2 and done.stderr.endswith(' pip install "cyberdesk[cli]"\n')


def metadata(wheel: Path) -> str:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return archive.read(name).decode()
