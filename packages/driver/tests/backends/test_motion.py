"""The way of a drag."""

from cyberdriver.backends.base import Point
from cyberdriver.backends.motion import SHORTEST_SECONDS, STEPS_PER_SECOND, drag_path
from hypothesis import given
from hypothesis import strategies as st

points = st.builds(Point, st.integers(0, 4000), st.integers(0, 4000))
durations = st.floats(0, 10)


@given(points, points, durations)
def test_a_drag_ends_where_and_when_it_should(start: Point, end: Point, duration: float) -> None:
    path = drag_path(start, end, duration)

    assert (path[-1].to, path[-1].after_seconds) == (end, max(duration, SHORTEST_SECONDS))
    assert len(path) >= SHORTEST_SECONDS * STEPS_PER_SECOND


@given(points, points, durations)
def test_a_drag_never_turns_back(start: Point, end: Point, duration: float) -> None:
    path = drag_path(start, end, duration)

    travelled = [abs(step.to.x - start.x) + abs(step.to.y - start.y) for step in path]
    assert travelled == sorted(travelled)
    assert [step.after_seconds for step in path] == sorted(step.after_seconds for step in path)
