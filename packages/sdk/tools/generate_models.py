"""Writes `cyberdesk.models._generated` from what our server says about its API.

    python packages/sdk/tools/generate_models.py            write openapi.json and the modules
    python packages/sdk/tools/generate_models.py --check    fail when they are not what would be written

`packages/sdk/openapi.json` is the description a server gives at `/openapi.json`; where the server is not
installed it is taken as it is. One module per noun; under each field stands what it means. The schemas say
which fields there are; `compatibility` adds what older programs use beyond them. A schema that only says "any
object" is no class: its values are plain dicts.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from api_description import ROOT, SERVED, WIDTH, Description, Schema, served_text
from compatibility import ALIASES, BASES, ENUM_ALIASES, EXTRAS, IGNORED, NOUNS, Extra, field_name, module_name

TARGET = ROOT / "packages" / "sdk" / "src" / "cyberdesk" / "models" / "_generated"
HEADER = "# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit."

SECRET = re.compile(
    r"sensitive_(input_values|parameters|inputs)$|^(api_key|service_account_json|token)$|secret"
)


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
        case "object", _:
            return object_kind(description, schema, is_sent=is_sent)
        case _:
            return Kind("Any")


def object_kind(description: Description, schema: Schema, *, is_sent: bool) -> Kind:
    values = schema.get("additionalProperties")
    inner = kind(description, values, is_sent=False).annotation if isinstance(values, dict) else "Any"
    return Kind(f"{'Mapping' if is_sent else 'dict'}[str, {inner}]")


def referenced_kind(description: Description, name: str, *, is_sent: bool) -> Kind:
    schema = description.schemas[name]
    if "enum" in schema:
        return Kind(name, f'word("{name}")')
    if description.is_free_form(name):
        return object_kind(description, schema, is_sent=is_sent)
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
    meaning: str
    is_secret: bool = False
    is_keyword_only: bool = False

    def lines(self, note: str = "") -> list[str]:
        """The field, with `note` as a comment behind it, and its docstring."""
        return [f"    {self.name}: {self.kind.annotation}{self.value()}{note}", *self.docstring(), ""]

    def value(self) -> str:
        arguments = [] if self.default is None else [f"default={self.default}"]
        arguments += ["repr=masked"] if self.is_secret else []
        arguments += ["kw_only=True"] if self.is_keyword_only else []
        if not arguments:
            return ""
        if arguments == [f"default={self.default}"]:
            return f" = {self.default}"
        return f" = field({', '.join(arguments)})"

    def docstring(self) -> list[str]:
        text = re.sub(r"\b[Nn]ull\b", "None", self.meaning)
        lines = textwrap.wrap(f'"""{text}"""', WIDTH - 4, break_on_hyphens=False)
        if len(lines) > 1:
            lines = [*textwrap.wrap(f'"""{text}', WIDTH - 4, break_on_hyphens=False), '"""']
        return [f"    {line}" for line in lines]


def fields_of(description: Description, name: str) -> list[Field]:
    schema, extra = description.schemas[name], EXTRAS.get(name, Extra())
    required = set(schema.get("required", ())) - set(extra.other_names.values())
    is_sent = name in description.sent
    fields: list[Field] = []
    for key, part in in_old_order(schema, extra):
        shape = kind(description, part, is_sent=is_sent)
        default = part["default"] if "default" in part and key not in extra.unsent else ...
        if key not in required and default is ... and "None" not in shape.annotation:
            shape = Kind(f"{shape.annotation} | None", shape.reader)
        must = key in required and not any(one.default is not None for one in fields)
        fields.append(
            Field(
                field_name(key),
                key,
                shape,
                None if must else "UNSET" if default is ... else literal(default),
                description.meaning(name, key),
                is_secret=bool(SECRET.search(key)),
                is_keyword_only=key in extra.keyword_only,
            )
        )
    text = Kind("str | None")
    fields += [Field(key, key, text, "UNSET", IGNORED, is_keyword_only=True) for key in extra.ignored]
    shapes = {one.name: one.kind for one in fields}
    fields += [
        Field(other, other, shapes[key], "UNSET", f"Another name of `{key}`.", is_keyword_only=True)
        for other, key in extra.other_names.items()
    ]
    return fields


def in_old_order(schema: Schema, extra: Extra) -> list[tuple[str, Schema]]:
    """The members of the schema in the order of the constructor; those that have no place there come last."""
    required = schema.get("required", ())

    def place(item: tuple[str, Schema]) -> tuple[bool, int, bool]:
        key = item[0]
        leading = extra.first.index(key) if key in extra.first else len(extra.first)
        return key in extra.keyword_only, leading, key not in required

    return sorted(schema["properties"].items(), key=place)


def literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def required_late(description: Description, name: str, fields: list[Field]) -> list[str]:
    """Required fields that have a default: an optional one precedes them, or they have a second name."""
    required = description.schemas[name].get("required", ())
    return [one.name for one in fields if one.default is not None and one.key in required]


def model_lines(description: Description, name: str) -> list[str]:
    fields = fields_of(description, name)
    extra = EXTRAS.get(name, Extra())
    base = BASES.get(name) or extra.base or ("Answered" if name in description.answered else "Model")
    page = re.fullmatch(r"PaginatedResponse(?:WithIncludes)?(\w*)", name)
    if page:
        base = f"Page[{page[1] or 'Any'}]"
    lines = ["", "", "@define(on_setattr=given)", f"class {name}({base}):", *docstring(description, name), ""]
    lines += [line for one in fields for line in one.lines(override_note(description, name, one))]
    del lines[-1]
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
    notes = [description.schemas[name]["description"]] if "description" in description.schemas[name] else []
    notes += list(dict.fromkeys(uses)) or ["Part of other models."]
    notes += [f"`{other}` is another name of `{key}`." for other, key in extra.other_names.items()]
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
    lines += [f'    {word.upper()} = "{word}"' for word in sorted(schema["enum"])]
    aliases = ENUM_ALIASES.get(name, {})
    return lines + [f"    {alias} = {member}" for alias, member in aliases.items()]


def summary_of_enum(schema: Schema) -> str:
    words = ", ".join(f"`{word}`" for word in sorted(schema["enum"]))
    return f"One of {words}." if len(words) < 90 else f"One of {len(schema['enum'])} words."


def module_of(name: str) -> str:
    bare = re.sub(r"^PaginatedResponse(WithIncludes)?", "", name) or name
    return next(module for module, names in NOUNS.items() if re.match(names, bare))


def module_text(description: Description, module: str, names: list[str], homes: dict[str, str]) -> str:
    body = [line for name in names for line in model_lines(description, name)]
    code = re.sub(r'""".*?"""', "", "\n".join(body), flags=re.DOTALL)
    return "\n".join([HEADER, *imports(code, module, names, homes), *body]) + "\n"


def imports(code: str, module: str, names: list[str], homes: dict[str, str]) -> list[str]:
    def used(candidates: Iterable[str], within: str = code) -> list[str]:
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
    bases = [one for one in foreign if re.search(rf"\((?:Page\[)?{one}\]?\)", code)]
    typing += ["TYPE_CHECKING"] if set(foreign) - set(bases) else []
    lines += [f"from typing import {', '.join(sorted(typing, key=import_order))}"] if typing else []
    lines += ["from uuid import UUID"] if used(["UUID"]) else []
    lines += [""] if lines[-1] else []
    lines += [f"from attrs import {', '.join(used(['define', 'field']))}", ""]
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
    pairs = sorted((module_name(name), name) for name in description.schemas.keys() | description.unnamed)
    lines += [f'    "{module}": "{name}",' for module, name in pairs] + ["}"]
    return "\n".join(lines) + "\n"


def files(description: Description) -> dict[str, str]:
    """File name -> text of everything in the generated folder."""
    homes = dict.fromkeys(description.unnamed, "free_form")
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
    free = sorted(name for name, home in homes.items() if home == "free_form")
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
    present = {path.name: path.read_text() for path in [SERVED, *TARGET.glob("*.py")]}
    served = served_text() or present[SERVED.name]
    texts = {
        SERVED.name: served,
        **files(Description.of(json.loads(served))),
    }
    if is_check:
        stale = sorted(name for name in texts.keys() | present.keys() if texts.get(name) != present.get(name))
        print(
            f"stale, make fix writes anew: {', '.join(stale)}"
            if stale
            else "the generated models are up to date"
        )
        return 1 if stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in present.keys() - texts.keys():
        (TARGET / name).unlink()
    for name, text in texts.items():
        (SERVED if name == SERVED.name else TARGET / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
