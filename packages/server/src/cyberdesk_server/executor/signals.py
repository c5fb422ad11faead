"""How the parts of the executor tell the loop that something ended.

ExecutorSignal
 +-- ToolFailed    this call did not work; the model reads why and goes on
 +-- RunFails      the run cannot go on; it ends with `error`
 +-- RunStopped    the run was ended by somebody else, or another worker has it now
"""


class ExecutorSignal(Exception):
    """Not an error of ours: the course of a run changes."""


class ToolFailed(ExecutorSignal):
    """A tool call did not work, for a reason the model can act on."""


class RunFails(ExecutorSignal):
    """The run ends with `error`, for these reasons."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class RunStopped(ExecutorSignal):
    """The run is no longer ours to work on."""
