"""The SDK against the published Python surface: names, parameters, defaults, fields, enum members.

Intended differences are lines of `differences.txt`, each with its reason.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import attrs
import pytest

import cyberdesk
from cyberdesk import client as client_module
from cyberdesk import models
from cyberdesk._resources._resource import Resource

DIFFERENCES = Path(__file__).parent / "differences.txt"


def intended() -> set[str]:
    lines = [line for line in DIFFERENCES.read_text().splitlines() if line and not line.startswith("#")]
    assert all(len(line.split(" | ")) == 2 for line in lines)
    return {line.split(" | ")[0] for line in lines}


def missing_names(surface):
    for module_name, module in surface["modules"].items():
        wanted = [*module["__all__"], *module.get("importable_but_not_in___all__", ())]
        found = importlib.import_module(module_name)
        yield from (f"{module_name}.{name}" for name in wanted if not hasattr(found, name))


def methods(surface):
    for class_name, described in surface["classes"].items():
        if not described.get("internal"):
            yield class_name, {method["name"]: method for method in described["methods"]}


def differing_methods(surface):
    for class_name, described in methods(surface):
        own = {
            name: value
            for name, value in vars(getattr(client_module, class_name)).items()
            if inspect.isfunction(value) and (not name.startswith("_") or name.startswith("__"))
        }
        yield from (f"{class_name}.{name} missing" for name in described.keys() - own.keys())
        yield from (f"{class_name}.{name} new" for name in own.keys() - described.keys())
        for name in described.keys() & own.keys():
            if parameters(own[name]) != described_parameters(described[name]):
                yield f"{class_name}.{name} parameters"


def new_groups(surface):
    own = {type(part).__name__ for part in vars(cyberdesk.CyberdeskClient("key")).values() if is_group(part)}
    yield from (f"{name} new" for name in own - set(surface["client_namespaces"].values()))


def is_group(part):
    return isinstance(part, Resource)


def parameters(function):
    return [
        (one.name, one.kind.name.lower(), default_text(one.default))
        for one in list(inspect.signature(function).parameters.values())[1:]
    ]


def default_text(default):
    return "required" if default is inspect.Parameter.empty else repr(default)


def described_parameters(method):
    return [(one["name"], one["kind"], one.get("default", "required")) for one in method["params"]]


def differing_models(surface, openapi):
    for name, described in surface["models"].items():
        if name in openapi["components"]["schemas"] and described["fields"]:
            yield from differing_fields(name, described["fields"])


def differing_fields(name, described):
    own = {one.name: one for one in attrs.fields(getattr(models, name)) if one.init}
    names = [one["name"] for one in described]
    yield from (f"{name}.{field} missing" for field in names if field not in own)
    yield from (f"{name}.{field} new" for field in own if field not in names)
    if [field for field in own if field in names] != names:
        yield f"{name} order"
    for one in described:
        if one["name"] in own:
            yield from differing_default(name, one, own[one["name"]])


def differing_default(name, described, own):
    is_required = own.default is attrs.NOTHING or own.name in getattr(models, name)._required
    if described.get("required", False) and not is_required:
        yield f"{name}.{own.name} required"
    if not described.get("required", False) and is_required:
        yield f"{name}.{own.name} optional"
    if "default" in described and described["default"] != repr(own.default):
        yield f"{name}.{own.name} default"


def differing_enums(surface):
    for name, described in surface["enums"].items():
        own = {member: value.value for member, value in getattr(models, name).__members__.items()}
        yield from (f"{name}.{member} new" for member in own.keys() - described["members"].keys())
        wrong = {member for member, value in described["members"].items() if own.get(member) != value}
        yield from (f"{name}.{member} missing" for member in wrong)


def test_all_differences_are_intended(surface, openapi):
    found = {
        *missing_names(surface),
        *differing_methods(surface),
        *new_groups(surface),
        *differing_models(surface, openapi),
        *differing_enums(surface),
    }

    assert sorted(found - intended()) == []
    assert sorted(intended() - found) == [], "these lines describe no difference any more"


def test_all_groups_are_attributes_of_the_client(surface):
    client = cyberdesk.CyberdeskClient("key")

    found = {name: type(getattr(client, name)).__name__ for name in surface["client_namespaces"]}

    assert found == surface["client_namespaces"]


def test_there_are_as_many_methods_as_published(surface):
    published = [name for class_name, described in methods(surface) for name in described]

    assert len(published) == surface["counts"]["public_methods"] + len(
        [name for name in vars(cyberdesk.CyberdeskClient) if name in ("__init__", "__enter__", "__exit__")]
    )


@pytest.mark.parametrize(
    "module", ["cyberdesk", "cyberdesk.client", "openapi_client.cyberdesk_cloud_client.models"]
)
def test_every_model_can_be_imported_from_everywhere(module, openapi):
    found = importlib.import_module(module)

    for name in openapi["components"]["schemas"]:
        assert getattr(found, name) is getattr(models, name)
        assert name in found.__all__


def test_every_model_has_its_old_module(openapi):
    for name, schema in openapi["components"]["schemas"].items():
        module = importlib.import_module(
            f"openapi_client.cyberdesk_cloud_client.models.{schema['x-python-module']}"
        )

        assert getattr(module, name) is getattr(models, name)


def test_unknown_names_and_modules_are_missing():
    with pytest.raises(ImportError, match="NoSuchModel"):
        exec("from cyberdesk import NoSuchModel")  # noqa: S102  # the statement itself is meant
    with pytest.raises(ModuleNotFoundError, match="no_such_model"):
        importlib.import_module("openapi_client.cyberdesk_cloud_client.models.no_such_model")


@pytest.mark.parametrize("module", [cyberdesk, client_module, models])
def test_what_is_announced_is_there(module):
    assert len(module.__all__) == len(set(module.__all__))
    assert set(module.__all__) <= set(dir(module)) | set(models.__all__)
    for name in module.__all__:
        getattr(module, name)


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert cyberdesk.__version__ == version("cyberdesk")
