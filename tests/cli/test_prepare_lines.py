from pathlib import Path

import pytest
from worlds import experiment_of

from recsweep.cli.prepare_lines import caveats, summary_lines
from recsweep.config.schema import Experiment
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare
from recsweep.data.types import Labels
from recsweep.tasks.folds import development_folds
from recsweep.tasks.support import fold_support

KINDS = {"view": "browse", "buy": "purchase"}


def rows(courses: int = 5) -> list[str]:
    """Six learners look at a course an hour; every other look is followed by a purchase."""
    seen = [
        (f"u{n % 6}", f"c{n % courses}", f"2024-03-{1 + n // 4:02} {8 + n % 4:02}:00", kind)
        for n in range(80)
        for kind in (("view", "buy") if n % 2 else ("view",))
    ]
    return [",".join(row) for row in seen]


def prepared(root: Path, log: list[str], **changes: object) -> tuple[dict[str, str], list[str]]:
    """The summary as a dictionary, and the caveats."""
    experiment = experiment_in(root, log, **changes)
    dataset = prepare(experiment, root)
    manifest = read_manifest(dataset.folder)
    support = fold_support(dataset, experiment)
    return dict(summary_lines(manifest, dataset.development, support)), caveats(manifest)


def experiment_in(root: Path, log: list[str], **changes: object) -> Experiment:
    path = root / "log.csv"
    path.write_text("\n".join(["user,item,time,kind", *log]) + "\n")
    table = {
        "path": str(path),
        **{"user": "user", "item": "item", "time": "time", "time_format": "iso"},
        "timezone": "Asia/Shanghai",
        "type": {"column": "kind", "values": KINDS},
    }
    tables = changes.pop("tables", {})
    data = {"name": "small", "events": [table], **tables}  # type: ignore[dict-item]
    folds = {"count": 2, "validation": 0.2, "test": 0.2}
    return experiment_of(data=data, folds=folds, targets={"seen": "keep"}, **changes)


def test_it_says_which_rules_took_something_out(tmp_path: Path) -> None:
    nobody = ",c1,2024-03-01 08:00,view"
    lines, _ = prepared(tmp_path, [*rows(), "u1,c1,2024-03-01 08:00,ad", nobody, rows()[0]])
    assert lines["  dropped: event type not in the mapping"] == "1"
    assert lines["    such as 'ad'"] == "1"
    assert lines["dropped: same learner, course, time, type"] == "1"
    assert lines["  dropped: no learner id"] == "1"
    assert "  dropped: no course id" not in lines


def test_it_says_the_span_and_zone_of_times_and_the_share_of_equal_instants(tmp_path: Path) -> None:
    lines, _ = prepared(tmp_path, rows())
    assert lines["times"] == (
        "2024-03-01T00:00 to 2024-03-20T03:00 UTC, 19 days; read as Asia/Shanghai where no zone "
        "is written"
    )
    # Of three rows of two looks, a look and its purchase share their instant.
    assert lines["equal instants"].startswith("66.7% of events")


def test_it_counts_events_targets_and_learners_by_type(tmp_path: Path) -> None:
    lines, _ = prepared(tmp_path, rows())
    assert lines["development"].startswith("96 events, 6 learners, 5 courses, 2024-03-01 to")
    assert lines["  fold0"].startswith("trains on 48 events before 2024-03-09T00:00")
    assert lines["    window"] == "24 events (0 of new learners, 0 on new courses)"
    assert lines["    targets"].startswith("browse 16 of 6 learners")
    assert "user" not in " ".join([*lines, *lines.values()])


@pytest.mark.parametrize("which", ["all", "first"])
@pytest.mark.parametrize("seen", ["keep", "drop"])
def test_its_targets_are_those_that_trials_are_scored_on(
    which: str, seen: str, tmp_path: Path
) -> None:
    experiment = experiment_in(tmp_path, rows())
    targets = {"which": which, "seen": seen, "types": ["browse", "purchase"]}
    experiment = experiment_of(**{**experiment.model_dump(), "targets": targets})
    if seen == "drop":
        experiment = experiment_of(
            **{**experiment.model_dump(), "folds": {"count": 1, "validation": 0.5, "test": 0.2}}
        )
    dataset = prepare(experiment, tmp_path)
    found = fold_support(dataset, experiment)
    folds = development_folds(dataset, experiment)
    assert [fold.counts for fold in found] == [fold.validation.counts for fold in folds]
    totals = [sum(n for n, _ in fold.targets.values()) for fold in found]
    assert totals == [len(fold.validation) for fold in folds]
    assert min(totals) > 0


def test_for_purchases_it_counts_examples_and_purchases(tmp_path: Path) -> None:
    experiment = experiment_in(tmp_path, rows(courses=37))
    keys = experiment.model_dump(exclude={"targets", "metric"})
    experiment = experiment_of(
        **{**keys, "task": "purchase", "purchase": {"window_days": 0.5}, "families": {"gru": "x"}}
    )
    dataset = prepare(experiment, tmp_path)
    found = fold_support(dataset, experiment)
    folds = development_folds(dataset, experiment)
    for support, fold in zip(found, folds, strict=True):
        labels = fold.validation.labels
        assert isinstance(labels, Labels)
        assert support.counts["purchases"] == labels.bought.sum() > 0
        assert support.targets == {"browse": (len(labels.bought), len(fold.validation.histories))}


def test_times_that_are_still_to_come_and_odd_ids_get_a_loud_line(tmp_path: Path) -> None:
    later = [*rows(), "u1 ,c1,2099-12-31 12:00,view"]
    ids, times = prepared(tmp_path, later)[1]
    assert ids.startswith("1 learners have the id of another but for spaces around them")
    assert times.startswith("The log's last event is of 2099-12-31, and that is still to come")


def test_a_table_that_does_not_say_since_when_it_is_known_gets_a_loud_line(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text("id,rating\n" + "".join(f"c{n},{n}\n" for n in range(5)))
    table = {"path": str(tmp_path / "courses.csv"), "key": "id", "numeric": ["rating"]}
    _, loud = prepared(tmp_path, rows(), tables={"items": table})
    assert len(loud) == 1
    assert loud[0].startswith("Table of courses: neither valid_from nor immutable")
    _, silent = prepared(tmp_path, rows(), tables={"items": {**table, "immutable": True}})
    assert silent == []
