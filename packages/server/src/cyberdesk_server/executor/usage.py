"""What has a run cost? The counters of `usage_metadata`."""

from collections.abc import Sequence

from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import CLEAN_UP, DONE_BY_ITSELF, FOCUSED_ACTION, Step, StepState

BILLING_OUTCOMES = {
    RunStatus.SUCCESS: "success",
    RunStatus.TASK_FAILED: "user_task_failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.ERROR: "infra_failure",
}
"""Only a declared failure is the task's; every `error` is ours, and never billed."""


def usage_metadata(history: Sequence[Step], status: RunStatus, *, judgements: int = 0) -> JsonObject:
    """The counters of a run that ended so.

    One agentic step for each turn of the model (a batch of calls is one), one for each extraction, one for
    each focused action, whatever it is made of, and one for each post-run check that a model has judged; one
    cached step for each step that was replayed from a trajectory, or again in a loop.
    """
    focused = {step.id for step in history if step.call.tool == FOCUSED_ACTION}
    turns = {(step.within, step.turn) for step in history if _is_decided(step) and step.within not in focused}
    asked = [step for step in history if _asks_a_model(step) and step.state is not StepState.STARTED]
    agentic = len(turns) + len(asked) + judgements
    cached = sum(step.is_cached and step.call.tool not in DONE_BY_ITSELF for step in history)
    outcome = BILLING_OUTCOMES[status]
    is_billed = outcome != "infra_failure"
    return {
        "total_agentic_steps": agentic,
        "total_cached_steps": cached,
        "total_agentic_steps_billed": agentic if is_billed else 0,
        "total_cached_steps_billed": cached if is_billed else 0,
        "billing_outcome": outcome,
    }


def _is_decided(step: Step) -> bool:
    """Whether a model decided on it; the server cleans up by itself, and its model on each turn of that."""
    return not step.is_cached and step.call.tool != CLEAN_UP


def _asks_a_model(step: Step) -> bool:
    return is_extraction(step) or step.call.tool == FOCUSED_ACTION


def is_extraction(step: Step) -> bool:
    """True for a call that had a model read the screen."""
    return bool(step.call.arguments.get("extract_prompt"))
