"""Which run is next, of what has been read: as if everything had been."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, SessionId
from cyberdesk_server.domain.queues import Line, Opening, Queue, Standing
from cyberdesk_server.domain.runs import ANY_MACHINE, Demand, demand_of_session
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
OWN = OrganizationId("org_own")
MACHINES = [MachineId(UUID(int=number)) for number in range(4)]
SESSION = demand_of_session(SessionId(UUID(int=1)))


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def run_of(seconds: int) -> tuple[datetime, RunId]:
    """The run that was made so many seconds after noon."""
    return at(seconds), RunId(UUID(int=seconds))


def an_opening(
    demand: Demand = ANY_MACHINE,
    *,
    urgent: tuple[int, ...] = (),
    usual: tuple[int, ...] = (),
    machines: int = 4,
    promised: tuple[bool, int] = (False, 0),
) -> Opening:
    is_usual, seconds = promised
    runs = [run_of(each) for each in urgent], [run_of(each) for each in usual]
    return Opening(demand, (is_usual, at(seconds)), *runs, dict.fromkeys(MACHINES[:machines]))


def order(queue: Queue) -> list[int]:
    taken = []
    while (pair := queue.take()) is not None:
        taken.append(pair.run_id.int)
    return taken


def test_priority_comes_first_and_then_age_over_all_demands() -> None:
    openings = [an_opening("a", urgent=(7,), usual=(1, 4)), an_opening("b", usual=(2, 3), machines=3)]

    assert order(Queue(OWN, openings, is_all=True)) == [7, 1, 2, 4]


def test_a_machine_is_given_once() -> None:
    openings = [an_opening("a", usual=(1,), machines=1), an_opening("b", usual=(2,), machines=2)]
    queue = Queue(OWN, openings, is_all=True)

    pairs = [queue.take(), queue.take()]

    assert [pair.machine_id for pair in pairs if pair] == MACHINES[:2]
    assert queue.is_empty


def test_inside_a_session_only_age_counts() -> None:
    queue = Queue(OWN, [an_opening(SESSION, urgent=(2,), usual=(1,), machines=1)], is_all=True)

    assert order(queue) == [1]


def test_what_is_next_is_not_known_when_it_may_be_behind_what_was_read() -> None:
    openings = [an_opening("a", usual=(5, 9)), an_opening("b", promised=(True, 6))]
    queue = Queue(OWN, openings, is_all=False)

    assert order(queue) == [5]
    assert not queue.is_sure
    assert not queue.is_empty


def test_openings_without_runs_or_machines_are_nothing_to_take() -> None:
    queue = Queue(OWN, [an_opening("a"), an_opening("b", usual=(1,), machines=0)], is_all=True)

    assert queue.take() is None
    assert queue.is_sure
    assert queue.is_empty


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 30), unique=True, max_size=4),
            st.lists(st.integers(31, 60), unique=True, max_size=4),
            st.sets(st.sampled_from(MACHINES)),
        ),
        max_size=4,
    ),
    st.integers(1, 4),
)
def test_a_few_of_each_are_enough_for_a_few_claims(
    drawn: list[tuple[list[int], list[int], set[MachineId]]], depth: int
) -> None:
    def queue(of_each: int) -> Queue:
        openings = [
            Opening(
                str(number),
                (False, NOON),
                [run_of(1000 * number + each) for each in sorted(urgent)][:of_each],
                [run_of(1000 * number + each) for each in sorted(usual)][:of_each],
                dict.fromkeys(sorted(machines)[:of_each]),
            )
            for number, (urgent, usual, machines) in enumerate(drawn)
        ]
        return Queue(OWN, openings, is_all=True)

    whole, part = queue(99), queue(depth)

    assert [part.take() for _ in range(depth)] == [whole.take() for _ in range(depth)]


def a_line(*promised_and_last: tuple[int, int], is_all: bool = True) -> Line:
    standings = [
        Standing(OrganizationId(f"org_{number}"), promised, last)
        for number, (promised, last) in enumerate(promised_and_last)
    ]
    return Line(standings, is_all=is_all)


def test_the_organization_whose_last_claim_is_longest_ago_is_first_whatever_was_promised() -> None:
    line = a_line((1, 9), (2, 2), (3, 5))

    served = []
    for _ in range(5):
        served.append(line.first())
        line.serve()

    assert served == ["org_1", "org_2", "org_0", "org_1", "org_2"]


def test_who_has_nothing_left_leaves_the_line() -> None:
    line = a_line((1, 1), (2, 2))

    line.serve()
    line.leave()

    assert line.first() == "org_0"
    line.leave()
    assert line.first() is None
    assert line.is_empty


def test_whose_turn_it_is_is_not_known_when_it_may_be_anothers_that_was_not_read() -> None:
    line = a_line((1, 2), (3, 7), is_all=False)

    assert line.first() == "org_0"
    line.serve()
    assert line.first() is None
    assert not line.is_empty
