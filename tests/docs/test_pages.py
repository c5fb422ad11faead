"""What the repository's pages promise: links lead somewhere, commands exist, examples can be followed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.testing.prompts import a_task

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "demo/*.md", "docs/**/*.md", "packages/*/*.md")
    for page in ROOT.glob(pattern)
)

_FENCED = re.compile(r"^[ ]*```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=named)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [block["text"] for block in _FENCED.finditer(text_of(page)) if block["language"] == language]


def anchors(page: Path) -> set[str]:
    """The names by which a link may lead to a heading, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    """The relative links of this page that lead nowhere."""
    prose = _INLINE.sub("", _FENCED.sub("", text_of(page)))
    for link in _LINK.findall(prose):
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / unquote(path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def test_the_pages_are_found() -> None:
    names = {named(page) for page in PAGES}

    assert {"README.md", "packages/sdk/README.md", "docs/glossary.md", "docs/reference/README.md"} <= names


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


@each_page
def test_every_make_command_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))
    code = [*_INLINE.findall(_FENCED.sub("", text_of(page))), *blocks(page, "bash"), *blocks(page, "sh")]

    used = {
        name for text in code for name in re.findall(r"(?:^|[;&]\s*)make ([a-z][a-z-]*)", text, re.MULTILINE)
    }

    assert used <= targets


@each_page
def test_every_python_example_compiles(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, named(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_reference_lists_all_of_its_pages() -> None:
    folder = ROOT / "docs" / "reference"

    listed = set(_LINK.findall(text_of(folder / "README.md")))

    assert {page.name for page in folder.glob("*.md")} - {"README.md"} <= listed


def test_the_built_in_model_follows_the_prompt_of_the_readme() -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    given = keyword_arguments(example)

    refusals = StepsModel().check(a_task(given["main_prompt"], given["input_values"]))

    assert [str(refusal) for refusal in refusals] == []


def keyword_arguments(code: str) -> dict[str, Any]:
    """The keyword arguments of all calls in this code that are written out."""
    return {
        argument.arg: ast.literal_eval(argument.value)
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call)
        for argument in call.keywords
        if argument.arg and is_written_out(argument.value)
    }


def is_written_out(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True
