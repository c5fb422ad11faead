"""`/v1/model-configurations`."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.model_configurations import (
    ModelConfigurationCreate,
    ModelConfigurationResponse,
    ModelConfigurationUpdate,
)
from cyberdesk_server.api.views import model_configuration_view, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import ModelConfigurationId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.store import model_configurations as store
from cyberdesk_server.usecases import model_configurations

api = router(prefix="/v1/model-configurations", tags=["model_configurations"])

KEY_MEMBERS = {"api_key", "clear_api_key"}
NEVER_NULL = frozenset({"name", "provider", "model", "is_computer_use_model", "is_archived"})


@api.post("", status_code=201, response_model=ModelConfigurationResponse, openapi_extra=WRITES)
async def create_model_configuration(
    request: Request, body: ModelConfigurationCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Configure a model. The API key is sealed, and never shown again."""

    async def work(conn: AsyncConnection) -> Response:
        configuration = await model_configurations.create(
            conn,
            body.model_dump(exclude=KEY_MEMBERS),
            api_key=body.api_key,
            organization_id=caller.organization_id,
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(model_configuration_view(configuration), 201)

    return await write(request, work)


@api.get("", response_model=list[ModelConfigurationResponse])
async def list_model_configurations(caller: Caller, parts: PartsOf) -> Response:
    """The system defaults, then the organization's own, oldest first; archived ones included."""
    async with parts.database.read() as conn:
        found = await store.find(conn, caller.organization_id)
    return JsonAnswer([model_configuration_view(configuration) for configuration in found])


@api.get("/{model_configuration_id}", response_model=ModelConfigurationResponse)
async def get_model_configuration(model_configuration_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The configuration: a system default or one of the organization's own."""
    configuration_id = ModelConfigurationId(model_configuration_id)
    async with parts.database.read() as conn:
        configuration = await store.get(conn, caller.organization_id, configuration_id)
    if configuration is None:
        raise Unknown("model configuration", configuration_id)
    return JsonAnswer(model_configuration_view(configuration))


@api.patch("/{model_configuration_id}", response_model=ModelConfigurationResponse, openapi_extra=WRITES)
async def update_model_configuration(
    request: Request,
    model_configuration_id: UUID,
    body: ModelConfigurationUpdate,
    caller: Caller,
    parts: PartsOf,
) -> Response:
    """Change the fields that are sent. A new `api_key` replaces the old one, `clear_api_key` forgets it."""
    changes = body.model_dump(exclude_unset=True, exclude=KEY_MEMBERS)

    async def work(conn: AsyncConnection) -> Response:
        configuration = await model_configurations.update(
            conn,
            caller.organization_id,
            ModelConfigurationId(model_configuration_id),
            sent(changes, not_null=NEVER_NULL),
            api_key=body.api_key,
            clear_api_key=bool(body.clear_api_key),
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(model_configuration_view(configuration))

    return await write(request, work)


@api.delete("/{model_configuration_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_model_configuration(
    request: Request, model_configuration_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Remove a configuration that no workflow and no unfinished run names, and its key."""

    async def work(conn: AsyncConnection) -> Response:
        await model_configurations.delete(
            conn, caller.organization_id, ModelConfigurationId(model_configuration_id)
        )
        return no_content()

    return await write(request, work)
