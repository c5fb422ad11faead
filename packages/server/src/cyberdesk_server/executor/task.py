"""What a claimed run asks of its model."""

from cyberdesk_server.domain.inputs import effective_inputs
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.pictures import prompt_pictures
from cyberdesk_server.executor.tools import specs
from cyberdesk_server.ports import Blobs
from cyberdesk_server.store.runs import Claim


async def task_of(claim: Claim, secret_names: frozenset[str], blobs: Blobs) -> Task:
    """The task of a claim, with the values that hold on its machine."""
    run, workflow = claim.run, claim.workflow
    prompt = run.main_prompt or workflow.main_prompt
    return Task(
        run_id=run.id,
        organization_id=run.organization_id,
        prompt=prompt,
        inputs=effective_inputs(run.input_values, claim.machine.machine_parameters),
        secret_names=secret_names,
        output_schema=workflow.output_schema,
        tools=specs(workflow.terminal_command_allowlist),
        pictures=await prompt_pictures(prompt, blobs, run.organization_id),
    )
