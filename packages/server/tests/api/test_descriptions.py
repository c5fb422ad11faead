"""Every member of every request and answer is explained in `/openapi.json`."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parameters import ELSEWHERE, PATH, QUERY
from cyberdesk_server.api.parts import Parts

Node = Mapping[str, Any]

NOT_OURS = {
    "HTTPValidationError": "the framework writes it",
    "ValidationError": "the framework writes it",
}
"""Schemas without explanations, and why."""

MOST_CHARACTERS = 160


@pytest.fixture(scope="module")
def document() -> Node:
    return create_app(cast(Parts, None)).openapi()  # describing needs no parts


def references(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "$ref" in node:
            yield str(node["$ref"]).rsplit("/", 1)[-1]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def reached(document: Node) -> set[str]:
    """The schemas that operations and webhooks send and answer, and all that these mention."""
    found, waiting = set[str](), [*references(document["paths"]), *references(document["webhooks"])]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(references(document["components"]["schemas"][name]))
    return found


def members(document: Node) -> dict[str, Node]:
    """`Schema.member` -> what is said about it, of all schemas that are ours to explain."""
    return {
        f"{name}.{member}": described
        for name in reached(document) - NOT_OURS.keys()
        for member, described in document["components"]["schemas"][name].get("properties", {}).items()
    }


def test_every_member_says_what_it_is(document: Node) -> None:
    unexplained = {
        where for where, described in members(document).items() if not described.get("description")
    }

    assert unexplained == set()


def parameters(document: Node) -> dict[str, Node]:
    """`METHOD PATH name` -> the parameter."""
    return {
        f"{method.upper()} {path} {parameter['name']}": parameter
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())
    }


def test_every_parameter_says_what_it_means(document: Node) -> None:
    unexplained = {where for where, said in parameters(document).items() if not said.get("description")}

    assert unexplained == set()


def test_no_meaning_is_left_of_a_parameter_that_is_gone(document: Node) -> None:
    used = {(one["in"], one["name"]) for one in parameters(document).values()}
    told = {one["description"] for one in parameters(document).values()}

    assert {("path", name) for name in PATH} | {("query", name) for name in QUERY} <= used
    assert {*ELSEWHERE.values()} <= told


def test_an_explanation_is_a_short_text_of_whole_sentences(document: Node) -> None:
    explained = members(document) | parameters(document)
    texts = {where: str(described.get("description", "")) for where, described in explained.items()}

    odd = {
        where: text
        for where, text in texts.items()
        if len(text) > MOST_CHARACTERS or not text.endswith((".", "…")) or text[:1].islower()
    }
    assert odd == {}


def test_every_schema_is_reached_and_the_exceptions_are_still_there(document: Node) -> None:
    assert reached(document) == document["components"]["schemas"].keys()
    assert reached(document) >= NOT_OURS.keys()
