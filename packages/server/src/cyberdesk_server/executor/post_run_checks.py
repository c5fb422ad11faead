"""Makes the post-run checks of a run whose main part ended well, and says how the run ends.

Every result is written as it comes, so that a worker which takes the checks over goes on where the one before
stopped. Nothing here needs the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cyberdesk_server.domain.attachments import Attachment
from cyberdesk_server.domain.check_verdicts import (
    NO_EVIDENCE,
    Evidence,
    Found,
    NotACheck,
    Picture,
    Question,
    Verdict,
    begun,
    complaints,
    could_be_made,
    decided,
    found_by_name,
    found_by_pattern,
    found_or_not,
    is_over,
    judged,
    not_made,
    prompt_of,
    spec_of,
    unmade,
    was_judged,
)
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.post_run_checks import (
    CheckSpec,
    PostRunCheckFileTargetMode,
    PostRunCheckStatus,
    PostRunCheckType,
)
from cyberdesk_server.domain.prompts import PathError
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.matching import MatchingTooSlow, full_matches
from cyberdesk_server.executor.parts import CheckParts
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.executor.task import inputs_of
from cyberdesk_server.executor.usage import usage_metadata
from cyberdesk_server.executor.watch import Watch, watching
from cyberdesk_server.json_schemas import output_misfits
from cyberdesk_server.ports import BlobMissing, ModelError
from cyberdesk_server.store import attachments, leases, steps
from cyberdesk_server.store.claims import CheckClaim


async def check(claim: CheckClaim, parts: CheckParts) -> Ending:
    """Make the checks of this run that are not over yet.

    Never raises for what a model does; what a bug of ours raises is the caller's to record. The ending is not
    written here: that is one transaction of the worker.
    """
    parts = replace(parts, limits=parts.limits.asked_for_by(claim.run, claim.workflow))
    async with watching(claim, parts) as watch:
        examination = _Examination(claim, parts, watch, list(claim.run.post_run_checks or ()))
        try:
            await examination.make()
        except RunStopped:
            return Ending(RunStatus.CANCELLED)
        except RunFails as failure:
            examination.give_up(str(failure))
        return await examination.ending()


def usage_of(checks: Sequence[JsonObject], history: Sequence[Step]) -> JsonObject:
    """The counters of a run whose checks ended so."""
    # What the model found wrong is billed as a task that failed; what nobody could find out is not.
    failed = RunStatus.TASK_FAILED if could_be_made(checks) else RunStatus.ERROR
    billed = failed if complaints(checks) else RunStatus.SUCCESS
    return usage_metadata(history, billed, judgements=sum(map(was_judged, checks)))


@dataclass
class _Examination:
    """The checks of one run being made."""

    claim: CheckClaim
    parts: CheckParts
    watch: Watch
    checks: list[JsonObject]
    files: Sequence[Attachment] = ()
    evidence: Evidence = NO_EVIDENCE

    async def make(self) -> None:
        await self._gather()
        for number, snapshot in enumerate(self.checks):
            if is_over(snapshot):
                continue
            self.watch.check()
            self.checks[number] = begun(snapshot, self.parts.clock.now())
            await self._write()
            verdict = await self._verdict(snapshot)
            self.checks[number] = decided(self.checks[number], verdict, self.parts.clock.now())

    async def _gather(self) -> None:
        async with self.parts.database.read() as conn:
            self.files = await attachments.outputs_of(conn, self.claim.run.id, now=self.parts.clock.now())
        names = tuple(file.filename for file in self.files)
        self.evidence = Evidence(inputs_of(self.claim), self.claim.run.output_data, names)

    def give_up(self, reason: str) -> None:
        self.checks = list(unmade(self.checks, reason, self.parts.clock.now()))

    async def ending(self) -> Ending:
        reasons = complaints(self.checks)
        async with self.parts.database.read() as conn:
            history = await steps.history(conn, self.claim.run.id)
        return Ending(
            RunStatus.ERROR if reasons else RunStatus.SUCCESS,
            reasons,
            usage_metadata=usage_of(self.checks, history),
            checks=tuple(self.checks),
        )

    async def _write(self) -> None:
        async with self.parts.database.transaction() as conn:
            is_ours = await leases.write_checks(conn, self.claim.held, self.checks)
        if not is_ours:
            raise RunStopped

    async def _verdict(self, snapshot: JsonObject) -> Verdict:
        try:
            spec = spec_of(snapshot)
        except NotACheck as error:
            return not_made(f"it is no check: {error}")
        try:
            match spec.type:
                case PostRunCheckType.RUN_ATTACHMENT_EXISTS:
                    return found_or_not(await self._found(spec))
                case PostRunCheckType.RUN_ATTACHMENT_IMAGE_CHECK:
                    return await self._look_at_pictures(spec)
                case PostRunCheckType.OUTPUT_DATA_PASSES_SCHEMA_VALIDATION:
                    return self._fits_schema()
                case PostRunCheckType.OUTPUT_DATA_AGENTIC_CHECK:
                    return await self._judge(spec, None)
        except (MatchingTooSlow, ModelError, BlobMissing) as error:
            return not_made(str(error))

    async def _found(self, spec: CheckSpec) -> Found:
        if spec.mode is not PostRunCheckFileTargetMode.REGEX:
            return found_by_name(spec, self.evidence)
        names = self.evidence.filenames
        matching = await self.watch.unless_stopped(full_matches(spec.file_name_regex or "", names))
        return found_by_pattern(spec, self.evidence, matching)

    def _fits_schema(self) -> Verdict:
        schema, output_data = self.claim.workflow.output_schema, self.evidence.output_data
        if schema is None:
            return not_made("the workflow has no output_schema any more")
        if output_data is None:
            return Verdict(PostRunCheckStatus.FAILED, ("there is no output data",))
        misfits = output_misfits(schema, output_data)
        return Verdict(PostRunCheckStatus.FAILED if misfits else PostRunCheckStatus.SUCCESS, misfits)

    async def _look_at_pictures(self, spec: CheckSpec) -> Verdict:
        found = await self._found(spec)
        if found.complaints and not spec.allow_missing_attachments:
            return found_or_not(found)
        if not found.matched:
            return Verdict(PostRunCheckStatus.SUCCESS, ("there is no file to look at",), matched=())
        return await self._judge(spec, found.matched)

    async def _judge(self, spec: CheckSpec, matched: tuple[str, ...] | None) -> Verdict:
        try:
            prompt = prompt_of(spec, self.evidence)
        except PathError as error:
            return not_made(f"check_prompt: {error}")
        question = Question(
            prompt,
            model=spec.model,
            output_data=self.evidence.output_data if matched is None else None,
            pictures=await self._pictures(matched or ()),
        )
        judgement = await persistently(lambda: self.parts.model.judge(question), self.parts, self.watch)
        return judged(judgement, matched)

    async def _pictures(self, names: Sequence[str]) -> tuple[Picture, ...]:
        return tuple(
            [
                Picture(file.filename, await self.parts.blobs.get(file.blob_key))
                for file in self.files
                if file.filename in names
            ]
        )
