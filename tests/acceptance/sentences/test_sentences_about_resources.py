"""What the vendor's two documents say of images, pools, tags, models, usage and errors,
held against a real server and desktop.

The docstring of each test is the sentence it holds us to, word for word.
"""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import (
    MachinePoolAssignment,
    RunCreate,
)
from PIL import Image

from tests.acceptance.sentences.office import (
    PROMPT,
    Office,
    in_no_document,
)

pytestmark = pytest.mark.slow


def test_every_sentence_stands_in_a_document() -> None:
    assert in_no_document(globals()) == []


def test_a_prompt_image_is_found_on_the_screen(
    office: Office, desktop: Any, tmp_path: Path, until: Any
) -> None:
    """Cyberdesk automatically resolves these URLs when running workflows"""

    def painted() -> Image.Image | None:
        """The screen, once it shows something and stands still."""
        before, screen = (
            Image.open(io.BytesIO(office.client.computer.screenshot_sync(desktop.id).unwrap())).convert("L")
            for _ in range(2)
        )
        darkest, brightest = screen.getextrema()
        return screen if screen == before and darkest != brightest else None

    screen = until(painted, what="a window on the screen")
    places = [(x, y, x + 120, y + 40) for x in range(0, 1160, 40) for y in range(0, 760, 20)]
    busiest = max(places, key=lambda box: screen.crop(box).entropy())
    screen.crop(busiest).save(tmp_path / "part.png")
    image = office.client.workflows.upload_prompt_image_sync(file_path=str(tmp_path / "part.png")).unwrap()

    run = office.site.run(f'<p>Click <img src="{image.supabase_url}" alt="part"></p>', desktop)

    place = office.client.computer.mouse_position_sync(desktop.id).unwrap()
    left, top, right, bottom = busiest
    assert (run.status, run.error) == ("success", None)
    assert left <= place.x <= right
    assert top <= place.y <= bottom


def test_a_pool_tells_its_machines_when_asked(office: Office) -> None:
    """Get a pool (with optional machine list)"""
    pool, machine = office.pool(), office.machine()
    office.client.pools.add_machines_sync(pool, MachinePoolAssignment([machine])).unwrap()

    asked = office.client.pools.get_sync(pool, include_machines=True).unwrap()

    assert [str(one.id) for one in asked.machines] == [machine]
    assert not office.client.pools.get_sync(pool).unwrap().machines


def test_a_workflow_has_one_tag_of_a_group(office: Office) -> None:
    """adding it to a workflow automatically removes any other tag from the same group."""
    group, workflow = office.group(), office.site.workflow(PROMPT)
    draft, published, other = office.tag(group_id=group.id), office.tag(group_id=group.id), office.tag()
    office.client.workflow_tags.add_to_workflow_sync(workflow, [draft.id, other.id]).unwrap()

    office.client.workflow_tags.add_to_workflow_sync(workflow, [published.id]).unwrap()

    assert set(office.tags_of(workflow)) == {other.id, published.id}


def test_an_archived_tag_stays_where_it_is(office: Office) -> None:
    """Archive a tag (soft delete - keeps on existing workflows)"""
    tag, workflow = office.tag(), office.site.workflow(PROMPT)
    office.client.workflow_tags.add_to_workflow_sync(workflow, [tag.id]).unwrap()

    office.client.workflow_tags.archive_sync(tag.id).unwrap()

    assert office.tags_of(workflow) == [tag.id]


def test_tags_outlive_their_group(office: Office) -> None:
    """Delete a group (tags become ungrouped, not deleted)"""
    group = office.group()
    tag = office.tag(group_id=group.id)

    office.client.workflow_tag_groups.delete_sync(group.id)

    assert office.client.workflow_tags.get_sync(tag.id).unwrap().group_id is None


# Models, usage, errors


def test_models_of_the_system_are_listed_too(office: Office) -> None:
    """List all model configurations (system defaults + org-owned)"""
    listed = office.client.model_configurations.list_sync().unwrap()

    assert any(one.is_system_default for one in listed)


def test_usage_of_a_range_is_added_up(office: Office, desktop: Any) -> None:
    """Aggregate usage data for a date range"""
    begun = datetime.now(UTC)
    office.site.run(PROMPT, desktop)

    usage = office.client.usage.aggregate_sync(
        from_date=begun, to_date=datetime.now(UTC) + timedelta(minutes=1)
    ).unwrap()
    before = office.client.usage.aggregate_sync(from_date=begun - timedelta(days=9), to_date=begun)

    assert usage.runs_counted >= 1
    assert usage.total_agentic_steps + usage.total_cached_steps >= 1
    assert before.unwrap().period_end <= begun


def test_validation_errors_are_data(office: Office) -> None:
    """returned in response.data.detail, not response.error."""
    refused = [
        office.client.runs.create_sync(RunCreate(workflow_id="no id")),
        office.client.runs.list_sync(limit=-1),
        office.client.workflow_tags.reorder_sync(["no id"]),
    ]

    assert [(answer.error, bool(answer.data.detail)) for answer in refused] == [(None, True)] * 3


def test_sync_methods_work_where_a_loop_runs(office: Office) -> None:
    """The SDK works seamlessly in Jupyter notebooks:"""
    run = office.run()

    async def cell() -> Any:
        sync = office.client.runs.get_sync(run.id)
        return sync.unwrap(), (await office.client.runs.get(run.id)).unwrap()

    assert [found.id for found in asyncio.run(cell())] == [run.id, run.id]
