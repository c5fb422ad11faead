"""Regular expressions that callers write into schemas, searched for in linear time.

Python's own engine can take longer than the universe, and nothing else of the process goes on meanwhile. The
engine of pydantic, Rust's, cannot; for that it knows no look-around and no backreferences.
"""

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


def pattern_problem(pattern: str) -> str | None:
    """Why the expression cannot be used; None when it can."""
    try:
        _matcher(pattern)
    except SchemaError as error:
        return _last_line(str(error))
    return None


def is_found(pattern: str, text: str) -> bool:
    """Whether the expression matches somewhere in the text. False for one that cannot be used."""
    try:
        return _matcher(pattern).isinstance_python(text)
    except SchemaError:
        return False


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def _last_line(error: str) -> str:
    """What is wrong, without the picture of where."""
    said = error.strip().splitlines()[-1].strip()
    return said.removeprefix("error: ").removeprefix("SchemaError: ")
