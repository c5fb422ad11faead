"""Reads where a value goes: `as demographics.dob`, `as {{patient_id}}`, `as rows[].name and as {{name}}`."""

import re

from cyberdesk_server.domain.prompts import Kind as VariableKind
from cyberdesk_server.domain.prompts import Placeholder, parts
from cyberdesk_server.executor.steps.language import Destination
from cyberdesk_server.executor.steps.marks import Kind, Marked
from cyberdesk_server.executor.steps.unreadable import NotReadable

_NAME = r"[^\W\d][\w-]*"
_PATH = re.compile(rf"{_NAME}(?:\[\d*\])*(?:\.[\w-]+(?:\[\d*\])*)*")
_RUNTIME_NAME = re.compile(rf"(?:the\s+)?runtime\s+value\s+({_NAME})", re.IGNORECASE)


def destination_of(part: Marked) -> Destination:
    """Where a value goes. Raises `NotReadable`."""
    output = runtime = None
    for piece in re.split(r"\s*,?\s*\band\s+(?:as\s+)?|\s*,\s*", part.text):
        name = _runtime_name(part.part(piece))
        if name is None:
            path = _path(part.part(piece))
            if output is not None:
                raise NotReadable(f"a value goes to one place of the output, not to {output} and {path}")
            output = path
        elif runtime is not None:
            raise NotReadable(f"a value goes into one runtime value, not into {runtime} and {name}")
        else:
            runtime = name
    return Destination(output, runtime)


def _runtime_name(part: Marked) -> str | None:
    named = _RUNTIME_NAME.fullmatch(part.text)
    if named:
        return named[1]
    marks = part.all(part.text)
    if not marks or marks[0].kind is not Kind.VARIABLE:
        return None
    match parts(marks[0].text):
        case (Placeholder(kind=VariableKind.RUNTIME, path=()) as placeholder,):
            return placeholder.name
    raise NotReadable(
        f"{part.written} cannot take a value: write {{{{name}}}}, or a name of the output such as a.b"
    )


def _path(part: Marked) -> str:
    marks = part.all(part.text)
    written = marks[0].text if marks and marks[0].kind is Kind.QUOTED else part.text
    if not _PATH.fullmatch(written):
        raise NotReadable(
            f"{part.written!r} is no name of an output; names look like demographics.dateOfBirth or rows[].id"
        )
    return written
