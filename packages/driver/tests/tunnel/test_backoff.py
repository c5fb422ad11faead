"""Waits double up to a limit, never more than a third longer, and begin anew after a healthy tunnel."""

from cyberdriver.tunnel.backoff import HEALTHY_SECONDS, JITTER, STEPS_SECONDS, Backoff
from hypothesis import given
from hypothesis import strategies as st


@given(fractions=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_every_wait_is_its_step_and_some_jitter(fractions: list[float]) -> None:
    rest = iter(fractions)
    backoff = Backoff(lambda: next(rest))

    waits = [backoff.next_seconds() for _ in fractions]

    for index, wait_seconds in enumerate(waits):
        step = STEPS_SECONDS[min(index, 4)]
        assert step <= wait_seconds <= step * (1 + JITTER)


def test_a_healthy_tunnel_resets_it_and_a_short_one_does_not() -> None:
    backoff = Backoff(lambda: 0.0)
    assert [backoff.next_seconds() for _ in range(6)] == [1, 2, 4, 8, 16, 16]

    backoff.ended_after(HEALTHY_SECONDS - 1)
    assert backoff.next_seconds() == 16
    backoff.ended_after(HEALTHY_SECONDS)
    assert backoff.next_seconds() == 1
