"""Shell commands, under the address of the published drivers: PowerShell where there is one, sh elsewhere."""

import os
import uuid
from pathlib import Path

from cyberdriver.answers import Answer, Refused, json_answer
from cyberdriver.commands.call import Call, Work
from cyberdriver.commands.desk import Desk
from cyberdriver.commands.processes import Finished
from cyberdriver.commands.shells import DEFAULT_SESSION, Command

MAX_COMMAND_CHARACTERS = 32 * 1024
DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_TIMEOUT_SECONDS = 3600.0
_SMOKE_TEST = Command('echo "Hello from cyberdriver"', DEFAULT_TIMEOUT_SECONDS)


def execute(call: Call, desk: Desk) -> Work:
    """`{"command", "timeout"? seconds, "working_directory"?, "session_id"?, "same_session"?}`.

    Answers `{"stdout", "stderr", "exit_code", "session_id"}`; after the time limit with `timeout_reached`,
    exit code 124 and what was printed so far. Without `session_id` the default session is used, unless
    `same_session` is false.
    """
    body = call.body()
    command = Command(
        text=body.text("command", max_characters=MAX_COMMAND_CHARACTERS),
        timeout_seconds=body.optional_number("timeout", least=0.001, most=MAX_TIMEOUT_SECONDS)
        or DEFAULT_TIMEOUT_SECONDS,
        folder=_folder(body.optional_text("working_directory")),
    )
    if "\0" in command.text:
        raise body.wrong("command", "must not hold a null character")
    if not desk.allowed.allows_command(command.text):
        raise Refused(403, "this command is none of allow.shell_commands in the settings of this machine")
    session_id = body.optional_text("session_id", max_characters=200)
    is_alone = session_id is None and body.optional_boolean("same_session") is False

    def run() -> Answer:
        try:
            if is_alone:
                return _finished(desk.shells.run_alone(command), str(uuid.uuid4()))
            session = session_id or DEFAULT_SESSION
            return _finished(desk.shells.run(session, command), session)
        except OSError as error:
            raise Refused(500, f"the shell did not start: {error.strerror or error}") from error

    return Work(run, {"characters": len(command.text), "timeout_seconds": command.timeout_seconds})


def session(call: Call, desk: Desk) -> Work:
    """`{"action": "create"|"destroy", "session_id"?}`: `{"session_id", "message"}`."""
    body = call.body()
    action = body.choice("action", ["create", "destroy"])
    session_id = body.optional_text("session_id", max_characters=200)
    if action == "destroy" and session_id is None:
        raise body.wrong("session_id", "is required")

    def run() -> Answer:
        if session_id is None or action == "create":
            return json_answer({"session_id": desk.shells.create(session_id), "message": "session created"})
        if not desk.shells.destroy(session_id):
            raise Refused(404, f"there is no session {session_id}")
        return json_answer({"session_id": session_id, "message": "session destroyed"})

    return Work(run)


def smoke_test(call: Call, desk: Desk) -> Work:
    """Runs an `echo` and answers as `execute` does."""

    def run() -> Answer:
        return _finished(desk.shells.run_alone(_SMOKE_TEST), str(uuid.uuid4()))

    return Work(run)


def _folder(given: str | None) -> Path | None:
    if not given:
        return None
    folder = Path(os.path.expandvars(given)).expanduser()
    if not folder.is_dir():
        raise Refused(400, f"working_directory {given} is not a folder")
    return folder


def _finished(finished: Finished, session_id: str) -> Answer:
    answer: dict[str, object] = {
        "stdout": finished.stdout,
        "stderr": finished.stderr,
        "exit_code": finished.exit_code,
        "session_id": session_id,
    }
    if finished.has_timed_out:
        answer["timeout_reached"] = True
    return json_answer(answer)
