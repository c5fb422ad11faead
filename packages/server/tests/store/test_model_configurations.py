"""Model configurations, on both databases."""

from dataclasses import replace
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import ModelConfigurationId, SecretId
from cyberdesk_server.domain.model_configurations import STEPS
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.store import model_configurations
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import post_run_checks
from cyberdesk_server.testing.rows import (
    NOON,
    a_model_configuration,
    a_run,
    a_workflow,
    an_organization,
)


async def test_a_configuration_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        configuration = await a_model_configuration(
            conn,
            organization,
            description="Ł",
            temperature=0.5,
            max_tokens=2**31 - 1,
            timeout_seconds=1.5,
            max_retries=0,
            additional_params={"top_p": [1, None]},
            agent_harness_version_string="v1",
            is_computer_use_model=True,
            is_archived=True,
        )

        assert await model_configurations.get(conn, organization, configuration.id) == configuration
        assert await model_configurations.sealed_key(conn, organization, configuration.id) is None
        changed = replace(configuration, name="Other", additional_params=None)
        await model_configurations.replace(conn, changed)
        assert await model_configurations.get(conn, organization, configuration.id) == changed


async def test_everybody_has_the_system_defaults_and_nobody_anothers(database: Database) -> None:
    async with database.transaction() as conn:
        own, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        second = await a_model_configuration(conn, own, created_at=NOON.replace(hour=13))
        first = await a_model_configuration(conn, own)

        assert await model_configurations.find(conn, own) == (STEPS, first, second)
        assert await model_configurations.find(conn, foreign) == (STEPS,)
        assert await model_configurations.get(conn, foreign, first.id) is None
        assert await model_configurations.get(conn, foreign, STEPS.id) == STEPS


async def test_a_key_is_kept_replaced_and_forgotten(database: Database) -> None:
    old, new = (SecretId(uuid4()), b"old"), (SecretId(uuid4()), b"new")
    async with database.transaction() as conn:
        own, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        configuration = await a_model_configuration(conn, own, sealed_key=old)

        assert configuration.api_key_alias == f"secret_{old[0]}"
        assert await model_configurations.sealed_key(conn, own, configuration.id) == old
        assert await model_configurations.sealed_key(conn, foreign, configuration.id) is None
        await model_configurations.replace_key(conn, configuration.id, new)
        assert await model_configurations.sealed_key(conn, own, configuration.id) == new
        await model_configurations.replace_key(conn, configuration.id, None)
        assert await model_configurations.sealed_key(conn, own, configuration.id) is None


@pytest.mark.parametrize("role", model_configurations.ROLES)
async def test_what_names_a_configuration_is_counted(database: Database, role: str) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        named = ModelConfigurationId(uuid4())
        metadata = {role: str(named)}
        workflow = await a_workflow(conn, organization, model_metadata=metadata)
        await a_workflow(conn, organization, model_metadata={role: str(uuid4())})
        await a_run(conn, workflow, model_metadata=metadata)
        await a_run(conn, workflow, model_metadata=metadata, status=RunStatus.SUCCESS)

        assert await model_configurations.uses(conn, organization, named) == (1, 1)
        assert await model_configurations.uses(conn, organization, STEPS.id) == (0, 0)


async def test_a_check_names_a_configuration_for_its_workflow(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        named = ModelConfigurationId(uuid4())
        await conn.execute(
            post_run_checks.insert().values(
                id=uuid4(),
                organization_id=organization,
                workflow_id=workflow.id,
                name="Invoice",
                type="output_data_agentic_check",
                settings={"model": str(named)},
                order=0,
                created_at=NOON,
                updated_at=NOON,
            )
        )

        assert await model_configurations.uses(conn, organization, named) == (1, 0)
