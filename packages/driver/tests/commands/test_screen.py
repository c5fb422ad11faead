"""One desktop for all: opened late, closed when its last user is done, opened anew after it was lost."""

import pytest
from cyberdriver.backends.base import Button, DisplayLost
from cyberdriver.backends.keys import parse_keys
from cyberdriver.commands.screen import Desktop
from cyberdriver.testing import FakeBackend

[SHIFT] = parse_keys("shift")


class Screens:
    def __init__(self) -> None:
        self.opened: list[FakeBackend] = []

    def __call__(self) -> FakeBackend:
        self.opened.append(FakeBackend())
        return self.opened[-1]


@pytest.fixture
def screens() -> Screens:
    return Screens()


def test_it_is_opened_once_when_needed(screens: Screens) -> None:
    desktop = Desktop(screens)
    assert screens.opened == []

    for _ in range(2):
        with desktop.use():
            pass

    assert len(screens.opened) == 1


def test_a_lost_one_is_closed_when_its_last_user_is_done(screens: Screens) -> None:
    desktop = Desktop(screens)

    with desktop.use() as other:
        screens.opened[0].lose()
        with pytest.raises(DisplayLost), desktop.use() as use:
            use.backend.size()
        closed_meanwhile = [screen.is_closed for screen in screens.opened]
    closed_after = [screen.is_closed for screen in screens.opened]

    assert (closed_meanwhile, closed_after) == ([False], [True])
    with desktop.use() as use:
        assert use.backend is screens.opened[1]
        assert use.nonce != other.nonce


def test_what_is_held_is_known_until_it_is_released(screens: Screens) -> None:
    desktop = Desktop(screens)
    with desktop.use() as use:
        use.hold(SHIFT, True)
        use.button(Button.LEFT, True)
        use.button(Button.RIGHT, True)
        use.button(Button.RIGHT, False)

    assert desktop.release_held() == 2
    assert desktop.release_held() == 0
    assert screens.opened[0].held == []


def test_releasing_on_a_lost_screen_fails_quietly(screens: Screens) -> None:
    desktop = Desktop(screens)
    with desktop.use() as use:
        use.hold(SHIFT, True)
    screens.opened[0].lose()

    assert desktop.release_held() == 0


def test_closing_closes_it_once(screens: Screens) -> None:
    desktop = Desktop(screens)
    with desktop.use():
        pass

    desktop.close()
    desktop.close()

    assert screens.opened[0].is_closed
