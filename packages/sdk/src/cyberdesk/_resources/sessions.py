"""`client.sessions`: machines reserved for runs that follow each other."""

from __future__ import annotations

from cyberdesk._answers import done
from cyberdesk._arguments import Id, identifier
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class SessionsAPI(Resource):
    """Sessions: a run with `start_session` begins one, runs with its `session_id` join it."""

    @asynchronous
    def release(self, session_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the session has ended (`POST /v1/sessions/{session_id}/release`).

        Its machine is free for others, runs that wait in it are cancelled; one that goes on there goes on.
        """
        path = f"/v1/sessions/{identifier('session_id', session_id)}/release"
        return (yield from self._ask("POST", path, done()))

    release_sync = blocking(release)
