"""What drivers ask over HTTP."""

from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.routes import PartsOf, open_router

api = open_router(prefix="/v1/internal", tags=["internal"], include_in_schema=False)


@api.get("/cyberdriver-version")
async def cyberdriver_version(parts: PartsOf) -> Response:
    """The newest driver, which the published drivers compare themselves with."""
    return JsonAnswer({"latest_version": parts.driver_version})
