"""Which scope a key needs for which operation: one table.

Reading needs `read`, writing `manage`; here is what differs. The description says it of each operation, as
the role under `security`.
"""

from cyberdesk_server.domain.organizations import KeyScope

RUN = frozenset(
    {
        "POST /v1/runs",
        "POST /v1/runs/bulk",
        "POST /v1/runs/chain",
        "POST /v1/runs/{run_id}/retry",
        "PATCH /v1/runs/{run_id}",
        "POST /v1/run-attachments",
        "POST /v1/sessions/{session_id}/release",
    }
)
"""Beginning, changing and cancelling runs, and what belongs to it."""

MANAGE = frozenset(
    {
        "GET /v1/computer/{machine_id}/fs/list",
        "GET /v1/computer/{machine_id}/fs/read",
        "GET /v1/webhooks/endpoints/{endpoint_id}/secret",
    }
)
"""Reading that shows more than what goes on: files of a machine, and a secret."""


def scope_of(method: str, path: str) -> KeyScope:
    """What the operation asks for."""
    operation = f"{method} {path}"
    if operation in RUN:
        return KeyScope.RUN
    return KeyScope.READ if method == "GET" and operation not in MANAGE else KeyScope.MANAGE
