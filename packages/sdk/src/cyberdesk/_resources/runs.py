"""`client.runs`: run workflows and see what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cyberdesk import models
from cyberdesk._answers import done, one
from cyberdesk._arguments import Id, Moment, identifier, joined, optional_identifier, query
from cyberdesk._flow import Flow, clock, paused, told
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking
from cyberdesk.errors import RunStillGoing

TERMINAL_STATUSES = frozenset({"success", "task_failed", "error", "cancelled"})
"""A run with one of these has ended. All others go on, `running_checks` and words of the future included."""

DEFAULT_WAIT_TIMEOUT_SECONDS = 3600.0
DEFAULT_POLL_INTERVAL_SECONDS = 1.0


class RunsAPI(Resource):
    """Runs: one execution of a workflow on a machine each."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        status: models.RunStatus | None = None,
        workflow_id: Id | None = None,
        machine_id: Id | None = None,
        session_id: Id | None = None,
        *,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
        search: str | None = None,
        deep_search: bool = False,
        sort_mode: models.RunListSortMode | None = None,
        fields: Sequence[models.RunField | str] | None = None,
        include: Sequence[str] | None = None,
    ) -> Flow[models.PaginatedResponseWithIncludesRunResponse]:
        """A page of the runs that match all given filters (`GET /v1/runs`).

        With `fields`, the items carry `id`, `workflow_id`, `machine_id`, `status`, `created_at` and these
        fields; without, everything. `deep_search` looks into inputs and outputs too. `include` adds the named
        related resources, such as `workflow`, to `included`.
        """
        return (
            yield from self._ask(
                "GET",
                "/v1/runs",
                one(models.PaginatedResponseWithIncludesRunResponse),
                query=query(
                    skip=skip,
                    limit=limit,
                    status=status,
                    workflow_id=optional_identifier("workflow_id", workflow_id),
                    machine_id=optional_identifier("machine_id", machine_id),
                    session_id=optional_identifier("session_id", session_id),
                    created_at_from=created_at_from,
                    created_at_to=created_at_to,
                    search=search,
                    deep_search=deep_search,
                    sort_mode=sort_mode,
                    fields=fields,
                    include=joined(include),
                ),
            )
        )

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.RunCreate) -> Flow[models.RunResponse]:
        """A new run, waiting for a machine (`POST /v1/runs`)."""
        return (yield from self._ask("POST", "/v1/runs", one(models.RunResponse, 201), body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(
        self, run_id: Id, *, include: Sequence[str] | None = None
    ) -> Flow[models.RunResponseWithIncludes]:
        """The run with this id (`GET /v1/runs/{run_id}`)."""
        path = f"/v1/runs/{identifier('run_id', run_id)}"
        promise = one(models.RunResponseWithIncludes)
        return (yield from self._ask("GET", path, promise, query=query(include=joined(include))))

    get_sync = blocking(get)

    @asynchronous
    def wait(
        self,
        run_id: Id,
        *,
        timeout_seconds: float = DEFAULT_WAIT_TIMEOUT_SECONDS,
        poll_interval_seconds: float = DEFAULT_POLL_INTERVAL_SECONDS,
        on_update: Callable[[models.RunResponseWithIncludes], object] | None = None,
    ) -> Flow[models.RunResponseWithIncludes]:
        """The run once it has ended, however it ended: look at its `status`.

        Asks every `poll_interval_seconds`; `on_update` is called with the first state seen and each changed
        one, and for async calls it may be async. What it raises ends the wait, not the run. While the run
        waits for a machine, its `waiting_reason` says why. A run that has not ended after `timeout_seconds`
        goes on too; the error is then `RunStillGoing`.
        """
        return (yield from self._ended(run_id, timeout_seconds, poll_interval_seconds, on_update))

    wait_sync = blocking(wait)

    @asynchronous
    def create_and_wait(
        self,
        data: models.RunCreate,
        *,
        timeout_seconds: float = DEFAULT_WAIT_TIMEOUT_SECONDS,
        poll_interval_seconds: float = DEFAULT_POLL_INTERVAL_SECONDS,
        on_update: Callable[[models.RunResponseWithIncludes], object] | None = None,
    ) -> Flow[models.RunResponseWithIncludes]:
        """A new run once it has ended, however it ended: `create`, then `wait`.

        `on_update` hears of the run as soon as it is there. The error `RunStillGoing` has its `run_id`.
        """
        created = yield from self._ask("POST", "/v1/runs", one(models.RunResponse, 201), body=data)
        return (yield from self._ended(created.id, timeout_seconds, poll_interval_seconds, on_update))

    create_and_wait_sync = blocking(create_and_wait)

    @asynchronous
    def update(self, run_id: Id, data: models.RunUpdate) -> Flow[models.RunResponse]:
        """The run after the change (`PATCH /v1/runs/{run_id}`). The status `cancelled` stops it."""
        path = f"/v1/runs/{identifier('run_id', run_id)}"
        return (yield from self._ask("PATCH", path, one(models.RunResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, run_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the run is gone (`DELETE /v1/runs/{run_id}`)."""
        return (yield from self._ask("DELETE", f"/v1/runs/{identifier('run_id', run_id)}", done()))

    delete_sync = blocking(delete)

    @asynchronous
    def retry(self, run_id: Id, retry: models.RunRetry) -> Flow[models.RunResponse]:
        """The same run started over, its outputs cleared (`POST /v1/runs/{run_id}/retry`).

        Only for runs that have ended. Sensitive inputs must be given again.
        """
        path = f"/v1/runs/{identifier('run_id', run_id)}/retry"
        return (yield from self._ask("POST", path, one(models.RunResponse), body=retry))

    retry_sync = blocking(retry)

    @asynchronous
    def bulk_create(self, data: models.RunBulkCreate) -> Flow[models.RunBulkCreateResponse]:
        """Many runs of one workflow with the same inputs (`POST /v1/runs/bulk`)."""
        promise = one(models.RunBulkCreateResponse, 201)
        return (yield from self._ask("POST", "/v1/runs/bulk", promise, body=data))

    bulk_create_sync = blocking(bulk_create)

    @asynchronous
    def chain(self, data: models.WorkflowChainCreate) -> Flow[models.WorkflowChainResponse]:
        """Runs one after the other on one machine, in one session (`POST /v1/runs/chain`)."""
        promise = one(models.WorkflowChainResponse, 201)
        return (yield from self._ask("POST", "/v1/runs/chain", promise, body=data))

    chain_sync = blocking(chain)

    @asynchronous
    def get_trajectory(self, run_id: Id) -> Flow[models.TrajectoryResponse]:
        """The trajectory that was recorded during the run (`GET /v1/runs/{run_id}/trajectory`)."""
        path = f"/v1/runs/{identifier('run_id', run_id)}/trajectory"
        return (yield from self._ask("GET", path, one(models.TrajectoryResponse)))

    get_trajectory_sync = blocking(get_trajectory)

    @asynchronous
    def generate_trajectory(
        self, run_id: Id, *, is_on_trial: bool = False, idempotency_key: str | None = None
    ) -> Flow[models.TrajectoryResponse]:
        """A trajectory made from the run (`POST /v1/runs/{run_id}/generate-trajectory`).

        With `is_on_trial` the next run that a model carries out is compared with it. Calls with the same
        `idempotency_key` make one.
        """
        path = f"/v1/runs/{identifier('run_id', run_id)}/generate-trajectory"
        promise, asked = one(models.TrajectoryResponse), query(is_on_trial=is_on_trial or None)
        return (yield from self._ask("POST", path, promise, query=asked, idempotency_key=idempotency_key))

    generate_trajectory_sync = blocking(generate_trajectory)

    @asynchronous
    def get_image_signed_url(
        self, run_id: Id, *, image_url: str, expires_in: int = 3600
    ) -> Flow[models.RunImageSignedUrlResponse]:
        """A link to an image of the run's history, good for `expires_in` seconds.

        `image_url` is the `supabase://` address in the history (`GET /v1/runs/{run_id}/image/signed-url`).
        """
        path = f"/v1/runs/{identifier('run_id', run_id)}/image/signed-url"
        asked = query(image_url=image_url, expires_in=expires_in)
        return (yield from self._ask("GET", path, one(models.RunImageSignedUrlResponse), query=asked))

    get_image_signed_url_sync = blocking(get_image_signed_url)

    @asynchronous
    def get_llm_costs(self, run_id: Id) -> Flow[models.RunLlmCostsResponse]:
        """What the models of the run cost, model by model (`GET /v1/runs/{run_id}/llm-costs`)."""
        path = f"/v1/runs/{identifier('run_id', run_id)}/llm-costs"
        return (yield from self._ask("GET", path, one(models.RunLlmCostsResponse)))

    get_llm_costs_sync = blocking(get_llm_costs)

    def _ended(
        self,
        run_id: Id,
        timeout_seconds: float,
        poll_interval_seconds: float,
        on_update: Callable[[models.RunResponseWithIncludes], object] | None,
    ) -> Flow[models.RunResponseWithIncludes]:
        path = f"/v1/runs/{identifier('run_id', run_id)}"
        deadline = (yield from clock()).seconds + timeout_seconds
        seen: models.RunResponseWithIncludes | None = None
        while True:
            run = yield from self._ask("GET", path, one(models.RunResponseWithIncludes))
            if on_update is not None and run != seen:
                yield from told(on_update, run)
            seen = run
            if run.status in TERMINAL_STATUSES:
                return run
            left_seconds = deadline - (yield from clock()).seconds
            if left_seconds <= 0:
                raise RunStillGoing(str(run_id), str(run.status), timeout_seconds, run.waiting_reason)
            yield from paused(min(poll_interval_seconds, left_seconds))
