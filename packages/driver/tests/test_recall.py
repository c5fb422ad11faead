"""The older promise: a key's answer is repeated for a minute."""

import pytest
from cyberdriver.answers import Answer
from cyberdriver.recall import KEPT_SECONDS, MAX_ANSWERS, MAX_BYTES, RecentAnswers

ANSWER = Answer(200, b"{}")


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recent(clock: Clock) -> RecentAnswers:
    return RecentAnswers(clock)


def test_an_answer_is_found_for_a_minute(recent: RecentAnswers, clock: Clock) -> None:
    recent.keep("key", ANSWER)

    clock.seconds += KEPT_SECONDS - 0.1
    assert recent.find("key") == ANSWER
    clock.seconds += 0.2
    assert recent.find("key") is None


def test_a_failure_of_the_desktop_is_not_kept(recent: RecentAnswers) -> None:
    recent.keep("key", Answer(503))

    assert recent.find("key") is None


def test_a_refusal_is_kept(recent: RecentAnswers) -> None:
    recent.keep("key", Answer(422))

    assert recent.find("key") == Answer(422)


def test_number_and_bytes_are_bounded(recent: RecentAnswers) -> None:
    for number in range(MAX_ANSWERS + 1):
        recent.keep(str(number), ANSWER)
    assert recent.find("0") is None
    assert recent.find("1") == ANSWER

    recent.keep("large", Answer(200, b"x" * MAX_BYTES))
    assert recent.find("1000") is None
    assert recent.find("large") is not None
