"""The member `webhooks` of the API's description: what endpoints get, with which headers."""

from typing import Annotated, Any

from fastapi import FastAPI, Header

from cyberdesk_server.api.schemas.webhook_events import EVENTS


def describe_events(app: FastAPI) -> None:
    """Add every event to the description of this API."""
    for event_type, event in EVENTS.items():
        app.webhooks.add_api_route(
            event_type.value,
            _receiver(event),
            methods=["POST"],
            name=event_type.value,
            operation_id=f"webhook_{event_type}",
            summary=event.about,
            tags=["webhooks"],
            status_code=204,
        )


def _receiver(event: Any) -> Any:
    async def receive(
        body: event,
        svix_id: Annotated[str, Header()],
        svix_timestamp: Annotated[str, Header()],
        svix_signature: Annotated[str, Header()],
    ) -> None:
        """Described only: whoever receives it is another program."""

    return receive
