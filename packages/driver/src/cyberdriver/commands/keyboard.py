"""Typing, key presses, holding keys."""

from cyberdriver.answers import DONE, Answer
from cyberdriver.backends.keys import parse_keys
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk

MAX_TYPED_CHARACTERS = 100_000


def type_text(call: Call, desk: Desk) -> Work:
    """`{"text"}`: every character arrives, or none and a 422."""
    text = call.body().text("text", max_characters=MAX_TYPED_CHARACTERS)

    def run() -> Answer:
        with desk.desktop.use() as use:
            use.backend.type_text(text)
        return DONE

    return Work(run, {"characters": len(text)})


def press_keys(call: Call, desk: Desk) -> Work:
    """`{"text", "down"?}`: chords one after another; with `down`, one chord is held or released."""
    body = call.body()
    chords = parse_keys(body.text("text", max_characters=MAX_TYPED_CHARACTERS))
    down = body.optional_boolean("down")
    if down is not None and len(chords) != 1:
        raise body.wrong("text", "must be one chord when down is given")

    def run() -> Answer:
        with desk.desktop.use() as use:
            if down is None:
                use.backend.press(chords)
            else:
                use.hold(chords[0], down)
        return DONE

    return Work(run, {"chords": len(chords)})
