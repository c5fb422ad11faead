"""The message history of a run, typed.

history = [ChatMessage.from_dict(message) for message in run.run_message_history or []]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from attrs import define, field

from cyberdesk.models._model import Answered, given
from cyberdesk.models._unset import UNSET

__all__ = ["ChatMessage", "MessageContentBlock", "RunMessageHistory"]


@define(on_setattr=given)
class MessageContentBlock(Answered):
    """One part of a message: text, an image, a tool call or what came of one.

    `type` says which; the fields of the other kinds are None. `image_url` is a `supabase://` address.
    """

    type: str
    text: str | None = UNSET
    image_url: str | None = UNSET
    image_base64: str | None = UNSET
    tool_use_id: str | None = UNSET
    tool_name: str | None = UNSET
    tool_input: dict[str, Any] | None = UNSET
    tool_result: str | None = UNSET
    error: str | None = UNSET
    trajectory_id: str | None = UNSET
    trajectory_label: str | None = UNSET
    step_signature_hash: int | None = UNSET
    step_index: int | None = UNSET


def _blocks(content: Iterable[MessageContentBlock | Mapping[str, Any]]) -> list[MessageContentBlock]:
    return [
        block if isinstance(block, MessageContentBlock) else MessageContentBlock.from_dict(block)
        for block in content
    ]


@define(on_setattr=given)
class ChatMessage(Answered):
    """One message of a run's history. Its blocks may be given as plain dicts."""

    role: str
    content: list[MessageContentBlock] = field(converter=_blocks)
    timestamp: str | None = UNSET
    trajectory_id: str | None = UNSET
    trajectory_label: str | None = UNSET
    step_index: int | None = UNSET
    loop_uuid: str | None = UNSET
    iteration_index: int | None = UNSET
    event_type: str | None = UNSET


RunMessageHistory: TypeAlias = "list[ChatMessage]"
