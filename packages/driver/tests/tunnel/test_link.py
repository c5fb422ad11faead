async def test_x(gateway, join, machine):
    join()
    t = await gateway.next_tunnel()
    r = await t.ask("GET", "/computer/display/screenshot")
    print(r, len(r.body))
    import time

    for _ in range(3):
        a = time.perf_counter()
        r = await t.ask("POST", "/computer/input/mouse/click", {"x": 1, "y": 2})
        print(r, (time.perf_counter() - a) * 1e3)
    print(
        (
            await t.ask(
                "POST", "/computer/shell/powershell/exec", {"command": "cd /tmp; export A=7; echo hi; exit 3"}
            )
        ).body
    )
    print((await t.ask("POST", "/computer/shell/powershell/exec", {"command": "echo $A; pwd"})).body)
    print(
        (
            await t.ask(
                "POST", "/computer/shell/powershell/exec", {"command": "echo a; sleep 9", "timeout": 0.3}
            )
        ).body
    )
    print((await t.ask("GET", "/internal/diagnostics")).body)
    import uuid

    ds = []
    for i in range(300):
        a = time.perf_counter()
        r = await t.ask(
            "POST",
            "/computer/input/mouse/click",
            {"x": 1, "y": 2},
            headers={"x-action-id": str(uuid.uuid4())},
        )
        ds.append((time.perf_counter() - a) * 1e3)
    print("click p50", sorted(ds)[150], machine.backend.inputs[-1])
    assert 0
