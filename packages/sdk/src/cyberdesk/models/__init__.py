"""All request and response models. Importing this loads none of them; each is loaded when it is asked for.

Type checkers read the imports instead: from a module `__getattr__` they would conclude that any name exists.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cyberdesk.models import _generated
from cyberdesk.models._unset import UNSET as UNSET
from cyberdesk.models._unset import Unset as Unset

if TYPE_CHECKING:
    from cyberdesk.models._files import File as File
    from cyberdesk.models._generated import *  # noqa: F403
    from cyberdesk.models._model import FreeForm as FreeForm
    from cyberdesk.models._model import Model as Model
    from cyberdesk.models._model import Page as Page
else:
    _HOMES = {"File": "_files", "FreeForm": "_model", "Model": "_model", "Page": "_model"}

    __all__ = ["UNSET", "Unset", *_HOMES, *_generated.__all__]

    def __getattr__(name: str) -> Any:
        home = import_module(f"{__name__}.{_HOMES[name]}") if name in _HOMES else _generated
        model = globals()[name] = getattr(home, name)  # asked for once
        return model

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
