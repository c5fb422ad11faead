"""Our API against the published description: every difference is a line with a reason in
`contract/differences.txt`, and a line that is no difference any more fails.

Compared are, for each operation we serve: operation id, parameters, request body, statuses and answer
bodies, member by member, with type, format, enum values, nullability, whether it is required, and default.
What only narrows a value (lengths, ranges) and what only explains (titles, descriptions) is not.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts

CONTRACT = Path(__file__).parents[2] / "contract"
COMPARED = ("type", "format", "enum", "contentEncoding")

Node = Mapping[str, Any]


class Description:
    """One OpenAPI document, with its references followed."""

    def __init__(self, document: Node) -> None:
        self._document = document

    def operations(self) -> Iterator[tuple[str, Node]]:
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                yield f"{method.upper()} {path}", operation

    def schema(self, node: Node) -> Node:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = {**found, **{key: value for key, value in node.items() if key != "$ref"}}
        return node

    def without_null(self, node: Node) -> tuple[Node, bool]:
        """The schema, and whether null is a value of it as well."""
        node = self.schema(node)
        choices = [self.schema(choice) for choice in node.get("anyOf", ())]
        others = [choice for choice in choices if choice.get("type") != "null"]
        if len(others) == 1 and len(choices) == 2:
            rest = {key: value for key, value in node.items() if key != "anyOf"}
            return {**others[0], **rest}, True
        return node, False


def compare(ours: Description, theirs: Description) -> Iterator[str]:
    """Each difference as a line: where, what, ours, theirs."""
    served = dict(ours.operations())
    published = dict(theirs.operations())
    for name, operation in served.items():
        if name not in published:
            yield f"{name}: not in the contract"
            continue
        yield from _operation(name, ours, operation, theirs, published[name])
    for name in published.keys() - served.keys():
        yield f"{name}: not served"


def _operation(name: str, ours: Description, one: Node, theirs: Description, other: Node) -> Iterator[str]:
    yield from _values(name, "operation id", one["operationId"], other["operationId"])
    yield from _values(name, "needs a key", bool(one.get("security")), bool(other.get("security")))
    yield from _parameters(name, ours, one, theirs, other)
    yield from _bodies(f"{name} body", ours, one.get("requestBody"), theirs, other.get("requestBody"))
    yield from _values(name, "statuses", sorted(one["responses"]), sorted(other["responses"]))
    for status in one["responses"].keys() & other["responses"].keys():
        mine, published = one["responses"][status], other["responses"][status]
        yield from _bodies(f"{name} {status}", ours, mine, theirs, published)


def _parameters(name: str, ours: Description, one: Node, theirs: Description, other: Node) -> Iterator[str]:
    mine = {(found["in"], found["name"]): found for found in one.get("parameters", ())}
    published = {(found["in"], found["name"]): found for found in other.get("parameters", ())}
    for key in sorted(mine.keys() | published.keys()):
        where = f"{name} {key[0]} {key[1]}"
        if key not in published:
            yield f"{where}: not in the contract"
        elif key not in mine:
            yield f"{where}: not served"
        else:
            is_required = [bool(found[key].get("required")) for found in (mine, published)]
            yield from _values(where, "required", *is_required)
            yield from _schemas(where, ours, mine[key]["schema"], theirs, published[key]["schema"])


def _bodies(
    where: str, ours: Description, one: Node | None, theirs: Description, other: Node | None
) -> Iterator[str]:
    mine, published = (((found or {}).get("content") or {}) for found in (one, other))
    yield from _values(where, "content types", sorted(mine), sorted(published))
    for kind in mine.keys() & published.keys():
        yield from _schemas(where, ours, mine[kind]["schema"], theirs, published[kind]["schema"])


def _schemas(where: str, ours: Description, one: Node, theirs: Description, other: Node) -> Iterator[str]:
    mine, mine_is_nullable = ours.without_null(one)
    published, is_nullable = theirs.without_null(other)
    yield from _values(where, "null", mine_is_nullable, is_nullable)
    for key in COMPARED:
        first, second = mine.get(key), published.get(key)
        if key == "enum":
            first, second = sorted(first or ()), sorted(second or ())
        yield from _values(where, key, first, second)
    yield from _values(where, "default", _default(mine), _default(published))
    if "items" in mine or "items" in published:
        yield from _schemas(f"{where}[]", ours, mine.get("items", {}), theirs, published.get("items", {}))
    more, published_more = (found.get("additionalProperties", {}) for found in (mine, published))
    if isinstance(more, dict) and isinstance(published_more, dict) and (more or published_more):
        yield from _schemas(f"{where}.*", ours, more, theirs, published_more)
    yield from _members(where, ours, mine, theirs, published)


def _members(
    where: str, ours: Description, mine: Node, theirs: Description, published: Node
) -> Iterator[str]:
    members, published_members = mine.get("properties", {}), published.get("properties", {})
    for name in sorted(members.keys() | published_members.keys()):
        inner = f"{where}.{name}"
        if name not in published_members:
            yield f"{inner}: not in the contract"
        elif name not in members:
            yield f"{inner}: not served"
        else:
            is_required = [name in found.get("required", ()) for found in (mine, published)]
            yield from _values(inner, "required", *is_required)
            yield from _schemas(inner, ours, members[name], theirs, published_members[name])


def _default(schema: Node) -> object:
    default = schema.get("default", schema.get("x-documented-default"))
    return None if default is False else default


def _values(where: str, what: str, ours: object, theirs: object) -> Iterator[str]:
    if ours != theirs:
        yield f"{where}: {what} is {json.dumps(ours)}, in the contract {json.dumps(theirs)}"


@pytest.fixture(scope="module")
def differences() -> set[str]:
    app = create_app(cast(Parts, None))  # describing needs no parts
    published = json.loads((CONTRACT / "openapi.json").read_text())
    return set(compare(Description(app.openapi()), Description(published)))


@pytest.fixture(scope="module")
def allowed() -> dict[str, str]:
    """The reasoned lines, `difference  # reason`."""
    lines = (CONTRACT / "differences.txt").read_text().splitlines()
    return dict(
        cast(tuple[str, str], tuple(line.split("  # ", 1)))
        for line in lines
        if line and not line.startswith("#")
    )


def test_every_difference_has_a_reason(differences: set[str], allowed: dict[str, str]) -> None:
    assert sorted(differences - allowed.keys()) == []


def test_every_reason_has_its_difference(differences: set[str], allowed: dict[str, str]) -> None:
    assert sorted(allowed.keys() - differences) == []
