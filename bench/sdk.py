"""Our SDK beside the vendor's, in the same minutes: import, calls, a large page, a thousand calls at once.

Each is installed in an environment of its own (`sdk_environments.py`), each sample is a fresh process
(`sdk_probe.py`), and the two take turns, so that whatever else the machine does hits both.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench import sdk_api, sdk_environments, sdk_probe
from bench.goals import Floor, Goal, tell

PROBE = Path(sdk_probe.__file__)
ROUNDS = {"start": 9, "calls": 5, "page": 3, "at_once": 1, "at_once_bare": 1}
"""Probe -> processes for each SDK. A thousand calls at once take the others a minute or more."""

PROBE_TIMEOUT_SECONDS = 300

IMPORT_SHARE = Goal("sdk_import_share_of_vendor", at_most=1 / 8)
MEMORY_SHARE = Goal("sdk_import_memory_share_of_vendor", at_most=1 / 2)
CLIENT_SHARE = Goal("sdk_client_share_of_vendor", at_most=1 / 4)
CALL_TIMES_BARE = Goal("sdk_call_times_bare_httpx", at_most=1.15)
PAGE_TIMES_FASTER = Floor("sdk_page_times_faster", at_least=3)
AT_ONCE_SUCCEEDED = Floor("sdk_at_once_succeeded", at_least=sdk_probe.AT_ONCE)
AT_ONCE_SHARE = Goal("sdk_at_once_share_of_vendor", at_most=1)

Environments = dict[str, Path]
Medians = dict[str, sdk_probe.Figures]
"""Whose SDK -> name of the figure -> median."""


def measure() -> None:
    environments = _environments()
    with sdk_api.running() as base_url:
        tell("sdk_api_us_per_request", sdk_api.microseconds_per_request(base_url))
        _start(_medians("start", environments, base_url))
        _calls(_medians("calls", environments, base_url))
        _page(_medians("page", environments, base_url))
        _at_once(environments, base_url)


def _environments() -> Environments:
    """Whose SDK -> the Python that has it. Without a network ours alone, in the checkout's environment."""
    ours, vendors = sdk_environments.ours(), sdk_environments.vendors()
    if ours is None or vendors is None:
        print("sdk: the vendor's SDK cannot be installed (no network?); our figures alone", flush=True)
        return {"ours": ours or Path(sys.executable)}
    return {"ours": ours, "vendor": vendors}


def _start(figures: Medians) -> None:
    _tell_all("sdk", figures)
    if "vendor" in figures:
        ours, vendor = figures["ours"], figures["vendor"]
        IMPORT_SHARE.tell(ours["import_ms"] / vendor["import_ms"])
        MEMORY_SHARE.tell(ours["import_mb"] / vendor["import_mb"])
        CLIENT_SHARE.tell(ours["client_ms"] / vendor["client_ms"])


def _calls(figures: Medians) -> None:
    _tell_all("sdk_call", figures)
    for whose, of in figures.items():
        tell(f"sdk_call_times_bare_httpx_{whose}", of["sdk_cpu_us"] / of["bare_cpu_us"])
    CALL_TIMES_BARE.tell(figures["ours"]["sdk_cpu_us"] / figures["ours"]["bare_cpu_us"])


def _page(figures: Medians) -> None:
    _tell_all("sdk_page", figures)
    if "vendor" in figures:
        PAGE_TIMES_FASTER.tell(figures["vendor"]["sdk_ms"] / figures["ours"]["sdk_ms"])


def _at_once(environments: Environments, base_url: str) -> None:
    figures = _medians("at_once", environments, base_url)
    bare = _medians("at_once_bare", {"bare_httpx": environments["ours"]}, base_url)
    _tell_all("sdk_at_once", figures | bare)
    AT_ONCE_SUCCEEDED.tell(figures["ours"]["succeeded"])
    if "vendor" in figures:
        AT_ONCE_SHARE.tell(figures["ours"]["seconds"] / figures["vendor"]["seconds"])


def _medians(probe: str, environments: Environments, base_url: str) -> Medians:
    samples: dict[str, list[sdk_probe.Figures]] = {whose: [] for whose in environments}
    for _ in range(ROUNDS[probe]):
        for whose, python in environments.items():
            samples[whose].append(_sample(python, probe, base_url))
    return {whose: {name: median(one[name] for one in of) for name in of[0]} for whose, of in samples.items()}


def _sample(python: Path, probe: str, base_url: str) -> sdk_probe.Figures:
    """The figures of one process; one that takes too long has taken that long and has got nothing."""
    command = [str(python), "-I", str(PROBE), probe, base_url]
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=PROBE_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"sdk: {probe} was stopped after {PROBE_TIMEOUT_SECONDS} s", flush=True)
        return {"seconds": PROBE_TIMEOUT_SECONDS, "succeeded": 0}
    figures: sdk_probe.Figures = json.loads(done.stdout)
    return figures


def _tell_all(prefix: str, figures: Medians) -> None:
    for name in figures["ours"]:
        for whose, of in figures.items():
            stem, _, unit = f"_{name}".rpartition("_")
            tell(f"{prefix}{stem}_{whose}_{unit}", of[name])


if __name__ == "__main__":
    measure()
