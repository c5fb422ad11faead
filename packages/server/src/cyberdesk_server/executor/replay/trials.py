"""Trajectories on trial: what a replay would have said of each screen, while a model carries the run out.

Nothing of them is done. Where a model is asked, the guard is asked beside it whether the recorded turn that
comes next would have fitted this screen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cyberdesk_server.domain.ids import TrajectoryId
from cyberdesk_server.domain.recordings import RecordedTurn, next_turn, turns_of
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.domain.trajectories import Misfit, Trajectory, Trial
from cyberdesk_server.executor.replay.detector import Detector


@dataclass
class _OnTrial:
    trajectory_id: TrajectoryId
    turns: Sequence[RecordedTurn]
    compared: dict[int, str | None] = field(default_factory=dict)
    """Why each turn that was compared, by the number of its first step, did not fit; None: it did."""

    def next_turn(self, history: Sequence[Step]) -> RecordedTurn | None:
        number = next_turn(self.turns, history)
        return None if number is None or number == len(self.turns) else self.turns[number]

    def trial(self, history: Sequence[Step]) -> Trial:
        misfits = [Misfit(step, reason) for step, reason in self.compared.items() if reason is not None]
        return Trial(
            compared=len(self.compared),
            misfits=tuple(misfits),
            has_ended_as_recorded=next_turn(self.turns, history) == len(self.turns),
        )


class Trials:
    """The trajectories that one run puts on trial."""

    def __init__(self, detector: Detector, trajectories: Iterable[Trajectory]) -> None:
        self._detector = detector
        self._on_trial = [_OnTrial(one.id, turns_of(one)) for one in trajectories]

    async def look(self, history: Sequence[Step], screenshot: Screenshot) -> None:
        """Compare what would come next with the screen a model is asked on."""
        for one in self._on_trial:
            turn = one.next_turn(history)
            if turn is None or turn.screen is None or turn.skips_detection:
                continue
            verdict, _ = await self._detector.verdict(turn, screenshot, is_still=False)
            one.compared[turn.first] = None if verdict.is_hit else verdict.reason

    def told(self, history: Sequence[Step]) -> Mapping[TrajectoryId, Trial]:
        """What came of those of which anything was compared."""
        return {one.trajectory_id: one.trial(history) for one in self._on_trial if one.compared}
