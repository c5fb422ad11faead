"""Lanes: how much is under way to whom, so that nobody waits for somebody else's endpoint."""

from uuid import UUID

from cyberdesk_server.domain.ids import WebhookEndpointId
from cyberdesk_server.worker.lanes import NARROW, WIDE, Lanes
from hypothesis import given
from hypothesis import strategies as st

A, B, C = (WebhookEndpointId(UUID(int=number)) for number in range(3))


def lanes(at_once: int = 100, suspect_at_once: int = 10) -> Lanes:
    return Lanes(at_once=at_once, suspect_at_once=suspect_at_once)


def one_after_another(lanes: Lanes, endpoint_id: WebhookEndpointId, *answers: bool) -> None:
    for is_prompt in answers:
        lanes.begin(endpoint_id, 1)
        lanes.end(endpoint_id, is_prompt=is_prompt)


def test_a_lane_starts_narrow_and_gets_wider_with_each_prompt_answer() -> None:
    these = lanes()
    rooms = [these.room(A)]
    for _ in range(5):
        one_after_another(these, A, True)
        rooms.append(these.room(A))

    assert rooms == [NARROW, 4, 8, 16, WIDE, WIDE]


def test_a_late_answer_leaves_one_at_a_time() -> None:
    these = lanes()

    one_after_another(these, A, True, True, True, False)

    assert these.room(A) == 1


def test_what_is_under_way_takes_room() -> None:
    these = lanes()

    these.begin(A, NARROW)

    assert (these.room(A), these.room(B)) == (0, NARROW)


def test_endpoints_that_do_not_answer_share_their_own_part() -> None:
    these = lanes(at_once=3, suspect_at_once=1)
    for endpoint_id in (A, B):
        one_after_another(these, endpoint_id, False)

    these.begin(A, 1)

    assert (these.room(A), these.room(B), these.room(C)) == (0, 0, NARROW)


def test_an_endpoint_that_recovers_is_like_any_other() -> None:
    these = lanes(suspect_at_once=1)
    one_after_another(these, A, False, True, True)

    these.begin(B, 1)
    these.end(B, is_prompt=False)
    these.begin(B, 1)

    assert these.room(A) == 4


def test_an_end_says_whether_somebody_waited_for_it() -> None:
    these = lanes(at_once=2)
    these.begin(A, 2)
    these.wait(A)
    nobody = lanes()
    nobody.begin(A, 1)

    assert these.end(A, is_prompt=True)
    assert not these.end(A, is_prompt=True)
    assert not nobody.end(A, is_prompt=True)


def test_who_waits_for_the_shared_part_hears_of_any_end() -> None:
    these = lanes(at_once=2)
    these.begin(A, 2)
    these.wait(B)

    assert these.end(A, is_prompt=None)


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from([None, True, False]))))
def test_never_more_is_under_way_than_is_allowed(ends: list[tuple[WebhookEndpointId, bool | None]]) -> None:
    these = lanes(at_once=5, suspect_at_once=2)
    under_way = dict.fromkeys((A, B, C), 0)

    for endpoint_id, is_prompt in ends:
        for one in under_way:
            room = these.room(one)
            these.begin(one, room)
            under_way[one] += room
        assert sum(under_way.values()) <= 5 + 2 + WIDE  # a lane that turns suspect brings what is under way
        if under_way[endpoint_id]:
            these.end(endpoint_id, is_prompt=is_prompt)
            under_way[endpoint_id] -= 1
