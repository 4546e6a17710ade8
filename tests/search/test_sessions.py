from pathlib import Path
from types import SimpleNamespace

import pytest

from recsweep.errors import BadInput
from recsweep.search import sessions
from recsweep.search.sessions import SessionClock, read_sessions


def test_a_study_that_was_never_run_has_no_session(tmp_path: Path) -> None:
    assert read_sessions(tmp_path) == ()
    assert SessionClock(tmp_path, 2, 1.5).index == 0


def test_a_session_is_saved_again_and_again_after_the_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=iter((100.0, 103.0, 107.0, 200.0, 201.0)).__next__)
    monkeypatch.setattr(sessions, "time", clock)
    first = SessionClock(tmp_path, 2, 1.5)
    first.save(4.0, 1)
    first.save(8.0, 3)
    second = SessionClock(tmp_path, 4, 0.5)
    saved = second.save(0.25, 1)
    found = read_sessions(tmp_path)
    assert (first.index, second.index, found[1]) == (0, 1, saved)
    assert [(s.wall_seconds, s.start_seconds, s.workers) for s in found] == [
        (7.0, 1.5, 2),
        (1.0, 0.5, 4),
    ]
    assert [(s.busy_seconds, s.trials) for s in found] == [(8.0, 3), (0.25, 1)]
    assert found[0].started <= found[1].started
    assert (tmp_path / "sessions.json").read_bytes().endswith(b"]\n")


@pytest.mark.parametrize("content", ["", "[", '[{"workers": 2}]', "{}"])
def test_a_damaged_file_of_sessions_is_told_with_what_is_lost(tmp_path: Path, content: str) -> None:
    (tmp_path / "sessions.json").write_text(content)
    with pytest.raises(BadInput, match="only the times of earlier sessions are lost"):
        read_sessions(tmp_path)
