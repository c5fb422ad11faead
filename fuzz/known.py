"""The ids of what was made so far: half of all requests ask for one of them, not for a thing nobody made."""

from collections import defaultdict, deque
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

KEPT = 20
"""Ids of each kind, the newest."""

KINDS = {
    "connections": "connection_id",
    "machines": "machine_id",
    "model-configurations": "model_configuration_id",
    "pools": "pool_id",
    "request-logs": "log_id",
    "run-attachments": "attachment_id",
    "runs": "run_id",
    "trajectories": "trajectory_id",
    "workflow-tag-groups": "group_id",
    "workflow-tags": "tag_id",
    "workflows": "workflow_id",
}
"""What the `id` of a thing below `/v1/…` is called where another request names it."""


class KnownIds:
    """Remembers ids by the name of the parameter or field that takes them."""

    def __init__(self) -> None:
        self._ids: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._random = Random(0)

    def remember(self, path: str, answer: Any) -> None:
        """Every id in an answer of this path."""
        kind = KINDS.get(path.split("/")[2] if path.startswith("/v1/") else "")
        for name, value in _ids_in(answer):
            field = kind if name == "id" else name
            if field and value not in self._ids[field]:
                self._ids[field].append(value)

    def put_into(self, fields: dict[str, Any]) -> None:
        """In the place of well-formed ids, at any depth of these fields, some that are known."""
        for name, value in fields.items():
            if isinstance(value, dict):
                self.put_into(value)
            elif isinstance(value, list) and name.endswith("_ids"):
                fields[name] = [self._instead_of(item, name.removesuffix("s")) for item in value]
            elif isinstance(value, list):
                for item in value:
                    if isinstance(item, dict):
                        self.put_into(item)
            else:
                fields[name] = self._instead_of(value, name)

    def _instead_of(self, value: Any, name: str) -> Any:
        ids = self._ids.get(name)
        if not ids or not _is_id(value) or value in ids or self._random.random() < 0.5:
            return value
        return self._random.choice(ids)


def _ids_in(answer: Any) -> Iterator[tuple[str, str]]:
    match answer:
        case dict():
            for name, value in answer.items():
                if (name == "id" or name.endswith("_id")) and _is_id(value):
                    yield name, value
                elif name in ("items", "runs"):
                    yield from _ids_in(value)
        case list():
            for item in answer:
                yield from _ids_in(item)


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
