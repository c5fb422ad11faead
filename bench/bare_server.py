"""The least a web application on our database can do: FastAPI, SQLAlchemy, one statement, no key, no rules.

python -m bench.bare_server --database-url sqlite+aiosqlite:///cyberdesk.sqlite3 --port 8090

It uses SQLAlchemy as it comes, with what SQLite needs to be as safe and as quick as in our server: a journal
beside the file, one writer, no answer before the disk has it. With `--on-our-store` it uses our `Database`.
"""

from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from cyberdesk_server.store.database import SQLITE_READERS, Database
from cyberdesk_server.store.tables import runs
from cyberdesk_server.store.types import from_json, to_json
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

MEMBERS = [runs.c[name] for name in ("id", "workflow_id", "machine_id", "status", "created_at")]


class NewRun(BaseModel):
    workflow_id: UUID
    organization_id: str
    input_values: dict[str, Any] | None = None


class Stock:
    """A database as SQLAlchemy has it."""

    def __init__(self, url: str) -> None:
        self._writer = _stock_engine(url, connections=1)
        self._reader = _stock_engine(url, connections=SQLITE_READERS)

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._writer.begin()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._reader.connect()

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


def _stock_engine(url: str, *, connections: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=connections, max_overflow=0, json_serializer=to_json, json_deserializer=from_json
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def application(database_url: str, *, is_on_our_store: bool) -> FastAPI:
    database: Database | Stock

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal database
        database = await Database.open(database_url) if is_on_our_store else Stock(database_url)
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
    parser.add_argument("--on-our-store", action="store_true", help="Use the server's Database.")
    asked = parser.parse_args()
    app = application(asked.database_url, is_on_our_store=asked.on_our_store)
    uvicorn.run(app, host="127.0.0.1", port=asked.port)  # as it comes: it logs, too


if __name__ == "__main__":
    main()
