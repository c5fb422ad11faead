"""The fake desktop answers to input as a program would, and remembers everything."""

import pytest
from cyberdriver.backends.base import Box, Button, Direction, DisplayLost, Point, Size
from cyberdriver.backends.keys import parse_keys
from cyberdriver.testing import (
    ButtonChanged,
    Clicked,
    Dragged,
    FakeBackend,
    Held,
    Label,
    Moved,
    Pressed,
    PushButton,
    Scrolled,
    TextField,
    Typed,
)

ON_NAME, ON_CITY, ON_OK, NOWHERE = Point(210, 60), Point(210, 110), Point(210, 160), Point(5, 5)


@pytest.fixture
def name() -> TextField:
    return TextField("Name", Box(200, 50, 200, 30))


@pytest.fixture
def city() -> TextField:
    return TextField("City", Box(200, 100, 200, 30))


@pytest.fixture
def ok() -> PushButton:
    return PushButton("OK", Box(200, 150, 80, 30))


@pytest.fixture
def fake(name: TextField, city: TextField, ok: PushButton) -> FakeBackend:
    return FakeBackend(Size(640, 480), [Label("Patient", Box(20, 10, 100, 30)), name, city, ok])


def test_text_goes_to_the_field_that_was_clicked(fake: FakeBackend, name: TextField, city: TextField) -> None:
    fake.click(ON_NAME, Button.LEFT, 1)
    fake.type_text("Ada")
    fake.press(parse_keys("tab"))
    fake.type_text("Łódź\tLovelace")
    fake.click(NOWHERE, Button.LEFT, 1)
    fake.type_text("lost")

    assert (name.text, city.text) == ("AdaLovelace", "Łódź")


def test_a_button_counts_left_clicks_and_calls(fake: FakeBackend, ok: PushButton, name: TextField) -> None:
    def say_thanks() -> None:
        name.text = "thanks"

    ok.on_click = say_thanks

    fake.click(ON_OK, Button.RIGHT, 1)
    fake.click(ON_OK, Button.LEFT, 2)
    fake.move(ON_OK)
    fake.button(Button.LEFT, True)
    fake.button(Button.LEFT, False)

    assert (ok.clicks, name.text) == (3, "thanks")


def test_shortcuts_select_copy_and_paste(fake: FakeBackend, name: TextField, city: TextField) -> None:
    name.text = "Ada"
    fake.click(ON_NAME, Button.LEFT, 1)
    fake.press(parse_keys("ctrl+a ctrl+c tab ctrl+v ctrl+v"))
    fake.click(ON_NAME, Button.LEFT, 2)
    fake.type_text("Eve")

    assert (name.text, city.text, fake.clipboard) == ("Eve", "AdaAda", "Ada")


def test_the_picture_shows_what_changed(fake: FakeBackend, name: TextField) -> None:
    before = fake.capture()
    name.text = "Ada"
    after = fake.capture()
    fake.resize(Size(320, 240))

    assert [before.version, after.version, fake.capture().version] == [1, 2, 3]
    assert fake.capture().size == Size(320, 240)


def test_every_input_is_remembered(fake: FakeBackend) -> None:
    chord, shift = parse_keys("ctrl+s shift")

    fake.move(ON_NAME)
    fake.click(None, Button.LEFT, 2)
    fake.button(Button.RIGHT, True)
    fake.drag(ON_NAME, Point(9999, 110), Button.LEFT, 0.5)
    fake.scroll(Direction.DOWN, 3, ON_OK)
    fake.type_text("x")
    fake.press([chord])
    fake.hold(shift, True)

    assert fake.inputs == [
        Moved(ON_NAME),
        Clicked(ON_NAME, count=2),
        ButtonChanged(Button.RIGHT, True),
        Dragged(ON_NAME, Point(639, 110), duration_seconds=0.5),
        Scrolled(Direction.DOWN, 3, ON_OK),
        Typed("x"),
        Pressed(chord),
        Held(shift, True),
    ]
    assert (fake.held, fake.buttons_down) == ([shift], {Button.RIGHT})


def test_closing_releases_what_is_held(fake: FakeBackend) -> None:
    fake.hold(parse_keys("shift")[0], True)
    fake.button(Button.LEFT, True)

    fake.close()

    assert (fake.held, fake.buttons_down) == ([], set())


def test_a_lost_screen_says_so(fake: FakeBackend) -> None:
    fake.lose()

    with pytest.raises(DisplayLost, match="screen capture failed: the screen is gone"):
        fake.capture()
