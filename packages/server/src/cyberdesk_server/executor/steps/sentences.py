"""Which sentences are there? One pattern each, an example, and the action it stands for.

A sentence is recognized by its words; what is quoted, and variables, are marks (see `marks`). Case, articles
and the full stop do not matter. To add a sentence, add a function here and its example to
`docs/reference/steps.md`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cyberdesk_server.domain.actions import Button, Direction
from cyberdesk_server.executor.reading.pages import Side
from cyberdesk_server.executor.steps.destinations import destination_of
from cyberdesk_server.executor.steps.keys import chords, is_key
from cyberdesk_server.executor.steps.language import (
    Action,
    CheckVisible,
    Clear,
    Click,
    Copy,
    Destination,
    Drag,
    ExportFile,
    Fail,
    Hover,
    Pause,
    Press,
    ReadScreen,
    ReadTable,
    ReadText,
    Remember,
    RunCommand,
    SaveScreenshot,
    Scroll,
    Succeed,
    Target,
    Thing,
    Type,
    WaitUntil,
)
from cyberdesk_server.executor.steps.marks import QUOTED, VALUE, VARIABLE, Marked
from cyberdesk_server.executor.steps.numbers import DURATION, TIMES, seconds, times
from cyberdesk_server.executor.steps.things import THE, target_of, thing_of, things_of
from cyberdesk_server.executor.steps.unreadable import NotReadable

DEFAULT_SCROLL_NOTCHES = 3
_VALUES = rf"(?:{VALUE}(?:\s*{VALUE})*|[^\s\ue000-\ue002]+)"
"""What is typed: quoted texts and variables one after another, or a single bare word."""


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that matched its pattern."""

    line: Marked
    groups: dict[str, str | None]

    def has(self, group: str) -> bool:
        return self.groups.get(group) is not None

    def part(self, group: str) -> Marked:
        return self.line.part(self.groups.get(group) or "")

    def words(self, group: str) -> str:
        """The plain words of a group, lower case, single spaces."""
        return " ".join((self.groups.get(group) or "").lower().split())

    def text(self, group: str) -> str:
        """What a group says, as a template."""
        return self.line.template(self.groups.get(group) or "")

    def target(self, group: str) -> Target:
        return target_of(self.part(group))

    def thing(self, group: str) -> Thing:
        return thing_of(self.part(group))

    def things(self, group: str) -> tuple[Thing, ...]:
        return things_of(self.part(group))

    def to(self) -> Destination:
        return destination_of(self.part("to"))


Build = Callable[[Found], Action]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One way to say something."""

    example: str
    pattern: re.Pattern[str]
    build: Build


SENTENCES: list[Sentence] = []
"""In the order in which they are tried."""


def _sentence(example: str, pattern: str) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        SENTENCES.append(Sentence(example, re.compile(pattern, re.IGNORECASE), build))
        return build

    return add


def action_of(line: Marked) -> Action:
    """The action a sentence stands for. Raises `NotReadable`, without a reason when nothing came close."""
    reasons: list[NotReadable] = []
    for sentence in SENTENCES:
        found = sentence.pattern.fullmatch(line.text)
        if found is None:
            continue
        try:
            return sentence.build(Found(line, found.groupdict()))
        except NotReadable as reason:
            reasons.append(reason)
    raise next((reason for reason in reasons if str(reason)), NotReadable(""))


_AS = r"\s+(?:as|to|into|and\s+(?:remember|keep|save|store)\s+(?:it|them)\s+as)\s+(?P<to>.+)"
_COUNTS = {"": 1, "double": 2, "triple": 3}


@_sentence(
    'Click "Search"',
    r"(?:(?P<kind>double|triple|right|middle|left)[\s-]*)?"
    r"(?:click|tap|select|choose|press|hit|open|pick)(?:\s+(?P<twice>twice))?(?:\s+(?:on|at|in|into))?\s+(?P<target>.+)",
)
def _click(found: Found) -> Action:
    kind = found.words("kind")
    if not kind and re.fullmatch(QUOTED, found.groups["target"] or "") and _is_pressed(found):
        return Press(chords(found.text("target")))
    if _is_about_keys(found):
        raise NotReadable("")
    button = Button(kind) if kind in ("right", "middle") else Button.LEFT
    count = 2 if found.has("twice") else _COUNTS.get(kind, 1)
    return Click(found.target("target"), button, count)


def _is_about_keys(found: Found) -> bool:
    """True for `Press Ctrl+S`, which `_press` reads."""
    return found.line.text.split()[0].lower() in ("press", "hit") and not found.line.all(found.line.text)


def _is_pressed(found: Found) -> bool:
    """True for `Press "Enter"`: a key although it stands in quotes."""
    verb = found.line.text.split()[0].lower()
    return verb in ("press", "hit") and len(found.text("target")) > 1 and is_key(found.text("target"))


@_sentence('Hover over "Reports"', r"(?:hover|point)(?:\s+(?:over|on|at|to))?\s+(?P<target>.+)")
@_sentence(
    'Move the mouse to "Reports"',
    r"move\s+(?:the\s+)?(?:mouse|pointer|cursor)\s+(?:to|over|onto)\s+(?P<target>.+)",
)
def _hover(found: Found) -> Action:
    return Hover(found.target("target"))


@_sentence(
    'Type {patient_id} into "Patient ID"',
    rf"(?:type|enter|write|input|put|fill\s+in|fill)\s+(?:in\s+)?(?P<text>{_VALUES})"
    r"(?:\s+(?:in|into|to|at|on|inside)\s+(?P<into>.+))?",
)
def _type(found: Found) -> Action:
    into = None if found.words("into") in _FOCUS else found.target("into") if found.has("into") else None
    return Type(found.text("text"), into)


_FOCUS = ("the focus", "the focused field", "the field", "the active field", "the current field")


@_sentence(
    'Set "Patient ID" to {patient_id}',
    rf"(?:set|change|replace|update|overwrite)\s+(?:the\s+(?:text|value|contents?)\s+(?:in|of)\s+)?(?P<into>.+?)"
    rf"\s+(?:to|with|by)\s+(?P<text>{_VALUES})",
)
@_sentence(
    'Fill in "Patient ID" with {patient_id}',
    rf"fill(?:\s+in|\s+out)?\s+(?P<into>.+?)\s+with\s+(?P<text>{_VALUES})",
)
def _set(found: Found) -> Action:
    if re.fullmatch(VARIABLE, found.groups["into"] or ""):
        return Remember(found.text("text"), _only_runtime_name(found.part("into")))
    return Type(found.text("text"), found.target("into"), replaces=True)


@_sentence('Clear "Last name"', r"(?:clear|empty|delete\s+the\s+text\s+in)(?:\s+(?:out\s+)?(?P<field>.+))?")
def _clear(found: Found) -> Action:
    is_focused = not found.has("field") or found.words("field") in _FOCUS
    return Clear(None if is_focused else found.target("field"))


@_sentence("Press Ctrl+S", r"(?:press|hit|push|strike|use)\s+(?P<keys>.+)")
def _press(found: Found) -> Action:
    if found.line.all(found.groups["keys"] or ""):
        raise NotReadable(
            f"{found.part('keys').written!r} is no key; keys look like Enter, Ctrl+S or Shift+Tab"
        )
    return Press(chords(found.groups["keys"] or ""))


@_sentence(
    'Scroll down 5 times in "Results"',
    rf"scroll\s+(?P<way>up|down|left|right)(?:\s+(?:by\s+)?(?P<times>{TIMES}|\d+))?"
    r"(?:\s+(?:in|inside|at|over|on|within)\s+(?P<over>.+))?",
)
def _scroll(found: Found) -> Action:
    amount = times(found.words("times")) if found.has("times") else DEFAULT_SCROLL_NOTCHES
    return Scroll(Direction(found.words("way")), amount, found.target("over") if found.has("over") else None)


@_sentence(
    'Drag "Report" to "Archive"',
    r"drag\s+(?:from\s+)?(?P<start>.+?)\s+(?:and\s+drop\s+it\s+)?(?:onto|into|on|to)\s+(?P<end>.+)",
)
def _drag(found: Found) -> Action:
    return Drag(found.target("start"), found.target("end"))


@_sentence("Wait 2 seconds", rf"(?:wait|pause|sleep)(?:\s+(?:for|another))?\s+(?P<time>{DURATION})")
def _pause(found: Found) -> Action:
    return Pause(seconds(found.groups["time"] or ""))


_SEEN = r"(?:visible|shown|displayed|there|on\s+(?:the\s+)?screen)"
_APPEARS = rf"(?:to\s+)?(?:appears?|(?:is|are|be|becomes?)\s+{_SEEN}|shows?(?:\s+up)?)"
_GOES = (
    r"(?:to\s+)?(?:disappears?|vanish(?:es)?|(?:is|are|be)\s+(?:gone|hidden)|go(?:es)?\s+away|"
    rf"(?:is|are)\s+(?:no\s+longer|not)\s+{_SEEN})"
)


@_sentence('Wait until "Loading" disappears', rf"wait\s+(?:until|till|for)\s+(?P<things>.+?)\s+{_GOES}")
def _wait_gone(found: Found) -> Action:
    return WaitUntil(found.things("things"), is_gone=True)


@_sentence(
    'Wait until "Results" or "No patient found" appears',
    rf"wait\s+(?:until|till|for)\s+(?P<things>.+?)(?:\s+{_APPEARS})?",
)
def _wait(found: Found) -> Action:
    return WaitUntil(found.things("things"))


_SIDES = {
    Side.RIGHT: r"(?:to\s+the\s+)?right\s+of|after|beside|next\s+to",
    Side.LEFT: r"(?:to\s+the\s+)?left\s+of|before",
    Side.BELOW: r"below|beneath|under(?:neath)?",
    Side.ABOVE: r"above|over",
    Side.INSIDE: r"inside(?:\s+of)?|within|in|of",
}
_READ = r"(?:read|get|extract|capture|note|record|take)\s+"


@_sentence(
    "Copy the selection as {{order_id}}",
    rf"copy(?:\s+the)?(?:\s+(?:selection|selected\s+text|clipboard))?{_AS}",
)
@_sentence("Read the clipboard as order.id", rf"{_READ}(?:the\s+)?clipboard{_AS}")
def _copy(found: Found) -> Action:
    return Copy(found.to())


@_sentence(
    "Read the whole screen as notes",
    rf"{_READ}(?:all\s+(?:of\s+)?)?(?:the\s+)?(?:whole\s+|entire\s+)?(?:screen|page|text\s+on\s+the\s+screen){_AS}",
)
def _read_screen(found: Found) -> Action:
    return ReadScreen(found.to())


_NAME = r"[^\W\d][\w-]*"


@_sentence(
    'Read the table under "Medications" as medications with columns name, dose, frequency',
    rf"{_READ}{THE}(?:whole\s+)?table\s+(?:(?:under|below|beneath|with(?:\s+the\s+heading)?|of|named|called|at)\s+)?(?P<under>.+?)"
    rf"\s+as\s+(?P<to>.+?)(?:\s*,?\s*with\s+(?:the\s+)?columns\s+(?P<columns>.+))?",
)
def _read_table(found: Found) -> Action:
    return ReadTable(found.thing("under"), found.to(), _columns(found.part("columns")))


def _columns(part: Marked) -> tuple[str, ...]:
    names = [name for name in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", part.text) if name]
    columns = tuple(part.mark(name).text if part.all(name) else name for name in names)
    if len(set(columns)) < len(columns):
        raise NotReadable(f"two columns have the same name: {part.written}")
    return columns


@_sentence(
    'Read the lines below "Allergies" as allergies',
    rf"{_READ}{THE}(?:all\s+(?:the\s+)?)?(?:lines|paragraph|block)\s+(?:below|under|beneath)\s+(?P<of>.+?){_AS}",
)
def _read_lines(found: Found) -> Action:
    return ReadText(Side.BELOW, found.thing("of"), found.to(), is_paragraph=True)


@_sentence(
    'Read the text right of "DOB" as demographics.dateOfBirth',
    rf"{_READ}{THE}(?:text|value|number|date|words?|field|contents?|content|amount|name|label|entry)?\s*"
    rf"(?P<side>{'|'.join(_SIDES.values())})\s+(?P<of>.+?){_AS}",
)
@_sentence(
    'Read the field "Last name" as name.last',
    rf"{_READ}{THE}(?:field|value|box|contents?)\s+(?P<of>.+?){_AS}",
)
def _read_text(found: Found) -> Action:
    said = found.words("side")
    side = next((side for side, words in _SIDES.items() if said and re.fullmatch(words, said)), Side.INSIDE)
    return ReadText(side, found.thing("of"), found.to())


@_sentence(
    'Check whether "Allergies" is visible as has.allergies',
    rf"(?:check|note|see|verify|record|read)\s+(?:whether|if)\s+(?P<things>.+?)(?:\s+{_APPEARS})?\s+as\s+(?P<to>.+)",
)
def _check(found: Found) -> Action:
    return CheckVisible(found.things("things"), found.to())


@_sentence(
    "Remember {patient_id} as {{id}}", rf"(?:remember|keep|store)\s+(?P<text>{_VALUES})\s+as\s+(?P<to>.+)"
)
def _remember(found: Found) -> Action:
    return Remember(found.text("text"), _only_runtime_name(found.part("to")))


def _only_runtime_name(part: Marked) -> str:
    to = destination_of(part)
    if to.runtime is None or to.output is not None:
        raise NotReadable("a value is remembered as a runtime value: as {{name}}")
    return to.runtime


@_sentence(
    'Fail with "Patient {patient_id} not found"',
    rf"(?:declare_task_failed|fail|stop|end|give\s+up|abort)(?:\s+the\s+(?:task|run))?"
    rf"(?:\s+(?:as\s+failed|with\s+(?:an\s+)?(?:error|failure)))?(?:\s+(?:with|because|saying|as|and\s+say))?"
    rf"(?:\s+(?:the\s+)?(?:reason|error|message))?\s*:?\s*(?P<reason>{QUOTED})",
)
def _fail(found: Found) -> Action:
    return Fail(found.text("reason"))


@_sentence(
    'Succeed with "Nothing to do"',
    rf"(?:declare_task_succeeded|succeed|finish|finish\s+successfully|stop\s+successfully|done)(?:\s+the\s+(?:task|run))?"
    rf"(?:\s+(?:with|saying|because))?\s*:?\s*(?P<text>{QUOTED})?",
)
def _succeed(found: Found) -> Action:
    return Succeed(found.text("text") or None)


@_sentence(
    'Save a screenshot as "chart.png"',
    rf"(?:save|take|make|store|save_screenshot_as_run_attachment)\s*(?:(?:a|the)\s+)?(?:screenshot|screen\s*shot|picture|image|screen)?"
    rf"(?:\s+of\s+the\s+screen)?(?:\s+and\s+save\s+it)?\s+(?:as|named|called|to)\s+(?P<name>{VALUE}|\S+)",
)
def _save(found: Found) -> Action:
    return SaveScreenshot(found.text("name"))


@_sentence(
    'Export the file "~/report.pdf"',
    rf"(?:export\s+(?:(?:the|this)\s+)?(?:file\s+)?|mark_file_for_export\s+"
    rf"|mark\s+(?:(?:the|this)\s+)?(?:file\s+)?(?=.*\sfor\s+export$))(?P<path>{VALUE})(?:\s+for\s+export)?",
)
def _export(found: Found) -> Action:
    return ExportFile(found.text("path"))


@_sentence(
    'Run the command "dir"',
    rf"(?:run|execute|execute_terminal_command)\s*(?:(?:the|a|this)\s+)?(?:terminal\s+|shell\s+)?(?:command)?\s*:?\s*(?P<command>{VALUE})",
)
def _run(found: Found) -> Action:
    return RunCommand(found.text("command"))
