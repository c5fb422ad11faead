"""What has a run cost? The counters of `usage_metadata`."""

from collections.abc import Sequence

from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step, StepState

BILLING_OUTCOMES = {
    RunStatus.SUCCESS: "success",
    RunStatus.TASK_FAILED: "user_task_failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.ERROR: "infra_failure",
}
"""Only a declared failure is the task's; every `error` is ours, and never billed."""


def usage_metadata(history: Sequence[Step], status: RunStatus, *, judgements: int = 0) -> JsonObject:
    """The counters of a run that ended so.

    One agentic step for each turn of the model (a batch of calls is one), one for each extraction and one
    for each post-run check that a model has judged; one cached step for each step that was replayed from a
    trajectory.
    """
    turns = {step.turn for step in history if not step.is_cached}
    extractions = [step for step in history if is_extraction(step) and step.state is not StepState.STARTED]
    agentic = len(turns) + len(extractions) + judgements
    cached = sum(step.is_cached for step in history)
    outcome = BILLING_OUTCOMES[status]
    is_billed = outcome != "infra_failure"
    return {
        "total_agentic_steps": agentic,
        "total_cached_steps": cached,
        "total_agentic_steps_billed": agentic if is_billed else 0,
        "total_cached_steps_billed": cached if is_billed else 0,
        "billing_outcome": outcome,
    }


def is_extraction(step: Step) -> bool:
    """True for a call that had a model read the screen."""
    return bool(step.call.arguments.get("extract_prompt"))
