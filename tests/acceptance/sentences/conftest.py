"""An office and a desktop that the tests of a module share."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.sentences.office import Office


@pytest.fixture(scope="module")
def office(site: Any) -> Office:
    return Office(site)


@pytest.fixture(scope="module")
def desktop(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with site.machines(tmp_path_factory.mktemp("desktop")) as machine_for:
        yield machine_for("xterm", name="desktop of the sentences")
