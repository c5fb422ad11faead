"""Questions to a machine survive the bus as they were."""

from typing import Any

from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, read_answer
from hypothesis import given
from hypothesis import strategies as st

headers = st.dictionaries(st.text(), st.text())


@given(
    question=st.builds(
        Question,
        method=st.sampled_from(["GET", "POST"]),
        path=st.text(),
        query=st.text(),
        headers=headers,
        body=st.binary(),
        answer_seconds=st.floats(0, 1000),
        request_id=st.text(),
    )
)
def test_a_question_arrives_as_it_was_asked(question: Question) -> None:
    assert Question.from_message(question.to_message()) == question


@given(
    answer=st.builds(DriverAnswer, status=st.integers(100, 599), headers=headers, body=st.binary())
    | st.builds(NoAnswer, reason=st.text(), was_sent=st.booleans(), was_late=st.booleans())
)
def test_an_answer_arrives_as_it_was_given(answer: Any) -> None:
    assert read_answer(answer.to_message()) == answer


def test_every_question_has_an_id_of_its_own() -> None:
    assert Question("GET", "/a").request_id != Question("GET", "/a").request_id
