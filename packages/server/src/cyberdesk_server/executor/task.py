"""What a claimed run asks of its model."""

from cyberdesk_server.domain.inputs import effective_inputs
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.refs import Unresolved, refs_in, resolved
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.pictures import prompt_pictures
from cyberdesk_server.executor.signals import RunFails
from cyberdesk_server.executor.tools import specs
from cyberdesk_server.json_schemas import SECRET_PREFIX, misfits
from cyberdesk_server.ports import Blobs
from cyberdesk_server.store.claims import CheckClaim, Claim


async def task_of(claim: Claim, secret_names: frozenset[str], blobs: Blobs) -> Task:
    """The task of a claim, with the values that hold on its machine.

    Raises `RunFails` for inputs that refer to nothing, or do not fit the workflow's schema.
    """
    run, workflow = claim.run, claim.workflow
    prompt = claim.prompt
    return Task(
        run_id=run.id,
        organization_id=run.organization_id,
        prompt=prompt,
        inputs=_inputs(claim, secret_names),
        secret_names=secret_names,
        output_schema=workflow.output_schema,
        tools=specs(
            workflow.terminal_command_allowlist, includes_file_exports=workflow.includes_file_exports
        ),
        pictures=await prompt_pictures(prompt, blobs, run.organization_id),
    )


def inputs_of(claim: CheckClaim) -> JsonObject:
    """The effective inputs of a run. Raises `RunFails` for inputs that refer to nothing."""
    try:
        own = {name: resolved(value, claim.earlier) for name, value in (claim.run.input_values or {}).items()}
    except Unresolved as error:
        raise RunFails(str(error)) from error
    of_machine = None if claim.machine is None else claim.machine.machine_parameters
    return effective_inputs(own, of_machine, claim.pool_parameters)


def _inputs(claim: Claim, secret_names: frozenset[str]) -> JsonObject:
    inputs, schema = inputs_of(claim), claim.workflow.input_schema
    if schema is not None and any(refs_in(claim.run.input_values)):
        # Everything else was looked at when the run was made; secrets are sealed and cannot be.
        sealed = {SECRET_PREFIX + name for name in secret_names}
        problems = misfits(schema, inputs, {}, not_required=sealed)
        if problems:
            raise RunFails(*(f"{'.'.join(map(str, one.location[1:]))}: {one.message}" for one in problems))
    return inputs
