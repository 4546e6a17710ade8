from pathlib import Path
from random import Random

import pytest
from optuna.distributions import FloatDistribution
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.replay import replay
from recsweep.search.storage import kept_widenings, open_family, open_storage, widened_before
from recsweep.spaces.space import Space
from recsweep.spaces.widen import with_ranges

STUDY = study_of("a", "b", trials=6)


def widen(folder: Path, *asked: str) -> dict[str, Space]:
    """As a sweep does with these `--widen`."""
    spaces = widened_before(folder, spaces_of(folder, *STUDY.families), FAMILIES)
    wide = with_ranges(spaces, asked, FAMILIES)
    storage = open_storage(folder)
    for name, space in wide.items():
        open_family(storage, name, space, STUDY, "data", widen=bool(asked))
    return wide


def test_a_range_is_widened_once_the_study_has_begun_and_stays_so(tmp_path: Path) -> None:
    """The space file knows nothing of it; a sweep that is typed again changes nothing."""
    sweep(tmp_path, STUDY, 2, Random(1))
    before = rows(tmp_path, STUDY)
    wide = widen(tmp_path, "a.x=0:3")
    assert widen(tmp_path) == widen(tmp_path, "a.x=0:3") == wide
    assert (wide["a"].parameters["x"].high, wide["b"].parameters["x"].high) == (3, 1)
    ledger = ledger_of(tmp_path, STUDY, wide, begin=False)
    ledger.turns.extend(10)
    (recorded,) = kept_widenings(ledger._studies["a"])
    assert recorded.model_dump() == {"parameter": "x", "before": (0, 1), "now": (0, 3), "trials": 6}
    ledger.begin()
    drawn = [float(ledger.ask(name).config["x"]) for _ in range(10) for name in "ab"][::2]
    assert max(drawn) > 1
    assert rows(tmp_path, STUDY) == before
    found = replay(tmp_path, FAMILIES)
    assert (found.difference, found.sessions, found.suggestions) == (None, 2, 32)


def test_the_sampler_takes_trials_from_before_and_after_as_of_one_range(tmp_path: Path) -> None:
    """Otherwise Optuna would leave the parameter out of what it draws jointly."""
    sweep(tmp_path, STUDY, 2, Random(1))
    ledger = ledger_of(tmp_path, STUDY, widen(tmp_path, "a.x=0:3"), begin=False)
    ledger.turns.extend(1)
    ledger.begin()
    study = ledger._studies["a"]
    trial = study.ask()
    joint = study.sampler.infer_relative_search_space(study, ledger.trials("a")[-1])
    assert trial.relative_params.keys() == joint.keys() == {"x"}
    assert joint["x"] == FloatDistribution(0, 3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("a.x", "expected family.parameter=low:high, two numbers"),
        ("a.x=0:wide", "expected family.parameter=low:high, two numbers"),
        ("c.x=0:3", "no family is called c"),
        ("a.y=0:3", "has no parameter 'y'"),
        ("a.x=0.5:3", r"the range is \[0, 1\]; a wider one holds all of it"),
        ("a.x=-1:3", r"made_up refuses x|x = "),
    ],
)
def test_what_is_no_wider_range_of_the_study_is_refused(
    tmp_path: Path, asked: str, message: str
) -> None:
    ledger_of(tmp_path, STUDY, spaces_of(tmp_path, "a", "b"))
    with pytest.raises(BadInput, match=message):
        widen(tmp_path, asked)


def test_a_study_that_has_not_begun_has_its_ranges_in_its_space_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a has no trial yet; change the range in its space file"):
        widen(tmp_path, "a.x=0:3")


def test_with_a_wider_range_nothing_else_gets_in(tmp_path: Path) -> None:
    ledger_of(tmp_path, STUDY, spaces_of(tmp_path, "a", "b"))
    wide = with_ranges(spaces_of(tmp_path, "a", "b"), ["a.x=0:3"], FAMILIES)
    other = wide["a"].model_copy(update={"defaults": {"x": 2.0}})
    with pytest.raises(BadInput, match=r"space defaults x 0.5, now it is defaults x 2.0"):
        open_family(open_storage(tmp_path), "a", other, STUDY, "data", widen=True)
