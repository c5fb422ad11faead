"""What comes of a post-run check: the rules, over what the run put out.

A check that finds something else than its author wants has `failed`; one that could not be made for a reason
that is not the run's is an `infra_error`.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.post_run_checks import (
    CheckSpec,
    PostRunCheckFileTargetMode,
    PostRunCheckStatus,
    PostRunCheckType,
)
from cyberdesk_server.domain.prompts import (
    EMPTY,
    PathError,
    Placeholder,
    fill,
    fill_secrets,
    lookup,
    parts,
)

LOOP_ITEM = "loop_item"
MOST_ITEMS = 10_000
"""A loop over a number goes no further."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run leaves behind for its checks."""

    inputs: JsonObject
    output_data: JsonObject | None
    filenames: tuple[str, ...]
    """Names of its output files; several may have one name."""


NO_EVIDENCE = Evidence({}, None, ())


@dataclass(frozen=True, slots=True)
class Found:
    """The files a check names."""

    matched: tuple[str, ...]
    complaints: tuple[str, ...] = ()
    """What is not as the check wants it, a sentence each."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check."""

    status: PostRunCheckStatus
    messages: tuple[str, ...] = ()
    """What it found, in words."""

    error_message: str | None = None
    """Why it could not be made."""

    matched: tuple[str, ...] | None = None
    """The files it looked at; None for a check of output data."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An output file that a model is to look at."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is to judge: is it as the prompt says?"""

    prompt: str
    """What the author of the check wrote, with inputs in the place of `{x}`."""

    model: UUID | None = None
    """The model configuration that judges; None takes the run's main one."""

    output_data: JsonObject | None = None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model's answer to a question."""

    is_fulfilled: bool
    reason: str


class NotACheck(Exception):
    """A snapshot that a caller has overwritten with something that cannot be checked."""


def spec_of(snapshot: JsonObject) -> CheckSpec:
    """What the author wrote, as the run has kept it. Raises `NotACheck`."""
    told: dict[str, Any] = {member.name: snapshot.get(member.name) for member in fields(CheckSpec)}
    names, mode, model = told["file_names"], told["file_target_mode"], told["model"]
    try:
        spec = CheckSpec(
            **told
            | {
                "type": PostRunCheckType(told["type"]),
                "file_target_mode": None if mode is None else PostRunCheckFileTargetMode(mode),
                "file_names": None if names is None else tuple(names),
                "model": None if model is None else UUID(model),
                "name": told["name"] or str(told["type"]),
            }
        )
    except (ValueError, TypeError) as error:
        raise NotACheck(str(error)) from error
    faults = [f"{member} {message}" for member, message in spec.faults()]
    if faults:
        raise NotACheck("; ".join(faults))
    return spec


def found_by_name(spec: CheckSpec, evidence: Evidence) -> Found:
    """The files a check names one by one, or by the items of a loop."""
    try:
        wanted = tuple(_names(spec, evidence))
    except _Unusable as error:
        return Found((), (str(error),))
    there = frozenset(evidence.filenames)
    return Found(
        tuple(name for name in evidence.filenames if name in wanted),
        tuple(f"there is no file {name}" for name in dict.fromkeys(wanted) if name not in there),
    )


def found_by_pattern(spec: CheckSpec, evidence: Evidence, matching: Collection[str]) -> Found:
    """The files whose names are among `matching`, of which there must be as many as the check expects."""
    matched = tuple(name for name in evidence.filenames if name in matching)
    try:
        expected = _expected_count(spec, evidence)
    except _Unusable as error:
        return Found(matched, (str(error),))
    if len(matched) == expected or (expected is None and matched):
        return Found(matched)
    wanted = "at least one" if expected is None else expected
    return Found(matched, (f"{len(matched)} files match {spec.file_name_regex}; expected: {wanted}",))


def found_or_not(found: Found) -> Verdict:
    """A check that files exist."""
    status = PostRunCheckStatus.FAILED if found.complaints else PostRunCheckStatus.SUCCESS
    return Verdict(status, found.complaints, matched=found.matched)


def judged(judgement: Judgement, matched: tuple[str, ...] | None) -> Verdict:
    """A check that a model has decided."""
    status = PostRunCheckStatus.SUCCESS if judgement.is_fulfilled else PostRunCheckStatus.FAILED
    return Verdict(status, (judgement.reason,), matched=matched)


def not_made(reason: str) -> Verdict:
    """A check that could not be made."""
    return Verdict(PostRunCheckStatus.INFRA_ERROR, error_message=reason)


def prompt_of(spec: CheckSpec, evidence: Evidence) -> str:
    """The check's prompt with inputs in the place of `{x}`. Raises `PathError`."""
    return fill(spec.check_prompt or "", evidence.inputs, {})


def is_over(snapshot: JsonObject) -> bool:
    """True when something came of this check."""
    return snapshot.get("status") not in (PostRunCheckStatus.PENDING, PostRunCheckStatus.RUNNING)


def begun(snapshot: JsonObject, now: datetime) -> JsonObject:
    """The snapshot of a check that is being made."""
    return {**snapshot, "status": PostRunCheckStatus.RUNNING.value, "started_at": now.isoformat()}


def decided(snapshot: JsonObject, verdict: Verdict, now: datetime) -> JsonObject:
    """The snapshot of a check that this came of."""
    return {
        **snapshot,
        "status": verdict.status.value,
        "ended_at": now.isoformat(),
        "error_message": verdict.error_message,
        "messages": list(verdict.messages),
        "matched_filenames": None if verdict.matched is None else list(verdict.matched),
    }


def complaints(snapshots: Sequence[JsonObject]) -> tuple[str, ...]:
    """Why a run with these checks did not go well, a line for each check; nothing when all passed."""
    return tuple(_complaint(each) for each in snapshots if each["status"] != PostRunCheckStatus.SUCCESS)


def could_be_made(snapshots: Sequence[JsonObject]) -> bool:
    """True when every check came to an answer of its own."""
    answers = (PostRunCheckStatus.SUCCESS, PostRunCheckStatus.FAILED)
    return all(each["status"] in answers for each in snapshots)


def was_judged(snapshot: JsonObject) -> bool:
    """True when a model has decided this check."""
    by_model = [each.value for each in PostRunCheckType if each.asks_a_model]
    answers = (PostRunCheckStatus.SUCCESS, PostRunCheckStatus.FAILED)
    has_looked = snapshot.get("matched_filenames") != []
    return snapshot.get("type") in by_model and snapshot["status"] in answers and has_looked


def after_the_end(snapshots: Sequence[JsonObject]) -> tuple[JsonObject, ...]:
    """The checks of a run that has ended: those that were not made are cancelled."""
    cancelled = PostRunCheckStatus.CANCELLED.value
    return tuple(each if is_over(each) else {**each, "status": cancelled} for each in snapshots)


def _complaint(snapshot: JsonObject) -> str:
    told: dict[str, Any] = dict(snapshot)
    name, why = told.get("name") or "unnamed", told.get("error_message")
    if told["status"] == PostRunCheckStatus.FAILED:
        return f"post-run check {name} failed: {'; '.join(told.get('messages') or ()) or why}"
    return f"post-run check {name} could not be made: {why}"


class _Unusable(Exception):
    """A value a check depends on is not of the kind it needs; the text says which."""


def _names(spec: CheckSpec, evidence: Evidence) -> Iterator[str]:
    if spec.mode is PostRunCheckFileTargetMode.EXACT:
        yield from spec.file_names or ()
        return
    template = spec.loop_item_filename_template or ""
    for item in _items(spec.loop_input or "", evidence):
        try:
            # Nothing secret is ever put into a name: what `fill` leaves open stays empty.
            yield fill_secrets(fill(template, evidence.inputs, {LOOP_ITEM: item}), {})
        except PathError as error:
            raise _Unusable(f"loop_item_filename_template: {error}") from None


def _items(loop_input: str, evidence: Evidence) -> Sequence[JsonValue]:
    """What a loop over this input goes over: a list, as many numbers from 0 as a number says, or nothing."""
    value = _at(loop_input, evidence.inputs, "loop_input")
    if isinstance(value, str) and value != EMPTY:
        try:
            value = json.loads(value)
        except ValueError:
            raise _Unusable(f"loop_input: {loop_input} is no list") from None
    match value:
        case None | "__EMPTY__":
            return ()
        case int() if not isinstance(value, bool):
            return tuple(range(min(max(value, 0), MOST_ITEMS)))
        case list() | tuple():
            return value
        case _:
            raise _Unusable(f"loop_input: {loop_input} is no list")


def _expected_count(spec: CheckSpec, evidence: Evidence) -> int | None:
    ref = spec.expected_match_count_ref
    if ref is None:
        return spec.expected_match_count
    values: JsonObject = {"inputs": evidence.inputs, "outputs": evidence.output_data}
    count = _at(ref, values, "expected_match_count_ref")
    try:
        number = int(str(count))
    except ValueError:
        raise _Unusable(f"expected_match_count_ref: {ref} is no whole number") from None
    return number


def _at(path: str, values: JsonObject, member: str) -> JsonValue:
    [placeholder] = parts(f"{{{path}}}")
    assert isinstance(placeholder, Placeholder)  # `CheckSpec.faults` has refused everything else
    try:
        return lookup(placeholder, values)
    except PathError as error:
        raise _Unusable(f"{member}: {error}") from None


def unmade(snapshots: Sequence[JsonObject], reason: str, now: datetime) -> tuple[JsonObject, ...]:
    """The checks of a run whose time is over: those that were not made could not be."""
    return tuple(each if is_over(each) else decided(each, not_made(reason), now) for each in snapshots)
