"""How callers see the nouns: values of the domain as members of the contract's answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cyberdesk_server.domain.attachments import Attachment
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.model_configurations import ModelConfiguration
from cyberdesk_server.domain.pools import Pool

View = dict[str, Any]


def pool_view(pool: Pool) -> View:
    return {
        "id": pool.id,
        "organization_id": pool.organization_id,
        "name": pool.name,
        "description": pool.description,
        "pool_parameters": pool.pool_parameters,
        "pool_sensitive_parameters": pool.sensitive_parameter_aliases,
        "machine_count": pool.machine_count,
        "created_at": pool.created_at,
        "updated_at": pool.updated_at,
    }


def machine_view(machine: Machine, pools: Iterable[Pool] = ()) -> View:
    return {
        "id": machine.id,
        "organization_id": machine.organization_id,
        "user_id": machine.user_id,
        "unkey_key_id": machine.unkey_key_id,
        "name": machine.name,
        "description": machine.description,
        "hostname": machine.hostname,
        "version": machine.version,
        "os_info": machine.os_info,
        "status": machine.status,
        "is_available": machine.is_available,
        "alerts_enabled": machine.alerts_enabled,
        "machine_parameters": machine.machine_parameters,
        "machine_sensitive_parameters": machine.sensitive_parameter_aliases,
        "reserved_session_id": machine.reserved_session_id,
        "linked_keepalive_machine_id": machine.linked_keepalive_machine_id,
        "physical_server_id": machine.physical_server_id,
        "pools": [pool_view(pool) for pool in pools],
        "created_at": machine.created_at,
        "last_seen": machine.last_seen,
    }


def model_configuration_view(configuration: ModelConfiguration) -> View:
    return {
        "id": configuration.id,
        "organization_id": configuration.organization_id,
        "name": configuration.name,
        "description": configuration.description,
        "provider": configuration.provider,
        "model": configuration.model,
        "temperature": configuration.temperature,
        "max_tokens": configuration.max_tokens,
        "timeout_seconds": configuration.timeout_seconds,
        "max_retries": configuration.max_retries,
        "additional_params": configuration.additional_params,
        "agent_harness_version_string": configuration.agent_harness_version_string,
        "is_computer_use_model": configuration.is_computer_use_model,
        "is_archived": configuration.is_archived,
        "is_system_default": configuration.is_system_default,
        "api_key_alias": configuration.api_key_alias,
        "created_at": configuration.created_at,
        "updated_at": configuration.updated_at,
    }


def attachment_view(attachment: Attachment) -> View:
    return {
        "id": attachment.id,
        "run_id": attachment.run_id,
        "user_id": attachment.user_id,
        "organization_id": attachment.organization_id,
        "attachment_type": attachment.type,
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size_bytes": attachment.size_bytes,
        "storage_path": attachment.blob_key,
        "target_path": attachment.target_path,
        "cleanup_imports_after_run": attachment.cleanup_imports_after_run,
        "created_at": attachment.created_at,
        "expires_at": attachment.expires_at,
    }


def included(type_: str, view: View) -> View:
    """A view as a member of an answer's `included`."""
    return {"type": type_, **view}


def included_once(type_: str, views: Iterable[View]) -> list[View]:
    """Views of one kind as members of an answer's `included`, each once."""
    return [included(type_, view) for view in {view["id"]: view for view in views}.values()]


def page(items: Sequence[Any], total: int, *, skip: int, limit: int) -> View:
    return {"items": items, "total": total, "skip": skip, "limit": limit}


def sent(changes: Mapping[str, Any], *, not_null: frozenset[str]) -> dict[str, Any]:
    """The changes without nulls where null is no value: clients send null for what they leave alone."""
    return {name: value for name, value in changes.items() if value is not None or name not in not_null}
