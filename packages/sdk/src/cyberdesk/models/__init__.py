"""All request and response models. Importing this loads none of them; each is loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyberdesk.models import _generated
from cyberdesk.models._files import File
from cyberdesk.models._model import UNSET, FreeForm, Model, Page, Unset

if TYPE_CHECKING:
    from cyberdesk.models._generated import *  # noqa: F403

__all__ = ["UNSET", "File", "FreeForm", "Model", "Page", "Unset"]
__all__ += _generated.__all__


def __getattr__(name: str) -> Any:
    return getattr(_generated, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
