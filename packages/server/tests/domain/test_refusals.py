"""Refusals tell their facts."""

from uuid import UUID

from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.refusals import InvalidFields, Problem, RunAlreadyEnded, invalid
from cyberdesk_server.domain.runs import RunStatus

RUN = RunId(UUID(int=1))


def test_a_refusal_says_what_it_is_about() -> None:
    refusal = RunAlreadyEnded(RUN, RunStatus.SUCCESS)

    assert str(refusal) == "run 00000000-0000-0000-0000-000000000001 has already ended: success"


def test_invalid_fields_are_told_by_their_place() -> None:
    refusal = InvalidFields((Problem(("body", "a", 0), "is wrong"), Problem(("query", "b"), "is odd")))

    assert str(refusal) == "body.a.0: is wrong; query.b: is odd"
    assert invalid(("body", "a"), "is wrong").problems == (Problem(("body", "a"), "is wrong"),)
