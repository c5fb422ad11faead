"""Which tests `make test-fast` leaves out though each is quick, which begin first, how patient they are."""

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A machine may be slow or busy: that is no finding.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ROOT = Path(__file__).parent
BROAD = (
    "demo/tests",
    "packages/driver/tests/backends",
    "packages/driver/tests/test_desktop.py",
    "packages/driver/tests/tunnel/test_hostile_server.py",
    "packages/sdk/tests/cli",
    "packages/sdk/tests/test_documents.py",
    "packages/sdk/tests/test_generated_models.py",
    "packages/sdk/tests/test_requests.py",
    "packages/server/tests/adapters",
    "packages/server/tests/api",
    "packages/server/tests/executor/reading",
    "packages/server/tests/executor/replay",
    "packages/server/tests/executor/test_files.py",
    "packages/server/tests/executor/language_models",
    "packages/server/tests/executor/steps/test_steps_documented.py",
    "packages/server/tests/executor/steps/test_steps_model.py",
    "packages/server/tests/executor/test_secret_canary.py",
    "packages/server/tests/gateway",
    "packages/server/tests/test_cli.py",
    "packages/server/tests/worker",
    "tests",
)
"""The API over HTTP, every request of the SDK, real screens and the reading of them, programs of their own,
pages held to the code, and what one test asks of all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database of those tests of the server that do not ask for one kind (default: sqlite)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_broad(item.path):
            item.add_marker("broad")
    # What takes longest begins first: it must not be what everybody waits for in the end.
    items.sort(key=_patience_seconds, reverse=True)


def pytest_configure() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: nobody need look again and again whether they are garbage."""
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seed = config.getoption("randomly_seed", None)
    if seed is not None and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"in the same order again: --randomly-seed={seed}")


def _patience_seconds(item: pytest.Item) -> float:
    """How long the test may take, where it says so itself."""
    own = item.get_closest_marker("timeout")
    return float(own.args[0]) if own else 0.0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is left out anyway need not be read: that alone takes many seconds."""
    is_left_out = "not broad" in config.option.markexpr and _is_broad(collection_path)
    return True if is_left_out else None


def _is_broad(path: Path) -> bool:
    return any(path.is_relative_to(ROOT / place) for place in BROAD)
