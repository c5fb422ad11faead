"""Every guarantee that a page gives is held by a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "guarantees.md": {"What is not promised"},
    "secrets.md": {"What is not promised"},
    "threat-model.md": {"What nothing here stops"},
}
"""Pages, and their sections that promise nothing."""


def held_by(page: str) -> dict[str, list[tuple[str, str]]]:
    """Path and name of the tests that each section names."""
    text = (ROOT / "docs" / "explanation" / page).read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    return {section.partition("\n")[0]: re.findall(r"`(\S+\.py)::(\w+)`", section) for section in sections}


def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("page", PAGES)
def test_each_guarantee_names_a_test(page: str) -> None:
    assert {title for title, tests in held_by(page).items() if not tests} == PAGES[page]


@pytest.mark.parametrize(
    ("path", "name"), sorted({test for page in PAGES for tests in held_by(page).values() for test in tests})
)
def test_each_named_test_exists(path: str, name: str) -> None:
    assert name in named_in(path)
