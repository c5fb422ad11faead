"""The API as it describes itself, and the least that fits its description."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]

Place = tuple[str, ...]
"""Names of members from the outermost in; `[]` stands for a member of a list."""

IdOf = Callable[[str], str]
"""An id for a member of this name."""

NEEDED = {"content": "QUJD", "file_names": ["f"], "name": "x"}
"""Values of members that others need though they are not required, or that have a form of their own."""


class Description:
    """One OpenAPI document."""

    def __init__(self, document: Schema) -> None:
        self._components = document["components"]
        self.operations: dict[str, Schema] = {
            f"{method.upper()} {path}": operation
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        """By method and path."""

    def body(self, name: str) -> Schema | None:
        """The schema of the operation's JSON body."""
        content = self.operations[name].get("requestBody", {}).get("content", {})
        return self.schema(content["application/json"]["schema"]) if "application/json" in content else None

    def schema(self, node: Schema) -> Schema:
        """Without references, and without the null that is a value of it as well."""
        while "$ref" in node or "anyOf" in node:
            if "$ref" in node:
                node = self._components["schemas"][node["$ref"].rpartition("/")[2]]
            else:
                node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        return node

    def fields(self, node: Schema, place: Place = ()) -> Iterator[tuple[Place, Schema]]:
        """Every place in values of this schema, with the schema of what stands there."""
        node = self.schema(node)
        inner = {(*place, member): schema for member, schema in node.get("properties", {}).items()}
        if "items" in node:
            inner[(*place, "[]")] = node["items"]
        for where, schema in inner.items():
            yield where, self.schema(schema)
            yield from self.fields(schema, where)

    def at(self, node: Schema, place: Place) -> Schema:
        """The schema of what stands there, with its null."""
        for member in place:
            node = self.schema(node)
            node = node["items"] if member == "[]" else node["properties"][member]
        return node

    def fitting(self, node: Schema) -> Callable[[Any], bool]:
        """Tells whether something is a value of the schema; formats are not looked at."""
        return Draft202012Validator({**node, "components": self._components}).is_valid

    def least(self, node: Schema, id_of: IdOf, member: str = "") -> Any:
        """The least that fits: of objects what is needed, one of everything else."""
        node = self.schema(node)
        if member in NEEDED:
            return NEEDED[member]
        if node.get("format") == "uuid":
            return id_of(member)
        match node.get("type"):
            case "object":
                members = node.get("properties", {})
                needed = {*node.get("required", ()), *(NEEDED.keys() & members.keys())}
                return {name: self.least(members[name], id_of, name) for name in sorted(needed)}
            case "array":
                return [self.least(node["items"], id_of, member)]
            case "string":
                return _least_text(node)
            case "integer":
                return max(1, node.get("minimum", 1))
            case other:
                raise ValueError(f"no least value of type {other} for {member or 'the body'}")

    def filled(self, node: Schema, place: Place, value: Any, id_of: IdOf) -> Any:
        """The least that fits, with this value at this place."""
        if not place:
            return value
        node = self.schema(node)
        if place[0] == "[]":
            return [self.filled(node["items"], place[1:], value, id_of)]
        inner = self.filled(node["properties"][place[0]], place[1:], value, id_of)
        return {**self.least(node, id_of), place[0]: inner}


def last_name(place: Place) -> str:
    """Of the member, or of the list whose member it is."""
    return next((member for member in reversed(place) if member != "[]"), "")


def _least_text(node: Schema) -> str:
    if "enum" in node:
        return str(node["enum"][0])
    if "pattern" in node:  # one of some words
        return str(node["pattern"]).strip("^$()").partition("|")[0]
    return "x"
