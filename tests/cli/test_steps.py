from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from studies import NOW
from worlds import experiment_of

import recsweep
from recsweep.cli import steps
from recsweep.cli.commands import sweep as whole
from recsweep.records.study import EarlyEnd, SweepSession

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


@pytest.mark.parametrize("end", [None, EarlyEnd(7, 12)])
def test_a_search_that_was_ended_before_its_budget_says_so(
    end: EarlyEnd | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = SweepSession(NOW, 9.0, 1.0, 2, 18.0, 14)
    searched = SimpleNamespace(session=session, folder=NOWHERE, early_end=end, power=None)
    monkeypatch.setattr(recsweep, "run_search", lambda *given, **named: searched)
    steps.search(experiment_of(), 0, quiet=False)
    out = " ".join(capsys.readouterr().out.split())
    assert ("Ended by stopping.study after 7 of 12 trials a family" in out) is (end is not None)
