"""Every guarantee that the page gives is held by a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "guarantees.md"
NOT_PROMISED = "What is not promised"

_, *SECTIONS = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
TESTS = {section.partition("\n")[0]: re.findall(r"`(\S+\.py)::(\w+)`", section) for section in SECTIONS}


def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_each_guarantee_names_a_test() -> None:
    assert {title for title, tests in TESTS.items() if not tests} == {NOT_PROMISED}


@pytest.mark.parametrize(("path", "name"), sorted({test for tests in TESTS.values() for test in tests}))
def test_each_named_test_exists(path: str, name: str) -> None:
    assert name in named_in(path)
