"""What the product does not allow, as facts. `api/errors.py` says what a caller over HTTP gets for each.

Refused
 +-- Unknown                                         not there, or another organization's
 +-- UnknownRunImage                                 not in this run's history
 +-- UnknownTrajectoryImage                          not in this trajectory
 +-- RunDidNotSucceed                                only a run that went well can be replayed
 +-- RunAlreadyEnded                                 what has ended does not change
 +-- RunNotEnded, RunStillHoldsMachine               not to be deleted yet
 +-- RunAlreadyStarted                               its inputs are in use
 +-- WorkflowHasUnfinishedRuns, MachineIsBusy        in use
 +-- TagClashesInGroup                               a workflow has another tag of the group
 +-- SessionEnded                                    a session takes no runs after its end
 +-- FingerprintTaken                                there is such a machine already
 +-- ModelConfigurationIsSystemDefault               everybody's, so nobody's to change
 +-- ModelConfigurationInUse                         named by a workflow or an unfinished run
 +-- ProviderCredentialReplaced                      while it was being checked
 +-- WebhookEndpointDisabled, WebhookSecretUnreadable enable it first; the master key is another
 +-- LiveViewNotSetUp, NoLiveView                    by the operator; by the machine's driver
 +-- InvalidFields                                   the request is malformed; says where
 +-- IdempotencyKeyReused                            the key belongs to another request
 +-- WriteUnderWay                                   the first request under the key has no answer yet
"""

from dataclasses import dataclass

from cyberdesk_server.domain.ids import (
    MachineId,
    ModelConfigurationId,
    RunId,
    SessionId,
    TagGroupId,
    TagId,
    TrajectoryId,
    WebhookEndpointId,
    WorkflowId,
)
from cyberdesk_server.domain.provider_credentials import ProviderSlot
from cyberdesk_server.domain.runs import RunStatus


class Refused(Exception):
    """The caller asked for something the product does not allow."""


@dataclass(eq=False)
class Unknown(Refused):
    """There is no such thing, or it is another organization's: the caller cannot tell."""

    noun: str
    """As callers say it: `run`, `tag group`."""

    id: object

    def __str__(self) -> str:
        return f"{self.noun} {self.id} not found"


@dataclass(eq=False)
class UnknownRunImage(Refused):
    run_id: RunId

    def __str__(self) -> str:
        return f"the history of run {self.run_id} has no such image"


@dataclass(eq=False)
class UnknownTrajectoryImage(Refused):
    trajectory_id: TrajectoryId

    def __str__(self) -> str:
        return f"trajectory {self.trajectory_id} has no such image"


@dataclass(eq=False)
class RunDidNotSucceed(Refused):
    run_id: RunId
    status: RunStatus

    def __str__(self) -> str:
        return f"run {self.run_id} is {self.status}; a trajectory is made of a run that ended with success"


@dataclass(eq=False)
class RunAlreadyEnded(Refused):
    run_id: RunId
    status: RunStatus

    def __str__(self) -> str:
        return f"run {self.run_id} has already ended: {self.status}"


@dataclass(eq=False)
class RunAlreadyStarted(Refused):
    run_id: RunId

    def __str__(self) -> str:
        return f"run {self.run_id} has started; its input values can no longer change"


@dataclass(eq=False)
class RunNotEnded(Refused):
    run_id: RunId
    status: RunStatus

    def __str__(self) -> str:
        return f"run {self.run_id} is {self.status}; it must end first"


@dataclass(eq=False)
class RunStillHoldsMachine(Refused):
    run_id: RunId

    def __str__(self) -> str:
        return f"run {self.run_id} is still letting go of its machine; try again in a moment"


@dataclass(eq=False)
class SessionEnded(Refused):
    session_id: SessionId

    def __str__(self) -> str:
        return f"session {self.session_id} has ended; start a new one"


@dataclass(eq=False)
class WorkflowHasUnfinishedRuns(Refused):
    workflow_id: WorkflowId
    count: int

    def __str__(self) -> str:
        return f"workflow {self.workflow_id} has unfinished runs: {self.count}"


@dataclass(eq=False)
class MachineIsBusy(Refused):
    machine_id: MachineId

    def __str__(self) -> str:
        return f"a run is going on on machine {self.machine_id}"


@dataclass(eq=False)
class TagClashesInGroup(Refused):
    tag_id: TagId
    group_id: TagGroupId
    count: int

    def __str__(self) -> str:
        return (
            f"workflow tag {self.tag_id} cannot move to group {self.group_id}: "
            f"workflows that have another tag of the group as well: {self.count}"
        )


@dataclass(eq=False)
class FingerprintTaken(Refused):
    fingerprint: str

    def __str__(self) -> str:
        return "there is already a machine with this fingerprint"


@dataclass(eq=False)
class ModelConfigurationIsSystemDefault(Refused):
    configuration_id: ModelConfigurationId

    def __str__(self) -> str:
        return f"model configuration {self.configuration_id} comes with the server and cannot be changed"


@dataclass(eq=False)
class ModelConfigurationInUse(Refused):
    configuration_id: ModelConfigurationId
    workflows: int
    runs: int

    def __str__(self) -> str:
        return (
            f"model configuration {self.configuration_id} is named by {self.workflows} workflows and "
            f"{self.runs} unfinished runs; archive it instead"
        )


@dataclass(eq=False)
class ProviderCredentialReplaced(Refused):
    slot: ProviderSlot

    def __str__(self) -> str:
        return f"the credential for {self.slot} was changed while it was being checked; check it again"


@dataclass(eq=False)
class WebhookEndpointDisabled(Refused):
    endpoint_id: WebhookEndpointId

    def __str__(self) -> str:
        return f"webhook endpoint {self.endpoint_id} is disabled; enable it first"


@dataclass(eq=False)
class WebhookSecretUnreadable(Refused):
    endpoint_id: WebhookEndpointId

    def __str__(self) -> str:
        return (
            f"the secret of webhook endpoint {self.endpoint_id} cannot be opened with this "
            "server's master key; rotate it"
        )


class LiveViewNotSetUp(Refused):
    def __str__(self) -> str:
        return "this server has no relay for live views: its operator has not set web_session_hbbs_url"


@dataclass(eq=False)
class NoLiveView(Refused):
    machine_id: MachineId

    def __str__(self) -> str:
        return f"the driver of machine {self.machine_id} takes part in no live views"


@dataclass(eq=False)
class IdempotencyKeyReused(Refused):
    key: str

    def __str__(self) -> str:
        return "this idempotency key was used for another request, or with another API key"


@dataclass(eq=False)
class WriteUnderWay(Refused):
    key: str

    def __str__(self) -> str:
        return "the first request with this idempotency key is still going on; try again in a moment"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request."""

    location: tuple[str | int, ...]
    """From `body`, `query` or `path` to the field."""

    message: str
    type: str = "value_error"
    """A word for programs, as in the contract's `ValidationError`."""


@dataclass(eq=False)
class InvalidFields(Refused):
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(
            f"{'.'.join(map(str, problem.location))}: {problem.message}" for problem in self.problems
        )


def invalid(location: tuple[str | int, ...], message: str, type_: str = "value_error") -> InvalidFields:
    """A refusal for one field."""
    return InvalidFields((Problem(location, message, type_),))
