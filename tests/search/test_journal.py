"""The journal's lines: which there are, what each does, and how it is told."""

from pathlib import Path

import pytest
from optuna.storages.journal._storage import JournalOperation

from recsweep.errors import BadInput
from recsweep.search.enough import KEY
from recsweep.search.journal import (
    Line,
    Operation,
    described,
    opens_session,
    read_journal,
    same_content,
    starts_trial,
)


def test_a_line_that_a_crash_tore_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_text('{"op_code": 0}\n{"op_code": 4}\n{"op_co')
    assert read_journal(path) == [{"op_code": 0}, {"op_code": 4}]


def test_a_line_that_cant_be_read_is_told_by_its_number_and_a_journal_that_isnt_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.log"
    with pytest.raises(BadInput, match=r"no sweep has begun here; there is no journal\.log"):
        read_journal(path)
    path.write_text('{"op_code": 0}\n{"op_co\n{"op_code": 4}\n')
    with pytest.raises(BadInput, match="line 2 can't be read"):
        read_journal(path)


def test_what_lines_do_has_optunas_own_numbers() -> None:
    theirs = {
        "CREATE_STUDY": JournalOperation.CREATE_STUDY,
        "STUDY_ATTR": JournalOperation.SET_STUDY_USER_ATTR,
        "STUDY_NOTE": JournalOperation.SET_STUDY_SYSTEM_ATTR,
        "CREATE_TRIAL": JournalOperation.CREATE_TRIAL,
        "PARAM": JournalOperation.SET_TRIAL_PARAM,
        "STATE": JournalOperation.SET_TRIAL_STATE_VALUES,
        "VALUE": JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE,
        "TRIAL_ATTR": JournalOperation.SET_TRIAL_USER_ATTR,
        "TRIAL_NOTE": JournalOperation.SET_TRIAL_SYSTEM_ATTR,
    }
    assert {operation.name: operation.value for operation in Operation} == theirs


@pytest.mark.parametrize(
    ("line", "opens", "starts"),
    [
        ({"op_code": 0, "study_name": "a"}, True, False),
        ({"op_code": 2, "user_attr": {"space": {}}}, True, False),
        ({"op_code": 2, "user_attr": {"session": 2}}, False, False),
        ({"op_code": 2, "user_attr": {KEY: {}}}, False, False),
        ({"op_code": 4, "state": 4}, True, False),  # it waits for a driver
        ({"op_code": 4, "state": 0}, False, True),
        ({"op_code": 4}, False, True),
        ({"op_code": 5, "param_name": "depth"}, False, False),
        ({"op_code": 6, "state": 0}, False, True),  # one that waited
        ({"op_code": 6, "state": 1}, False, False),
        ({"op_code": 8, "user_attr": {"session": 2}}, False, False),
    ],
)
def test_lines_open_a_session_start_a_trial_or_neither(
    line: Line, opens: bool, starts: bool
) -> None:
    assert opens_session(line) is opens
    assert starts_trial(line) is starts


def test_lines_say_the_same_whoever_wrote_them_and_when() -> None:
    one = {"op_code": 5, "trial_id": 1, "worker_id": "a", "datetime_start": "2026-01-01"}
    assert same_content(one, {**one, "worker_id": "b", "datetime_start": None})
    assert same_content({**one, "values": (1, 2)}, {**one, "values": [1, 2]})
    assert not same_content(one, {**one, "trial_id": 2})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"op_code": 4, "study_id": 0}, "a new trial"),
        ({"op_code": 5, "param_name": "depth", "param_value_internal": 2.0}, "depth = 2.0"),
        ({"op_code": 6, "state": 2, "values": [0.1]}, "the end pruned ([0.1])"),
        ({"op_code": 7, "trial_id": 3, "step": 1, "intermediate_value": 0.25}, "1, 0.25"),
        ({"op_code": 8, "user_attr": {"a": "x" * 90}}, "{'a': '" + "x" * 72 + "…"),
        ({"op_code": 8, "user_attr": {"a": "x" * 71}}, "{'a': '" + "x" * 71 + "'}"),
    ],
)
def test_a_line_is_told_in_a_few_words(line: Line, words: str) -> None:
    assert described({**line, "worker_id": "w", "datetime_start": "2026-01-01"}) == words
