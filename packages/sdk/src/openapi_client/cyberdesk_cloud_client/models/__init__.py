"""All models, and a module for each of them: `models.run_completed_event` has `RunCompletedEvent`.

The modules are no files: a finder makes one when it is imported. Those that the guides import have a stub, so
that type checkers find them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cyberdesk import models
from cyberdesk.models._generated.module_names import MODULES

if TYPE_CHECKING:
    from cyberdesk.models import *  # noqa: F403
else:
    __all__ = models.__all__

    def __getattr__(name: str) -> Any:
        return getattr(models, name)


class _ModelModules(MetaPathFinder, Loader):
    """Finds `models.<module>` and fills it with its model."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, module = fullname.rpartition(".")
        if package != __name__ or module not in MODULES:
            return None
        return spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        model = MODULES[module.__name__.rpartition(".")[2]]
        setattr(module, model, getattr(models, model))
        module.__all__ = [model]  # type: ignore[attr-defined]  # what a module's own text would set


if not any(type(finder).__module__ == __name__ for finder in sys.meta_path):
    sys.meta_path.append(_ModelModules())
