"""Reads values from a screen as a sentence asks for it.

A run's `screenshot` steps carry the sentence (`extract_prompt`), so a replay reads live by the same words.
"""

from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.steps import Observation
from cyberdesk_server.executor.reading import values
from cyberdesk_server.executor.reading.tables import NoTable, table_under
from cyberdesk_server.executor.steps.grounding import Ground, NotFound
from cyberdesk_server.executor.steps.language import CheckVisible, Reading, ReadScreen, ReadTable, ReadText
from cyberdesk_server.executor.steps.wording import quoted, told


def read(reading: Reading, ground: Ground) -> Observation:
    """The values on the screen. Raises `NotFound`."""
    value = _value(reading, ground)
    to = reading.to
    return Observation(
        text=_summary(value),
        output={to.output: value} if to.output else {},
        runtime_values={to.runtime: value} if to.runtime else {},
    )


def _value(reading: Reading, ground: Ground) -> JsonValue:
    match reading:
        case ReadText(is_paragraph=True):
            found = values.paragraph_below(ground.sight, ground.locate(reading.of))
            return found.text if found else ""
        case ReadText():
            found = values.text_beside(ground.sight, ground.locate(reading.of), reading.side)
            return found.text if found else ""
        case ReadTable():
            return _rows(reading, ground)
        case ReadScreen():
            return ground.sight.page.text
        case CheckVisible():
            return any(ground.shows(thing) for thing in reading.things)


def _rows(reading: ReadTable, ground: Ground) -> JsonValue:
    place = ground.locate(reading.under)
    try:
        table = table_under(ground.sight.page, place, exactly=ground.sight.exactly)
    except NoTable:
        raise NotFound(f"there are no column headings under {told(reading.under)}") from None
    if not reading.columns:
        return [dict(row) for row in table.rows]
    if len(reading.columns) > len(table.columns):
        printed = ", ".join(quoted(column) for column in table.columns)
        raise NotFound(
            f"the table under {told(reading.under)} has {len(table.columns)} columns ({printed}), "
            f"fewer than the {len(reading.columns)} that are named"
        )
    return [dict(zip(reading.columns, row.values(), strict=False)) for row in table.rows]


def _summary(value: JsonValue) -> str:
    """What was read, for the history."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value or "(nothing)"
        case list():
            return f"{len(value)} row{'' if len(value) == 1 else 's'}"
        case _:
            return str(value)
