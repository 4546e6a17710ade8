"""How a line of the journal is told."""

import pytest

from recsweep.search.journal import Line, described


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
