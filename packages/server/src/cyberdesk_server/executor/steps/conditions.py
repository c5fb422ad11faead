"""Reads conditions: `"Allergies" is visible`, `{sex} is not "Male"`, `{middle_name} is empty`."""

import re
from typing import Literal

from cyberdesk_server.executor.steps.language import Compared, Condition, Visible
from cyberdesk_server.executor.steps.marks import VALUE, VARIABLE, Marked
from cyberdesk_server.executor.steps.things import things_of
from cyberdesk_server.executor.steps.unreadable import NotReadable

_SEEN = r"(?:visible|shown|displayed|there|present|on\s+(?:the\s+)?screen)"
_THERE_IS = re.compile(r"there\s+(?:is|are)\s+(?P<no>no(?:t)?\s+|n't\s+)?(?P<things>.+)", re.IGNORECASE)
_IS_SEEN = re.compile(
    rf"(?P<things>.+?)\s+(?:(?:is|are)(?P<no>n't|\s+not|\s+no\s+longer)?\s+{_SEEN}|appears?|exists?|shows?\s+up)",
    re.IGNORECASE,
)
_NOT_SEEN = re.compile(
    r"(?P<things>.+?)\s+(?:(?:does|do)(?:n't|\s+not)\s+(?:appear|exist|show(?:\s+up)?)|(?:is|are)\s+(?:missing|gone|absent))",
    re.IGNORECASE,
)
_IS_EMPTY = re.compile(
    rf"(?P<value>{VARIABLE})\s+is(?P<no>n't|\s+not)?\s+(?P<state>empty|blank|missing|given|set|present|filled(?:\s+in)?)",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    rf"(?P<value>{VARIABLE})\s+(?P<how>is(?P<isnt>n't|\s+not)?(?:\s+equal\s+to)?|equals|=|contains|does(?:n't|\s+not)\s+contain)"
    rf"\s+(?P<other>{VALUE}|[\w.-]+)",
    re.IGNORECASE,
)


def condition_of(part: Marked) -> Condition:
    """A condition. Raises `NotReadable`."""
    return _empty(part) or _compared(part) or _visible(part)


def _empty(part: Marked) -> Condition | None:
    found = _IS_EMPTY.fullmatch(part.text)
    if found is None:
        return None
    means_empty = found["state"].lower() in ("empty", "blank", "missing")
    return Compared(part.template(found["value"]), "is empty", is_negated=means_empty == bool(found["no"]))


def _compared(part: Marked) -> Condition | None:
    found = _COMPARED.fullmatch(part.text)
    if found is None:
        return None
    how = found["how"].lower()
    comparison: Literal["is", "contains"] = "contains" if "contain" in how else "is"
    is_negated = bool(found["isnt"]) or how.startswith("does")
    return Compared(part.template(found["value"]), comparison, part.template(found["other"]), is_negated)


def _visible(part: Marked) -> Condition:
    if found := _NOT_SEEN.fullmatch(part.text):
        return Visible(things_of(part.part(found["things"])), is_negated=True)
    if found := _IS_SEEN.fullmatch(part.text) or _THERE_IS.fullmatch(part.text):
        things = re.sub(rf"\s+{_SEEN}$", "", found["things"], flags=re.IGNORECASE)
        return Visible(things_of(part.part(things)), is_negated=bool(found["no"]))
    raise NotReadable(
        f'{part.written!r} is no condition; conditions look like "Allergies" is visible, or {{sex}} is "Male"'
    )
