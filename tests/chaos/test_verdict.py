"""What `make chaos` calls a broken promise, and what it does not."""

from dataclasses import replace

import pytest

from chaos.orders import KINDS, Order, an_order
from chaos.verdict import Token, Told, Verdict, judge, tokens_of

PLAIN, SECRET = KINDS[0], KINDS[1]
HELD = Verdict(lost=(), doubled=(), stuck=(), mixed=(), leaked=())


def a_run(number: int, status: str = "success", desktop: str = "left") -> Told:
    return Told(f"run-{number}", number, status, desktop=desktop)


def typed_by(*orders: Order) -> bytes:
    """What a desktop gets when these are typed one after the other."""
    parts = [
        order.secret if order.secret and part == 2 else f"<{order.number:06}.{part}>"
        for order in orders
        for part in range(1, order.kind.parts + 1)
    ]
    return "".join(f"{part}\r" for part in parts).encode()


def judged(orders: list[Order], told: list[Told], logged: str = "", **typed: bytes) -> Verdict:
    """The verdict when all of these were accepted."""
    by_number = {order.number: order for order in orders}
    return judge(by_number, {number: f"run-{number}" for number in by_number}, told, typed, logged)


def test_everything_typed_once_and_in_order_is_the_promise() -> None:
    one, two = an_order(1, SECRET, group=1), an_order(2, PLAIN, group=1)

    assert judged([one, two], [a_run(2), a_run(1)], left=typed_by(one, two)) == HELD


def test_a_token_is_whole_or_none() -> None:
    assert tokens_of(b"<000001.1>\r<0000<000002.3!0af>x<000003.1") == [Token(1, 1), Token(2, 3)]


@pytest.mark.parametrize("status", ["error", "cancelled"])
def test_a_run_without_success_may_have_typed_less(status: str) -> None:
    order = an_order(1, PLAIN)

    assert judged([order], [a_run(1, status)], left=b"<000001.1>\r<0000") == HELD


def test_an_accepted_run_that_is_not_there_is_lost() -> None:
    assert len(judged([an_order(1, PLAIN)], []).lost) == 1


def test_a_success_that_did_not_type_everything_is_lost() -> None:
    assert len(judged([an_order(1, PLAIN)], [a_run(1)], left=b"<000001.1>\r").lost) == 1


def test_a_create_without_an_answer_may_be_there_once() -> None:
    order = an_order(1, PLAIN)
    orders, typed = {1: order}, {"left": typed_by(order)}

    assert judge(orders, {}, [], {"left": b""}) == HELD
    assert judge(orders, {}, [a_run(1)], typed) == HELD
    assert len(judge(orders, {}, [a_run(1), replace(a_run(1), id="again")], typed).doubled) == 1


def test_a_run_of_an_order_that_was_refused_is_one_too_many() -> None:
    assert len(judged([], [a_run(1)], left=typed_by(an_order(1, PLAIN))).doubled) == 1


@pytest.mark.parametrize("status", ["success", "error"])
def test_what_is_typed_twice_is_doubled(status: str) -> None:
    order = an_order(1, PLAIN)

    assert len(judged([order], [a_run(1, status)], left=typed_by(order) + b"<000001.2>").doubled) == 1
    assert judged([order], [a_run(1, status)], left=typed_by(order), right=b"<000001.2>").doubled


@pytest.mark.parametrize("status", ["scheduling", "running", "running_checks"])
def test_a_run_that_does_not_end_is_stuck(status: str) -> None:
    assert len(judged([an_order(1, PLAIN)], [a_run(1, status)], left=b"").stuck) == 1


def test_two_runs_on_a_desktop_at_a_time_are_mixed() -> None:
    orders = [an_order(1, PLAIN), an_order(2, PLAIN)]
    typed = b"<000001.1>\r<000002.1>\r<000001.2>\r<000002.2>\r"

    assert judged(orders, [a_run(1), a_run(2)], left=typed).mixed


def test_parts_in_another_order_are_mixed() -> None:
    assert judged([an_order(1, PLAIN)], [a_run(1)], left=b"<000001.2>\r<000001.1>\r").mixed


def test_the_runs_of_a_session_in_another_order_are_mixed() -> None:
    one, two = an_order(1, PLAIN, group=1), an_order(2, PLAIN, group=1)

    assert judged([one, two], [a_run(1), a_run(2)], left=typed_by(two, one)).mixed
    assert not judged(
        [an_order(1, PLAIN), an_order(2, PLAIN)], [a_run(1), a_run(2)], left=typed_by(two, one)
    ).mixed


def test_a_run_on_another_desktop_than_it_says_is_mixed() -> None:
    order = an_order(1, PLAIN)

    assert judged([order], [a_run(1, desktop="right")], left=typed_by(order), right=b"").mixed


def test_what_no_run_typed_is_mixed() -> None:
    assert judged([], [], left=b"<000001.1>").mixed


def test_a_secret_in_a_log_is_leaked() -> None:
    order = an_order(1, SECRET)

    assert judged([order], [a_run(1)], f"typing {order.secret}", left=typed_by(order)).leaked
