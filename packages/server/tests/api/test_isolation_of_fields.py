"""Invariant 8, field by field: whatever can name a thing in a body or a query names none of another organization.

The description of the API says where ids stand; a field that is not known here fails a test.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts

Ids = Mapping[str, str]
Place = tuple[str, ...]
"""Names of members from the outermost in; `[]` is a member of a list."""

CONFIGURATION, CHECK = "model_configuration_id", "check_id"

NAMES: dict[str, str] = {
    "workflow_id": "workflow_id",
    "workflow_ids": "workflow_id",
    "machine_id": "machine_id",
    "machine_ids": "machine_id",
    "pool_ids": "pool_id",
    "run_id": "run_id",
    "session_id": "session_id",
    "tag_ids": "tag_id",
    "group_id": "group_id",
    "output_attachment_ids": "attachment_id",
    "main_agent_model_id": CONFIGURATION,
    "cache_detection_model_id": CONFIGURATION,
    "fallback_model_1_id": CONFIGURATION,
    "fallback_model_2_id": CONFIGURATION,
    "model": CONFIGURATION,
    "last_errored_run_uuid": "run_id",
    "post_run_check_id": CHECK,
    "id": CHECK,
    "source_workflow_id": "workflow_id",
}
"""Which thing a field names, by its name."""

ORDERED = {
    "PUT /v1/workflow-tags/reorder": "tag_id",
    "PUT /v1/workflow-tag-groups/reorder": "group_id",
}
"""Which things `ids` names, by operation."""
