"""`client.model_configurations`: which models drive runs."""

from __future__ import annotations

from typing import TypeAlias

from cyberdesk import models
from cyberdesk._answers import many, one, silent
from cyberdesk._arguments import Id, identifier
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

ModelConfigurations: TypeAlias = "list[models.ModelConfigurationResponse]"


class ModelConfigurationsAPI(Resource):
    """Model configurations: those of the system and those of the organization."""

    @asynchronous
    def list(self) -> Flow[ModelConfigurations]:
        """All model configurations (`GET /v1/model-configurations`)."""
        promise = many(models.ModelConfigurationResponse)
        return (yield from self._ask("GET", "/v1/model-configurations", promise))

    list_sync = blocking(list)

    @asynchronous
    def create(self, data: models.ModelConfigurationCreate) -> Flow[models.ModelConfigurationResponse]:
        """A new model configuration; its `api_key` is kept secret (`POST /v1/model-configurations`)."""
        promise = one(models.ModelConfigurationResponse, 201)
        return (yield from self._ask("POST", "/v1/model-configurations", promise, body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(self, model_configuration_id: Id) -> Flow[models.ModelConfigurationResponse]:
        """The one with this id (`GET /v1/model-configurations/{model_configuration_id}`)."""
        promise = one(models.ModelConfigurationResponse)
        return (yield from self._ask("GET", _path(model_configuration_id), promise))

    get_sync = blocking(get)

    @asynchronous
    def update(
        self, model_configuration_id: Id, data: models.ModelConfigurationUpdate
    ) -> Flow[models.ModelConfigurationResponse]:
        """It, after the change (`PATCH /v1/model-configurations/{model_configuration_id}`)."""
        promise = one(models.ModelConfigurationResponse)
        return (yield from self._ask("PATCH", _path(model_configuration_id), promise, body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, model_configuration_id: Id) -> Flow[None]:
        """Nothing, once it is gone (`DELETE /v1/model-configurations/{model_configuration_id}`)."""
        return (yield from self._ask("DELETE", _path(model_configuration_id), silent()))

    delete_sync = blocking(delete)


def _path(model_configuration_id: Id) -> str:
    return f"/v1/model-configurations/{identifier('model_configuration_id', model_configuration_id)}"
