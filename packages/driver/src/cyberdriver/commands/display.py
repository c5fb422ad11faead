"""The screen: its size and its picture."""

from cyberdriver.answers import Answer, json_answer
from cyberdriver.backends.base import Size
from cyberdriver.commands.call import Call, Fields, Work
from cyberdriver.commands.desk import Desk
from cyberdriver.commands.screen import Use

DEFAULT_SIZE = Size(1024, 768)
MAX_SIDE_PIXELS = 16_384


def dimensions(call: Call, desk: Desk) -> Work:
    """`{"width", "height"}` in real pixels."""

    def run() -> Answer:
        with desk.desktop.use() as use:
            size = use.backend.size()
        return json_answer({"width": size.width, "height": size.height})

    return Work(run)


def screenshot(call: Call, desk: Desk) -> Work:
    """A PNG without the pointer. Query `width`, `height`, `mode` exact|aspect_fit|aspect_fill, `native`.

    Without a size the picture is stretched to 1024x768, as the published drivers do; with one side given,
    only that side is scaled; with `native=true` it is pixel for pixel. An unknown mode is `exact`. The
    `etag` of an answer names picture and form: a request that brings it as `if-none-match` gets 304 without
    a body while nothing has changed.
    """
    # Imported late: it brings Pillow, and the tunnel should stand before that is loaded.
    from cyberdriver.backends.png import ScaleMode, encode_png

    numbers = call.query_numbers("width", "height")
    query = call.query()
    is_native = query.optional_text("native") in ("true", "1")
    modes = {mode.value: mode for mode in ScaleMode}
    mode = modes.get(query.optional_text("mode") or "", ScaleMode.EXACT)
    wanted = None if is_native else _wanted(numbers)
    known_tags = _tags(call.request.header("if-none-match") or "")

    def run() -> Answer:
        with desk.desktop.use() as use:
            frame = use.backend.capture()
            size = frame.size if wanted is None else _completed(wanted, frame.size)
            tag = _tag(use, frame.version, size, mode.value)
        headers = {"etag": tag, "cache-control": "no-store"}
        if tag in known_tags:
            return Answer(304, b"", headers)
        return Answer(200, encode_png(frame, size, mode), {"content-type": "image/png", **headers})

    return Work(run)


def _wanted(numbers: Fields) -> Size:
    """The size asked for; a side of 0 is the screen's own."""
    width = numbers.optional_integer("width", least=0, most=MAX_SIDE_PIXELS) or 0
    height = numbers.optional_integer("height", least=0, most=MAX_SIDE_PIXELS) or 0
    return Size(width, height) if width or height else DEFAULT_SIZE


def _completed(wanted: Size, screen: Size) -> Size:
    return Size(wanted.width or screen.width, wanted.height or screen.height)


def _tag(use: Use, version: int, size: Size, mode: str) -> str:
    return f'"{use.nonce}-{version}-{size}-{mode}"'


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
