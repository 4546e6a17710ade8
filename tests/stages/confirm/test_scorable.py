"""A sealed test that would say nothing, told before anything is searched or booked."""

from pathlib import Path

import pytest
from worlds import experiment_of

from recsweep.cli import steps
from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.errors import BadInput
from recsweep.records.openings import read_openings
from recsweep.stages.confirm.scorable import check_test
from recsweep.stages.confirm.stage import open_test

DAY = 86_400
TEST_FROM = 80
Rows = list[tuple[str, str, int, str]]  # user, item, day, kind


def experiment_on(rows: Rows, root: Path, **changes: object) -> Experiment:
    path = root / "log.csv"
    lines = [f"{u},{i},{1_600_000_000 + t * DAY},{k}" for u, i, t, k in rows]
    path.write_text("\n".join(["user,item,time,kind", *lines]) + "\n")
    types = {"column": "kind", "values": {"view": "browse", "buy": "purchase"}}
    table = {"path": str(path), "user": "user", "item": "item", "time": "time", "type": types}
    folds = {"count": 1, "validation": 0.2, "test": 0.2}
    data = {"name": "small", "events": [table]}
    return experiment_of(data=data, folds=folds, **changes)


def log(test: Rows) -> Rows:
    """Eighty days of four learners who see something new every time, then the test."""
    early = [(f"u{t % 4}", f"c{t // 4}", t, "buy" if t % 3 == 0 else "view") for t in range(80)]
    return early + test


def days(rows: list[tuple[str, str, str]]) -> Rows:
    return [(u, i, TEST_FROM + n, k) for n, (u, i, k) in enumerate(rows)]


REPEATS = log(days([(f"u{n % 4}", f"c{n % 5}", "view") for n in range(20)]))
STRANGERS = log(days([(f"new{n}", f"c{n % 5}", "view") for n in range(20)]))
ONE_LEARNER = log(days([("u1", f"later{n}", "view") for n in range(20)]))
TWO_LEARNERS = log(days([(f"u{n % 2}", f"later{n}", "view") for n in range(20)]))
ALL_WELL = log(days([(f"u{n % 4}", f"later{n}", "view") for n in range(20)]))


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        (REPEATS, {}, r"\(20 in the window.*20 course already in the history.*seen: keep"),
        (STRANGERS, {}, r"20 empty history.*raise folds\.test, so that learners have a history"),
        (ONE_LEARNER, {}, r"all of its targets are of one learner.*raise folds\.test"),
        (ALL_WELL, {"targets": {"types": ["favourite"]}}, r"0 in the window.*"),
    ],
)
def test_a_test_with_nothing_to_score_is_refused_with_the_right_key(
    rows: Rows, changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    experiment = experiment_on(rows, tmp_path, **changes)
    dataset = prepare(experiment, tmp_path)
    with pytest.raises(BadInput, match=f"^sealed test: .*{message}"):
        check_test(dataset, experiment)
    with pytest.raises(BadInput, match=r"^sealed test: "):
        open_test(tmp_path, "confirm", dataset, experiment, {})
    assert read_openings(tmp_path) == ()


def test_where_each_learner_has_one_moment_sealed_more_learners_are_asked_for(
    tmp_path: Path,
) -> None:
    rows = [("u0", f"c{t}", t, "view") for t in range(3)]
    rows += [(f"u{n}", f"c{n}", 3, "view") for n in range(1, 4)]  # of whom nothing is known before
    experiment = experiment_on(rows, tmp_path)
    folds = {"rule": "leave_one_out", "count": 1}
    raw = experiment.model_dump(mode="json", exclude_unset=True) | {"folds": folds}
    experiment = Experiment.model_validate(raw)
    dataset = prepare(experiment, tmp_path)
    with pytest.raises(BadInput, match=r"are of one learner.*; more learners need a history$"):
        check_test(dataset, experiment)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ("view", "of 16 examples in its window 0 are purchases, and both answers are needed"),
        ("buy", "of 3 examples in its window 0 are purchases"),
    ],
)
def test_a_test_with_one_answer_is_refused(kinds: str, message: str, tmp_path: Path) -> None:
    bought = [(f"u{t % 4}", f"c{t // 4}", t + 1, "buy") for t in range(1, 60, 3)]
    rows = log(bought + days([(f"u{n % 4}", f"later{n}", kinds) for n in range(20)]))
    experiment = experiment_on(rows, tmp_path, task="purchase")
    dataset = prepare(experiment, tmp_path)
    with pytest.raises(BadInput, match=rf"^sealed test: {message}.*or raise folds\.test"):
        check_test(dataset, experiment)


def test_prepare_says_so_after_what_it_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for quiet in (True, False):
        with pytest.raises(BadInput, match=r"^sealed test: .*targets\.seen: keep"):
            steps.prepare(experiment_on(REPEATS, tmp_path), quiet)
    assert "sealed test" in capsys.readouterr().out
    steps.prepare(experiment_on(REPEATS, tmp_path, targets={"seen": "keep"}), quiet=True)


def test_a_test_with_something_to_score_is_no_word_and_then_booked(tmp_path: Path) -> None:
    experiment = experiment_on(ALL_WELL, tmp_path)
    dataset = prepare(experiment, tmp_path)
    check_test(dataset, experiment)
    assert read_openings(tmp_path) == ()
    test, known = open_test(tmp_path, "confirm", dataset, experiment, {})
    assert (len(test.fold.validation), known) == (20, 4)
    assert len(read_openings(tmp_path)) == 1


def test_two_learners_are_enough(tmp_path: Path) -> None:
    experiment = experiment_on(TWO_LEARNERS, tmp_path)
    check_test(prepare(experiment, tmp_path), experiment)
