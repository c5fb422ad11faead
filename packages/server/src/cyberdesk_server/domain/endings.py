"""How the work on a claimed run ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import TrajectoryId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.trajectories import Trial


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be written when a worker is done with a run."""

    status: RunStatus
    """`CANCELLED`: somebody else ended the run or took it over; nothing is left to write but the release of
    the machine."""

    error: tuple[str, ...] = ()
    """Reasons, one line each, without any secret's value."""

    output_data: JsonObject | None = None
    usage_metadata: JsonObject = field(default_factory=dict)
    """The counters of the contract's `usage_metadata`."""

    display: Size | None = None
    """Of the desktop, when it was looked at."""

    checks: tuple[JsonObject, ...] | None = None
    """The run's post-run checks with what came of each, its output being written already; None when it had
    none, did not come so far, or broke off in them: then they are as they were written last."""

    trials: Mapping[TrajectoryId, Trial] = field(default_factory=dict)
    """What came of the trajectories that were on trial."""
