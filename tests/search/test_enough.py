"""`stopping.study`: the search ends early for all families alike, and the same way each time."""

from pathlib import Path
from random import Random

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from simulated import rows, sweep
from sweeps import FAMILIES, ledger_of, spaces_of, study_of
from worlds import experiment_of

from recsweep.config.schema import Experiment, Metric
from recsweep.evaluation.enough import FEWEST, LIMIT, chance_of_gain
from recsweep.records.study import EarlyEnd
from recsweep.search.enough import (
    is_enough,
    mark_end,
    marked_end,
    trained,
    trials_of_budget,
)
from recsweep.search.replay import replay
from recsweep.search.storage import JOURNAL, open_storage


def study(below: float, **changes: object) -> Experiment:
    stopping = {"grace_epochs": 1, "reduction": 2, "full_trials": 4}
    rule = {"when": "expected_gain", "below": below}
    return study_of(
        "a", "b", "floor", trials=14, epochs=3, stopping={**stopping, "study": rule}, **changes
    )


def trials_a_family(folder: Path, experiment: Experiment) -> list[int]:
    found = [row.family for row in rows(folder, experiment)]
    return [found.count(name) for name in ("a", "b", "floor")]


def ends(folder: Path, experiment: Experiment) -> list[EarlyEnd | None]:
    """As the journal tells them of the tuned families."""
    storage = open_storage(folder)
    studies = [optuna.load_study(study_name=name, storage=storage) for name in ("a", "b")]
    return [marked_end(found, experiment) for found in studies]


@pytest.mark.parametrize("repeatable", [False, True])
def test_the_search_ends_for_all_families_alike_and_its_journal_follows_from_the_rules(
    tmp_path: Path, repeatable: bool
) -> None:
    experiment = study(0.05, repeatable=repeatable)
    sweep(tmp_path, experiment, 3, Random(0), deaths=4)
    a, b, floor = trials_a_family(tmp_path, experiment)
    assert FEWEST <= a == b < 14
    assert floor == 1
    assert ends(tmp_path, experiment) == [EarlyEnd(trials=a, budget=14)] * 2
    assert replay(tmp_path, FAMILIES).difference is None
    ledger = ledger_of(tmp_path, experiment, spaces_of(tmp_path, "a", "b", "floor"))
    assert ledger.turns.remaining() == 0


def test_it_goes_on_to_the_budget_where_little_matters_and_where_it_is_not_asked_for(
    tmp_path: Path,
) -> None:
    for name, experiment in (
        ("little", study(1e-9)),
        ("off", study_of("a", "b", "floor", trials=14, epochs=3)),
    ):
        sweep(tmp_path / name, experiment, 2, Random(0))
        assert trials_a_family(tmp_path / name, experiment) == [14, 14, 1]
        assert ends(tmp_path / name, experiment) == [None, None]


def test_a_repeatable_search_ends_at_the_same_trial_whatever_finishes_first(tmp_path: Path) -> None:
    experiment = study(0.05, repeatable=True)
    sweep(tmp_path / "one", experiment, 1, Random(0))
    undisturbed = rows(tmp_path / "one", experiment)
    for n in range(1, 4):
        sweep(tmp_path / str(n), experiment, 1 + n % 4, Random(n), deaths=n)
        assert rows(tmp_path / str(n), experiment) == undisturbed


def test_a_study_that_went_on_after_it_was_enough_does_not_follow_from_the_rules(
    tmp_path: Path,
) -> None:
    """The same journal under the mark of a rule that would have ended it."""
    sweep(tmp_path, study(1e-9), 2, Random(0))
    path = tmp_path / "optuna.log"
    path.write_text(path.read_text().replace('"below":1e-09', '"below":0.05'))
    assert "no trial is due" in str(replay(tmp_path, FAMILIES).difference)


def test_seconds_have_no_trials_left_to_judge_by() -> None:
    rule = {"study": {"when": "expected_gain", "below": 0.05}}
    with pytest.raises(ValueError, match=r"stopping\.study needs budget\.trials"):
        experiment_of(budget={"seconds": 5}, stopping=rule)


def test_an_ended_search_can_be_told_from_one_that_was_cut_off_wherever_that_was(
    tmp_path: Path,
) -> None:
    experiment = study(0.05)
    sweep(tmp_path / "whole", experiment, 1, Random(0))
    lines = (tmp_path / "whole" / JOURNAL).read_text().splitlines(keepends=True)
    marks = [n for n, line in enumerate(lines) if '"enough"' in line]
    assert marks == [len(lines) - 2, len(lines) - 1]
    for length in (marks[0] - 1, marks[0], marks[1]):  # in its last trial's end, and in the marks
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / JOURNAL).write_text("".join(lines[:length]))
        assert ends(folder, experiment).count(None) == len(lines) - max(length, marks[0])
        ledger = ledger_of(folder, experiment, spaces_of(folder, "a", "b", "floor"), begin=False)
        ledger.turns.note_end()  # as whoever sweeps next
        sweep(folder, experiment, 1, Random(0))
        assert ends(folder, experiment) == ends(tmp_path / "whole", experiment)
        assert replay(folder, FAMILIES).difference is None


def test_an_extended_search_has_not_ended_until_it_is_enough_again(tmp_path: Path) -> None:
    experiment = study(0.05)
    sweep(tmp_path, experiment, 2, Random(0))
    spaces = spaces_of(tmp_path, "a", "b", "floor")
    ledger_of(tmp_path, experiment, spaces, begin=False).turns.extend(60)
    assert ends(tmp_path, experiment) == [None, None]
    sweep(tmp_path, experiment, 2, Random(1))
    a, b, _ = trials_a_family(tmp_path, experiment)
    assert ends(tmp_path, experiment) == [EarlyEnd(trials=a, budget=74)] * 2
    assert a == b < 74
    assert replay(tmp_path, FAMILIES).difference is None


@pytest.mark.parametrize("repeatable", [False, True])
def test_with_limits_it_is_judged_by_what_was_trained_and_ends_alike(
    tmp_path: Path, repeatable: bool
) -> None:
    experiment = study(0.05, repeatable=repeatable, limits={"parameters": 450})
    sweep(tmp_path, experiment, 3, Random(0), deaths=3)
    found = rows(tmp_path, experiment)
    trained = [row for row in found if row.state != "refused"]
    a, b = (sum(row.family == name for row in trained) for name in ("a", "b"))
    assert len(trained) < len(found)
    assert FEWEST <= a == b < 14
    assert ends(tmp_path, experiment) == [EarlyEnd(trials=a, budget=14)] * 2
    assert replay(tmp_path, FAMILIES).difference is None


def trial(number: int, *values: float, state: str = "COMPLETE", **attrs: object) -> FrozenTrial:
    return create_trial(
        state=TrialState[state],
        value=max(values, default=0.0) if state == "COMPLETE" else None,
        user_attrs={"number": number, **attrs},
        intermediate_values=dict(enumerate(values, 1)),
    )


def test_trials_count_from_the_first_as_far_as_all_have_ended_without_the_refused() -> None:
    refused = trial(1, state="PRUNED", refused={"parameters": 10})
    by_end = [trial(4, 0.4), trial(2, 0.2, state="PRUNED"), trial(0, 0.1), refused]
    running = trial(3, 0.9, state="RUNNING")
    assert [t.user_attrs["number"] for t in trained([*by_end, running])] == [0, 2]
    failed = trial(3, state="FAIL")
    assert [t.user_attrs["number"] for t in trained([*by_end, failed])] == [0, 2, 3, 4]
    assert trained([running]) == []
    assert trained([trial(1, 0.1)]) == []


def family(*goodness: float, sign: float = 1.0) -> list[FrozenTrial]:
    """Each reached that in its second of three epochs; every third one was stopped then."""
    return [
        trial(n, sign * 0.0, sign * g, state="PRUNED")
        if n % 3 == 2
        else trial(n, sign * 0.0, sign * g, sign * 0.01)
        for n, g in enumerate(goodness)
    ]


STEEP, FLAT = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9), (0.5, 0.51, 0.5, 0.49, 0.5, 0.5)


@pytest.mark.parametrize("less_is_better", [False, True])
def test_it_is_enough_once_no_family_has_a_gain_to_expect_by_what_all_have_run(
    less_is_better: bool,
) -> None:
    metric = Metric(name="log_loss" if less_is_better else "ndcg")
    sign = -1.0 if less_is_better else 1.0
    steep, flat, longer = (family(*values, sign=sign) for values in (STEEP, FLAT, (*FLAT, *STEEP)))

    def enough(*families: list[FrozenTrial], trials: int = 12, below: float = 0.05) -> bool:
        return is_enough(dict(enumerate(families)), trials, below, metric)  # type: ignore[arg-type]

    assert chance_of_gain(FLAT, 12 - 6, 0.05) <= LIMIT < chance_of_gain(STEEP, 12 - 6, 0.05)
    assert [enough(flat), enough(steep), enough(flat, steep)] == [True, False, False]
    assert enough(steep, trials=6)  # none is left
    assert not enough(flat, flat[:5])  # as far as all have run there are too few
    assert enough(flat, longer, trials=24)  # what comes after the sixth has no say
    below = next(b / 1000 for b in range(1, 100) if chance_of_gain(FLAT, 6, b / 1000) <= LIMIT)
    assert [enough(flat, below=below), enough(flat, below=below - 0.001)] == [True, False]


def test_who_has_no_score_is_no_witness_but_uses_its_turn() -> None:
    failed = [trial(0, state="FAIL"), *family(*FLAT)[1:]]
    assert len(trained(failed)) == 6
    assert not is_enough({"a": failed}, 12, 0.05, Metric())  # five scores are too few
    more = [*failed, trial(6, 0.5)]
    assert is_enough({"a": more}, 12, 0.05, Metric())


def test_an_early_end_is_marked_once_and_forgotten_by_a_larger_budget(
    tmp_path: Path,
) -> None:
    found = optuna.create_study()
    experiment = study(0.05)
    assert marked_end(found, experiment) is None
    mark_end(found, EarlyEnd(trials=7, budget=14))
    assert found.user_attrs["enough"] == {"trials": 7, "budget": 14}
    assert marked_end(found, experiment) == EarlyEnd(7, 14)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(found, "set_user_attr", lambda *_: pytest.fail("it is marked already"))
        mark_end(found, EarlyEnd(trials=7, budget=14))
    found.set_user_attr("extra_trials", 2)
    assert trials_of_budget(experiment, found) == 16
    assert marked_end(found, experiment) is None
    mark_end(found, EarlyEnd(trials=9, budget=16))
    assert marked_end(found, experiment) == EarlyEnd(9, 16)


def test_the_budget_of_trials_has_what_was_added_and_seconds_have_none() -> None:
    found = optuna.create_study()
    assert trials_of_budget(study(0.05), found) == 14
    found.set_user_attr("extra_trials", 3)
    assert trials_of_budget(study(0.05), found) == 17
    assert trials_of_budget(experiment_of(budget={"seconds": 5}), found) is None
