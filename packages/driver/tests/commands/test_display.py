"""The picture has the size that was asked for, and is sent once while nothing changes."""

import io
import json

import pytest
from cyberdriver.backends.base import Box, Size
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.testing import FakeBackend, PushButton
from PIL import Image

SCREENSHOT = "/computer/display/screenshot"


def size_of(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


async def test_dimensions_are_real_pixels(machine: StagedMachine, backend: FakeBackend) -> None:
    backend.resize(Size(1280, 800))

    response = await machine.ask("GET", "/computer/display/dimensions")

    assert json.loads(response.body) == {"width": 1280, "height": 800}


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("", (1024, 768)),
        ("width=0&height=0", (1024, 768)),
        ("width=400", (400, 800)),
        ("height=400", (1280, 400)),
        ("width=640&height=400", (640, 400)),
        ("width=640&height=640&mode=aspect_fit", (640, 400)),
        ("width=640&height=640&mode=aspect_fill", (640, 640)),
        ("width=640&height=640&mode=unheard_of", (640, 640)),
        ("native=true", (1280, 800)),
        ("native=false", (1024, 768)),
    ],
)
async def test_the_picture_has_the_size_asked_for(
    machine: StagedMachine, backend: FakeBackend, query: str, size: tuple[int, int]
) -> None:
    backend.resize(Size(1280, 800))

    response = await machine.ask("GET", SCREENSHOT, query=query)

    assert (response.status, response.header("content-type")) == (200, "image/png")
    assert size_of(response.body) == size


@pytest.mark.parametrize("query", ["width=-1", "width=x", "height=99999", "width=1.5"])
async def test_a_wrong_size_names_its_parameter(machine: StagedMachine, query: str) -> None:
    response = await machine.ask("GET", SCREENSHOT, query=query)

    [error] = json.loads(response.body)["detail"]
    assert (response.status, error["loc"]) == (422, ["query", query.split("=")[0]])


async def test_an_unchanged_screen_is_not_sent_again(machine: StagedMachine) -> None:
    first = await machine.ask("GET", SCREENSHOT)
    tag = first.header("etag") or ""

    again = await machine.ask("GET", SCREENSHOT, headers={"if-none-match": f'"other", W/{tag}'})

    assert (again.status, again.body, again.header("etag")) == (304, b"", tag)


async def test_a_changed_screen_is_sent(machine: StagedMachine, backend: FakeBackend) -> None:
    tag = (await machine.ask("GET", SCREENSHOT)).header("etag") or ""
    backend.widgets.append(PushButton("OK", Box(10, 10, 80, 30)))

    changed = await machine.ask("GET", SCREENSHOT, headers={"if-none-match": tag})

    assert changed.status == 200
    assert changed.header("etag") != tag


async def test_another_form_of_the_same_screen_is_sent(machine: StagedMachine) -> None:
    tag = (await machine.ask("GET", SCREENSHOT)).header("etag") or ""

    assert (
        await machine.ask("GET", SCREENSHOT, query="width=99", headers={"if-none-match": tag})
    ).status == 200
