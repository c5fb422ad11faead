"""All request and response models. Importing this loads none of them; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cyberdesk.models import _generated
from cyberdesk.models._unset import UNSET, Unset

if TYPE_CHECKING:
    from cyberdesk.models._files import File
    from cyberdesk.models._generated import *  # noqa: F403
    from cyberdesk.models._model import FreeForm, Model, Page

__all__ = ["UNSET", "File", "FreeForm", "Model", "Page", "Unset"]
__all__ += _generated.__all__

_HOMES = {"File": "_files", "FreeForm": "_model", "Model": "_model", "Page": "_model"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return getattr(_generated, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
