"""Shell sessions: every command is a process of its own, a session carries folder and environment on."""

import os
import shutil
import tempfile
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cyberdriver.commands.processes import Finished, Processes
from cyberdriver.settings import ShellProgram

MAX_SESSIONS = 32
DEFAULT_SESSION = "default"

# The command is given as a variable and not pasted in, so that no quote in it can end the frame around it.
# The state is written by a trap, which also runs when the command itself calls `exit`.
_SH_FRAME = """
__command=$__CYBERDRIVER_COMMAND
__state=$__CYBERDRIVER_STATE
unset __CYBERDRIVER_COMMAND __CYBERDRIVER_STATE
trap '__status=$?
pwd >"$__state/folder"
export -p >"$__state/new" && mv "$__state/new" "$__state/environment"
exit $__status' EXIT
if [ -r "$__state/environment" ]; then . "$__state/environment"; fi
eval "$__command"
"""

_PWSH_FRAME = """
$state = $env:__CYBERDRIVER_STATE; $command = $env:__CYBERDRIVER_COMMAND
Remove-Item Env:__CYBERDRIVER_STATE, Env:__CYBERDRIVER_COMMAND
$file = Join-Path $state 'environment.json'
if (Test-Path $file) {
  (Get-Content -Raw $file | ConvertFrom-Json -AsHashtable).GetEnumerator() |
    ForEach-Object { [Environment]::SetEnvironmentVariable($_.Key, $_.Value) }
}
$code = 0
try {
  Invoke-Expression $command
  if ($LASTEXITCODE) { $code = $LASTEXITCODE } elseif (-not $?) { $code = 1 }
}
catch { [Console]::Error.WriteLine($_); $code = 1 }
finally {
  (Get-Location).Path | Set-Content (Join-Path $state 'folder')
  [Environment]::GetEnvironmentVariables() | ConvertTo-Json | Set-Content $file
}
exit $code
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line for the shell."""

    text: str
    timeout_seconds: float
    folder: Path | None = None
    """Where it starts; without one, where the session is, and a new session begins in the home folder."""


class Shells:
    """All sessions of a machine; the oldest is forgotten when there are too many. Usable from any thread."""

    def __init__(
        self,
        program: ShellProgram | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """With `program` None, PowerShell where it is installed and `/bin/sh` elsewhere.

        `environment` is what a new session begins with; None means that of this process. `folder` belongs to
        the sessions alone and is emptied: a driver that was killed left its behind. None means temporary
        folders.
        """
        self.program: ShellProgram = program or ("pwsh" if shutil.which("pwsh") else "sh")
        self._environment = dict(os.environ if environment is None else environment)
        self._folder = folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._processes = Processes()
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def run(self, session_id: str, command: Command) -> Finished:
        """Runs in this session, made if it is new; the commands of one session run one after another.

        Raises `OSError` when the shell cannot start.
        """
        session = self._session(session_id)
        with session.lock:
            return self._run(session.state, command)

    def run_alone(self, command: Command) -> Finished:
        """Runs without a session: nothing is carried over. Raises `OSError` when the shell cannot start."""
        with tempfile.TemporaryDirectory(prefix="cyberdriver-", dir=self._folder) as state:
            return self._run(Path(state), command)

    def create(self, session_id: str | None = None) -> str:
        """The id of a session that now exists."""
        session_id = session_id or str(uuid.uuid4())
        self._session(session_id)
        return session_id

    def destroy(self, session_id: str) -> bool:
        """Forgets the session; false when there was none."""
        with self._lock:
            session = self._sessions.pop(session_id, None)
        if session is not None:
            session.forget()
        return session is not None

    def kill_all(self) -> None:
        """Ends every running command; nothing starts any more."""
        self._processes.kill_all()

    def close(self) -> None:
        """Ends every command and forgets every session."""
        self.kill_all()
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            session.forget()

    def _session(self, session_id: str) -> "_Session":
        forgotten = None
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                session = self._sessions[session_id] = _Session(self._folder)
            self._sessions.move_to_end(session_id)
            if len(self._sessions) > MAX_SESSIONS:
                _, forgotten = self._sessions.popitem(last=False)
        if forgotten is not None:
            forgotten.forget()
        return session

    def _run(self, state: Path, command: Command) -> Finished:
        if self.program == "pwsh":
            arguments = ["pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", _PWSH_FRAME]
        else:
            arguments = ["/bin/sh", "-c", _SH_FRAME]
        environment = self._environment | {
            "__CYBERDRIVER_STATE": str(state),
            "__CYBERDRIVER_COMMAND": command.text,
        }
        folder = command.folder or _folder_of(state)
        return self._processes.run(arguments, folder, environment, command.timeout_seconds)


class _Session:
    def __init__(self, folder: Path | None) -> None:
        self.lock = threading.Lock()
        self.state = Path(tempfile.mkdtemp(prefix="cyberdriver-", dir=folder))

    def forget(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)


def _folder_of(state: Path) -> Path:
    try:
        folder = Path((state / "folder").read_text().rstrip("\n"))
    except FileNotFoundError:
        return Path.home()
    return folder if folder.is_dir() else Path.home()
