"""`cyberdesk machines`, `pools`, `trajectories` and `tags`; and names in place of ids."""

from __future__ import annotations

import pytest

from cyberdesk.testing import Scripted, a_page

MACHINE = "11111111-1111-4111-8111-111111111111"
OTHER_MACHINE = "12121212-1111-4111-8111-111111111111"
POOL = "22222222-2222-4222-8222-222222222222"
WORKFLOW = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
TRAJECTORY = "33333333-3333-4333-8333-333333333333"


def a_machine(**changes):
    return {
        "id": MACHINE,
        "name": "Reception 2",
        "status": "connected",
        "is_available": True,
        "last_seen": "2025-01-31T12:00:00+00:00",
        **changes,
    }


def a_pool(**changes):
    return {"id": POOL, "name": "reception", "machine_count": 1, **changes}


def a_trajectory(**changes):
    return {
        "id": TRAJECTORY,
        "workflow_id": WORKFLOW,
        "name": "by hand",
        "is_approved": False,
        "trajectory_data": [{"tool": "click"}],
        "created_at": "2025-01-31T12:00:00+00:00",
        **changes,
    }


def did(api):
    return [(one.method, one.path, one.json) for one in api.asked]


def test_machines_are_listed_by_status(run, api):
    api.answers(Scripted(200, json=a_page(a_machine())))

    ran = run("machines", "list", "--status", "connected", "--search", "rec")

    heads, row = ran.stdout.splitlines()
    assert heads.split() == [
        "id",
        "name",
        "status",
        "available",
        "reserved",
        "for",
        "session",
        "last",
        "seen",
    ]
    assert row == f"{MACHINE}  Reception 2  connected  yes        -                     2025-01-31 12:00:00Z"
    asked = dict(api.asked[0].query)
    assert (asked["status"], asked["search"]) == ("connected", "rec")


def test_one_machine_is_shown_with_its_pools(run, api):
    sensitive = {"password": "sealed"}
    shown = a_machine(pools=[a_pool()], machine_sensitive_parameters=sensitive)
    api.answers(Scripted(200, json=shown))

    ran = run("machines", "show", MACHINE)

    assert "pools                 reception\n" in ran.stdout
    assert "sensitive parameters  password\n" in ran.stdout
    assert "sealed" not in ran.stdout


def test_a_machine_is_deleted_by_its_name(run, api):
    api.answers(Scripted(200, json=a_page(a_machine())), Scripted(204))

    ran = run("machines", "delete", "Reception 2", "--yes")

    assert ran.exit_code == 0
    assert did(api)[-1] == ("DELETE", f"/v1/machines/{MACHINE}", None)


def test_a_name_of_two_lists_both(run, api):
    api.answers(Scripted(200, json=a_page(a_machine(), a_machine(id=OTHER_MACHINE))))

    ran = run("machines", "show", "Reception 2")

    assert ran.exit_code == 2
    assert ran.stderr == (
        "cyberdesk: 2 machines are called 'Reception 2'; give an id: "
        f"{MACHINE} (Reception 2), {OTHER_MACHINE} (Reception 2)\n"
    )


def test_a_name_of_none_tells_what_is_like_it(run, api):
    api.answers(Scripted(200, json=a_page(a_machine())))

    ran = run("machines", "delete", "reception", "--yes")

    assert ran.exit_code == 2
    assert ran.stderr == f"cyberdesk: no machine is called 'reception'; there is {MACHINE} (Reception 2)\n"


def test_a_name_is_looked_for_on_every_page(run, api):
    first = a_page(*[a_machine(id=OTHER_MACHINE, name=f"Reception 2{number}") for number in range(100)])
    api.answers(
        Scripted(200, json={**first, "total": 101}),
        Scripted(200, json=a_page(a_machine(), total=101, skip=100)),
        Scripted(200, json=a_machine()),
    )

    ran = run("machines", "show", "Reception 2")

    assert ran.exit_code == 0, ran.stderr
    assert [dict(one.query)["skip"] for one in api.asked[:2]] == ["0", "100"]


def test_pools_are_listed_shown_and_created(run, as_json, api):
    api.answers(
        Scripted(200, json=a_page(a_pool())),
        Scripted(200, json=a_pool(machines=[a_machine()])),
        Scripted(201, json=a_pool()),
        Scripted(200, json=a_page(a_pool())),
    )

    assert run("pools", "list").stdout.splitlines()[1] == f"{POOL}  reception  1         -"
    assert f"machines  {MACHINE} Reception 2 (connected)\n" in run("pools", "show", POOL).stdout
    assert run("pools", "create", "reception", "--description", "desks").stdout == f"{POOL}\n"
    assert as_json("pools", "list") == a_page(a_pool())
    assert did(api)[2] == ("POST", "/v1/pools", {"name": "reception", "description": "desks"})


@pytest.mark.parametrize(("verb", "method", "answer"), [("add", "POST", 200), ("remove", "DELETE", 204)])
def test_machines_go_into_pools_and_out_again(run, api, verb, method, answer):
    api.answers(
        Scripted(200, json=a_page(a_pool())),
        Scripted(200, json=a_page(a_machine())),
        Scripted(answer, json=a_pool()),
    )

    ran = run("pools", verb, "reception", "Reception 2", OTHER_MACHINE)

    assert ran.exit_code == 0, ran.stderr
    sent = {"machine_ids": [MACHINE, OTHER_MACHINE]}
    assert did(api)[-1] == (method, f"/v1/pools/{POOL}/machines", sent)


def test_a_pool_is_deleted(run, api):
    api.answers(Scripted(204))

    assert run("pools", "delete", POOL, "--yes").exit_code == 0
    assert did(api) == [("DELETE", f"/v1/pools/{POOL}", None)]


def test_trajectories_are_listed_by_workflow_and_approval(run, api):
    api.answers(
        Scripted(200, json=a_page({"id": WORKFLOW, "name": "Register a patient"})),
        Scripted(200, json=a_page(a_trajectory())),
        Scripted(200, json=a_page()),
    )

    ran = run("trajectories", "list", "--workflow", "Register a patient", "--not-approved")

    assert ran.stdout.splitlines()[1].split("  ")[:3] == [TRAJECTORY, "by hand", "1"]
    asked = dict(api.asked[-1].query)
    assert (asked["workflow_id"], asked["is_approved"]) == (WORKFLOW, "false")


def test_a_trajectory_is_shown_approved_and_deleted(run, as_json, api):
    api.answers(
        Scripted(200, json=a_trajectory()),
        Scripted(200, json=a_trajectory()),
        Scripted(200, json=a_trajectory(is_approved=True)),
        Scripted(204),
    )

    assert '"tool": "click"' in run("trajectories", "show", TRAJECTORY).stdout
    assert as_json("trajectories", "show", TRAJECTORY) == a_trajectory()
    assert run("trajectories", "approve", TRAJECTORY).stderr == f"approved trajectory {TRAJECTORY}\n"
    assert run("trajectories", "delete", TRAJECTORY, "--yes").exit_code == 0
    path = f"/v1/trajectories/{TRAJECTORY}"
    assert did(api)[2:] == [("PATCH", path, {"is_approved": True}), ("DELETE", path, None)]


def test_an_id_that_is_none_is_refused_before_anything_is_asked(run, api):
    ran = run("trajectories", "approve", "by-hand")

    assert (ran.exit_code, api.asked) == (2, [])
    assert ran.stderr == "cyberdesk: trajectory_id: 'by-hand' is not a UUID\n"


def test_tags_are_listed(run, as_json, api):
    tag = {"id": POOL, "name": "daily", "workflow_count": 3, "is_archived": False}
    api.answers(Scripted(200, json=[tag]), Scripted(200, json=[tag]))

    assert run("tags", "list", "--archived").stdout.splitlines()[1] == f"{POOL}  daily  3          -"
    assert as_json("tags", "list") == [tag]
    assert [dict(one.query)["include_archived"] for one in api.asked] == ["true", "false"]
