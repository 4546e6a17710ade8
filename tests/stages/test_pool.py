"""How long is left, by the work of what has ended."""

from types import SimpleNamespace

import pytest

from recsweep.config.schema import Resources
from recsweep.stages import pool


def test_what_is_left_is_told_by_the_work_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def take(piece: SimpleNamespace) -> str:
        now[0] += 2 * piece.work
        return str(piece.work)

    told: list[tuple[float, int, int, float]] = []
    found = pool.side_by_side(
        [SimpleNamespace(work=work) for work in (1.0, 3.0, 2.0)],
        lambda _: take,
        Resources(),
        workers=1,
        verb="test",
        on_end=lambda piece, *of: told.append((piece.work, *of)),
    )
    assert found == ["1.0", "3.0", "2.0"]
    assert told == [(3.0, 1, 3, 6.0), (2.0, 2, 3, 2.0), (1.0, 3, 3, 0.0)]
