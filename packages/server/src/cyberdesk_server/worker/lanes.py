"""How much is under way to which endpoint at once, so that one that is slow or dead keeps none of the others
waiting.

Each endpoint has a lane. It starts narrow, gets wider with each prompt answer, and narrow again with one that
was late or missing. Lanes of such endpoints share a small part of all there is, the others share the rest.
"""

from dataclasses import dataclass

from cyberdesk_server.domain.ids import WebhookEndpointId

NARROW, WIDE = 2, 16
"""Messages under way at once to an endpoint nothing is known of, and to one that answers promptly."""


@dataclass(slots=True)
class _Lane:
    width: int = NARROW
    under_way: int = 0
    is_suspect: bool = False
    has_more: bool = False
    """It was full when something waited for it."""


class Lanes:
    """The lanes of one sender."""

    def __init__(self, *, at_once: int, suspect_at_once: int) -> None:
        """`at_once` and `suspect_at_once` limit what is under way to endpoints that are thought to answer
        promptly, and to those that did not."""
        self._limits = {False: at_once, True: suspect_at_once}
        self._under_way = {False: 0, True: 0}
        self._lanes: dict[WebhookEndpointId, _Lane] = {}
        self._is_short = False

    def room(self, endpoint_id: WebhookEndpointId) -> int:
        """How many more messages may be under way to this endpoint."""
        lane = self._lanes.get(endpoint_id) or _Lane()
        left = self._limits[lane.is_suspect] - self._under_way[lane.is_suspect]
        return max(0, min(lane.width - lane.under_way, left))

    def wait(self, endpoint_id: WebhookEndpointId) -> None:
        """Something waits for room to this endpoint: `end` is to say when there is some."""
        lane = self._lane(endpoint_id)
        lane.has_more = True
        self._is_short = self._is_short or lane.width > lane.under_way

    def begin(self, endpoint_id: WebhookEndpointId, count: int) -> None:
        """These are under way now."""
        lane = self._lane(endpoint_id)
        lane.under_way += count
        self._under_way[lane.is_suspect] += count

    def end(self, endpoint_id: WebhookEndpointId, *, is_prompt: bool | None) -> bool:
        """One is no longer under way; None when nothing was learnt. True when something may have waited."""
        lane = self._lanes[endpoint_id]
        lane.under_way -= 1
        self._under_way[lane.is_suspect] -= 1
        if is_prompt is not None:
            self._judge(lane, is_prompt)
        is_waited_for = lane.has_more or self._is_short
        lane.has_more = self._is_short = False
        return is_waited_for

    def _judge(self, lane: _Lane, is_prompt: bool) -> None:
        lane.width = min(lane.width * 2, WIDE) if is_prompt else 1
        if lane.is_suspect is is_prompt:  # what is under way counts where the lane belongs
            self._under_way[lane.is_suspect] -= lane.under_way
            lane.is_suspect = not is_prompt
            self._under_way[lane.is_suspect] += lane.under_way

    def _lane(self, endpoint_id: WebhookEndpointId) -> _Lane:
        return self._lanes.setdefault(endpoint_id, _Lane())
