"""Follows a program from a cursor until something has to be done to the desktop."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cyberdesk_server.domain.prompts import EMPTY, PathError
from cyberdesk_server.domain.steps import Step, StepState, ToolCall, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.reading import labels
from cyberdesk_server.executor.reading.sight import Sight, decoded
from cyberdesk_server.executor.steps.calls import calls_of
from cyberdesk_server.executor.steps.course import Course, failure
from cyberdesk_server.executor.steps.cursor import Cursor
from cyberdesk_server.executor.steps.grounding import Ground, NotFound
from cyberdesk_server.executor.steps.language import (
    Do,
    If,
    Label,
    Reading,
    Visible,
    WaitUntil,
)
from cyberdesk_server.executor.steps.program import Branch
from cyberdesk_server.executor.steps.targets import needed_by, texts_of, thing_with_texts
from cyberdesk_server.executor.steps.values import Values
from cyberdesk_server.executor.steps.wording import told

DEFAULT_WAIT_SECONDS = 30.0
"""How long "Wait until …" waits when it does not say."""
_POLL_SECONDS = 1.0
_MOST_READINGS_IN_A_TURN = 20


def ground_of(sight: Sight, task: Task) -> Ground:
    """A screen with the pictures of the prompt."""
    return Ground(sight, {source: decoded(content) for source, content in task.pictures.items()})


@dataclass(frozen=True)
class Follower:
    """One question to the model: what comes next on this screen?"""

    course: Course
    task: Task
    sight: Sight
    patience_seconds: float

    def turn(self, cursor: Cursor, last_turn: Sequence[Step]) -> Turn:
        """The next turn. `last_turn` holds the steps of the one before. Raises `ModelError`."""
        while (cursor := self.arrive(cursor, last_turn)).position < len(self.course.program):
            do = self.course.program[cursor.position]
            assert isinstance(do, Do)
            turn = (
                self._wait_until(do, do.action, cursor)
                if isinstance(do.action, WaitUntil)
                else self._do(do, cursor)
            )
            if turn:
                return turn
            cursor = cursor.next
        return Turn(thought="All steps are done.", memo=cursor.memo)

    def arrive(self, cursor: Cursor, last_turn: Sequence[Step]) -> Cursor:
        """The first operation from here on that something has to be done for, or the end of the program."""
        while cursor.position < len(self.course.program):
            operation = self.course.program[cursor.position]
            match operation:
                case Do(action=WaitUntil() as wait):
                    if not self._is_over(wait, cursor, last_turn):
                        return cursor
                    cursor = cursor.next
                case Do():
                    return cursor
                case Branch(statement=If(condition=Visible() as visible) as statement):
                    holds = self._is_visible(statement, visible, cursor)
                    cursor = cursor.next if holds else Cursor(operation.otherwise, cursor.items)
                case _:
                    cursor = self.course.step(operation, cursor)
        return cursor

    @cached_property
    def _ground(self) -> Ground:
        return ground_of(self.sight, self.task)

    def _do(self, do: Do, cursor: Cursor) -> Turn | None:
        """The turn of one sentence, or of several readings in a row; None when it is passed over."""
        values = self.course.values(cursor)
        try:
            calls = self._calls(do, values, cursor)
        except NotFound as missing:
            return self._waiting(do, values, cursor, missing)
        thoughts = [do.line.text]
        if isinstance(do.action, Reading):
            for reading in self._readings_from(cursor.next):
                try:
                    calls += self._calls(reading, values, cursor)
                except NotFound:
                    break
                thoughts.append(reading.line.text)
        return Turn(calls, "\n".join(dict.fromkeys(thoughts)), cursor.after(len(thoughts)).memo)

    def _readings_from(self, cursor: Cursor) -> list[Do]:
        """The readings that come next: they all look at the same screen, so they are one turn."""
        readings: list[Do] = []
        for operation in self.course.program[cursor.position : cursor.position + _MOST_READINGS_IN_A_TURN]:
            if not (isinstance(operation, Do) and isinstance(operation.action, Reading)):
                break
            readings.append(operation)
        return readings

    def _calls(self, do: Do, values: Values, cursor: Cursor) -> tuple[ToolCall, ...]:
        try:
            self._refuse_empty_labels(do, values)
            return calls_of(do.action, self._ground, values, cursor.items)
        except PathError as problem:
            raise failure(do, str(problem)) from None

    def _refuse_empty_labels(self, do: Do, values: Values) -> None:
        for text in (text for target in needed_by(do.action) for text in texts_of(target)):
            if values.filled(text).strip() in ("", EMPTY):
                raise failure(do, f"there is nothing to look for: {text} is empty")

    def _waiting(self, do: Do, values: Values, cursor: Cursor, missing: NotFound) -> Turn | None:
        """A turn that waits for what is not there yet; None to pass over an optional step.

        Raises `ModelError` when it was waited for long enough.
        """
        patience = do.patience_seconds
        if patience is None:
            patience = 0.0 if do.is_optional else self.patience_seconds
        absent = self._absent_texts(do, values)
        if patience and absent and not cursor.waits:
            call = ToolCall("wait", {"until_text": absent[:1], "timeout_seconds": patience})
            return Turn((call,), f"{do.line.text}: not there yet", cursor.waited.memo)
        if not absent and cursor.waits * _POLL_SECONDS < patience:
            call = ToolCall("wait", {"seconds": _POLL_SECONDS})
            return Turn((call,), f"{do.line.text}: not there yet", cursor.waited.memo)
        if do.is_optional:
            return None
        raise failure(do, f"{missing} (waited {patience:g} seconds)" if patience else str(missing))

    def _absent_texts(self, do: Do, values: Values) -> list[str]:
        """The labels of a sentence that the screen does not show, as templates."""
        texts = [values.bound(text) for target in needed_by(do.action) for text in texts_of(target)]
        return [text for text in texts if not labels.matches(self.sight.page, values.filled(text))]

    def _is_over(self, wait: WaitUntil, cursor: Cursor, last_turn: Sequence[Step]) -> bool:
        """True when an explicit wait is."""
        values = self.course.values(cursor)
        seen = [self._ground.shows(thing_with_texts(thing, values.filled)) for thing in wait.things]
        return any(seen) != wait.is_gone or (bool(cursor.waits) and has_worked(last_turn, wait))

    def _wait_until(self, do: Do, wait: WaitUntil, cursor: Cursor) -> Turn | None:
        """A turn of an explicit wait; None to pass over an optional one. Raises `ModelError` when its time is
        up."""
        values = self.course.values(cursor)
        timeout = DEFAULT_WAIT_SECONDS if do.patience_seconds is None else do.patience_seconds
        if _is_plain(wait) and not cursor.waits:
            texts = [values.bound(text) for thing in wait.things for text in texts_of(thing)]
            key = "until_gone" if wait.is_gone else "until_text"
            return Turn(
                (ToolCall("wait", {key: texts, "timeout_seconds": timeout}),),
                do.line.text,
                cursor.waited.memo,
            )
        if not _is_plain(wait) and cursor.waits * _POLL_SECONDS < timeout:
            return Turn((ToolCall("wait", {"seconds": _POLL_SECONDS}),), do.line.text, cursor.waited.memo)
        if do.is_optional:
            return None
        what = " or ".join(told(thing_with_texts(thing, values.filled)) for thing in wait.things)
        did = "disappear" if wait.is_gone else "appear"
        raise failure(do, f"{what} did not {did} within {timeout:g} seconds{self._nearest(wait, values)}")

    def _nearest(self, wait: WaitUntil, values: Values) -> str:
        if wait.is_gone:
            return ""
        texts = [values.filled(text) for thing in wait.things for text in texts_of(thing)[:1]]
        near = dict.fromkeys(seen for text in texts for seen in labels.nearest(self.sight.page, text))
        return "; the nearest to it is " + ", ".join(f'"{text}"' for text in list(near)[:3]) if near else ""

    def _is_visible(self, statement: If, visible: Visible, cursor: Cursor) -> bool:
        values = self.course.values(cursor)
        try:
            things = [thing_with_texts(thing, values.filled) for thing in visible.things]
            return any(self._ground.shows(thing) for thing in things) != visible.is_negated
        except PathError as problem:
            raise failure(statement, str(problem)) from None


def has_worked(turn: Sequence[Step], wait: WaitUntil) -> bool:
    """True when the tool saw it happen, even if the screen has changed again since."""
    return _is_plain(wait) and bool(turn) and turn[-1].state is StepState.DONE


def _is_plain(wait: WaitUntil) -> bool:
    """True when the tool `wait` can look for it: labels and nothing more."""
    return all(isinstance(thing, Label) and not (thing.relation or thing.ordinal) for thing in wait.things)
