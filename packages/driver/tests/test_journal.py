"""An action id is carried out at most once, whatever happens to the driver."""

import json
from pathlib import Path

import pytest
from cyberdriver.answers import Answer, json_answer
from cyberdriver.errors import SettingsError
from cyberdriver.journal import (
    JOURNAL_FILE,
    MAX_KEPT_BODY_BYTES,
    AnswerNotKept,
    Begin,
    Journal,
    OtherWork,
    OutcomeUnknown,
    Recollection,
    Replay,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

ANSWER = json_answer({"x": 1})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_a_new_id_begins(journal: Journal) -> None:
    assert journal.begin("1", "work") == Begin()


def test_a_finished_id_is_answered_again(journal: Journal) -> None:
    journal.begin("1", "work")
    journal.finish("1", ANSWER)

    assert journal.begin("1", "work") == Replay(ANSWER)


def test_an_id_is_bound_to_its_work(journal: Journal) -> None:
    journal.begin("1", "work")
    journal.finish("1", ANSWER)

    assert journal.begin("1", "other work") == OtherWork()


def test_a_restart_forgets_nothing(journal: Journal, tmp_path: Path) -> None:
    journal.begin("1", "work")
    journal.finish("1", ANSWER)
    journal.begin("2", "work")

    restarted = Journal(tmp_path)

    assert restarted.begin("1", "work") == Replay(ANSWER)
    assert restarted.begin("2", "work") == OutcomeUnknown()
    assert restarted.begin("2", "other work") == OtherWork()


def test_an_unknown_outcome_stays_unknown_over_many_restarts(journal: Journal, tmp_path: Path) -> None:
    journal.begin("1", "work")

    for _ in range(3):
        assert Journal(tmp_path).begin("1", "work") == OutcomeUnknown()


def test_work_has_the_same_fingerprint_after_a_restart(journal: Journal, tmp_path: Path) -> None:
    fingerprint = journal.fingerprint_of(b"POST", b"/type", b"body")

    assert Journal(tmp_path).fingerprint_of(b"POST", b"/type", b"body") == fingerprint
    assert journal.fingerprint_of(b"POST", b"/typeb", b"ody") != fingerprint


def test_an_answer_too_large_to_keep_is_known_to_be_given(journal: Journal, tmp_path: Path) -> None:
    journal.begin("1", "work")
    journal.finish("1", Answer(200, b"x" * (MAX_KEPT_BODY_BYTES + 1)))

    assert journal.begin("1", "work") == AnswerNotKept()
    assert Journal(tmp_path).begin("1", "work") == AnswerNotKept()


@pytest.mark.parametrize("cut_bytes", [2, 5, 30])
def test_a_line_cut_off_by_a_kill_had_not_happened(journal: Journal, tmp_path: Path, cut_bytes: int) -> None:
    journal.begin("1", "work")
    journal.finish("1", ANSWER)
    path = tmp_path / JOURNAL_FILE
    path.write_bytes(path.read_bytes()[:-cut_bytes])

    assert Journal(tmp_path).begin("1", "work") == OutcomeUnknown()


def test_lines_after_a_cut_one_are_read(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / JOURNAL_FILE
    path.write_bytes(path.read_bytes() + b'{"begun":"1","wo\n' + b'{"begun":"2","work":"work"}\n')

    restarted = Journal(tmp_path)

    assert restarted.begin("1", "work") == Begin()
    assert restarted.begin("2", "work") == OutcomeUnknown()


def test_only_the_newest_ids_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_entries=3)
    for number in range(5):
        journal.begin(str(number), "work")
        journal.finish(str(number), ANSWER)

    assert journal.begin("4", "work") == Replay(ANSWER)
    assert journal.begin("1", "work") == Begin()


def test_the_file_stays_small(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_entries=10)
    for number in range(1_000):
        journal.begin(str(number), "work")
        journal.finish(str(number), ANSWER)
        journal.sync()

    lines = (tmp_path / JOURNAL_FILE).read_text().splitlines()
    assert len(lines) <= 60
    assert Journal(tmp_path, max_entries=10).begin("999", "work") == Replay(ANSWER)


def test_the_file_is_private_and_holds_no_request(journal: Journal, tmp_path: Path) -> None:
    journal.begin("1", journal.fingerprint_of(b'{"text":"secret"}'))
    path = tmp_path / JOURNAL_FILE

    assert path.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in path.read_bytes()


def test_a_disk_that_is_full_leaves_the_id_fresh(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr("os.write", lambda descriptor, line: 3)
        with pytest.raises(OSError, match="No space left"):
            journal.begin("1", "work")

    assert journal.begin("1", "work") == Begin()


def test_lines_after_a_full_disk_are_read(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    real_write = os.write
    with monkeypatch.context() as full:
        full.setattr("os.write", lambda descriptor, line: real_write(descriptor, line[:7]))
        with pytest.raises(OSError, match="No space left"):
            journal.begin("1", "work")
    journal.begin("2", "work")

    assert Journal(tmp_path).begin("2", "work") == OutcomeUnknown()


def test_sync_makes_the_journal_clean(journal: Journal) -> None:
    journal.begin("1", "work")
    assert journal.is_dirty

    journal.sync()

    assert not journal.is_dirty


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file or directory"):
        Journal(tmp_path / "missing")


def test_strange_lines_are_ignored(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).write_text(
        json.dumps([1]) + "\n\xff\n" + '{"finished":"never begun"}\n{"salt":"zz"}\n'
    )

    assert Journal(tmp_path).begin("never begun", "work") == Begin()


class Restarts(RuleBasedStateMachine):
    """Begin, finish and restart in any order, against a dictionary."""

    @initialize()
    def begin_empty(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.journal = Journal(Path(self.folder.name))
        self.model: dict[str, tuple[str, Answer | None]] = {}

    @rule(action_id=st.sampled_from("abcd"), work=st.sampled_from("xy"), dies=st.booleans())
    def act(self, action_id: str, work: str, dies: bool) -> None:
        expected: Recollection
        match self.model.get(action_id):
            case None:
                expected = Begin()
            case (begun, _) if begun != work:
                expected = OtherWork()
            case (_, None):
                expected = OutcomeUnknown()
            case (_, Answer() as answer):
                expected = Replay(answer)

        assert self.journal.begin(action_id, work) == expected

        if expected == Begin():
            self.model[action_id] = (work, None)
            if not dies:
                self.model[action_id] = (work, json_answer({action_id: work}))
                self.journal.finish(action_id, json_answer({action_id: work}))

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(Path(self.folder.name))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.journal.close()
            self.folder.cleanup()


TestRestarts = Restarts.TestCase
TestRestarts.settings = settings(max_examples=20, stateful_step_count=30)
