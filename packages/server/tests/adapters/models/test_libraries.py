"""The providers' libraries are loaded with the first question and not before."""

import subprocess
import sys

from cyberdesk_server.adapters.models.libraries import Libraries

HEAVY = ("anthropic", "openai", "genai_prices", "httpx2", "cv2")


def test_an_idle_server_loads_none_of_them() -> None:
    code = f"import sys, cyberdesk_server.bootstrap; print([name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert loaded.stdout.strip() == "[]"


async def test_one_client_for_each_address_and_no_key_in_it() -> None:
    libraries = Libraries()

    first, again = await libraries.anthropic("http://a"), await libraries.anthropic("http://a")
    other = await libraries.openai("http://b/v1")

    assert first is again
    assert (first.api_key, other.api_key) == ("none", "none")
    assert first.with_options(api_key="sk-one-call")._client is first._client
    await libraries.close()
