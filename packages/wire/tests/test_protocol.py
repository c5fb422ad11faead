"""Who waits for what: correlation, limits, late answers."""

from cyberdesk_wire import (
    BadField,
    BadHeader,
    DriverSide,
    DuplicateRequest,
    Frame,
    Limits,
    MessageTooLarge,
    ProtocolError,
    Request,
    Response,
    ServerSide,
    Superseded,
    TooManyRequests,
    UnknownRequest,
    frames,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule


def a_request(request_id: str = "1") -> Request:
    return Request(request_id, "POST", "/computer/input/mouse/click", body=b"{}")


def receive(side: DriverSide | ServerSide, sent: list[Frame] | ProtocolError) -> list[object]:
    assert isinstance(sent, list), sent
    return [event for frame in sent for event in side.receive(frame)]


def test_answers_may_come_in_any_order() -> None:
    server, driver = ServerSide(), DriverSide()
    receive(driver, server.send(a_request("1")))
    receive(driver, server.send(a_request("2")))

    events = receive(server, driver.send(Response("2", 200))) + receive(
        server, driver.send(Response("1", 404))
    )

    assert events == [Response("2", 200), Response("1", 404)]
    assert (server.outstanding, driver.outstanding) == (0, 0)


def test_the_driver_answers_a_request_once() -> None:
    server, driver = ServerSide(), DriverSide()
    receive(driver, server.send(a_request()))

    assert isinstance(driver.send(Response("1", 200)), list)
    assert driver.send(Response("1", 200)) == UnknownRequest("1")


def test_an_answer_nobody_asked_for_is_reported_before_its_body_is_kept() -> None:
    server = ServerSide()
    meta, *rest = frames(Response("1", 200, body=b"x"))

    assert server.receive(meta) == [UnknownRequest("1")]
    assert [event for frame in rest for event in server.receive(frame)] == []


def test_a_late_answer_is_dropped_without_a_word() -> None:
    server = ServerSide()
    server.send(a_request())
    server.abandon("1")

    assert server.outstanding == 0
    assert receive(server, list(frames(Response("1", 200, body=b"late")))) == []
    assert receive(server, list(frames(Response("1", 200)))) == [UnknownRequest("1")]


def test_an_answer_abandoned_while_it_arrives_is_dropped() -> None:
    server = ServerSide()
    server.send(a_request())
    meta, *rest = frames(Response("1", 200, body=b"late"))
    server.receive(meta)

    server.abandon("1")

    assert [event for frame in rest for event in server.receive(frame)] == []


def test_abandoning_an_id_that_does_not_wait_changes_nothing() -> None:
    server = ServerSide()

    server.abandon("1")

    assert isinstance(server.send(a_request()), list)


def test_the_server_sends_no_more_than_its_limit() -> None:
    server = ServerSide(Limits(max_outstanding_requests=1))
    server.send(a_request("1"))

    assert server.send(a_request("2")) == TooManyRequests("2", 1)
    assert server.send(a_request("1")) == DuplicateRequest("1")


def test_the_driver_refuses_one_too_many_and_may_say_so() -> None:
    driver = DriverSide(Limits(max_outstanding_requests=1))
    receive(driver, list(frames(a_request("1"))))

    assert receive(driver, list(frames(a_request("2")))) == [TooManyRequests("2", 1)]
    assert isinstance(driver.send(Response("2", 429)), list)
    assert isinstance(driver.send(Response("1", 200)), list)


def test_a_request_that_repeats_a_waiting_id_is_reported_and_the_first_still_answered() -> None:
    driver = DriverSide()
    receive(driver, list(frames(a_request())))

    assert receive(driver, list(frames(a_request()))) == [DuplicateRequest("1")]
    assert isinstance(driver.send(Response("1", 200)), list)


def test_a_wrong_request_with_an_id_may_be_answered() -> None:
    driver = DriverSide()
    wrong = '{"requestId":"1","method":"GET","path":"no-slash"}'

    assert driver.receive(wrong) == [BadField("1", "path", "must start with /")]
    assert isinstance(driver.send(Response("1", 400)), list)


def test_a_body_too_large_may_be_answered() -> None:
    driver = DriverSide(Limits(max_message_bytes=1))

    assert receive(driver, list(frames(a_request()))) == [MessageTooLarge("1", "body", 1)]
    assert isinstance(driver.send(Response("1", 413)), list)


def test_nothing_wrong_is_sent() -> None:
    server, driver = ServerSide(Limits(max_message_bytes=1)), DriverSide(Limits(max_meta_bytes=200))

    assert server.send(a_request()) == MessageTooLarge("1", "body", 1)
    assert server.send(Request("1", "GET", "x")) == BadField("1", "path", "must start with /")
    assert server.outstanding == 0
    receive(driver, list(frames(Request("1", "GET", "/"))))
    assert driver.send(Response("1", 200, {"te": "x"})) == BadHeader("1", "te", "is not forwarded")
    assert driver.send(Response("1", 200, {"h": "x" * 200})) == MessageTooLarge("1", "meta", 200)
    assert driver.outstanding == 1


def test_an_answer_given_up_for_another_ends_its_wait() -> None:
    server = ServerSide()
    server.send(a_request("1"))
    server.send(a_request("2"))
    meta, *_ = frames(Response("1", 200, body=b"half"))
    server.receive(meta)

    assert receive(server, list(frames(Response("2", 200)))) == [Superseded("1"), Response("2", 200)]
    assert server.outstanding == 0


def test_a_broken_answer_ends_its_wait() -> None:
    server = ServerSide()
    server.send(a_request())

    assert server.receive('{"requestId":"1","status":7}') == [
        BadField("1", "status", "must be between 100 and 599")
    ]
    assert server.outstanding == 0


class Tunnel(RuleBasedStateMachine):
    """Both sides joined by a perfect line, against two sets of ids."""

    @initialize()
    def connect(self) -> None:
        self.server, self.driver = ServerSide(), DriverSide()
        self.at_driver: set[str] = set()
        self.awaited: set[str] = set()
        self.count = 0

    @rule()
    def ask(self) -> None:
        self.count += 1
        request = a_request(str(self.count))
        sent = self.server.send(request)
        if len(self.awaited) >= Limits().max_outstanding_requests:
            assert isinstance(sent, TooManyRequests)
            return
        events = receive(self.driver, sent)
        self.awaited.add(request.request_id)
        if len(self.at_driver) >= Limits().max_outstanding_requests:
            assert events == [TooManyRequests(request.request_id, 64)]
            receive(self.server, self.driver.send(Response(request.request_id, 429)))
            self.awaited.discard(request.request_id)
        else:
            assert events == [request]
            self.at_driver.add(request.request_id)

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        if self.at_driver:
            request_id = data.draw(st.sampled_from(sorted(self.at_driver)))
            response = Response(request_id, 200, body=b"x" * data.draw(st.integers(0, 3)))
            expected = [response] if request_id in self.awaited else []
            assert receive(self.server, self.driver.send(response)) == expected
            self.at_driver.discard(request_id)
            self.awaited.discard(request_id)

    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        if self.awaited:
            request_id = data.draw(st.sampled_from(sorted(self.awaited)))
            self.server.abandon(request_id)
            self.awaited.discard(request_id)

    @invariant()
    def both_count_alike(self) -> None:
        assert self.server.outstanding == len(self.awaited)
        assert self.driver.outstanding == len(self.at_driver)


TestTunnel = Tunnel.TestCase
TestTunnel.settings = settings(max_examples=30, stateful_step_count=60)
