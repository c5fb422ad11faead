"""docs/reference/tunnel.md, driver and gateway say the same."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from types import ModuleType
from typing import Any

from cyberdesk_server.gateway import gateway, handshake, socket, tunnel, websocket
from cyberdesk_server.gateway.dialect import dialect_of
from cyberdesk_server.gateway.handshake import Handshake, Refused, read_handshake
from cyberdesk_wire import Limits, Request, Response
from cyberdesk_wire.meta import read_request, read_response
from cyberdriver.backends.keys import Modifier, parse_keys
from cyberdriver.commands.table import LANE_WIDTHS, ROUTES, Lane
from cyberdriver.tunnel import Greeting, backoff, connection, link, verdicts

NOT_OURS = {
    "User-Agent",  # the library's that opens the socket
    "X-CYBERDRIVER-PEER-ID",  # of a driver that shows its screen through a relay, which ours does not
}
GATEWAY = (gateway, handshake, socket, tunnel, websocket)
OF_THE_WEBSOCKET_LIBRARIES = {1009, 1011}
GREETING = Greeting("ak_1", "5b0f", "front-desk", "host", keepalive_for="5b0f6a0e")


def test_every_command_of_the_driver_has_its_row(page: Callable[[str], Any]) -> None:
    requests = [row[0].split("`")[1] for row in page("tunnel.md").section("Endpoints").rows]

    assert sorted(requests) == sorted(f"{method} {path}" for method, path in ROUTES)


def test_every_header_of_the_handshake_has_its_row(page: Callable[[str], Any]) -> None:
    rows = page("tunnel.md").section("Handshake").rows
    told = {row[0].strip("`") for row in rows if row[0].startswith("`")}

    assert told == {*GREETING.headers(), *NOT_OURS}


def test_the_headers_that_are_needed_are_enough(page: Callable[[str], Any]) -> None:
    needed = [row[0].strip("`") for row in page("tunnel.md").section("Handshake").rows if row[1] == "yes"]
    headers = {name.lower(): value for name, value in GREETING.headers().items() if name in needed}

    assert isinstance(read_handshake(headers), Handshake)
    for name in needed:
        rest = {other: value for other, value in headers.items() if other != name.lower()}
        assert isinstance(read_handshake(rest), Refused)


def test_every_refusal_of_the_handshake_has_its_row(page: Callable[[str], Any]) -> None:
    told = {int(row[0]) for row in page("tunnel.md").section("Handshake").rows if row[0].isdigit()}

    used = {
        call.args[0].value
        for module in GATEWAY
        for call in ast.walk(tree_of(module))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Refused"
        and isinstance(call.args[0], ast.Constant)
    }
    assert told == used


def test_every_close_code_has_its_row(page: Callable[[str], Any]) -> None:
    told = [int(row[0]) for row in page("tunnel.md").section("Close codes").rows]

    named = {
        number for module in (*GATEWAY, verdicts) for number in integers(module) if 4000 <= number < 5000
    }
    assert told == sorted(named | {connection.ENDING, verdicts.NO_CLOSE} | OF_THE_WEBSOCKET_LIBRARIES)


def test_a_restart_is_told_as_the_gateway_tells_it(page: Callable[[str], Any]) -> None:
    rows = {int(row[0]): row for row in page("tunnel.md").section("Close codes").rows}
    code, reason = gateway.RESTARTING

    assert f"`{reason}`" in rows[code][2]
    assert verdicts.after_close(code, reason) == verdicts.WaitFor(1.0, "the server asked to come back later")


def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def integers(module: ModuleType) -> Iterator[int]:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            yield node.value


def test_every_limit_has_its_row(page: Callable[[str], Any]) -> None:
    told = {row[0].strip("`"): row[1] for row in page("tunnel.md").section("Limits").rows}

    assert told == {
        name: in_words(value) if name.endswith("_bytes") else str(value)
        for name, value in asdict(Limits()).items()
    }


def in_words(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def test_the_times_are_those_of_driver_and_server(page: Callable[[str], Any]) -> None:
    assert [float(row[1]) for row in page("tunnel.md").section("Liveness").rows] == [
        websocket.PING_SECONDS,
        websocket.PONG_LIMIT_SECONDS,
        link.PING_SECONDS,
        link.OPEN_TIMEOUT_SECONDS,
        backoff.HEALTHY_SECONDS,
        link.HELD_SECONDS,
        link.FINISH_SECONDS,
    ]


def test_requests_at_a_time_are_those_of_the_gateway(page: Callable[[str], Any]) -> None:
    section = page("tunnel.md").section("Order")
    any_feature, one, older = (int(row[1]) for row in section.rows)

    assert dialect_of(None, frozenset({"key-hold"})).max_in_flight == any_feature
    assert dialect_of("1.0", frozenset()).max_in_flight == one
    assert (
        dialect_of("0.9", frozenset()).max_in_flight == dialect_of(None, frozenset()).max_in_flight == older
    )
    assert (LANE_WIDTHS[Lane.FILES], LANE_WIDTHS[Lane.SHELL]) == (2, 4)


def test_every_feature_has_a_heading(page: Callable[[str], Any]) -> None:
    told = re.findall(r"^### (.+)$", page("tunnel.md").section("Features").text, re.M)

    assert told == [word.strip() for word in link.FEATURES.split(",")]


def test_the_metas_of_the_page_are_read(page: Callable[[str], Any]) -> None:
    request, response = page("tunnel.md").section("Frames").blocks("json")

    assert isinstance(read_request(request, Limits()), Request)
    assert isinstance(read_response(response, Limits()), Response)
    fields = {row[0].strip("`") for row in page("tunnel.md").section("Frames").rows}
    assert fields == {*json.loads(request), *json.loads(response)}


def test_every_key_of_the_page_is_known(page: Callable[[str], Any]) -> None:
    rows = {row[0]: re.findall(r"`([^`]+)`", row[1]) for row in page("tunnel.md").section("Keys").rows}

    for name in (name for names in rows.values() for name in names if name != "_r"):
        parse_keys(name)
    assert {modifier.value for modifier in Modifier} <= set(rows["modifiers"])
