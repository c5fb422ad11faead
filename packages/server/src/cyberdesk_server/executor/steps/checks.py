"""What is wrong with a prompt, told before the first action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cyberdesk_server.domain.prompt_lines import Line
from cyberdesk_server.domain.prompts import LOOP_ITEM, Kind, Placeholder, parts
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.steps.language import (
    Action,
    Block,
    CheckVisible,
    Compared,
    Copy,
    Destination,
    Do,
    ExportFile,
    Fail,
    Focus,
    ForEach,
    If,
    ReadScreen,
    ReadTable,
    ReadText,
    Remember,
    RunCommand,
    SaveScreenshot,
    Script,
    Statement,
    Succeed,
    Target,
    Type,
    Visible,
)
from cyberdesk_server.executor.steps.outputs import conflict
from cyberdesk_server.executor.steps.targets import pictures_of, targets_of, texts_of
from cyberdesk_server.executor.tools.files import MARK_FILE_FOR_EXPORT


def refusals_of(script: Script, task: Task) -> list[Refusal]:
    """Why this script cannot be followed with what the task has; empty when it can."""
    unreadable = [_refusal(bad.line, bad.reason) for bad in script.unreadable]
    if not (script.block or unreadable):
        return [Refusal("the prompt holds no steps")]
    checker = _Checker(task, known=set(task.known))
    checker.block(script.block, frozenset(), loops=0)
    return sorted([*unreadable, *checker.refusals], key=lambda refusal: refusal.line or 0)


def _refusal(line: Line, reason: str) -> Refusal:
    return Refusal(reason, line.number, line.text)


@dataclass
class _Checker:
    """Goes through the statements in order and remembers which runtime values are set by then."""

    task: Task
    refusals: list[Refusal] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Names of runtime values that an earlier statement may have set."""

    outputs: list[str] = field(default_factory=list)

    def block(self, block: Block, items: frozenset[str], loops: int) -> None:
        for statement in block:
            for reason in dict.fromkeys(self._reasons(statement, items, loops)):
                self.refusals.append(_refusal(statement.line, reason))
            self._inner(statement, items, loops)

    def _inner(self, statement: Statement, items: frozenset[str], loops: int) -> None:
        match statement:
            case If():
                self.block(statement.then, items, loops)
                self.block(statement.otherwise, items, loops)
            case ForEach():
                names = {LOOP_ITEM} | ({statement.item.name} if statement.item else set())
                self.block(statement.body, items | names, loops + 1)
            case Do(action=Focus(block=block)):
                self.block(block, items, loops=0)
            case Do():
                pass

    def _reasons(self, statement: Statement, items: frozenset[str], loops: int) -> Iterator[str]:
        match statement:
            case Do():
                yield from self._about_targets(targets_of(statement.action), items)
                yield from self._about_texts(statement.action, items)
                yield from self._about_tools(statement.action)
                yield from self._about_destination(destination_of(statement.action), loops)
            case If(condition=Visible() as visible):
                yield from self._about_targets(visible.things, items)
            case If(condition=Compared() as compared):
                yield from self._about_variables((compared.value, compared.other), items, may_be_secret=False)
            case ForEach(source=Placeholder() as source):
                yield from self._about_variables((str(source),), items, may_be_secret=False)
            case ForEach(source=tuple() as texts):
                yield from self._about_variables(texts, items, may_be_secret=False)
            case _:
                pass

    def _about_targets(self, targets: Iterable[Target], items: frozenset[str]) -> Iterator[str]:
        for target in targets:
            yield from self._about_variables(texts_of(target), items, may_be_secret=False)
            for source in pictures_of(target):
                yield from self._about_picture(source)

    def _about_texts(self, action: Action, items: frozenset[str]) -> Iterator[str]:
        yield from self._about_variables(texts_in(action), items, may_be_secret=isinstance(action, Type))

    def _about_variables(
        self, texts: Iterable[str], items: frozenset[str], *, may_be_secret: bool
    ) -> Iterator[str]:
        for used in (part for text in texts for part in parts(text) if isinstance(part, Placeholder)):
            match used.kind:
                case Kind.SECRET if not may_be_secret:
                    yield f"{used} is a secret: it can be typed, and used nowhere else"
                case Kind.SECRET if used.name not in self.task.secret_names:
                    yield f"{used} has no value: give it in sensitive_input_values"
                case Kind.INPUT if used.name not in items and used.name not in self.task.inputs:
                    yield f"{used} has no value: give it in input_values"
                case Kind.RUNTIME if used.name not in items and used.name not in self.known:
                    yield f"{used} is not set by any step before this one"
                case _:
                    pass

    def _about_tools(self, action: Action) -> Iterator[str]:
        if isinstance(action, ExportFile) and MARK_FILE_FOR_EXPORT.spec not in self.task.tools:
            yield "the workflow does not include file exports: set includes_file_exports"

    def _about_destination(self, to: Destination | None, loops: int) -> Iterator[str]:
        if to is None:
            return
        if to.runtime is not None:
            self.known.add(to.runtime)
        if to.output is None:
            return
        if to.output.count("[]") > loops:
            yield f"{to.output} has more [] than there are loops around it; each [] is one For each"
        clash = conflict([*self.outputs, to.output])
        if clash is not None:
            yield f"the output cannot hold both {clash[0]} and {clash[1]}"
        else:
            self.outputs.append(to.output)

    def _about_picture(self, source: str) -> Iterator[str]:
        from cyberdesk_server.executor.reading.pictures import is_one_colour
        from cyberdesk_server.executor.reading.sight import UnreadablePicture, decoded

        content = self.task.pictures.get(source)
        if content is None:
            yield f"the picture {source} cannot be loaded"
            return
        try:
            picture = decoded(content)
        except UnreadablePicture as problem:
            yield f"the picture {source} cannot be read: {problem}"
            return
        if is_one_colour(picture):
            yield f"the picture {source} shows one colour only and cannot be found on a screen"


def texts_in(action: Action) -> tuple[str, ...]:
    """The texts of an action besides its labels: templates."""
    match action:
        case Type(text=text) | Remember(text=text) | Fail(reason=text) | RunCommand(command=text):
            return (text,)
        case SaveScreenshot():
            return (action.filename,)
        case ExportFile():
            return (action.path,)
        case Succeed(text=str() as text):
            return (text,)
        case _:
            return ()


def destination_of(action: Action) -> Destination | None:
    """Where an action puts a value."""
    match action:
        case ReadText() | ReadTable() | ReadScreen() | CheckVisible() | Copy():
            return action.to
        case Remember():
            return Destination(runtime=action.name)
        case _:
            return None
