"""Regular expressions of callers, in a process that can be stopped."""

import re

import pytest
from cyberdesk_server.executor import matching
from cyberdesk_server.executor.matching import MatchingTooSlow, full_matches


async def test_texts_match_as_a_whole() -> None:
    texts = ["a.pdf", "aa.pdf", "a.pdf.txt", "ä\n🙂.pdf", ""]

    for pattern in (r"a+\.pdf", r".*", r"(?s).*pdf", r"(?!aa).*\.pdf", ""):
        found = await full_matches(pattern, texts)

        assert found == {text for text in texts if re.fullmatch(pattern, text)}


async def test_one_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MATCH_SECONDS", 0.3)

    with pytest.raises(MatchingTooSlow, match=r"longer than 0\.3 seconds"):
        await full_matches("(a+)+b", ["a" * 64])
