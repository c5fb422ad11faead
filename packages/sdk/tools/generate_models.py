"""Writes `cyberdesk.models._generated` from the published description of the API.

    python packages/sdk/tools/generate_models.py            write the modules
    python packages/sdk/tools/generate_models.py --check    fail when they are not what would be written

One module per noun. The schemas say which fields there are; `EXTRAS` adds what our documents promise beyond
them. A schema that only says "any object" is no class: its values are plain dicts.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
DESCRIPTION = ROOT / "contract" / "openapi.json"
TARGET = ROOT / "packages" / "sdk" / "src" / "cyberdesk" / "models" / "_generated"
HEADER = "# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit."
WIDTH = 110

Schema = dict[str, Any]

NOUNS = {
    "machines": r"Machine|Downed|CyberdriverWebSession|CyberdriverShutdown",
    "pools": r"Pool",
    "workflow_tags": r"WorkflowTag|AddTags|BulkAddTags|Reorder",
    "run_attachments": r"RunAttachment",
    "workflows": r"Workflow(?!Chain)|BodyUploadWorkflow",
    "runs": r"Run|ChainStep|WorkflowChain|FileInput",
    "connections": r"Connection",
    "trajectories": r"Trajectory|DisplayDimensions",
    "model_configurations": r"ModelConfiguration|ProviderCredential",
    "usage": r"Usage",
    "request_logs": r"RequestLog",
    "computer": r"Mouse|Keyboard|CopyToClipboard|FileWrite|Cyberdriver",
    "common": r"",
}
"""Module -> the schemas in it, by the beginning of their names; the first match wins."""


@dataclass(frozen=True)
class Extra:
    """What a model can do beyond its schema."""

    optional: tuple[str, ...] = ()
    """Required by the schema, left to the server by us."""
    fields: tuple[str, ...] = ()
    """Texts that the schema does not have."""
    other_names: dict[str, str] = field(default_factory=dict)
    """Second name -> field."""
    base: str = ""
    """A class of `cyberdesk.models._files` that it extends instead of `Model`."""


EXTRAS = {
    "MachineCreate": Extra(
        optional=("fingerprint", "unkey_key_id"), fields=("provider", "region", "description")
    ),
    "MachineUpdate": Extra(fields=("description",)),
    "WorkflowCreate": Extra(optional=("main_prompt",), fields=("description",)),
    "WorkflowUpdate": Extra(fields=("description",)),
    "FileInput": Extra(base="ReadFromPath"),
    "ConnectionCreate": Extra(optional=("websocket_id",), fields=("connection_type",)),
    "TrajectoryCreate": Extra(
        optional=("trajectory_data", "dimensions"), other_names={"steps": "trajectory_data"}
    ),
    "TrajectoryUpdate": Extra(other_names={"steps": "trajectory_data"}),
    "ModelConfigurationCreate": Extra(other_names={"model_id": "model"}),
    "ModelConfigurationUpdate": Extra(other_names={"model_id": "model"}),
}

ENUM_ALIASES = {
    "MachineStatus": {"ACTIVE": "CONNECTED"},
    "ConnectionStatus": {"ACTIVE": "CONNECTED"},
    "RunStatus": {"COMPLETED": "SUCCESS"},
}

BASES = {
    "MachineResponseWithIncludes": "MachineResponse",
    "PoolResponseWithIncludes": "PoolResponse",
    "PoolWithMachines": "PoolResponse",
    "WorkflowResponseWithIncludes": "WorkflowResponse",
    "RunResponseWithIncludes": "RunResponse",
    "RunCompletedWebhookRunPayload": "RunResponse",
    "TrajectoryResponseWithIncludes": "TrajectoryResponse",
}
"""A model that has all that another has can stand wherever the other is expected."""

ALIASES = {"PaginatedResponseWorkflowResponse": "PaginatedResponseWithIncludesWorkflowResponse"}
"""Names without a schema of their own."""

SECRET = re.compile(
    r"sensitive_(input_values|parameters|inputs)$|^(api_key|service_account_json|token)$|secret"
)


@dataclass(frozen=True)
class Description:
    """The published description, asked the few questions that matter here."""

    schemas: dict[str, Schema]
    sent: frozenset[str]
    answered: frozenset[str]
    used_by: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path) -> Description:
        whole = json.loads(path.read_text())
        schemas = whole["components"]["schemas"]
        sent, answered, used_by = set[str](), set[str](), dict[str, list[str]]()
        for name, verb, operation in operations(whole):
            requests = set(references(operation.get("requestBody", {})))
            answers = set(references(operation.get("responses", {})))
            if name in whole.get("webhooks", {}):
                requests, answers = set(), requests
                for schema in answers:
                    used_by.setdefault(schema, []).append(f"Delivered by the webhook `{name}`.")
                answered |= answers
                continue
            for schema in requests:
                used_by.setdefault(schema, []).append(f"Sent by `{verb} {name}`.")
            for schema in answers - {"HTTPValidationError"}:
                used_by.setdefault(schema, []).append(f"Answered by `{verb} {name}`.")
            sent |= requests
            answered |= answers
        return cls(schemas, closure(schemas, sent), closure(schemas, answered), used_by)

    def is_free_form(self, name: str) -> bool:
        schema = self.schemas[name]
        return "enum" not in schema and not schema.get("properties")


def operations(whole: Schema) -> Iterator[tuple[str, str, Schema]]:
    for name, verbs in {**whole["paths"], **whole.get("webhooks", {})}.items():
        for verb, operation in verbs.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield name, verb.upper(), operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rsplit("/", 1)[-1]
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


@dataclass(frozen=True)
class Kind:
    """A type as Python writes it, and the reader of its JSON ("" when it is taken as it is)."""

    annotation: str
    reader: str = ""


def kind(description: Description, schema: Schema, *, is_sent: bool) -> Kind:
    if "$ref" in schema:
        return referenced_kind(description, schema["$ref"].rsplit("/", 1)[-1], is_sent=is_sent)
    if "anyOf" in schema:
        return union_kind(description, schema["anyOf"], is_sent=is_sent)
    match schema.get("type"), schema.get("format"):
        case "string", "uuid":
            return Kind("UUID | str" if is_sent else "UUID", "uuid")
        case "string", "date-time":
            return Kind("datetime | str" if is_sent else "datetime", "moment")
        case "string", "binary":
            return Kind("File")
        case "string", _:
            return Kind("str")
        case "integer", _:
            return Kind("int")
        case "number", _:
            return Kind("float")
        case "boolean", _:
            return Kind("bool")
        case "array", _:
            return list_kind(kind(description, schema.get("items", {}), is_sent=is_sent), is_sent=is_sent)
        case _:
            return Kind("Any")


def referenced_kind(description: Description, name: str, *, is_sent: bool) -> Kind:
    schema = description.schemas[name]
    if "enum" in schema:
        return Kind(name, f'word("{name}")')
    if description.is_free_form(name):
        values = schema.get("additionalProperties")
        inner = kind(description, values, is_sent=False).annotation if isinstance(values, dict) else "Any"
        return Kind(f"{'Mapping' if is_sent else 'dict'}[str, {inner}]")
    return Kind(name, f'nested("{name}")')


def union_kind(description: Description, parts: list[Schema], *, is_sent: bool) -> Kind:
    kinds = [kind(description, part, is_sent=is_sent) for part in parts if part.get("type") != "null"]
    annotation = " | ".join(dict.fromkeys(one.annotation for one in kinds))
    readers = {one.reader for one in kinds}
    if len(readers) > 1:
        raise SystemExit(f"no reader for the union {annotation}")
    is_nullable = len(kinds) < len(parts)
    return Kind(f"{annotation} | None" if is_nullable else annotation, readers.pop())


def list_kind(item: Kind, *, is_sent: bool) -> Kind:
    collection = "Sequence" if is_sent else "list"
    return Kind(f"{collection}[{item.annotation}]", f"each({item.reader})" if item.reader else "")


@dataclass(frozen=True)
class Field:
    name: str
    key: str
    kind: Kind
    default: str | None
    is_secret: bool = False
    is_keyword_only: bool = False

    def line(self) -> str:
        arguments = [] if self.default is None else [f"default={self.default}"]
        arguments += ["repr=masked"] if self.is_secret else []
        arguments += ["kw_only=True"] if self.is_keyword_only else []
        if not arguments:
            return f"    {self.name}: {self.kind.annotation}"
        value = self.default if arguments == [f"default={self.default}"] else f"field({', '.join(arguments)})"
        return f"    {self.name}: {self.kind.annotation} = {value}"


def fields_of(description: Description, name: str) -> list[Field]:
    schema, extra = description.schemas[name], EXTRAS.get(name, Extra())
    required = set(schema.get("required", ())) - set(extra.optional) - set(extra.other_names.values())
    is_sent = name in description.sent
    fields = []
    for key, part in sorted(
        schema["properties"].items(), key=lambda item: item[0] not in schema.get("required", ())
    ):
        shape = kind(description, part, is_sent=is_sent)
        if key not in required and "default" not in part and "None" not in shape.annotation:
            shape = Kind(f"{shape.annotation} | None", shape.reader)
        must = key in required and not any(one.default is not None for one in fields)
        default = None if must else literal(part["default"]) if "default" in part else "UNSET"
        fields.append(
            Field(part.get("x-python-name", key), key, shape, default, is_secret=bool(SECRET.search(key)))
        )
    fields += [Field(key, key, Kind("str | None"), "UNSET", is_keyword_only=True) for key in extra.fields]
    shapes = {one.name: one.kind for one in fields}
    fields += [
        Field(other, other, shapes[key], "UNSET", is_keyword_only=True)
        for other, key in extra.other_names.items()
    ]
    return fields


def literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def required_late(description: Description, name: str, fields: list[Field]) -> list[str]:
    """Required fields that have a default: an optional one precedes them, or they have a second name."""
    schema, extra = description.schemas[name], EXTRAS.get(name, Extra())
    return [
        one.name
        for one in fields
        if one.default is not None and one.key in schema.get("required", ()) and one.key not in extra.optional
    ]


def model_lines(description: Description, name: str) -> list[str]:
    fields = fields_of(description, name)
    extra = EXTRAS.get(name, Extra())
    base = BASES.get(name) or extra.base or ("Answered" if name in description.answered else "Model")
    page = re.fullmatch(r"PaginatedResponse(?:WithIncludes)?(\w*)", name)
    if page:
        base = f"Page[{page[1] or 'Any'}]"
    lines = ["", "", "@define(on_setattr=given)", f"class {name}({base}):", *docstring(description, name), ""]
    lines += [one.line() + override_note(description, name, one) for one in fields]
    lines += table("_reads", "Reads", {one.name: one.kind.reader for one in fields if one.kind.reader})
    lines += table(
        "_keys", "Mapping[str, str]", {one.name: f'"{one.key}"' for one in fields if one.key != one.name}
    )
    lines += table("_other_names", "Mapping[str, str]", {k: f'"{v}"' for k, v in extra.other_names.items()})
    late = required_late(description, name, fields)
    if late:
        inner = ", ".join(f'"{one}"' for one in late)
        lines += ["", f"    _required: ClassVar[tuple[str, ...]] = ({inner},)"]
    return lines


def override_note(description: Description, name: str, one: Field) -> str:
    """An ignore for a field that may be absent here and may not in the model this one extends."""
    if name not in BASES:
        return ""
    inherited = {field.name: field for field in fields_of(description, BASES[name])}
    same = one.name not in inherited or inherited[one.name].kind.annotation == one.kind.annotation
    return "" if same else "  # type: ignore[assignment]  # may be left out here"


def docstring(description: Description, name: str) -> list[str]:
    uses = description.used_by.get(name, [])
    extra = EXTRAS.get(name, Extra())
    notes = list(dict.fromkeys(uses)) or ["Part of other models."]
    notes += [f"`{other}` is another name of `{key}`." for other, key in extra.other_names.items()]
    if extra.optional:
        names = ", ".join(f"`{one}`" for one in extra.optional)
        notes.append(f"The server chooses {names} when left out.")
    if len(notes) == 1:
        return [f'    """{notes[0]}"""']
    return [f'    """{notes[0]}', "", *(f"    {note}" for note in notes[1:]), '    """']


def table(name: str, annotation: str, items: dict[str, str]) -> list[str]:
    if not items:
        return []
    start = f"    {name}: ClassVar[{annotation}] = {{"
    inline = start + ", ".join(f'"{key}": {value}' for key, value in items.items()) + "}"
    if len(inline) <= WIDTH:
        return ["", inline]
    return ["", start, *(f'        "{key}": {value},' for key, value in items.items()), "    }"]


def enum_lines(name: str, schema: Schema) -> list[str]:
    lines = ["", "", f"class {name}(TextEnum):", f'    """{summary_of_enum(schema)}"""', ""]
    lines += [f'    {member} = "{value}"' for member, value in schema["x-enum-members"].items()]
    aliases = ENUM_ALIASES.get(name, {})
    return lines + [f"    {alias} = {member}" for alias, member in aliases.items()]


def summary_of_enum(schema: Schema) -> str:
    words = ", ".join(f"`{word}`" for word in schema["enum"])
    return f"One of {words}." if len(words) < 90 else f"One of {len(schema['enum'])} words."


def module_of(name: str) -> str:
    bare = re.sub(r"^PaginatedResponse(WithIncludes)?", "", name) or name
    return next(module for module, names in NOUNS.items() if re.match(names, bare))


def module_text(description: Description, module: str, names: list[str], homes: dict[str, str]) -> str:
    body = [line for name in names for line in model_lines(description, name)]
    text = "\n".join(body)
    return "\n".join([HEADER, *imports(text, module, names, homes), *body]) + "\n"


def imports(text: str, module: str, names: list[str], homes: dict[str, str]) -> list[str]:
    def used(candidates: Iterable[str], within: str = text) -> list[str]:
        return sorted(
            (one for one in candidates if re.search(rf"(?<![\"\w]){one}\b(?!\")", within)),
            key=lambda one: (one.lower(), one),
        )

    lines = ["", "from __future__ import annotations", ""]
    abstract = used(["Mapping", "Sequence"])
    lines += [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
    lines += ["from datetime import datetime"] if used(["datetime"]) else []
    typing = used(["ClassVar", "Any"])
    foreign = used(name for name in homes if name not in names)
    bases = [one for one in foreign if re.search(rf"\((?:Page\[)?{one}\]?\)", text)]
    typing += ["TYPE_CHECKING"] if set(foreign) - set(bases) else []
    lines += [f"from typing import {', '.join(sorted(typing, key=import_order))}"] if typing else []
    lines += ["from uuid import UUID"] if used(["UUID"]) else []
    lines += ["", f"from attrs import {', '.join(used(['define', 'field']))}", ""]
    files = used(["File", "ReadFromPath"])
    lines += [f"from cyberdesk.models._files import {', '.join(files)}"] if files else []
    lines += [f"from cyberdesk.models._generated.{homes[one]} import {one}" for one in bases]
    machinery = sorted(used(["Answered", "given", "masked", "Model", "Page"]), key=import_order)
    lines += [f"from cyberdesk.models._model import {', '.join(machinery)}"]
    readers = sorted(used(["Reads", "each", "moment", "nested", "uuid", "word"]), key=import_order)
    lines += [f"from cyberdesk.models._readers import {', '.join(readers)}"] if readers else []
    lines += ["from cyberdesk.models._unset import UNSET"] if used(["UNSET"]) else []
    if set(foreign) - set(bases):
        lines += ["", "if TYPE_CHECKING:"]
        by_home: dict[str, list[str]] = {}
        for one in foreign:
            if one not in bases:
                by_home.setdefault(homes[one], []).append(one)
        for home, wanted in sorted(by_home.items()):
            lines += wrapped(f"    from cyberdesk.models._generated.{home} import (", wanted, "    )")
    return lines


def import_order(name: str) -> tuple[bool, bool, str]:
    """Constants, classes, functions: the order of the linter."""
    return not name.isupper(), not name[0].isupper(), name


def wrapped(start: str, names: list[str], end: str) -> list[str]:
    inline = start.removesuffix("(") + ", ".join(names)
    if len(inline) <= WIDTH:
        return [inline]
    return [start, *(f"        {name}," for name in names), end]


def index_text(homes: dict[str, str]) -> str:
    lines = [
        HEADER,
        '"""Where each model is. Importing this loads none of them."""',
        "",
        "from __future__ import annotations",
        "",
        "from importlib import import_module",
        "from typing import TYPE_CHECKING, Any",
        "",
        "if TYPE_CHECKING:",
    ]
    for module in sorted(set(homes.values())):
        names = sorted(name for name, home in homes.items() if home == module)
        lines += [f"    from cyberdesk.models._generated.{module} import ("]
        lines += [f"        {name} as {name}," for name in names] + ["    )"]
    lines += ["", "HOMES = {"]
    lines += [f'    "{name}": "{home}",' for name, home in sorted(homes.items())] + ["}"]
    lines += ['"""Model -> its module in this package."""', "", "__all__ = ["]
    lines += [f'    "{name}",' for name in sorted(homes)] + ["]", "", ""]
    lines += [
        "if not TYPE_CHECKING:",
        "",
        "    def __getattr__(name: str) -> Any:",
        "        if name not in HOMES:",
        '            raise AttributeError(f"there is no model {name!r}")',
        '        return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)',
    ]
    return "\n".join(lines) + "\n"


def module_names_text(description: Description) -> str:
    lines = [HEADER, '"""The module names that the generated client of old has for each model."""', ""]
    lines += ["MODULES = {"]
    pairs = sorted((schema["x-python-module"], name) for name, schema in description.schemas.items())
    lines += [f'    "{module}": "{name}",' for module, name in pairs] + ["}"]
    return "\n".join(lines) + "\n"


def files(description: Description) -> dict[str, str]:
    """File name -> text of everything in the generated folder."""
    homes: dict[str, str] = {}
    for name, schema in description.schemas.items():
        if "enum" in schema:
            homes[name] = "enums"
        else:
            homes[name] = "free_form" if description.is_free_form(name) else module_of(name)
    texts: dict[str, str] = {}
    for module in sorted(set(homes.values()) - {"enums", "free_form"}):
        names = in_order([name for name in description.schemas if homes[name] == module])
        text = module_text(description, module, names, homes)
        aliases = [(alias, name) for alias, name in ALIASES.items() if name in names]
        texts[f"{module}.py"] = text + "".join(f"\n\n{alias} = {name}\n" for alias, name in aliases)
        homes |= {alias: module for alias, _ in aliases}
    enums = [name for name in description.schemas if homes[name] == "enums"]
    start = [HEADER, "", "from cyberdesk.models._model import TextEnum"]
    texts["enums.py"] = "\n".join(
        start + [line for name in enums for line in enum_lines(name, description.schemas[name])] + [""]
    )
    free = [name for name in description.schemas if homes[name] == "free_form"]
    start = [HEADER, '"""Names of objects with free keys: each is a plain dict."""', ""]
    start += ["from cyberdesk.models._model import FreeForm", ""]
    texts["free_form.py"] = "\n".join(start + [f"{name} = FreeForm" for name in free] + [""])
    texts["__init__.py"] = index_text(homes)
    texts["module_names.py"] = module_names_text(description)
    return texts


def in_order(names: list[str]) -> list[str]:
    """The names, each after those that it extends or pages."""
    return sorted(names, key=lambda name: (name in BASES, name.startswith("PaginatedResponse"), name))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    is_check = parser.parse_args().check
    texts = files(Description.read(DESCRIPTION))
    present = {path.name: path.read_text() for path in TARGET.glob("*.py")}
    if is_check:
        stale = sorted(name for name in texts.keys() | present.keys() if texts.get(name) != present.get(name))
        print(f"stale: {', '.join(stale)}" if stale else "the generated models are up to date")
        return 1 if stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in present.keys() - texts.keys():
        (TARGET / name).unlink()
    for name, text in texts.items():
        (TARGET / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
