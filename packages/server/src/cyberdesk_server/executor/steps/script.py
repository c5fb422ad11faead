"""Reads a whole prompt: its lines as sentences, their indentation as blocks.

script_of
 +-- _Reader.block        the lines of one depth
      +-- _opened         "If …:" and "For each …:" with the lines inside them
           +-- statements_of   one line: a sentence, or several with "and" and "then" between
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cyberdesk_server.domain.prompt_lines import Line, plain_lines
from cyberdesk_server.domain.prompts import Kind, Placeholder, parts
from cyberdesk_server.executor.steps.conditions import condition_of
from cyberdesk_server.executor.steps.language import (
    Action,
    Block,
    Condition,
    Do,
    Focus,
    ForEach,
    If,
    Reading,
    Script,
    Statement,
    Unreadable,
)
from cyberdesk_server.executor.steps.marks import THING, VALUE, VARIABLE, Mark, Marked, marked
from cyberdesk_server.executor.steps.numbers import COUNT, DURATION, count, seconds
from cyberdesk_server.executor.steps.sentences import SENTENCES, action_of
from cyberdesk_server.executor.steps.unreadable import NotReadable

_COMMENT = re.compile(r"(?:#|//|--|;|(?:note|comment|hint|remark|important)\s*:).*|[-=_*]+", re.IGNORECASE)
_GROUP = re.compile(
    r"(?:steps?|then|first|next|finally|instructions?|do\s+(?:this|the\s+following)|follow\s+these\s+steps|"
    r"the\s+following\s+steps)\s*:",
    re.IGNORECASE,
)
_IF = re.compile(r"(?P<word>if|when|in\s+case|unless)\s+(?P<rest>.+)", re.IGNORECASE)
_OTHERWISE = re.compile(r"(?:otherwise|else|if\s+not)\b\s*[,:]?\s*(?P<rest>.*)", re.IGNORECASE)
_ITEMS = rf"{VALUE}(?:\s*(?:,\s*(?:and\s)?|and\s)\s*{VALUE})*"
_FOR_EACH = re.compile(
    rf"(?:for\s+(?:each|every|all)|repeat\s+for\s+(?:each|every))\s+(?:(?P<item>{VARIABLE}|[^\W\d]\w*)\s+)?(?:in|of)\s+"
    rf"(?:the\s+)?\[?(?P<source>{_ITEMS})\]?\s*[:,]?\s*(?:do\b\s*:?)?\s*(?P<body>.*)",
    re.IGNORECASE,
)
_FOCUS = re.compile(
    r"(?:use\s+)?(?:an?\s+|the\s+)?focused_action\s*(?:(?:to|with|for)\b)?\s*:?\s*(?P<body>.*)", re.IGNORECASE
)
_BACKGROUND = re.compile(r"\s*,?\s*\(?\s*in\s+the\s+background\s*\)?$", re.IGNORECASE)
_REPEAT = re.compile(
    rf"(?:repeat|do)(?:\s+(?:this|the\s+following))?\s+"
    rf"(?:(?P<twice>twice)|(?:(?P<count>{COUNT})|(?P<source>{VARIABLE}))\s+times)\s*[:,]?\s*(?P<body>.*)",
    re.IGNORECASE,
)
_OPTIONAL = re.compile(
    r"\s*,?\s*(?:\(\s*(?:optional(?:ly)?|(?:only\s+)?if\s+(?:it\s+is\s+|it's\s+)?(?:visible|present|shown|there|needed))\s*\)"
    r"|if\s+(?:it\s+is\s+|it's\s+)?(?:visible|present|shown|there)|if\s+it\s+(?:appears|exists))$",
    re.IGNORECASE,
)
_OPTIONALLY = re.compile(r"(?:\(\s*optional(?:ly)?\s*\)|optional(?:ly)?)\s*[:,]?\s*", re.IGNORECASE)
_PATIENCE = re.compile(
    rf"\s*,?\s*\(?\s*(?:wait(?:ing)?\s+)?(?:for\s+)?(?:up\s+to|at\s+most|within|no\s+longer\s+than|a\s+maximum\s+of)\s+"
    rf"(?P<time>{DURATION})\s*\)?$",
    re.IGNORECASE,
)
_POLITE = re.compile(r"(?:please|then|now|next|first|finally|and|also|afterwards)\b\s*,?\s*", re.IGNORECASE)
_JOINT = re.compile(
    r"\s*[,;.>\u2192\u203a]\s*(?:(?:and\s+)?then\s+|and\s+)?|\s+(?:and\s+then|and|then)\s+", re.IGNORECASE
)


def script_of(prompt: str) -> Script:
    """The prompt as a script; lines that are no steps are listed in it."""
    lines = [line for line in plain_lines(prompt) if not _COMMENT.fullmatch(line.text)]
    reader = _Reader()
    block = reader.block(lines)
    return Script(block, tuple(reader.unreadable))


_MOST_CHARACTERS = 1000
"""Of one line, without its texts and variables: far more than a sentence has."""

_MOST_LEVELS = 50
"""Of lines inside lines: far more than a person reads."""


@dataclass
class _Reader:
    """Reads blocks and remembers what it could not read, to tell all of it at once."""

    unreadable: list[Unreadable] = field(default_factory=list)
    level: int = 0

    def block(self, lines: Sequence[Line]) -> Block:
        if self.level == _MOST_LEVELS and lines:
            reason = f"it stands inside more than {_MOST_LEVELS} lines"
            self.unreadable.append(Unreadable(lines[0], reason))
            return ()
        self.level += 1
        try:
            return self._statements(lines)
        finally:
            self.level -= 1

    def _statements(self, lines: Sequence[Line]) -> Block:
        statements: list[Statement] = []
        position = 0
        while position < len(lines):
            line = lines[position]
            inner_end = position + 1
            while inner_end < len(lines) and lines[inner_end].is_deeper_than(line):
                inner_end += 1
            try:
                self._add(statements, line, lines[position + 1 : inner_end])
            except NotReadable as reason:
                self.unreadable.append(Unreadable(line, str(reason)))
                self._read_anyway(line, lines[position + 1 : inner_end])
            position = inner_end
        return tuple(statements)

    def _read_anyway(self, line: Line, inner: Sequence[Line]) -> None:
        """Find what else cannot be read, inside a line that cannot."""
        if inner and line.text.rstrip().endswith(":"):
            self.block(inner)

    def _add(self, statements: list[Statement], line: Line, inner: Sequence[Line]) -> None:
        """Read one line, and the lines inside it, onto the end of a block."""
        text = marked(line.text)
        if len(text.text) > _MOST_CHARACTERS:
            raise NotReadable(f"a line has {_MOST_CHARACTERS} characters at most, quoted texts not counted")
        if _GROUP.fullmatch(text.text):
            statements.extend(self.block(inner))
        elif otherwise := _OTHERWISE.fullmatch(text.text):
            self._otherwise(statements, line, text.part(otherwise["rest"]), inner)
        else:
            statements.extend(self._opened(line, text, inner))

    def _otherwise(
        self, statements: list[Statement], line: Line, rest: Marked, inner: Sequence[Line]
    ) -> None:
        match statements[-1:]:
            case [If() as condition]:
                statements[-1] = _with_otherwise(condition, self._opened(line, rest, inner, is_bare=True))
            case _:
                raise NotReadable('"Otherwise" stands right after the steps of an "If"')

    def _opened(
        self, line: Line, text: Marked, inner: Sequence[Line], *, is_bare: bool = False
    ) -> list[Statement]:
        """A line with the lines inside it. A bare one has nothing before its block, like "Otherwise:"."""
        if found := _FOR_EACH.fullmatch(text.text):
            body = self._body(line, text.part(found["body"]), inner)
            return [ForEach(_source(text, found), line, body, _item(text, found["item"]))]
        if found := _REPEAT.fullmatch(text.text):
            body = self._body(line, text.part(found["body"]), inner)
            return [ForEach(_how_often(text, found), line, body)]
        if found := _FOCUS.fullmatch(text.text):
            rest = text.part(found["body"])
            instruction = rest.written if rest.text else _as_written(inner)
            return [Do(Focus(instruction, self._body(line, rest, inner)), line)]
        if (found := _IF.fullmatch(text.text)) and (inner or text.text.endswith(":")):
            condition = _condition(found["word"], text.part(found["rest"].rstrip(" :,")))
            return [If(condition, line, self._body(line, text.part(""), inner))]
        if is_bare and not text.text:
            return list(self._body(line, text, inner))
        if not inner:
            return statements_of(text, line)
        if inner[0].indent > line.indent and not text.text.endswith(":"):
            raise NotReadable(
                f'line {inner[0].number} stands inside it, but only lines such as "If …:" and "For each …:" '
                "have lines inside"
            )
        # A paragraph before the items of a list: the items follow it, they are not inside.
        return [*statements_of(text, line), *self.block(inner)]

    def _body(self, line: Line, rest: Marked, inner: Sequence[Line]) -> Block:
        if rest.text and inner:
            raise NotReadable("steps stand either after the colon or in the lines below, not in both places")
        body = statements_of(rest, line) if rest.text else self.block(inner)
        if not body and not inner:
            raise NotReadable("there are no steps inside it; indent them below")
        return tuple(body)


def _as_written(lines: Sequence[Line]) -> str:
    """The lines as a prompt of their own."""
    least = min((line.indent for line in lines), default=0)
    return "\n".join(
        " " * (line.indent - least) + ("- " if line.is_item else "") + line.text for line in lines
    )


def _with_otherwise(condition: If, steps: Sequence[Statement]) -> If:
    """The steps as the last "Otherwise" of a chain of "If … Otherwise if …"."""
    match condition.otherwise:
        case [] | ():
            return replace(condition, otherwise=tuple(steps))
        case [If() as following]:
            return replace(condition, otherwise=(_with_otherwise(following, steps),))
        case _:
            raise NotReadable('there is already an "Otherwise" before it')


def statements_of(text: Marked, line: Line) -> list[Statement]:
    """One line as statements: `Click "A"`, `Click "A", then press Enter`, `If "A" is visible, click "B"`.

    Raises `NotReadable`, naming the closest sentence there is.
    """
    bare = text.part(
        _POLITE.sub("", text.text.rstrip(" .;!"), count=1)
        if _POLITE.match(text.text)
        else text.text.rstrip(" .;!")
    )
    if found := _IF.fullmatch(bare.text):
        return [_inline_if(found, bare, line)]
    try:
        return [_do(bare, line)]
    except NotReadable as reason:
        joined = _joined(bare, line) or _if_behind(bare, line)
        if joined is None:
            raise NotReadable(str(reason) or _suggestion(bare)) from None
        return joined


def _do(text: Marked, line: Line) -> Do:
    """One sentence with what may stand around it: `(optional)`, `within 30 seconds`."""
    rest, is_optional = text.text, False
    if optional := _OPTIONAL.search(rest):
        rest, is_optional = rest[: optional.start()], True
    elif optional := _OPTIONALLY.match(rest):
        rest, is_optional = rest[optional.end() :], True
    patience_seconds = None
    if patience := _PATIENCE.search(rest):
        rest, patience_seconds = rest[: patience.start()], seconds(patience["time"])
    if background := _BACKGROUND.search(rest):
        action = _in_background(action_of(text.part(rest[: background.start()])))
        return Do(action, line, is_optional, patience_seconds)
    return Do(action_of(text.part(rest)), line, is_optional, patience_seconds)


def _in_background(action: Action) -> Reading:
    if not isinstance(action, Reading):
        raise NotReadable("only what is read from the screen can be read in the background")
    if action.to.runtime is not None:
        raise NotReadable(
            f"{{{{{action.to.runtime}}}}} would have no value while the run goes on: what is read in the "
            "background goes into the output"
        )
    return replace(action, to=replace(action.to, in_background=True))


def _joined(text: Marked, line: Line) -> list[Statement] | None:
    """Two or more sentences in one line, or None."""
    for joint in _JOINT.finditer(text.text):
        head, tail = text.part(text.text[: joint.start()]), text.part(text.text[joint.end() :])
        if not (head.text and tail.text):
            continue
        if re.match(THING, tail.text):  # `Click "File" > "Open"`: the second verb is left out
            tail = text.part(f"{head.text.split()[0]} {tail.text}")
        try:
            return [_do(head, line), *statements_of(tail, line)]
        except NotReadable:
            continue
    return None


def _if_behind(text: Marked, line: Line) -> list[Statement] | None:
    """`Click "OK" if "Warning" is visible`, or None."""
    for found in re.finditer(r"\s*,?\s+(?P<word>if|when|unless)\s+", text.text, re.IGNORECASE):
        try:
            condition = _condition(found["word"], text.part(text.text[found.end() :]))
            return [If(condition, line, tuple(statements_of(text.part(text.text[: found.start()]), line)))]
        except NotReadable:
            continue
    return None


def _inline_if(found: re.Match[str], text: Marked, line: Line) -> If:
    rest = found["rest"]
    reason = NotReadable("a comma or a colon stands between the condition and its step")
    for joint in re.finditer(r"\s*[,:]\s*(?:then\s+)?|\s+then\s+", rest, re.IGNORECASE):
        try:
            condition = _condition(found["word"], text.part(rest[: joint.start()]))
        except NotReadable as unreadable:
            reason = unreadable
            continue
        return _with_inline_otherwise(condition, text.part(rest[joint.end() :]), line)
    raise reason


def _with_inline_otherwise(condition: Condition, steps: Marked, line: Line) -> If:
    split = re.search(r"\s*[,;.]?\s*\b(?:otherwise|else)\b\s*[,:]?\s*", steps.text, re.IGNORECASE)
    if split is None:
        return If(condition, line, tuple(statements_of(steps, line)))
    before, after = steps.part(steps.text[: split.start()]), steps.part(steps.text[split.end() :])
    return If(condition, line, tuple(statements_of(before, line)), tuple(statements_of(after, line)))


def _condition(word: str, part: Marked) -> Condition:
    condition = condition_of(part)
    return replace(condition, is_negated=not condition.is_negated) if word.lower() == "unless" else condition


def _source(text: Marked, found: re.Match[str]) -> Placeholder | tuple[str, ...]:
    if re.fullmatch(VARIABLE, found["source"]):
        return _value(text.mark(found["source"]))
    return tuple(mark.text for mark in text.all(found["source"]))


def _how_often(text: Marked, found: re.Match[str]) -> Placeholder | int:
    if found["source"]:
        return _value(text.mark(found["source"]))
    return 2 if found["twice"] else count(found["count"])


def _value(mark: Mark) -> Placeholder:
    match parts(mark.text):
        case (Placeholder(kind=Kind.INPUT | Kind.RUNTIME) as value,):
            return value
    raise NotReadable(f"{mark.written} is no list of items")


def _item(text: Marked, written: str | None) -> Placeholder | None:
    """How the items are called; a bare word stands for `{word}`."""
    if written is None:
        return None
    if not re.fullmatch(VARIABLE, written):
        return Placeholder(Kind.INPUT, written)
    match parts(text.mark(written).text):
        case (Placeholder(kind=Kind.INPUT | Kind.RUNTIME, path=()) as item,):
            return item
    raise NotReadable(f"{text.mark(written).written} is no name for an item; write {{name}} or {{{{name}}}}")


_BLOCK_EXAMPLES = (
    'If "Warning" is visible:',
    "For each {patient} in {patients}:",
    "Repeat 3 times:",
    "Use focused_action:",
    'Unless "Home" is visible:',
)


def _suggestion(text: Marked) -> str:
    """What the author may have meant."""
    first, _, rest = text.text.partition(" ")
    examples: dict[str, list[str]] = {}
    for example in [*(sentence.example for sentence in SENTENCES), *_BLOCK_EXAMPLES]:
        examples.setdefault(re.split(r"[\s-]", example)[0].lower(), []).append(example)
    for verb in difflib.get_close_matches(first.lower().rstrip(":,"), examples, n=3, cutoff=0.6):
        corrected = text.part(f"{verb.capitalize()} {rest}")
        try:
            action_of(corrected)
        except NotReadable:
            closest = max(examples[verb], key=lambda example: _likeness(example, text.written))
            return f"it is no step; did you mean something like: {closest}"
        return f"it is no step; did you mean: {corrected.written}"
    return 'it is no step; steps look like: Click "Search", Type {x} into "Name", Wait until "Done" appears'


def _likeness(first: str, second: str) -> float:
    return difflib.SequenceMatcher(None, first.casefold(), second.casefold()).ratio()
