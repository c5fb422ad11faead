"""How callers see workflows, with the versions, tags and post-run checks that are kept beside them."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.api.views import View, included_once
from cyberdesk_server.domain.ids import TagId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.limits import LIMITS
from cyberdesk_server.domain.post_run_checks import PostRunCheck
from cyberdesk_server.domain.tags import Tag, TagGroup
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import post_run_checks, tags, workflows

INCLUDABLE = ("tags", "post_run_checks")


async def workflow_view(conn: AsyncConnection, workflow: Workflow) -> View:
    (view,) = await workflow_views(conn, [workflow])
    return view


async def workflow_views(conn: AsyncConnection, found: Sequence[Workflow]) -> list[View]:
    """The workflows with all that is beside them."""
    ids = [workflow.id for workflow in found]
    versions = await workflows.versions(conn, ids)
    tags_of = await tags.of_workflows(conn, ids)
    checks_of = await post_run_checks.of_workflows(conn, ids)
    return [
        _view(
            workflow,
            versions.get(workflow.id, ()),
            tags_of.get(workflow.id, ()),
            checks_of.get(workflow.id, ()),
        )
        for workflow in found
    ]


def related(views: Sequence[View], include: Collection[str]) -> list[View]:
    """The tags and checks of these workflows, each once, as `include` asks for."""
    found: list[View] = []
    if "tags" in include:
        found += included_once("tag", (tag for view in views for tag in view["tags"]))
    if "post_run_checks" in include:
        found += [_included_check(check) for view in views for check in view["post_run_checks"]]
    return found


def tag_views(found: Sequence[Tag], workflow_counts: Mapping[TagId, int]) -> list[View]:
    """The tags with the number of workflows that have each."""
    return [{**tag_view(tag), "workflow_count": workflow_counts.get(tag.id, 0)} for tag in found]


def tag_view(tag: Tag) -> View:
    """The tag as a workflow shows it: nobody counted its workflows."""
    return {
        "id": tag.id,
        "organization_id": tag.organization_id,
        "name": tag.name,
        "description": tag.description,
        "emoji": tag.emoji,
        "color": tag.color,
        "order": tag.order,
        "group_id": tag.group_id,
        "group": None if tag.group is None else tag_group_view(tag.group),
        "is_archived": tag.is_archived,
        "workflow_count": None,
        "created_at": tag.created_at,
        "updated_at": tag.updated_at,
    }


def tag_group_view(group: TagGroup) -> View:
    return {
        "id": group.id,
        "organization_id": group.organization_id,
        "name": group.name,
        "description": group.description,
        "emoji": group.emoji,
        "color": group.color,
        "order": group.order,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }


def _check_view(check: PostRunCheck) -> View:
    return {
        **check.spec.as_json(),
        "id": check.id,
        "organization_id": check.organization_id,
        "user_id": check.user_id,
        "order": check.order,
        "created_at": check.created_at,
        "updated_at": check.updated_at,
    }


def _included_check(view: View) -> View:
    # In `included` the word `type` tells the nouns apart, so the check's own type gets another name.
    return {**view, "check_type": view["type"], "type": "post_run_check"}


def _view(
    workflow: Workflow,
    old_versions: Sequence[JsonObject],
    its_tags: Sequence[Tag],
    checks: Sequence[PostRunCheck],
) -> View:
    return {
        "id": workflow.id,
        "organization_id": workflow.organization_id,
        "user_id": workflow.user_id,
        "name": workflow.name,
        "description": workflow.description,
        "main_prompt": workflow.main_prompt,
        "input_schema": workflow.input_schema,
        "output_schema": workflow.output_schema,
        "includes_file_exports": workflow.includes_file_exports,
        "is_webhooks_enabled": workflow.is_webhooks_enabled,
        "terminal_command_allowlist": workflow.terminal_command_allowlist,
        "model_metadata": workflow.model_metadata,
        "post_run_check_failure_cleanup_prompt": workflow.post_run_check_failure_cleanup_prompt,
        **{name: getattr(workflow, name) for name in LIMITS},
        "includes_input_variables": workflow.includes_input_variables,
        "workflow_metadata": workflow.workflow_metadata,
        "old_versions": old_versions,
        "tags": [tag_view(tag) for tag in its_tags],
        "post_run_checks": [_check_view(check) for check in checks],
        "created_at": workflow.created_at,
        "updated_at": workflow.updated_at,
    }
