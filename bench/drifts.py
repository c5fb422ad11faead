"""The ways in which the clinic drifts, and which of them a replay should go on with.

Harmless: what is recorded still does the right thing, so the replay has to go on. It may have to wait, and
may have to click where the window is now.

Harmful: done blindly, what is recorded would do something else, or nothing; or nobody can tell from the
screen. The replay has to stop, to hand over, or to do the right thing all the same; never a wrong one.

The clock is another one in all of them, and so is the patient in most.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

LEFT, TOP, WIDTH, HEIGHT = WINDOW = (60, 40, 1120, 690)
"""Of the clinic when nothing drifts, on a display of 1280x800."""

LOADING_MS = 20
PAGES = ("search", "chart", "refills")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is special about the program, the page it begins at, and the patient."""

    drift: Mapping[str, Any] = field(default_factory=dict)
    """Members of `clinic.drift.Drift`."""

    at: str | None = None
    """The page it begins at, as the clinic's option `--at` takes it, with `OTHER` for the id of somebody
    else; None: where the recording began."""

    same_patient: bool = False
    """True: the patient of the recording."""

    def options(self, usual_place: str, other_id: str, *, clock: str | None = None) -> Sequence[str]:
        """Of the clinic."""
        drift = json.dumps({"window": WINDOW, "loading_ms": LOADING_MS, "clock": clock, **self.drift})
        return ("--drift", drift, "--at", (self.at or usual_place).replace("OTHER", other_id))


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of drifting."""

    name: str
    is_harmless: bool
    scene: Callable[[Random], Scene]


KINDS: list[Kind] = []


def _harmless(scene: Callable[[Random], Scene]) -> Callable[[Random], Scene]:
    KINDS.append(Kind(scene.__name__, is_harmless=True, scene=scene))
    return scene


def _harmful(scene: Callable[[Random], Scene]) -> Callable[[Random], Scene]:
    KINDS.append(Kind(scene.__name__, is_harmless=False, scene=scene))
    return scene


@_harmless
def clock(_: Random) -> Scene:
    """Only time has passed."""
    return Scene(same_patient=True)


@_harmless
def data(_: Random) -> Scene:
    """Another patient, whose tables are as long."""
    return Scene()


@_harmless
def notice(rng: Random) -> Scene:
    """Other words stand in the title and in the status bar."""
    words = ("3 new faxes", "Printer offline", "Backup at 22:00", "Dr. Weber is in room 2", "12 unread")
    return Scene({"notice": rng.choice(words)})


@_harmless
def moved(rng: Random) -> Scene:
    """The window stands elsewhere; all in it is as it was."""
    return Scene({"window": (rng.randrange(0, 160), rng.randrange(0, 100), WIDTH, HEIGHT)})


@_harmless
def slow(rng: Random) -> Scene:
    """It says that it loads, and then is as it was."""
    return Scene({"loading_ms": rng.randrange(400, 2000)})


@_harmless
def quiet(rng: Random) -> Scene:
    """It loads without a word, and then is as it was."""
    return Scene({"loading_ms": rng.randrange(400, 2000), "loads_quietly": True})


@_harmful
def resized(rng: Random) -> Scene:
    """Another layout: places mean something else."""
    wider, higher = rng.choice([(-180, 0), (-120, -60), (90, 0), (60, 50)])
    return Scene({"window": (LEFT, TOP, WIDTH + wider, HEIGHT + higher)})


@_harmful
def theme(rng: Random) -> Scene:
    """Nothing looks as it did."""
    return Scene({"look": {"face": rng.choice(("#cfd8dc", "#e6d8c3", "#d7e3d0", "#d8d2e0", "#c9c9c9"))}})


@_harmful
def font(rng: Random) -> Scene:
    """Larger letters: everything stands elsewhere."""
    return Scene({"look": {"larger_px": rng.randrange(1, 5)}})


@_harmful
def dialog(rng: Random) -> Scene:
    """A click would go to the message in front, or nowhere."""
    words = ("The database will restart at 18:00", "A new version is available", "Licence expires in 5 days")
    return Scene({"dialog": (rng.choice(PAGES), rng.choice(words))})


@_harmful
def other_page(rng: Random) -> Scene:
    """Somebody else's page is open."""
    return Scene(at=f"{rng.choice(PAGES[1:])}:OTHER")


@_harmful
def renamed(rng: Random) -> Scene:
    """A button does something else, and says so."""
    usual, now = rng.choice([("Search", "Sort"), ("Open chart", "Archive"), ("Save order", "Void order")])
    return Scene({"renamed": {usual: now}})


@_harmful
def disabled(rng: Random) -> Scene:
    """A button does nothing."""
    return Scene({"disabled": [rng.choice(("Search", "Open chart", "Save order"))]})


@_harmful
def swapped_buttons(rng: Random) -> Scene:
    """Where the one stood is the other."""
    return Scene({"swapped": rng.choice([("Save order", "Discard"), ("Search", "Clear")])})


@_harmful
def swapped_fields(rng: Random) -> Scene:
    """Where the one stood is the other."""
    return Scene({"swapped": rng.choice([("Quantity", "Note"), ("Patient ID", "Last name")])})


@_harmful
def rows_reordered(rng: Random) -> Scene:
    """A row is another medication's."""
    names = ("Amlodipine", "Sertraline", "Ramipril", "Simvastatin", "Metformin")
    return Scene({"medications_on_top": rng.sample(names, 3)})


@_harmful
def rows_before(rng: Random) -> Scene:
    """A row is another medication's."""
    return Scene({"more_medications": rng.randrange(1, 4)})


@_harmful
def rows_behind(rng: Random) -> Scene:
    """A table is longer, and what is below stands elsewhere."""
    return Scene({"more_medications": -rng.randrange(1, 4)})


@_harmful
def fewer_visits(_: Random) -> Scene:
    """A table is shorter, and what is below stands elsewhere."""
    return Scene({"most_visits": 1})


@_harmful
def login_expired(rng: Random) -> Scene:
    """The program asks who is there."""
    return Scene({"logs_off_at": rng.choice(PAGES)})
