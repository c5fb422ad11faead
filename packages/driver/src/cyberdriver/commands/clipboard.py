"""Copying what is selected."""

from cyberdriver.answers import Answer, json_answer
from cyberdriver.backends.keys import parse_keys
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk

COPY_TIMEOUT_SECONDS = 4.4
"""As long as the published drivers wait for a program to put something on the clipboard."""


def copy_to_clipboard(call: Call, desk: Desk) -> Work:
    """`{"text": key}`: presses ctrl+c and answers `{key: what was copied}`, empty when nothing came."""
    key = call.body().text("text", max_characters=1_000)
    copy = parse_keys("ctrl+c")

    def run() -> Answer:
        with desk.desktop.use() as use:
            use.backend.clear_clipboard()
            use.backend.press(copy)
            text = use.backend.clipboard_text(COPY_TIMEOUT_SECONDS)
        return json_answer({key: text or ""})

    return Work(run)
