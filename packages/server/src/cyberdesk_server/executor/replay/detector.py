"""Asks the guard about a recorded turn on a screen; where the author of the recording wants it, a model."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.ids import TrajectoryId
from cyberdesk_server.domain.recordings import RecordedTurn, places_of
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import BlobMissing, Comparer, ModelError

if TYPE_CHECKING:
    from cyberdesk_server.executor.reading.segments import Image
    from cyberdesk_server.executor.replay.guard import Facts, Verdict
    from cyberdesk_server.executor.replay.reactions import Reaction
    from cyberdesk_server.executor.replay.screens import KeptScreens

_LOOKS_ITSELF = frozenset({"screenshot", "focused_action"})
_KEPT_LOOKS_BYTES = 16 * 1024 * 1024
"""Of one run's looks: the one that was acted on and the latest, at 1920x1080."""

_POINTS = frozenset({"click", "move", "drag", "scroll"})


class Detector:
    """Compares the screens of one run with recorded ones."""

    def __init__(self, parts: ExecutorParts, watch: Watch) -> None:
        self._parts = parts
        self._watch = watch
        self._model = parts.model if isinstance(parts.model, Comparer) else None
        self._looks: KeptScreens | None = None
        self._seen = ""
        # Of the screen with this digest, by trajectory and step.
        self._guarded: dict[tuple[TrajectoryId, int], tuple[Verdict, float]] = {}
        self._compared: dict[tuple[TrajectoryId, int], Verdict] = {}
        self._reacted: dict[tuple[TrajectoryId, int], bool] = {}

    async def verdict(
        self, turn: RecordedTurn, screenshot: Screenshot, *, is_still: bool
    ) -> "tuple[Verdict, float]":
        """What is said of the recorded turn on this screen, and the milliseconds the guard took.

        Where its author wrote down when it fits, a model says so, once the screen is still.
        """
        if self._seen != screenshot.digest:
            self._seen, self._guarded, self._compared, self._reacted = screenshot.digest, {}, {}, {}
        which = turn.trajectory_id, turn.first
        if which not in self._guarded:
            self._guarded[which] = await self._guard(turn, screenshot)
        verdict, milliseconds = self._guarded[which]
        if not (turn.instructions and self._model and is_still) or verdict.is_as_recorded:
            return verdict, milliseconds
        if turn.skips_detection or turn.screen is None:
            return verdict, milliseconds
        if which not in self._compared:
            self._compared[which] = await self._compare(self._model, turn.instructions, turn, screenshot)
        return self._compared[which], milliseconds

    async def _guard(self, turn: RecordedTurn, screenshot: Screenshot) -> "tuple[Verdict, float]":
        from cyberdesk_server.executor.replay import guard

        if turn.skips_detection:
            return guard.Verdict(True, "the author says that the screen need not be compared"), 0.0
        if turn.screen is None:
            return guard.Verdict(False, "it was recorded without a screen"), 0.0
        if turn.screen.endswith(f"/{screenshot.digest}.png"):
            return guard.AS_RECORDED, 0.0
        recorded = await self._recorded(turn.screen)
        if recorded is None:
            return guard.Verdict(False, "the recorded screen is gone"), 0.0
        return await asyncio.to_thread(
            self._checked, recorded, screenshot, _without_covered(facts_of(turn), screenshot)
        )

    async def has_reacted(
        self, done: RecordedTurn, since: Screenshot, turn: RecordedTurn, now: Screenshot, shift: Point
    ) -> bool:
        """Whether the screen has done since then what it did when `turn` came behind `done`.

        True when nobody can tell: the recorded screens are gone, or of another size.
        """
        which = turn.trajectory_id, turn.first
        if which not in self._reacted:
            reaction = await self._reaction(done, turn)
            self._reacted[which] = (
                reaction is None
                or since.size != now.size
                or await asyncio.to_thread(self._has_come, reaction, since, now, shift)
            )
        return self._reacted[which]

    async def _reaction(self, done: RecordedTurn, turn: RecordedTurn) -> "Reaction | None":
        """What the screen did between the two when they were recorded; None when it cannot be told."""
        from cyberdesk_server.executor.replay.reactions import REACTIONS, Reaction

        if done.screen is None or turn.screen is None:
            return None
        known = REACTIONS.get(done.screen, turn.screen)
        if known is not None:
            return known
        before, after = await self._recorded(done.screen), await self._recorded(turn.screen)
        if before is None or after is None or before.shape != after.shape:
            return None
        size = Size(after.shape[1], after.shape[0])
        ignored = [box.clamped(size) for box in turn.volatile]
        reaction = await asyncio.to_thread(Reaction.between, before, after, ignored)
        REACTIONS.keep(done.screen, turn.screen, reaction)
        return reaction

    def _has_come(self, reaction: "Reaction", since: Screenshot, now: Screenshot, shift: Point) -> bool:
        from cyberdesk_server.executor.replay.screens import NoPicture

        try:
            return reaction.has_come(self._pixels(since), self._pixels(now), shift)
        except NoPicture:
            return True

    async def is_still(self, before: Screenshot, now: Screenshot, volatile: Sequence[Box]) -> bool:
        """True when nothing moved between two looks but what always does."""
        if before.digest == now.digest:
            return True
        if not volatile or before.size != now.size:
            return False
        return await asyncio.to_thread(self._moved_nothing_else, before, now, volatile)

    def _moved_nothing_else(self, before: Screenshot, now: Screenshot, volatile: Sequence[Box]) -> bool:
        from cyberdesk_server.executor.replay.changes import differing, without_carets

        boxes = [box.clamped(now.size) for box in volatile]
        return not without_carets(differing(self._pixels(before), self._pixels(now), boxes)).any()

    def _checked(self, recorded: "Image", screenshot: Screenshot, facts: "Facts") -> "tuple[Verdict, float]":
        from cyberdesk_server.executor.replay.guard import Verdict, check
        from cyberdesk_server.executor.replay.screens import NoPicture

        began = perf_counter()
        try:
            verdict = check(recorded, self._pixels(screenshot), facts)
        except NoPicture:
            verdict = Verdict(False, "the screenshot is no picture")
        return verdict, (perf_counter() - began) * 1000

    def _pixels(self, screenshot: Screenshot) -> "Image":
        """Of a look of this run; it is looked at more than once. Raises `NoPicture`."""
        from cyberdesk_server.executor.replay.screens import KeptScreens, pixels

        self._looks = self._looks or KeptScreens(kept_bytes=_KEPT_LOOKS_BYTES)
        known = self._looks.get(screenshot.digest)
        if known is None:
            known = pixels(screenshot.png)
            self._looks.keep(screenshot.digest, known)
        return known

    async def _compare(
        self, model: Comparer, instructions: str, turn: RecordedTurn, screenshot: Screenshot
    ) -> "Verdict":
        """What a model says by the author's own words; that it failed counts as a miss."""
        from cyberdesk_server.executor.replay import guard

        assert turn.screen is not None
        try:
            png = await self._parts.blobs.get(blob_key_of(turn.screen))
        except BlobMissing:
            return guard.Verdict(False, "the recorded screen is gone")
        await self._watch.afford()
        recorded = Screenshot(png, screenshot.size, turn.screen)
        question = model.compare(instructions, turn.calls[0], recorded, screenshot)
        try:
            async with asyncio.timeout(self._parts.limits.model_answer_seconds):
                said = await self._watch.unless_stopped(question)
        except (ModelError, TimeoutError) as error:
            return guard.Verdict(False, f"the model could not compare the screens: {error}")
        return guard.Verdict(said.is_hit, said.reason)

    async def _recorded(self, address: str) -> "Image | None":
        from cyberdesk_server.executor.replay.screens import SCREENS, NoPicture, pixels

        known = SCREENS.get(address)
        if known is not None:
            return known
        try:
            png = await self._parts.blobs.get(blob_key_of(address))
            picture = await asyncio.to_thread(pixels, png)
        except (BlobMissing, NoPicture):
            return None
        SCREENS.keep(address, picture)
        return picture


def _without_covered(facts: "Facts", screenshot: Screenshot) -> "Facts":
    """What is painted over on this screen tells nothing; on the recorded one it is among the volatile."""
    return replace(facts, volatile=(*facts.volatile, *screenshot.covered))


def facts_of(turn: RecordedTurn) -> "Facts":
    """What the guard has to know of a recorded turn."""
    from cyberdesk_server.executor.replay.guard import Facts

    return Facts(
        targets=tuple(box for call in turn.calls for box in _targets(call)),
        anchors=tuple(anchor for call in turn.calls for anchor in call.anchors),
        volatile=turn.volatile,
        fills_in=turn.tools[:2] == ("click", "type"),
        looks_itself=_LOOKS_ITSELF.issuperset(turn.tools),
    )


def _targets(call: ToolCall) -> Iterator[Box]:
    """What a call points at. The wheel may be turned anywhere."""
    if call.tool not in _POINTS:
        return
    places = [Box(x, y, x + 1, y + 1) for x, y in places_of(call)]
    if call.tool == "scroll" and (call.target is None or call.target.width <= 1):
        return
    if places:
        yield call.target or places[0]
        yield from places[1:]
