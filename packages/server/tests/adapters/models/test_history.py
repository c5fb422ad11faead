"""A journal as a model is shown it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

from cyberdesk_server.adapters.models.conversation import Bounds, Past, Picture
from cyberdesk_server.adapters.models.history import (
    LEFT_OUT_AT_ONCE,
    MOST_CHARACTERS,
    NEWEST_KEPT,
    OLD_CHARACTERS,
    memo_of,
    memo_text,
    number_left_out,
    result_text,
    told,
)
from cyberdesk_server.adapters.models.pictures import Pictures
from cyberdesk_server.domain.geometry import SAME, Size
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.testing.ports import MemoryBlobs, a_screenshot
from cyberdesk_server.testing.rows import a_step
from hypothesis import given
from hypothesis import strategies as st

RUN = RunId(uuid4())
BOUNDS = Bounds(edge=1568, pixels=1_150_000)
BLOBS = MemoryBlobs()
BLOBS.contents = {f"{name}.png": a_screenshot(str(name), size=Size(8, 8)).png for name in range(40)}

screens = st.lists(st.integers(0, 5), min_size=1, max_size=30)


def journal(shown: Sequence[int]) -> tuple[Step, ...]:
    """A click for each screen but the last."""
    return tuple(
        replace(a_step(RUN, number), screen=f"supabase://{name}.png", state=StepState.DONE, result={})
        for number, name in enumerate(shown[:-1], start=1)
    )


async def conversation(shown: Sequence[int]) -> tuple[Picture | None, tuple[Past, ...]]:
    now = f"supabase://{shown[-1]}.png"
    pictures = Pictures(BLOBS, BOUNDS)
    return await told(journal(shown), now, author="me", pictures=pictures, scale=SAME)


@given(screens)
async def test_the_last_screen_is_always_shown_and_never_too_many(shown: list[int]) -> None:
    first, past = await conversation(shown)

    sent = [first, *(turn.screen for turn in past if not turn.is_unchanged)]
    assert sum(picture is not None for picture in sent) < NEWEST_KEPT + LEFT_OUT_AT_ONCE
    last = past[-1].screen if past else first
    assert last is not None
    assert last.content == BLOBS.contents[f"{shown[-1]}.png"]


@given(screens, st.integers(0, 5))
async def test_a_longer_run_is_told_the_same_until_screens_are_left_out(shown: list[int], more: int) -> None:
    first, past = await conversation(shown)

    first_later, later = await conversation([*shown, more])

    assert len(later) == len(past) + 1
    if (first is None) == (first_later is None) and not any(
        before.screen and not after.screen for before, after in zip(past, later, strict=False)
    ):
        assert (first_later, later[:-1]) == (first, past)


@given(screens)
async def test_a_screen_is_unchanged_exactly_when_it_is_the_one_before(shown: list[int]) -> None:
    _, past = await conversation(shown)

    repeats = [before == after for before, after in pairwise(shown)]
    assert [turn.is_unchanged for turn in past] == repeats


lengths = st.lists(st.sampled_from([1, OLD_CHARACTERS, OLD_CHARACTERS + 1, 4000]), max_size=30)


async def results(lengths: Sequence[int]) -> list[str]:
    """What is told of a run whose calls came to texts of these lengths, on a screen that stays the same."""
    steps = tuple(
        replace(step, result={"text": "x" * length})
        for step, length in zip(journal([0] * (len(lengths) + 1)), lengths, strict=True)
    )
    _, past = await told(steps, "supabase://0.png", author="me", pictures=Pictures(BLOBS, BOUNDS), scale=SAME)
    for turn in past:
        assert all(turn.told.endswith(f": {result.text}") for result in turn.results)
    return [result.text for turn in past for result in turn.results]


@given(lengths)
async def test_the_newest_long_results_are_whole_and_of_older_ones_the_beginning(lengths: list[int]) -> None:
    texts = await results(lengths)

    long = [(length, text) for length, text in zip(lengths, texts, strict=True) if length > OLD_CHARACTERS]
    cut = number_left_out(len(long))
    assert all(
        text == "x" * OLD_CHARACTERS + f" … ({length - OLD_CHARACTERS} characters more)"
        for length, text in long[:cut]
    )
    assert all(text == "x" * length for length, text in long[cut:])
    assert all("more)" not in text for text in texts if len(text) <= OLD_CHARACTERS)


@given(lengths, st.sampled_from([1, 4000]))
async def test_results_are_told_the_same_until_long_ones_are_cut(lengths: list[int], more: int) -> None:
    before, after = await results(lengths), await results([*lengths, more])

    long = sum(length > OLD_CHARACTERS for length in lengths)
    if number_left_out(long) == number_left_out(long + (more > OLD_CHARACTERS)):
        assert after[:-1] == before


@given(st.integers(0, 500))
def test_pictures_go_several_at_a_time(pictures: int) -> None:
    left_out = number_left_out(pictures)

    assert left_out % LEFT_OUT_AT_ONCE == 0
    assert min(pictures, NEWEST_KEPT) <= pictures - left_out < NEWEST_KEPT + LEFT_OUT_AT_ONCE


async def test_a_picture_that_is_gone_is_left_out() -> None:
    steps = (replace(a_step(RUN), screen="supabase://gone.png", state=StepState.DONE, result={}),)
    pictures = Pictures(BLOBS, BOUNDS)

    first, [turn] = await told(steps, "supabase://1.png", author="me", pictures=pictures, scale=SAME)

    assert first is None
    assert turn.screen is not None


def test_a_memo_is_its_authors() -> None:
    text = memo_text("me", {"a": 1})

    assert memo_of("me", text) == {"a": 1}
    assert [memo_of("you", text), memo_of("me", None), memo_of("me", "7"), memo_of("me", "no JSON")] == [
        None
    ] * 4


def test_results_are_told_in_words() -> None:
    done = replace(a_step(RUN), state=StepState.DONE)
    call = ToolCall("execute_terminal_command", {"command": "hostname"})

    assert result_text(replace(done, result={})) == "done"
    assert result_text(replace(done, result={"text": "desk", "output": {"a": "desk"}})) == "desk"
    assert result_text(replace(done, call=call, result={"text": "desk", "exit_code": 1})) == (
        '{"text": "desk", "exit_code": 1}'
    )
    assert result_text(replace(done, state=StepState.FAILED, error="no")) == "failed: no"
    long = result_text(replace(done, result={"text": "x" * (MOST_CHARACTERS + 5)}))
    assert long.endswith("x … (5 characters more)")
