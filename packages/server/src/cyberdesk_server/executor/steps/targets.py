"""What an action looks for on the screen, and the texts and pictures that takes."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cyberdesk_server.executor.steps.language import (
    Action,
    CheckVisible,
    Clear,
    Click,
    Drag,
    Hover,
    Label,
    Picture,
    ReadTable,
    ReadText,
    Related,
    Scroll,
    Spot,
    Target,
    Thing,
    Type,
    WaitUntil,
)


def targets_of(action: Action) -> tuple[Target, ...]:
    """Everything an action looks for on the screen."""
    match action:
        case Click(target=target) | Hover(target=target):
            return (target,)
        case Type(into=target) | Clear(field=target) | Scroll(over=target):
            return (target,) if target else ()
        case Drag():
            return (action.start, action.end)
        case WaitUntil() | CheckVisible():
            return action.things
        case ReadText():
            return (action.of,)
        case ReadTable():
            return (action.under,)
        case _:
            return ()


def needed_by(action: Action) -> tuple[Target, ...]:
    """What must be on the screen before the action can be done."""
    return () if isinstance(action, WaitUntil | CheckVisible) else targets_of(action)


def with_texts(target: Target, change: Callable[[str], str]) -> Target:
    """A target with every label's text changed."""
    return target if isinstance(target, Spot) else thing_with_texts(target, change)


def thing_with_texts(thing: Thing, change: Callable[[str], str]) -> Thing:
    """A thing with every label's text changed."""
    related = thing.relation and Related(thing.relation.relation, thing_with_texts(thing.relation.to, change))
    match thing:
        case Label():
            return replace(thing, text=change(thing.text), relation=related)
        case Picture():
            return replace(thing, relation=related)


def texts_of(target: Target) -> list[str]:
    """The texts of a target's labels, its own first."""
    match target:
        case Spot():
            return []
        case Label() | Picture():
            own = [target.text] if isinstance(target, Label) else []
            return own + (texts_of(target.relation.to) if target.relation else [])


def pictures_of(target: Target) -> Iterator[str]:
    """The sources of a target's pictures."""
    match target:
        case Label() | Picture():
            if isinstance(target, Picture):
                yield target.source
            if target.relation:
                yield from pictures_of(target.relation.to)
        case Spot():
            pass
