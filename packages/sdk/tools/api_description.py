"""What the generator knows of the API: our served description, with the names of the client of old."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from compatibility import BASES, DESCRIPTIONS, class_name, in_one_word

ROOT = Path(__file__).resolve().parents[3]
SERVED = ROOT / "packages" / "sdk" / "openapi.json"
REFERENCE = "#/components/schemas/"
WIDTH = 110

Schema = dict[str, Any]


def served_text() -> str | None:
    """What belongs into `SERVED`: `/openapi.json` of the server that is installed; None without one."""
    if importlib.util.find_spec("cyberdesk_server") is None:
        return None
    from cyberdesk_server.api.app import create_app
    from cyberdesk_server.api.parts import Parts

    app = create_app(cast(Parts, None))  # describing needs no parts
    return in_short_lines(app.openapi()) + "\n"


def in_short_lines(value: Any, indent: str = "", key: str = "") -> str:
    """`key` and the value as JSON, in which all that fits on one line is on one line."""
    inline = indent + key + json.dumps(value, ensure_ascii=False)
    if len(inline) <= WIDTH or not isinstance(value, dict | list):
        return inline
    deeper = indent + " "
    if isinstance(value, list):
        brackets, parts = "[]", [in_short_lines(item, deeper) for item in value]
    else:
        brackets = "{}"
        parts = [in_short_lines(item, deeper, f"{json.dumps(name)}: ") for name, item in value.items()]
    return f"{indent}{key}{brackets[0]}\n" + ",\n".join(parts) + f"\n{indent}{brackets[1]}"


@dataclass(frozen=True)
class Description:
    """The description, asked the few questions that matter here."""

    schemas: dict[str, Schema]
    sent: frozenset[str]
    answered: frozenset[str]
    used_by: dict[str, list[str]]
    unnamed: frozenset[str]
    """Names of old for objects with free keys, which have no schema in our document."""

    @classmethod
    def of(cls, served: Schema) -> Description:
        served = _renamed(served)
        webhooks = served["webhooks"]
        schemas = {class_name(name): schema for name, schema in served["components"]["schemas"].items()}
        sent, answered, used_by = set[str](), set[str](), dict[str, list[str]]()
        for path, verb, operation in operations(served["paths"]):
            requests = set(references(operation.get("requestBody", {})))
            answers = set(references(operation.get("responses", {})))
            for schema in sorted(requests):
                used_by.setdefault(schema, []).append(f"Sent by `{verb} {path}`.")
            for schema in sorted(answers - {"HTTPValidationError"}):
                used_by.setdefault(schema, []).append(f"Answered by `{verb} {path}`.")
            sent |= requests
            answered |= answers
        for name, _, operation in operations(webhooks):
            for schema in sorted(set(references(operation["requestBody"]))):
                used_by.setdefault(schema, []).append(f"Delivered by the webhook `{name}`.")
                answered.add(schema)
        return cls(
            schemas=dict(sorted(schemas.items())),
            sent=closure(schemas, sent),
            answered=closure(schemas, answered),
            used_by=used_by,
            unnamed=frozenset(_unnamed(served)) - schemas.keys(),
        )

    def is_free_form(self, name: str) -> bool:
        schema = self.schemas[name]
        return "enum" not in schema and not schema.get("properties")

    def meaning(self, name: str, key: str) -> str:
        """The sentence about a field; where its own schema has none, that of the model it extends."""
        said = self.schemas[name]["properties"][key].get("description") or DESCRIPTIONS.get(f"{name}.{key}")
        if said is None and name in BASES:
            return self.meaning(BASES[name], key)
        if said is None:
            raise SystemExit(f"nothing says what {name}.{key} is")
        return " ".join(said.split())


def operations(paths: Schema) -> Iterator[tuple[str, str, Schema]]:
    for name, verbs in paths.items():
        for verb, operation in verbs.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield name, verb.upper(), operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix(REFERENCE)
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def closure(schemas: dict[str, Schema], names: Iterable[str]) -> frozenset[str]:
    """The schemas with these names and all that they mention."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(references(schemas[name]))
    return frozenset(found)


def _renamed(node: Any) -> Any:
    """The document with references to the names of old."""
    if isinstance(node, dict):
        return {
            key: REFERENCE + class_name(value.removeprefix(REFERENCE)) if key == "$ref" else _renamed(value)
            for key, value in node.items()
        }
    return [_renamed(value) for value in node] if isinstance(node, list) else node


def _unnamed(served: Schema) -> Iterator[str]:
    """The names of old of all objects with free keys: made of where they stand."""
    for name, schema in served["components"]["schemas"].items():
        for member in schema.get("properties", {}).values():
            if "title" in member:
                yield from _names_inside(class_name(name) + in_one_word(member["title"]), member)
    for _, _, operation in operations(served["paths"]):
        own = in_one_word(operation["operationId"])
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                is_list = content["schema"].get("type") == "array"
                yield from _names_inside(
                    f"{own}Response{status}" if is_list else f"{own}Response{own}", content["schema"]
                )


def _names_inside(name: str, schema: Schema) -> Iterator[str]:
    for number, part in enumerate(schema.get("anyOf", ())):
        yield from _names_inside(f"{name}Type{number}", part)
    if schema.get("type") == "array":
        yield from _names_inside(f"{name}Item", schema.get("items", {}))
    if schema.get("type") == "object" and "properties" not in schema:
        yield class_name(name)
