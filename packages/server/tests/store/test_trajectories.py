"""Trajectories and their pictures, on both databases."""

from dataclasses import replace
from datetime import timedelta

from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.trajectories import Trajectory
from cyberdesk_server.store import pictures, runs, trajectories
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.trajectories import Wanted
from cyberdesk_server.testing.rows import NOON, a_run, a_trajectory, a_workflow, an_organization

HOUR = timedelta(hours=1)


def an_address(digit: str) -> str:
    return f"supabase://run-images/message-history/org_test/{digit * 64}.png"


def showing(*digits: str) -> tuple[dict[str, object], ...]:
    return tuple(
        {"func_name": "click", "pre_check_snapshot": {"screenshot": an_address(digit)}} for digit in digits
    )


async def test_a_trajectory_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        organization, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow)
        trajectory = await a_trajectory(
            conn,
            workflow,
            run_id=run.id,
            name="Ł",
            description="d",
            trajectory_data=showing("a"),
            original_input_values={"x": [None]},
            is_approved=True,
            has_been_approved=True,
            is_generated=True,
            is_main=True,
        )

        assert await trajectories.get(conn, organization, trajectory.id) == trajectory
        assert await trajectories.get(conn, foreign, trajectory.id) is None
        changed = replace(trajectory, name=None, trajectory_data=(), is_approved=False)
        await trajectories.replace(conn, changed)
        assert await trajectories.get(conn, organization, trajectory.id) == changed
        await trajectories.delete(conn, trajectory.id)
        assert await trajectories.get(conn, organization, trajectory.id) is None


async def test_trajectories_are_found_newest_first_and_filtered(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow, other = await a_workflow(conn, organization), await a_workflow(conn, organization)
        run = await a_run(conn, workflow)
        old = await a_trajectory(conn, workflow, run_id=run.id, name="100% sure", is_generated=True)
        new = await a_trajectory(
            conn,
            other,
            description="100 per cent",
            is_approved=True,
            created_at=NOON + HOUR,
            updated_at=NOON + 2 * HOUR,
        )

        async def found(**wanted: object) -> tuple[Trajectory, ...]:
            return (await trajectories.find(conn, organization, Wanted(**wanted)))[0]  # type: ignore[arg-type]  # by name

        assert await found() == (new, old)
        assert await trajectories.find(conn, organization, Wanted(), skip=1, limit=1) == ((old,), 2)
        assert await found(workflow_id=workflow.id) == (old,)
        assert await found(run_id=run.id) == (old,)
        assert await found(is_approved=True) == (new,)
        assert await found(is_approved=False) == (old,)
        assert await found(is_generated=True) == (old,)
        assert await found(created_from=NOON + HOUR) == (new,)
        assert await found(created_to=NOON) == (old,)
        assert await found(updated_from=NOON + HOUR) == (new,)
        assert await found(updated_to=NOON + HOUR) == (old,)
        assert await found(search="100%") == (old,)
        assert await found(search="PER CENT") == (new,)
        assert await found(search=str(old.id)) == (old,)


async def test_there_is_one_main_trajectory_per_workflow_and_display_size(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        large, small = {"width": 1920, "height": 1080}, {"width": 1280, "height": 800}
        first = await a_trajectory(conn, workflow, dimensions=large, is_main=True)
        elsewhere = await a_trajectory(conn, workflow, dimensions=small, is_main=True)
        foreign = await a_trajectory(
            conn, await a_workflow(conn, organization), dimensions=large, is_main=True
        )
        second = await a_trajectory(conn, workflow, dimensions=large, is_main=True)

        await trajectories.unset_main(conn, second, now=NOON + HOUR)

        mains = {one.id for one in (await trajectories.find(conn, organization, Wanted()))[0] if one.is_main}
        assert mains == {elsewhere.id, foreign.id, second.id}
        assert await trajectories.has_main(conn, first)
        assert not await trajectories.has_main(conn, replace(first, dimensions={"width": 1, "height": 1}))


async def test_a_picture_belongs_to_all_that_show_it(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow)
        await pictures.show(conn, run.id, [an_address("1"), an_address("2")])
        first = await a_trajectory(conn, workflow, trajectory_data=showing("2", "3", "3", "4"))
        second = await a_trajectory(conn, workflow, trajectory_data=showing("4"))

        assert await pictures.only_shown_by(conn, run.id) == (an_address("1"),)
        assert await pictures.only_shown_by_trajectory(conn, first.id) == (an_address("3"),)
        assert await pictures.only_shown_by_trajectory(conn, second.id) == ()
        assert await pictures.is_shown_in_trajectory(conn, second.id, an_address("4"))
        assert not await pictures.is_shown_in_trajectory(conn, second.id, an_address("3"))
        await trajectories.replace(conn, replace(second, trajectory_data=()))
        assert set(await pictures.only_shown_by_trajectory(conn, first.id)) == {
            an_address("3"),
            an_address("4"),
        }


async def test_a_trajectory_outlives_its_run(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow, status=RunStatus.SUCCESS)
        trajectory = await a_trajectory(conn, workflow, run_id=run.id)

        assert await runs.delete(conn, run.id)

        assert await trajectories.get(conn, organization, trajectory.id) == replace(trajectory, run_id=None)


async def test_all_trajectories_of_a_workflow_are_known(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        mine = [await a_trajectory(conn, workflow) for _ in range(2)]
        await a_trajectory(conn, await a_workflow(conn, organization))

        assert set(await trajectories.ids_of_workflow(conn, workflow.id)) == {one.id for one in mine}
