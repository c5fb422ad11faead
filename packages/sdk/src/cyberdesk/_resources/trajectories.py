"""`client.trajectories`: recorded ways through a workflow, replayed once approved."""

from __future__ import annotations

from collections.abc import Sequence

from cyberdesk import models
from cyberdesk._answers import done, one
from cyberdesk._arguments import Id, Moment, identifier, joined, optional_identifier, query
from cyberdesk._flow import Flow, Query
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class TrajectoriesAPI(Resource):
    """Trajectories: the steps of one run, to be done again in later ones."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        workflow_id: Id | None = None,
        run_id: Id | None = None,
        is_approved: bool | None = None,
        is_generated: bool | None = True,
        *,
        search: str | None = None,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
        updated_at_from: Moment | None = None,
        updated_at_to: Moment | None = None,
        include: Sequence[str] | None = None,
    ) -> Flow[models.PaginatedResponseWithIncludesTrajectoryResponse]:
        """A page of the trajectories that match all given filters (`GET /v1/trajectories`).

        `is_generated=None` means both kinds. The API lists one kind at a time, so that takes two requests:
        first come the generated ones, then the others.
        """
        filters = query(
            workflow_id=optional_identifier("workflow_id", workflow_id),
            run_id=optional_identifier("run_id", run_id),
            is_approved=is_approved,
            search=search,
            created_at_from=created_at_from,
            created_at_to=created_at_to,
            updated_at_from=updated_at_from,
            updated_at_to=updated_at_to,
            include=joined(include),
        )
        page = yield from self._page(filters, skip, limit, is_generated is not False)
        if is_generated is None:
            left = max(0, (limit or page.limit) - len(page.items))
            others_skip = max(0, (skip or 0) - page.total)
            others = yield from self._page(filters, others_skip, max(1, left), False)
            page.items += others.items[:left]
            page.total += others.total
            page.included = [*(page.included or ()), *(others.included or ())]
        return page

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.TrajectoryCreate) -> Flow[models.TrajectoryResponse]:
        """A new trajectory, not yet approved (`POST /v1/trajectories`)."""
        promise = one(models.TrajectoryResponse, 201)
        return (yield from self._ask("POST", "/v1/trajectories", promise, body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(
        self, trajectory_id: Id, *, include: Sequence[str] | None = None
    ) -> Flow[models.TrajectoryResponseWithIncludes]:
        """The trajectory with this id (`GET /v1/trajectories/{trajectory_id}`)."""
        path = f"/v1/trajectories/{identifier('trajectory_id', trajectory_id)}"
        promise = one(models.TrajectoryResponseWithIncludes)
        return (yield from self._ask("GET", path, promise, query=query(include=joined(include))))

    get_sync = blocking(get)

    @asynchronous
    def update(self, trajectory_id: Id, data: models.TrajectoryUpdate) -> Flow[models.TrajectoryResponse]:
        """The trajectory after the change (`PATCH /v1/trajectories/{trajectory_id}`)."""
        path = f"/v1/trajectories/{identifier('trajectory_id', trajectory_id)}"
        return (yield from self._ask("PATCH", path, one(models.TrajectoryResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, trajectory_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the trajectory is gone (`DELETE /v1/trajectories/{trajectory_id}`)."""
        path = f"/v1/trajectories/{identifier('trajectory_id', trajectory_id)}"
        return (yield from self._ask("DELETE", path, done()))

    delete_sync = blocking(delete)

    @asynchronous
    def get_latest_for_workflow(self, workflow_id: Id) -> Flow[models.TrajectoryResponse]:
        """The newest trajectory of a workflow (`GET /v1/workflows/{workflow_id}/latest-trajectory`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}/latest-trajectory"
        return (yield from self._ask("GET", path, one(models.TrajectoryResponse)))

    get_latest_for_workflow_sync = blocking(get_latest_for_workflow)

    @asynchronous
    def duplicate(self, trajectory_id: Id) -> Flow[models.TrajectoryResponse]:
        """A copy with images of its own (`POST /v1/trajectories/{trajectory_id}/duplicate`)."""
        path = f"/v1/trajectories/{identifier('trajectory_id', trajectory_id)}/duplicate"
        return (yield from self._ask("POST", path, one(models.TrajectoryResponse, 201)))

    duplicate_sync = blocking(duplicate)

    def _page(
        self, filters: Query, skip: int | None, limit: int | None, is_generated: bool
    ) -> Flow[models.PaginatedResponseWithIncludesTrajectoryResponse]:
        asked = query(skip=skip, limit=limit, is_generated=is_generated) + filters
        promise = one(models.PaginatedResponseWithIncludesTrajectoryResponse)
        return (yield from self._ask("GET", "/v1/trajectories", promise, query=asked))
