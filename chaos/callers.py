"""Callers: they create runs, sessions and chains through the SDK, and ask under one key until answered."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from cyberdesk import (
    ApiResponse,
    ChainStep,
    CyberdeskClient,
    RetryConfig,
    RunCreate,
    WorkflowChainCreate,
    WorkflowCreate,
)
from cyberdesk_server.testing.programs import Reachable

from chaos.orders import KINDS, Kind, Ledger, Order

ANSWER_SECONDS = 5.0
"""For one answer of the API; a server that is stopped gives none."""

ANSWERED_SECONDS = 90.0
"""In which time a write gets an answer at last, however often it has to be asked."""

HASTY_SECONDS = 1.0
HASTY_SHARE = 0.1
"""How many single runs are asked for once and not again: an answer that is lost stays lost."""

PATIENCE_SECONDS = 5.0
"""How long a caller waits for the end of what it ordered before it looks whether all is over."""

PAUSE_SECONDS = 0.3
STOP_SECONDS = ANSWERED_SECONDS + PATIENCE_SECONDS
RUNS_OF_A_SESSION = 3


class NeverAnswered(Exception):
    """A write was asked again and again, and no answer came in `ANSWERED_SECONDS`."""


def client_of(server: Reachable) -> CyberdeskClient:
    """A caller's client: impatient, because it asks again anyway."""
    retry = RetryConfig(max_retries=2, max_delay_seconds=1.0)
    return CyberdeskClient(server.api_key, base_url=server.base_url, timeout=ANSWER_SECONDS, retry=retry)


def workflows(client: CyberdeskClient) -> dict[Kind, str]:
    """The ids of a new workflow for each kind of run."""
    made = {}
    for number, kind in enumerate(KINDS):
        create = WorkflowCreate(name=f"types {number}", main_prompt=kind.prompt)
        made[kind] = str(client.workflows.create_sync(create).unwrap().id)
    return made


@dataclass(frozen=True)
class Caller:
    """One of many who want runs; all it decides comes from its `random`."""

    client: CyberdeskClient
    workflows: Mapping[Kind, str]
    ledger: Ledger
    random: Random
    is_over: threading.Event

    def call(self) -> None:
        """Order, wait, order again, until it is over."""
        while not self.is_over.is_set():
            [order] = self.random.choices([self._single, self._session, self._chain], [6, 2, 2])
            last = order()
            if last is not None:
                self._wait_for(last)
            self.is_over.wait(PAUSE_SECONDS * self.random.random())

    def _single(self) -> str | None:
        order = self.ledger.order(self._kind())
        is_hasty = self.random.random() < HASTY_SHARE
        answer = self._hastily(self._create(order)) if is_hasty else self._until_answered(self._create(order))
        return self._noted(order, answer)

    def _session(self) -> str | None:
        """Runs that follow one another; the last releases the machine."""
        order = self.ledger.order(self._kind(), group=0)
        answer = self._until_answered(self._create(order, start_session=True))
        last = self._noted(order, answer)
        for left in reversed(range(RUNS_OF_A_SESSION - 1)):
            if answer.data is None or last is None:
                return None
            session_id = str(answer.data.session_id)
            order = self.ledger.order(self._kind(), group=order.group)
            fields = {"session_id": session_id, "release_session_after": left == 0}
            answer = self._until_answered(self._create(order, **fields))
            last = self._noted(order, answer)
        return last

    def _chain(self) -> str | None:
        orders: list[Order] = []
        steps = []
        for _ in range(self.random.randint(2, 3)):
            order = self.ledger.order(self._kind(), group=orders[0].group if orders else 0)
            orders.append(order)
            workflow_id = self.workflows[order.kind]
            steps.append(ChainStep(workflow_id, inputs=order.inputs, sensitive_inputs=order.secrets))
        answer = self._until_answered(lambda client: client.runs.chain_sync(WorkflowChainCreate(steps=steps)))
        run_ids: Sequence[Any] = answer.unwrap().run_ids
        for order, run_id in zip(orders, run_ids, strict=True):
            self.ledger.accept(order, str(run_id))
        return str(run_ids[-1])

    def _kind(self) -> Kind:
        return self.random.choice(list(self.workflows))

    def _create(self, order: Order, **fields: Any) -> "Write":
        run = RunCreate(
            workflow_id=self.workflows[order.kind],
            input_values=order.inputs,
            sensitive_input_values=order.secrets,
            **fields,
        )
        return lambda client: client.runs.create_sync(run)

    def _noted(self, order: Order, answer: ApiResponse[Any]) -> str | None:
        """The id of the accepted run. Without one, nothing is promised, or nobody knows."""
        if answer.status == 201:
            run_id = str(answer.unwrap().id)
            self.ledger.accept(order, run_id)
            return run_id
        if answer.status is not None and 400 <= answer.status < 500:
            self.ledger.refuse(order, f"{answer.status} {answer.error}")
        return None

    def _hastily(self, write: "Write") -> ApiResponse[Any]:
        return write(self.client.with_options(timeout=HASTY_SECONDS, max_retries=0))

    def _until_answered(self, write: "Write") -> ApiResponse[Any]:
        """The answer to a write, asked again under its key until there is one. Raises `NeverAnswered`."""
        key, give_up_at = str(uuid4()), monotonic() + ANSWERED_SECONDS
        while monotonic() < give_up_at:
            answer = write(self.client.with_options(idempotency_key=key))
            is_in_progress = answer.headers.get("idempotency-status") == "in_progress"
            if answer.status is not None and answer.status < 500 and not is_in_progress:
                return answer
            sleep(PAUSE_SECONDS)
        raise NeverAnswered(f"{answer.status} {answer.error!r}")

    def _wait_for(self, run_id: str) -> None:
        """Until it has ended: nobody orders more than is done."""
        while not self.is_over.is_set():
            waited = self.client.runs.wait_sync(
                run_id, timeout_seconds=PATIENCE_SECONDS, poll_interval_seconds=PAUSE_SECONDS
            )
            if waited.error is None:
                return


Write = Callable[[CyberdeskClient], ApiResponse[Any]]


@contextmanager
def calling(callers: Sequence[Caller], is_over: threading.Event) -> Iterator[list[str]]:
    """The callers call, each in a thread, until the block ends; yields what went wrong with them."""
    troubles: list[str] = []

    def call(caller: Caller) -> None:
        try:
            caller.call()
        except Exception as trouble:
            troubles.append(f"a caller gave up: {type(trouble).__name__}: {trouble}")

    threads = [threading.Thread(target=call, args=(caller,), name="caller") for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield troubles
    finally:
        is_over.set()
        for thread in threads:
            thread.join(STOP_SECONDS)
