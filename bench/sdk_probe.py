"""One measurement of the SDK in this environment, in a process of its own; prints its figures as JSON.

    python -I sdk_probe.py start|calls|page|at_once|at_once_bare BASE_URL

It uses only what our SDK and the vendor's have under the same name, and nothing of this repository. What a
probe needs it imports itself: what is loaded already is not in the time and the memory of an import.
Processor time is the same however busy the machine is; it is taken where nothing is waited for.
"""

from __future__ import annotations

import sys
from time import perf_counter, process_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RUN_ID = "00000000-0000-0000-0000-000000000001"
KEY = "a-key"
CALLS = 400
WARM_UP_CALLS = 40
PAGES = 3
AT_ONCE = 1000
BARE_TIMEOUT_SECONDS = 600

Figures = dict[str, float]


def start(base_url: str) -> Figures:
    """Import, first client and first answer, each from the beginning, in processor time."""
    began = process_time()
    from cyberdesk import CyberdeskClient

    imported, resident_kib = process_time(), _resident_kib()
    client = CyberdeskClient(KEY, base_url=base_url)
    built = process_time()
    answer = client.runs.get_sync(RUN_ID)
    answered = process_time()
    assert answer.data is not None, answer.error
    return {
        "import_ms": 1000 * (imported - began),
        "import_mb": resident_kib / 1024,
        "client_ms": 1000 * (built - began),
        "answer_ms": 1000 * (answered - began),
    }


def calls(base_url: str) -> Figures:
    """`runs.get` and the same request by bare httpx, in turns, in processor time and in time of the clock."""
    from statistics import median

    import httpx
    from cyberdesk import CyberdeskClient

    client = CyberdeskClient(KEY, base_url=base_url)
    bare = httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {KEY}"})
    path = f"/v1/runs/{RUN_ID}"
    sdk, plain = Calls(lambda: client.runs.get_sync(RUN_ID).data), Calls(lambda: bare.get(path).json())
    for _ in range(WARM_UP_CALLS + CALLS):
        sdk.make()
        plain.make()
    return {
        "sdk_cpu_us": 1e6 * median(sdk.processor_seconds[WARM_UP_CALLS:]),
        "bare_cpu_us": 1e6 * median(plain.processor_seconds[WARM_UP_CALLS:]),
        "sdk_us": 1e6 * median(sdk.seconds[WARM_UP_CALLS:]),
        "bare_us": 1e6 * median(plain.seconds[WARM_UP_CALLS:]),
    }


class Calls:
    """Calls of one kind, and how long each took."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.seconds: list[float] = []
        self.processor_seconds: list[float] = []
        self._call = call

    def make(self) -> None:
        """One call."""
        began, begun = perf_counter(), process_time()
        got = self._call()
        self.processor_seconds.append(process_time() - begun)
        self.seconds.append(perf_counter() - began)
        assert got is not None


def page(base_url: str) -> Figures:
    """`runs.list` of a large page, and what of it goes into receiving the bytes, in processor time."""
    from statistics import median

    import httpx
    from cyberdesk import CyberdeskClient

    client = CyberdeskClient(KEY, base_url=base_url)
    taken, downloads = [], []
    for _ in range(PAGES):
        began = process_time()
        answer = client.runs.list_sync()
        taken.append(process_time() - began)
        assert answer.data is not None, answer.error
        assert answer.data.items[-1].run_message_history
        del answer
        began = process_time()
        httpx.get(f"{base_url}/v1/runs")
        downloads.append(process_time() - began)
    return {"sdk_ms": 1000 * median(taken), "download_ms": 1000 * median(downloads)}


def at_once(base_url: str) -> Figures:
    """Many async calls of one client at the same time."""
    import asyncio

    from cyberdesk import CyberdeskClient

    async def get_all() -> Figures:
        client = CyberdeskClient(KEY, base_url=base_url)
        began = perf_counter()
        answers = await asyncio.gather(*(client.runs.get(RUN_ID) for _ in range(AT_ONCE)))
        seconds = perf_counter() - began
        return {"seconds": seconds, "succeeded": sum(answer.data is not None for answer in answers)}

    return asyncio.run(get_all())


def at_once_bare(base_url: str) -> Figures:
    """The same with one bare httpx client."""
    import asyncio

    import httpx

    async def get_all() -> Figures:
        async with httpx.AsyncClient(base_url=base_url, timeout=BARE_TIMEOUT_SECONDS) as client:
            began = perf_counter()
            answers = await asyncio.gather(*(client.get(f"/v1/runs/{RUN_ID}") for _ in range(AT_ONCE)))
            seconds = perf_counter() - began
            return {"seconds": seconds, "succeeded": sum(answer.is_success for answer in answers)}

    return asyncio.run(get_all())


def _resident_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


PROBES: dict[str, Callable[[str], Figures]] = {
    probe.__name__: probe for probe in (start, calls, page, at_once, at_once_bare)
}

if __name__ == "__main__":
    name, address = sys.argv[1:]
    figures = PROBES[name](address)

    import json

    print(json.dumps(figures))
