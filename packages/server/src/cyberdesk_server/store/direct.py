"""Statements awaited where they are, instead of in a greenlet each.

SQLAlchemy is synchronous inside. Its asyncio extension starts a greenlet for every statement, and switching
between it and the loop takes as long as all the rest of SQLAlchemy and the statement of a fast database
together. Here the statement is compiled and its rows are read by SQLAlchemy as ever; the one call in between
that waits, for the driver, is awaited as what it is, a coroutine.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

from sqlalchemy import CursorResult, Engine, Executable
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_cursor
from sqlalchemy.engine.interfaces import CacheStats, Compiled, ExecuteStyle
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.compiler import WARN_LINTING, SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.util.concurrency import greenlet_spawn


class DirectConnection(AsyncConnection):
    """A connection whose usual statements take the short way; all others take SQLAlchemy's own."""

    engine: "DirectEngine"

    async def execute(
        self, statement: Executable, parameters: Any = None, *, execution_options: Any = None
    ) -> CursorResult[Any]:
        connection: Any = self._proxied
        known = self.engine.known
        context = None if execution_options else _context(connection, known, statement, parameters)
        if context is None:
            return await super().execute(statement, parameters, execution_options=execution_options)
        try:
            await _carry_out(context)
            result: CursorResult[Any] = context._setup_result_proxy()
            return result
        except BaseException as error:
            # It knows which connections are lost now: also one whose statement was broken off half way.
            await greenlet_spawn(_fail, connection, error, context)
            raise  # for the reader: what is above has raised

    async def __aexit__(self, type_: Any, value: Any, traceback: Any) -> None:
        connection = self._proxied
        if connection.closed or connection.invalidated or connection.in_transaction():
            await super().__aexit__(type_, value, traceback)
        else:
            connection.close()  # it goes back to the pool, and nothing has to be waited for


class DirectEngine(AsyncEngine):
    """An engine of such connections."""

    _connection_cls = DirectConnection

    def __init__(self, sync_engine: Engine) -> None:
        super().__init__(sync_engine)
        self.known: _Known = WeakKeyDictionary()


def _context(connection: Any, known: "_Known", statement: Any, parameters: Any) -> Any:
    """The statement, ready for the driver; None when it is not one of the usual, or something is wrong with
    it or with the connection: SQLAlchemy knows what to say then."""
    if (
        type(statement)._execute_on_connection is not ClauseElement._execute_on_connection
        or connection._dbapi_connection is None
        or (connection._transaction is not None and not connection._transaction.is_active)
        or connection._nested_transaction is not None
    ):
        return None
    given: Sequence[Mapping[str, Any]] = (
        () if parameters is None else [parameters] if isinstance(parameters, Mapping) else parameters
    )
    dialect = connection.dialect
    try:
        compiled, extracted, collected, cache_hit = _compiled(connection, known, statement, given)
        if not isinstance(compiled, SQLCompiler) or compiled.insert_prefetch or compiled.update_prefetch:
            return None
        context = dialect.execution_ctx_cls._init_compiled(
            dialect,
            connection,
            connection._dbapi_connection,
            statement._execution_options.merge_with(connection._execution_options),
            compiled,
            given,
            statement,
            extracted,
            cache_hit=cache_hit,
            param_dict=collected,
        )
    except Exception:  # SQLAlchemy meets it once more, and tells of it in its own words
        return None
    if context.execute_style is ExecuteStyle.INSERTMANYVALUES:
        return None
    if connection._transaction is None:
        connection._autobegin()
    context.pre_exec()
    return context


def _compiled(
    connection: Any, known: "_Known", statement: Any, given: Sequence[Mapping[str, Any]]
) -> "_Compiled":
    """The statement as text, out of SQLAlchemy's cache; a statement that has been executed before finds it
    there without being compared with all that are in it."""
    names = tuple(given[0]) if given else ()
    are_several = len(given) > 1
    forms = known.setdefault(statement, {})
    form = forms.get((names, are_several))
    if form is not None and (compiled := form[0]()) is not None:
        return compiled, *form[1:]
    dialect = connection.dialect
    made: _Compiled = statement._compile_w_cache(
        dialect=dialect,
        compiled_cache=connection.engine._compiled_cache,
        column_keys=sorted(names),
        for_executemany=are_several,
        schema_translate_map=None,
        linting=dialect.compiler_linting | WARN_LINTING,
    )
    compiled, extracted, collected, _ = made
    forms[names, are_several] = ref(compiled), extracted, collected, CacheStats.CACHE_HIT
    return made


_Compiled = tuple[Compiled, Any, Any, CacheStats]
_Known = WeakKeyDictionary[
    ClauseElement, dict[tuple[tuple[str, ...], bool], tuple[ref[Compiled], Any, Any, CacheStats]]
]
"""By statement and the names of its parameters. SQLAlchemy's cache, which is bounded, keeps the texts."""


async def _carry_out(context: Any) -> None:
    cursor, statement, parameters = context.cursor, context.statement, context.parameters
    are_several = context.execute_style is ExecuteStyle.EXECUTEMANY
    is_asyncpg = isinstance(cursor, AsyncAdapt_asyncpg_cursor)
    one, several = _COROUTINES_OF_ASYNCPG if is_asyncpg else _COROUTINES
    work = getattr(cursor, several if are_several else one)
    try:
        await work(statement, parameters if are_several else parameters[0])
    except Exception as error:
        cursor._adapt_connection._handle_exception(error)


_COROUTINES = "_execute_async", "_executemany_async"
"""Of a cursor of SQLAlchemy: what its `execute` and `executemany` wait for."""

_COROUTINES_OF_ASYNCPG = "_prepare_and_execute", "_executemany"


def _fail(connection: Any, error: BaseException, context: Any) -> None:
    try:
        raise error
    except BaseException as raised:
        connection._handle_dbapi_exception(
            raised, context.statement, context.parameters, context.cursor, context
        )
