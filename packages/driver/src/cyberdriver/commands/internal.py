"""About the driver itself: how it is, staying awake, ending, updating."""

import gc
import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cyberdriver import __version__
from cyberdriver.answers import NOTHING, Answer, json_answer, problem
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk

_STARTED_SECONDS = time.monotonic()


def diagnostics(call: Call, desk: Desk) -> Work:
    """Free-form facts for a person who looks for a fault; sizes in MiB."""

    def run() -> Answer:
        with desk.desktop.use() as use:
            backend, size = use.backend.name, str(use.backend.size())
        return json_answer(
            {
                "version": __version__,
                "timestamp": datetime.now(UTC).isoformat(),
                "uptime_seconds": round(time.monotonic() - _STARTED_SECONDS, 3),
                "platform": platform.platform(),
                "python_version": platform.python_version(),
                "thread_count": threading.active_count(),
                "gc_counts": gc.get_count(),
                "memory_mb": _resident_mib(),
                "num_fds": _open_descriptors(),
                "backend": backend,
                "screen": size,
                "shell": desk.shells.program,
            }
        )

    return Work(run)


def shutdown(call: Call, desk: Desk) -> Work:
    """`{"source"?, "reason"?}`: answers, then the driver ends as after a signal and does not join again."""
    body = call.body()
    source = body.optional_text("source", max_characters=200) or "cloud-api"
    reason = body.optional_text("reason", max_characters=200) or "user_disabled_machine"

    def run() -> Answer:
        desk.request_shutdown(f"{source}: {reason}")
        return json_answer({"status": "shutting_down", "source": source, "reason": reason})

    return Work(run)


def update(call: Call, desk: Desk) -> Work:
    """`{"version"?, "restart"?}`: 501, because packages of this system are updated by who installed them."""
    body = call.body()
    body.optional_text("version", max_characters=100)
    body.optional_boolean("restart")

    def run() -> Answer:
        return problem(
            501,
            f"the driver does not replace itself on {platform.system()}: "
            "install the new version with the package manager it came from and restart it",
            current_version=__version__,
        )

    return Work(run)


def keepalive_activity(call: Call, desk: Desk) -> Work:
    """The machine this one keeps awake was busy: its idle time starts anew."""
    return Work(_then_nothing(desk.wakefulness.touch))


def keepalive_enable(call: Call, desk: Desk) -> Work:
    """From now on the pointer is nudged when idle."""
    return Work(_then_nothing(desk.wakefulness.enable))


def keepalive_disable(call: Call, desk: Desk) -> Work:
    """From now on it is not."""
    return Work(_then_nothing(desk.wakefulness.disable))


def _then_nothing(act: Callable[[], None]) -> Callable[[], Answer]:
    def run() -> Answer:
        act()
        return NOTHING

    return run


def _resident_mib() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(peak / (1024 if sys.platform == "linux" else 1024 * 1024), 1)
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _open_descriptors() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None
