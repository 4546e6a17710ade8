"""Small raw logs on disk, and experiments that read them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from worlds import experiment_of

from recsweep.config.schema import Experiment

HEADER = "user,item,time,kind"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes to a file of the test's folder."""

    def write(content: str | bytes, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def experiment_on() -> Callable[..., Experiment]:
    """An experiment on a log with the columns user, item, time and kind."""

    def make(
        path: Path,
        users: dict[str, object] | None = None,
        items: dict[str, object] | None = None,
        event: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        **changes: object,
    ) -> Experiment:
        table = {
            "path": str(path),
            "user": "user",
            "item": "item",
            "time": "time",
            "type": {"column": "kind", "values": {"view": "browse", "buy": "purchase"}},
            **(event or {}),
        }
        whole = {"name": "small", "events": [table], "users": users, "items": items, **(data or {})}
        folds = {"count": 2, "validation": 0.2, "test": 0.2}
        return experiment_of(data=whole, **{"folds": folds, **changes})

    return make


@pytest.fixture
def log_of(write: Callable[..., Path]) -> Callable[..., Path]:
    """Write rows (user, item, time, kind) as a log."""

    def make(rows: Sequence[Sequence[object]], name: str = "log.csv") -> Path:
        lines = [HEADER, *(",".join(map(str, row)) for row in rows)]
        return write("\n".join(lines) + "\n", name)

    return make


@pytest.fixture
def ten_rows() -> list[tuple[str, str, int, str]]:
    """Three users, four items, ten events, a hundred seconds apart."""
    rows = [
        ("u1", "a", "view"),
        ("u1", "b", "view"),
        ("u2", "a", "buy"),
        ("u2", "c", "view"),
        ("u1", "c", "view"),
        ("u2", "b", "view"),
        ("u1", "a", "buy"),
        ("u2", "a", "view"),
        ("u3", "d", "view"),
        ("u3", "a", "view"),
    ]
    return [(u, i, 1_600_000_000 + 100 * n, kind) for n, (u, i, kind) in enumerate(rows)]
