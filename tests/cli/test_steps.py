from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from worlds import experiment_of

from recsweep.cli import steps
from recsweep.cli.commands import sweep as whole

NOWHERE = Path("nowhere")


class Begun(Exception):
    """What a step says that it does, before it does anything."""


@contextmanager
def waiting(what: str, quiet: bool = False) -> Iterator[None]:
    raise Begun(what, quiet)
    yield


@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize(
    ("module", "step"),
    [
        (whole, lambda quiet: whole.sweep(NOWHERE, quiet=quiet)),
        (steps, lambda quiet: steps.prepare(experiment_of(), quiet)),
        (steps, lambda quiet: steps.select(NOWHERE, quiet)),
        (steps, lambda quiet: steps.report(NOWHERE, "en", quiet)),
    ],
    ids=["sweep", "prepare", "select", "report"],
)
def test_a_quiet_step_does_not_say_what_it_is_at(
    module: Any, step: Callable[[bool], None], quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "waiting", waiting)
    with pytest.raises(Begun) as told:
        step(quiet)
    assert told.value.args[1] is quiet
