"""The identifiers of the product's nouns, one type each, so that they cannot be mixed up."""

import re
from typing import NewType
from uuid import UUID

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

OrganizationId = NewType("OrganizationId", str)
"""`org_…`: text, because the contract declares organization ids as plain strings."""

ApiKeyId = NewType("ApiKeyId", UUID)
WorkflowId = NewType("WorkflowId", UUID)
MachineId = NewType("MachineId", UUID)
RunId = NewType("RunId", UUID)
StepId = NewType("StepId", UUID)
"""Names one tool call of a run; the driver knows a desktop action by this id and does it at most once."""

PoolId = NewType("PoolId", UUID)
SessionId = NewType("SessionId", UUID)
"""A reservation of one machine for runs that follow each other."""

TagId = NewType("TagId", UUID)
TagGroupId = NewType("TagGroupId", UUID)
PostRunCheckId = NewType("PostRunCheckId", UUID)
TrajectoryId = NewType("TrajectoryId", UUID)
ModelConfigurationId = NewType("ModelConfigurationId", UUID)
RequestLogId = NewType("RequestLogId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
SecretId = NewType("SecretId", UUID)
AttachmentId = NewType("AttachmentId", UUID)
WebhookEndpointId = NewType("WebhookEndpointId", UUID)
WebhookMessageId = NewType("WebhookMessageId", UUID)
WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)
ServerId = NewType("ServerId", str)
"""One process with a gateway and a worker, from its start to its end; readable, for the logs."""


def is_uuid(text: str) -> bool:
    """True for the usual spelling of a UUID: 36 characters, any case."""
    return _UUID.fullmatch(text) is not None
