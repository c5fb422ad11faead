"""`client.usage`: what was used in a period."""

from __future__ import annotations

import datetime as dt

from cyberdesk import models
from cyberdesk._answers import one
from cyberdesk._arguments import Moment, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class UsageAPI(Resource):
    """Usage: counted steps and runs."""

    @asynchronous
    def aggregate(
        self, from_date: dt.datetime, to_date: dt.datetime, mode: models.UsageMode | None = None
    ) -> Flow[models.UsageAggregateResponse]:
        """Steps and runs between two times; without a zone they are in UTC (`GET /v1/usage/aggregate`)."""
        asked = query(from_date=from_date, to_date=to_date, mode=mode)
        return (
            yield from self._ask(
                "GET", "/v1/usage/aggregate", one(models.UsageAggregateResponse), query=asked
            )
        )

    aggregate_sync = blocking(aggregate)

    @asynchronous
    def llm_costs(
        self,
        skip: int | None = None,
        limit: int | None = None,
        *,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
    ) -> Flow[models.PaginatedResponseRunLlmCostTotalResponse]:
        """A page of what the models of each run cost between two times (`GET /v1/usage/llm-costs`)."""
        asked = query(skip=skip, limit=limit, from_date=from_date, to_date=to_date)
        promise = one(models.PaginatedResponseRunLlmCostTotalResponse)
        return (yield from self._ask("GET", "/v1/usage/llm-costs", promise, query=asked))

    llm_costs_sync = blocking(llm_costs)
    iterate_llm_costs = iterating(llm_costs)
    iterate_llm_costs_sync = iterating_blocking(llm_costs)
