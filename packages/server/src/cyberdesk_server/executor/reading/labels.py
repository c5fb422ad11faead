"""Where on a page is a label, although recognition slips? Pure rules over words.

A label is found as a run of whole words. Better matches come first:

1. the words are a phrase of their own, before words inside a longer phrase;
2. the same letters, before the same in another case, before letters that look alike (`l I 1`, `O 0`);
3. or else similar words, but only where the recognition itself was unsure, never in a digit, and only if
   one text of the page is similar;
4. then reading order: from top to bottom, from left to right.

A colon, dots or a star after a label do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.pages import Page, Phrase, Word, union

UNSURE_BELOW = 88
"""Readings with a confidence below this may be similar to a label instead of equal to it."""
NEAREST_SHOWN = 3
_LABEL_GAP_HEIGHTS = 1.6
_TRIMMED = " \t:;.,\u2026*\u00b7\u2022>\u25b8\u25b6\u25bc\u2039\u203a_|-\u2013"
_LOOK_ALIKE = str.maketrans(
    {
        "i": "l",
        "1": "l",
        "|": "l",
        "!": "l",
        "0": "o",
        "\u2019": "'",
        "\u2018": "'",
        "\u201c": '"',
        "\u201d": '"',
    }
)


@dataclass(frozen=True, slots=True)
class Match:
    """A place where a label stands."""

    text: str
    """As it was read there."""

    box: Box
    is_whole: bool
    """True when the label is the whole phrase and not a part of one."""

    rank: tuple[int, int, int]
    """Lower is better."""


def matches(page: Page, label: str) -> list[Match]:
    """Where the label stands, best first; empty when it is nowhere."""
    wanted = _Wanted.of(label)
    found = _unambiguous([match for line in page.lines for match in _matches_in(line, wanted)])
    best: list[Match] = []
    for match in sorted(found, key=lambda match: match.rank):
        if not any(_overlap(match.box, better.box) for better in best):
            best.append(match)
    return best


def nearest(page: Page, label: str) -> list[str]:
    """What a page says that is most like a label that is not on it, for error messages."""
    wanted = trimmed(label).casefold()
    scored = sorted(
        (
            (SequenceMatcher(None, wanted, phrase.text.casefold()).ratio(), phrase.text)
            for phrase in page.phrases
        ),
        key=lambda scored: -scored[0],
    )
    distinct = dict.fromkeys(text for score, text in scored if score >= 0.4)
    return list(distinct)[:NEAREST_SHOWN]


def trimmed(text: str) -> str:
    """A label without what may follow it: colon, dots, star. A label of nothing else stays as it is."""
    return " ".join(text.split()).strip(_TRIMMED) or text.strip()


def _unambiguous(found: list[Match]) -> list[Match]:
    """Equal matches, or else similar ones, if only one text on the page is similar."""
    equal = [match for match in found if match.rank[0] == 0]
    if equal:
        return equal
    closest = min((match.rank[2] for match in found), default=0)
    similar = [match for match in found if match.rank[2] == closest]
    return similar if len({_folded(match.text) for match in similar}) == 1 else []


@dataclass(frozen=True, slots=True)
class _Wanted:
    exact: str
    caseless: str
    folded: str
    word_count: int

    @classmethod
    def of(cls, label: str) -> "_Wanted":
        exact = trimmed(label)
        return cls(exact, exact.casefold(), _folded(exact), len(exact.split()))


def _folded(text: str) -> str:
    """Letters that look alike made one, spaces left out."""
    return "".join(text.casefold().split()).translate(_LOOK_ALIKE).replace("rn", "m").replace("vv", "w")


def _matches_in(line: Sequence[Phrase], wanted: _Wanted) -> Iterator[Match]:
    words = [(word, phrase) for phrase in line for word in phrase.words]
    for start in range(len(words)):
        # Recognition may lose or invent a space, so one word more or less is tried too.
        for count in range(max(wanted.word_count - 1, 1), wanted.word_count + 2):
            run = words[start : start + count]
            if len(run) < count or not _stand_together([word for word, _ in run]):
                break
            match = _match(run, wanted)
            if match is not None:
                yield match


def _match(run: Sequence[tuple[Word, Phrase]], wanted: _Wanted) -> Match | None:
    text = " ".join(word.text for word, _ in run)
    confidence = min(phrase.confidence for _, phrase in run)
    closeness = _closeness(trimmed(text), wanted, confidence)
    if closeness is None:
        return None
    is_whole = _is_whole(run)
    is_similar = int(closeness >= _SIMILAR)
    return Match(
        text, union(word.box for word, _ in run), is_whole, (is_similar, int(not is_whole), closeness)
    )


_SIMILAR = 3


def _closeness(text: str, wanted: _Wanted, confidence: int) -> int | None:
    """0 the same, 1 in another case, 2 letters that look alike, 3 and more similar, None different."""
    if text == wanted.exact:
        return 0
    if text.casefold() == wanted.caseless:
        return 1
    folded = _folded(text)
    if folded == wanted.folded:
        return 2
    edits_allowed = 0 if len(wanted.folded) < 5 else 1 if len(wanted.folded) < 12 else 2
    if confidence >= UNSURE_BELOW or not edits_allowed or _digits(folded) != _digits(wanted.folded):
        return None
    edits = _edits(folded, wanted.folded)
    return _SIMILAR + edits if edits <= edits_allowed else None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


@cache
def _edits(first: str, second: str) -> int:
    """How many letters to change, add or leave out to make one of the other."""
    if abs(len(first) - len(second)) > 2:
        return 3
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, other in enumerate(second, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (letter != other))
    return row[-1]


def _is_whole(run: Sequence[tuple[Word, Phrase]]) -> bool:
    words = [word for word, _ in run]
    phrases = {id(phrase): phrase for _, phrase in run}.values()
    return sum(len(phrase.words) for phrase in phrases) == len(words)


def _stand_together(words: Sequence[Word]) -> bool:
    return all(
        second.box.left - first.box.right <= _LABEL_GAP_HEIGHTS * max(first.box.height, second.box.height, 8)
        for first, second in pairwise(words)
    )


def _overlap(first: Box, second: Box) -> bool:
    return (
        first.left < second.right
        and second.left < first.right
        and first.top < second.bottom
        and second.top < first.bottom
    )
