"""What the parameters of paths and queries mean, for the description: one name means one thing."""

from collections.abc import Mapping
from typing import Any

PATH: Mapping[str, str] = {
    "attachment_id": "Id of the file.",
    "connection_id": "Id of the connection.",
    "endpoint_id": "Id of the endpoint of webhooks.",
    "group_id": "Id of the tag group.",
    "log_id": "Id of the request log.",
    "machine_id": "Id of the machine.",
    "message_id": "Id of the message.",
    "model_configuration_id": "Id of the model configuration.",
    "pool_id": "Id of the pool.",
    "run_id": "Id of the run.",
    "session_id": "Id of the session.",
    "slot": "The provider whose credential it is.",
    "tag_id": "Id of the tag.",
    "trajectory_id": "Id of the trajectory.",
    "workflow_id": "Id of the workflow.",
}

QUERY: Mapping[str, str] = {
    "api_key_id": "Only what was asked with this API key.",
    "attachment_type": "Only files of this kind: of a run's input, or of its output.",
    "created_at_from": "Only what was created then or later.",
    "created_at_to": "Only what was created then or earlier.",
    "deep_search": "True: `search` also looks into inputs, outputs, errors and prompts.",
    "endpoint_id": "Only messages that go or went to this endpoint.",
    "event_type": "Only messages of this event.",
    "expires_in": "For how many seconds the link works.",
    "fields": "Members to show beside the id, the workflow, the machine, the status and the time of creation."
    " Left out: all.",
    "from_date": "Only runs created then or later.",
    "image_url": "Address of the picture, as the history shows it.",
    "include_archived": "True: archived tags, too.",
    "include_machines": "True: the machines of the pool, under `machines`.",
    "include_payload": "True: the body of each message, too.",
    "include_tags": "True: as `include=tags`.",
    "is_approved": "Only trajectories that are approved, or that are not. Left out: both.",
    "is_generated": "Only trajectories that the server made of runs, or that were written. Empty: both.",
    "is_on_trial": "True: the next run that a model carries out is compared with it.",
    "limit": "How many items at most.",
    "machine_id": "Only what belongs to this machine.",
    "method": "Only requests of this HTTP method.",
    "mode": "What is counted.",
    "name": "Only machines with exactly this name.",
    "operation": "Only this operation, by method and path: `PATCH /v1/runs/{run_id}`.",
    "path": "Path of the file or folder on the machine; `~` is the user's home.",
    "run_id": "Only what belongs to this run.",
    "search": "A part of the id or of a name, in any case.",
    "session_id": "Only runs of this session.",
    "skip": "How many items of the list to leave out before the first.",
    "sort_mode": "What comes first: the runs in which something happened last, or the newest.",
    "status": "Only those with this status.",
    "status_code": "Only requests that were answered with this status.",
    "target_id": "Only what was done to this thing, by its id.",
    "tag_ids": "Only workflows that have all of these tags: their ids, separated by commas.",
    "to_date": "Only runs created before then.",
    "updated_at_from": "Only what was changed then or later.",
    "updated_at_to": "Only what was changed then or earlier.",
    "workflow_id": "Only what belongs to this workflow.",
}

ELSEWHERE: Mapping[tuple[str, str], str] = {
    (
        "/v1/webhooks/messages",
        "status",
    ): "Only messages that have a delivery with this status, to `endpoint_id` if that is given.",
    ("/v1/workflows/prompt-image", "path"): "Path of the image, or its `supabase://` address.",
    ("/v1/workflows/prompt-image/signed-url", "path"): "Path of the image, or its `supabase://` address.",
}
"""By path and name: where a name of a query means something else."""


def explain(document: Mapping[str, Any]) -> None:
    """Say in the description what each parameter means that does not say it itself."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                meaning = _meaning(path, parameter)
                if meaning is not None:
                    parameter.setdefault("description", meaning)


def _meaning(path: str, parameter: Mapping[str, Any]) -> str | None:
    name = parameter["name"]
    if parameter["in"] == "path":
        return PATH.get(name)
    return ELSEWHERE.get((path, name)) or QUERY.get(name)
