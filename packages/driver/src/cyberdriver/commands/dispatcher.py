"""Runs requests: each in its lane, in the order they came, an action at most once.

The order in which requests are begun is the order of inputs.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from cyberdesk_wire import Request, Response

from cyberdriver.answers import Answer, InvalidField, Refused, problem
from cyberdriver.audit import Audit
from cyberdriver.backends.base import DesktopError, DisplayLost, InputRefused, NoDisplay
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk
from cyberdriver.commands.table import LANE_WIDTHS, Lane, Route, find_route
from cyberdriver.journal import AnswerNotKept, Begin, Journal, OtherWork, OutcomeUnknown, Replay
from cyberdriver.recall import RecentAnswers

ACTION_ID_HEADER = "x-action-id"
REPLAYED_HEADER = "x-action-replayed"
IDEMPOTENCY_KEY_HEADERS = ("x-idempotency-key", "idempotency-key")
_ACTION_ID = re.compile(r"[!-~]{1,128}")

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Running:
    request: Request
    future: "Future[Answer]"


class Dispatcher:
    """The lanes of one machine. They outlive a connection: what one began, the next may ask about."""

    def __init__(
        self, desk: Desk, journal: Journal, *, audit: Audit | None = None, recent: RecentAnswers | None = None
    ) -> None:
        self._desk = desk
        self._journal = journal
        self._audit = audit
        self._recent = recent or RecentAnswers()
        self._lanes = {
            lane: ThreadPoolExecutor(width, thread_name_prefix=f"cyberdriver-{lane.value}")
            for lane, width in LANE_WIDTHS.items()
        }
        self._going_on: dict[Lane, set[Future[Any]]] = {lane: set() for lane in Lane}
        self._named: dict[str, _Running] = {}
        self._is_ending = False

    @property
    def is_ending(self) -> bool:
        """Whether nothing new begins any more."""
        return self._is_ending

    def begin(self, request: Request) -> "Future[Answer]":
        """Queues this request and returns at once; what comes is its answer, never an exception.

        Cancelling takes back what has not begun; what has begun runs to its end and its answer is kept.
        A brief input that has nothing before it is done here and now: waking another thread takes longer.
        """
        route = find_route(request.method, request.path)
        if isinstance(route, Answer):
            return _ready(route)
        if self._is_ending:
            return _ready(problem(503, "the driver is ending"))
        name = _name_of(request)
        running = self._named.get(name) if name else None
        if running is not None:
            if _is_same_work(running.request, request):
                return running.future
            if request.header(ACTION_ID_HEADER):
                return _ready(_OTHER_WORK)
            name = None
        if route.is_brief and self._desk.desktop.is_open and not self._going_on[route.lane]:
            return _ready(self._perform(route, request))
        future = self._submit(route.lane, partial(self._perform, route, request))
        if name:
            named = self._named[name] = _Running(request, future)
            future.add_done_callback(lambda _: self._forget(name, named))
        return future

    async def answer(self, request: Request) -> Response:
        """The answer to this request. Never raises for what the request says or the desktop does."""
        answer = await asyncio.wrap_future(self.begin(request))
        return Response(request.request_id, answer.status, answer.headers, answer.body)

    async def act(self, action: Callable[[], None]) -> None:
        """Runs this among the inputs, after those that came before."""
        await asyncio.wrap_future(self._submit(Lane.INPUT, action))

    async def release_held(self) -> None:
        """Keys and buttons that the server left down go up."""

        def release() -> None:
            count = self._desk.desktop.release_held()
            if count:
                logger.warning("released what the server left pressed count=%d", count)

        await self.act(release)

    def take_back_waiting(self) -> None:
        """Nothing new begins: what waits is taken back, shell commands are ended, other work may finish."""
        self._is_ending = True
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)
        self._desk.shells.kill_all()

    def close(self, grace_seconds: float) -> bool:
        """Takes back what waits, waits for what runs, closes the desktop: held keys and buttons go up.

        Blocks for at most the grace; false when something is still running then, and the desktop stays open.
        """
        self.take_back_waiting()
        going_on = set[Future[Any]]().union(*self._going_on.values())
        if wait(going_on, grace_seconds).not_done:
            return False
        self._desk.shells.close()
        self._desk.desktop.close()
        return True

    def _submit(self, lane: Lane, work: Callable[[], Result]) -> "Future[Result]":
        future = self._lanes[lane].submit(work)
        self._going_on[lane].add(future)
        future.add_done_callback(self._going_on[lane].discard)
        return future

    def _forget(self, name: str, named: _Running) -> None:
        if self._named.get(name) is named:
            del self._named[name]

    def _perform(self, route: Route, request: Request) -> Answer:
        """In one thread, from here to the end."""
        started_seconds = time.monotonic()
        work: Work | None = None
        try:
            work = self._prepare(route, request)
            answer = self._run_once(request, work)
        except Refused as refusal:
            answer = refusal.answer
        if self._audit is not None:
            self._audit.note(request, answer, work.about if work else {}, time.monotonic() - started_seconds)
        return answer

    def _prepare(self, route: Route, request: Request) -> Work:
        if route.switch is not None and not getattr(self._desk.allowed, route.switch.value):
            name = route.switch.value
            raise Refused(403, f"{name} is switched off on this machine (allow.{name} in its settings)")
        try:
            return route.prepare(Call(request), self._desk)
        except InputRefused as refusal:
            raise InvalidField("body", "text", f"cannot be sent: {refusal}") from refusal

    def _run_once(self, request: Request, work: Work) -> Answer:
        action_id = request.header(ACTION_ID_HEADER)
        if request.method == "GET":
            return _attempt(work)
        if action_id is not None:
            return self._run_journalled(action_id, request, work)
        key = _idempotency_key(request)
        if key is None:
            return _attempt(work)
        name = self._fingerprint_of(request, key)
        answer = self._recent.find(name)
        if answer is None:
            answer = _attempt(work)
            self._recent.keep(name, answer)
        return answer

    def _run_journalled(self, action_id: str, request: Request, work: Work) -> Answer:
        if not _ACTION_ID.fullmatch(action_id):
            raise InvalidField("header", ACTION_ID_HEADER, "must be 1 to 128 printable characters")
        try:
            recollection = self._journal.begin(action_id, self._fingerprint_of(request))
        except OSError as error:
            raise Refused(
                507, f"not done: the action journal cannot be written ({error.strerror or error})"
            ) from error
        match recollection:
            case Begin():
                answer = _attempt(work)
                self._note_finished(action_id, answer)
                return answer
            case Replay(answer):
                return Answer(answer.status, answer.body, {**answer.headers, REPLAYED_HEADER: "true"})
            case AnswerNotKept():
                return problem(409, "the action was done; its answer was too large to keep", outcome="done")
            case OutcomeUnknown():
                return problem(
                    409,
                    "the action was begun and the driver ended before it was finished: look before going on",
                    outcome="unknown",
                )
            case OtherWork():
                return _OTHER_WORK

    def _note_finished(self, action_id: str, answer: Answer) -> None:
        try:
            self._journal.finish(action_id, answer)
        except OSError as error:
            # The action is done and its answer is good; only a restart would now call its outcome unknown.
            logger.warning("the action journal cannot be written error=%s", error.strerror or error)

    def _fingerprint_of(self, request: Request, key: str = "") -> str:
        head = (key, request.method, request.path, request.query)
        return self._journal.fingerprint_of(
            *(part.encode("utf-8", "surrogatepass") for part in head), request.body
        )


_OTHER_WORK = problem(
    422,
    [
        {
            "loc": ["header", ACTION_ID_HEADER],
            "msg": "the action id belongs to another request",
            "type": "value_error",
        }
    ],
)


def _attempt(work: Work) -> Answer:
    """Does it, and turns every way it can fail into an answer."""
    try:
        return work.run()
    except Refused as refusal:
        return refusal.answer
    except InputRefused as refusal:
        return InvalidField("body", "text", f"cannot be sent: {refusal}").answer
    except (NoDisplay, DisplayLost) as error:
        return problem(503, str(error))
    except DesktopError as error:
        return problem(500, str(error))
    except Exception:
        # The edge for our own bugs: the machine stays joined, the log has the trace, the server learns that
        # it failed.
        logger.exception("a command failed inside the driver")
        return problem(500, "the driver failed inside; its log on the machine says where")


def _ready(answer: Answer) -> "Future[Answer]":
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future


def _idempotency_key(request: Request) -> str | None:
    return next((key for header in IDEMPOTENCY_KEY_HEADERS if (key := request.header(header))), None)


def _name_of(request: Request) -> str | None:
    """By what a repetition of this request is known while it runs; reading needs no such promise."""
    if request.method == "GET":
        return None
    if action_id := request.header(ACTION_ID_HEADER):
        return f"action {action_id}"
    if key := _idempotency_key(request):
        return f"key {key}"
    return None


def _is_same_work(first: Request, second: Request) -> bool:
    return (first.method, first.path, first.query, first.body) == (
        second.method,
        second.path,
        second.query,
        second.body,
    )
