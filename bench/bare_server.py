"""The least a web application on our database can do: FastAPI, one statement, no key, no rules.

python -m bench.bare_server --database-url sqlite+aiosqlite:///cyberdesk.sqlite3 --port 8090
"""

from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import runs
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import select

MEMBERS = [runs.c[name] for name in ("id", "workflow_id", "machine_id", "status", "created_at")]


class NewRun(BaseModel):
    workflow_id: UUID
    organization_id: str
    input_values: dict[str, Any] | None = None


def application(database_url: str) -> FastAPI:
    database: Database

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal database
        database = await Database.open(database_url)
        yield
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/runs", status_code=201)
    async def create(body: NewRun) -> dict[str, Any]:
        now = datetime.now(UTC)
        row = {
            "id": uuid4(),
            **body.model_dump(),
            # Nobody is ever to carry these out.
            "demand": "nobody",
            "status": "cancelled",
            "created_at": now,
            "moved_at": now,
        }
        async with database.transaction() as conn:
            await conn.execute(runs.insert(), row)
        return row

    @app.get("/runs/{run_id}")
    async def get(run_id: UUID) -> dict[str, Any]:
        async with database.read() as conn:
            row = (await conn.execute(select(*runs.c).where(runs.c.id == run_id))).one()
        return dict(row._mapping)

    @app.get("/runs")
    async def page(limit: int, fields: bool = False) -> list[dict[str, Any]]:
        columns = MEMBERS if fields else list(runs.c)
        query = select(*columns).order_by(runs.c.moved_at.desc()).limit(limit)
        async with database.read() as conn:
            rows = await conn.execute(query)
        return [dict(row._mapping) for row in rows]

    return app


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvicorn.run(
        application(asked.database_url), host="127.0.0.1", port=asked.port
    )  # as it comes: it logs, too


if __name__ == "__main__":
    main()
