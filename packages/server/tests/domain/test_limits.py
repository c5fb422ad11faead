"""A run's own limits over its workflow's over the server's, and never beyond what the server allows."""

from cyberdesk_server.domain.limits import BUILT_IN_LIMITS, LIMITS, NO_LIMITS, RunLimits
from hypothesis import given
from hypothesis import strategies as st

a_limit = st.none() | st.integers(1, 100)
limits = st.builds(RunLimits, a_limit, a_limit, a_limit)


@given(limits, limits, limits)
def test_the_first_that_has_a_limit_decides(run: RunLimits, workflow: RunLimits, server: RunLimits) -> None:
    chosen = run.or_else(workflow).or_else(server)

    for name in LIMITS:
        asked = [getattr(one, name) for one in (run, workflow, server)]
        assert getattr(chosen, name) == next((one for one in asked if one is not None), None)


@given(limits, limits)
def test_what_is_beyond_is_named_with_the_most_there_is(asked: RunLimits, most: RunLimits) -> None:
    cut = asked.at_most(most)

    assert list(cut.beyond(most)) == []
    for name, allowed in asked.beyond(most):
        assert getattr(asked, name) > allowed == getattr(most, name) == getattr(cut, name)
    named = {name for name, _ in asked.beyond(most)}
    assert all(getattr(cut, name) == getattr(asked, name) for name in LIMITS if name not in named)


def test_the_usual_limits_are_allowed() -> None:
    assert list(BUILT_IN_LIMITS.usual.beyond(BUILT_IN_LIMITS.most)) == []
    assert BUILT_IN_LIMITS.usual.or_else(NO_LIMITS) == RunLimits(7200, 500, None)
