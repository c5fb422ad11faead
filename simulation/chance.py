"""What is left to chance: one generator per seed, and how bad the weather is."""

import gc
import logging
import random
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from random import Random
from types import SimpleNamespace

from sqlalchemy.exc import SAWarning


@contextmanager
def ids_from(chance: Random) -> Iterator[None]:
    """What `uuid4` and `secrets` ask the system for comes from `chance`.

    Not all of `os.urandom`: libraries ask for it when they cache something, which only the first seed does.
    """
    before = uuid.os, random._urandom  # type: ignore[attr-defined]
    uuid.os, random._urandom = SimpleNamespace(urandom=chance.randbytes), chance.randbytes  # type: ignore[attr-defined]
    try:
        yield
    finally:
        uuid.os, random._urandom = before  # type: ignore[attr-defined]


@contextmanager
def no_collection() -> Iterator[None]:
    """The garbage collector comes when it likes, and ends what it finds; here it comes afterwards.

    What it leaves outlives seeds, as what SQLAlchemy has compiled does, and need not be looked at again.
    What hosts had open when they died is no news: SQLAlchemy would tell of each connection.
    """
    pool = logging.getLogger("sqlalchemy.pool")
    level = pool.level
    pool.setLevel(logging.CRITICAL)
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The garbage collector is trying to clean up", SAWarning)
            yield
            gc.collect()
            gc.freeze()
    finally:
        gc.enable()
        pool.setLevel(level)


@dataclass(frozen=True, slots=True)
class Weather:
    """How often what goes wrong: probabilities, each for one occasion."""

    server_dies: float = 1 / 3000
    """At one of its awaits."""

    server_freezes: float = 1 / 4000
    driver_dies: float = 1 / 150
    clock_jumps: float = 1 / 6000
    statement_fails: float = 1 / 400
    commit_fails: float = 1 / 150
    commit_answer_lost: float = 1 / 150
    wake_up_lost: float = 1 / 6
    line_breaks: float = 1 / 60
    """At a message between a driver and its server, which is lost with it."""

    break_goes_unnoticed: float = 1 / 3
    """By the server, until it tries to send or a pong is overdue."""

    model_fails: float = 1 / 40
    blob_fails: float = 1 / 150
    slow_statement: float = 1 / 100
    slow_model: float = 1 / 10

    @classmethod
    def drawn(cls, chance: Random) -> "Weather":
        """Of each kind none, some or much: what always comes together hides what each does alone."""
        usual = cls()
        factors = {one.name: chance.choice((0.0, 0.0, 0.5, 1.0, 2.0)) for one in fields(cls)}
        return replace(usual, **{name: getattr(usual, name) * factor for name, factor in factors.items()})


CALM = Weather(**{one.name: 0.0 for one in fields(Weather)})
