"""Regular expressions that callers wrote, matched in a process of their own.

One can take longer than the universe, nothing inside a Python process can stop it, and everything else of
the process would wait.
"""

import asyncio
import json
import sys
from collections.abc import Sequence

MATCH_SECONDS = 5.0

_PROGRAM = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
json.dump([text for text in texts if re.fullmatch(pattern, text)], sys.stdout)
"""


class MatchingTooSlow(Exception):
    """The regular expression took longer than `MATCH_SECONDS`."""

    def __str__(self) -> str:
        return f"the regular expression took longer than {MATCH_SECONDS:g} seconds"


async def full_matches(pattern: str, texts: Sequence[str]) -> frozenset[str]:
    """Those of the texts that match as a whole. `pattern` is known to be one. Raises `MatchingTooSlow`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(MATCH_SECONDS):
            answer, _ = await process.communicate(json.dumps([pattern, list(texts)]).encode())
    except TimeoutError as error:
        raise MatchingTooSlow from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return frozenset(json.loads(answer))
