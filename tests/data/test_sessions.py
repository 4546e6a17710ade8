from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from worlds import experiment_of

from recsweep.config.schema import Experiment, Folds, SessionTable
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.sessions import Sessions, read_sessions, split
from recsweep.data.types import BOUGHT, KINDS, Dataset, Labels
from recsweep.errors import BadInput
from recsweep.tasks.folds import development_folds

NEXT_ITEM = {"task": "next_item", "metric": {"name": "ndcg"}, "purchase": None}
HEADER = "pages,region,bought"


def sessions(n: int = 200, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        f"{rng.integers(1000)},r{rng.integers(3)},{'TRUE' if rng.random() < 0.2 else 'FALSE'}"
        for _ in range(n)
    ]


def experiment_on(path: Path, missing: Sequence[str] = ("",), **changes: object) -> Experiment:
    table = {
        "missing": list(missing),
        "path": str(path),
        "label": "bought",
        "positive": ["TRUE"],
        "numeric": ["pages"],
        "categorical": ["region"],
    }
    return experiment_of(
        task="purchase",
        data={"name": "shop", "sessions": table},
        folds={"rule": "stratified", "count": 4, "test": 0.2},
        **changes,
    )


def prepared(rows: list[str], root: Path, name: str = "sessions.csv") -> Dataset:
    path = root / name
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return prepare(experiment_on(path), root)


def test_exact_duplicates_are_dropped_before_splitting_and_counted(tmp_path: Path) -> None:
    rows = list(dict.fromkeys(sessions()))
    dataset = prepared([*rows, *rows[:25]], tmp_path)
    manifest = read_manifest(dataset.folder)
    assert manifest.duplicates == 25
    assert manifest.development.events + manifest.sealed_test.events == len(rows)


def test_the_order_of_rows_has_no_say(tmp_path: Path) -> None:
    rows = sessions()
    turned = prepared(rows[::-1], tmp_path, "turned.csv")
    assert prepared(rows, tmp_path).fingerprint == turned.fingerprint


def test_rows_without_a_label_are_dropped_and_counted(tmp_path: Path) -> None:
    dataset = prepared([*sessions(), "5,r1,"], tmp_path)
    (rows,) = read_manifest(dataset.folder).cleaning
    assert rows.dropped == {"no label": 1}


@pytest.mark.parametrize("word", ["NA", " NA ", "unknown", ""])
def test_a_label_that_is_missing_is_no_answer(word: str, tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("\n".join([HEADER, *sessions(), *[f"{n},r1,{word}" for n in range(30)]]) + "\n")
    dataset = prepare(experiment_on(path, missing=["", "NA", "unknown"]), tmp_path)
    manifest = read_manifest(dataset.folder)
    assert manifest.cleaning[0].dropped == {"no label": 30}
    assert manifest.development.events + manifest.sealed_test.events + manifest.duplicates == 200


def test_a_label_with_spaces_around_it_is_the_label(tmp_path: Path) -> None:
    rows = sessions()
    spaced = prepared([row.replace("TRUE", " TRUE ") for row in rows], tmp_path, "spaced.csv")
    assert spaced.fingerprint == prepared(rows, tmp_path).fingerprint


@pytest.mark.parametrize("other", ["true", "True", " tRUE "])
def test_a_yes_in_another_spelling_is_not_taken_for_a_no(other: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"bought is '{other.strip()}' in 2 rows, and 'TRUE' in po"):
        prepared([*sessions(), f"1,r1,{other}", f"2,r1,{other}"], tmp_path)


def test_the_labels_that_say_no_are_counted(tmp_path: Path) -> None:
    rows = [*sessions(), *(f"{n},r1,{'abcdef'[n % 6]}" for n in range(11)), "1,r1,", "1,r1,yes"]
    found = read_manifest(prepared(rows, tmp_path).folder).cleaning[0].negative
    assert list(found) == ["FALSE", "a", "b", "c", "d"]
    assert list(found.values())[1:] == [2, 2, 2, 2]


@pytest.mark.parametrize("extra", ["session_id", "started", "device"])
def test_sessions_that_agree_in_what_is_declared_alone_all_stay(extra: str, tmp_path: Path) -> None:
    rows = [row for row in sessions(60) for _ in range(10)]
    path = tmp_path / "sessions.csv"
    lines = [f"{n},{row}" for n, row in enumerate(rows)]
    path.write_text("\n".join([f"{extra},{HEADER}", *lines, *lines[:5]]) + "\n")
    dataset = prepare(experiment_on(path), tmp_path)
    manifest = read_manifest(dataset.folder)
    assert manifest.duplicates == 5
    assert manifest.development.events + manifest.sealed_test.events == 600
    bought = manifest.development.types["purchase"] + manifest.sealed_test.types["purchase"]
    assert bought == sum(row.endswith("TRUE") for row in rows)


def test_their_order_in_the_file_has_no_say_either(tmp_path: Path) -> None:
    rows = [f"{n},{row}" for n, row in enumerate(sessions(60) * 5)]
    found = []
    for name, order in (("one", rows), ("other", rows[::-1])):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join([f"session_id,{HEADER}", *order]) + "\n")
        found.append(prepare(experiment_on(path), tmp_path).fingerprint)
    assert found[0] == found[1]


def test_every_part_has_the_same_share_of_purchases() -> None:
    bought = np.random.default_rng(0).random(1000) < 0.15
    part = split(bought, Folds(rule="stratified", count=5, test=0.1))
    shares = [bought[part == p].mean() for p in range(6)]
    assert np.ptp(shares) < 0.02
    assert np.bincount(part).tolist()[-1] == 100


def test_a_fold_learns_from_all_others_and_from_nothing_of_its_own(tmp_path: Path) -> None:
    dataset = prepared(sessions(), tmp_path)
    experiment = experiment_on(tmp_path / "sessions.csv")
    folds = development_folds(dataset, experiment)
    assert len(folds) == 4
    scored = [set(fold.validation.histories.user.tolist()) for fold in folds]
    for fold, own in zip(folds, scored, strict=True):
        learned = set(fold.training.sequences.user.tolist())
        assert not learned & own
        assert learned | own == set(range(dataset.n_users))
    assert sum(map(len, scored)) == len(set().union(*scored)) == dataset.n_users


def test_the_label_is_the_answer_and_no_input(tmp_path: Path) -> None:
    dataset = prepared(sessions(), tmp_path)
    (fold, *_) = development_folds(dataset, experiment_on(tmp_path / "sessions.csv"))
    labels = fold.validation.labels
    assert isinstance(labels, Labels)
    assert set(labels.columns) == {"pages", "region"}
    assert labels.bought.sum() == fold.validation.counts["purchases"] > 0
    for targets in (fold.validation, fold.training.examples):
        assert targets is not None
        assert targets.kind is None  # by which examples may be weighed


def test_a_label_that_is_never_positive_is_refused(tmp_path: Path) -> None:
    rows = [row.replace("TRUE", "yes") for row in sessions()]
    with pytest.raises(BadInput, match="0 distinct rows whose label says yes are too few"):
        prepared(rows, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": {"rule": "time"}}, "use folds.rule: stratified"),
        (NEXT_ITEM, "data.sessions is for task: purchase"),
        ({"metric": {"name": "ndcg"}}, "is not a metric of task purchase"),
        ({"metric": {"name": "log_loss", "k": 5}}, "leave out k"),
        ({"targets": {"seen": "keep"}}, "targets is for task: next_item"),
        ({"features": ["event.gap"]}, "task purchase always uses event.gap; leave it out"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    raw = experiment_on(tmp_path / "x.csv").model_dump(mode="json")
    with pytest.raises(ValueError, match=message):
        Experiment.model_validate({**raw, **changes})


def test_numbers_of_sessions_may_be_written_with_a_decimal_comma(tmp_path: Path) -> None:
    path = tmp_path / "sessions.csv"
    rows = [row.replace(",", ";") for row in sessions()]
    path.write_text("\n".join([HEADER.replace(",", ";"), "1,5;r0;TRUE", *rows]) + "\n")
    experiment = experiment_on(path)
    data = experiment.data.model_dump(exclude_defaults=True)
    data["sessions"] |= {"separator": ";", "decimal": ","}
    dataset = prepare(experiment_of(**{**experiment.model_dump(), "data": data}), tmp_path)
    numbers = [
        pl.read_parquet(dataset.folder / f"{name}.parquet") for name in ("users", "sealed_users")
    ]
    assert 1.5 in pl.concat(numbers)["pages"]


def treated_table(root: Path, rows: Sequence[str], **keys: object) -> Dataset:
    path = root / "treated.csv"
    path.write_text("\n".join(["pages,bought,group,chance", *rows]) + "\n")
    treatment = {"column": "group", "treated": ["mail"], "control": ["none"], **keys}
    table = {"path": str(path), "label": "bought", "positive": ["1"], "numeric": ["pages"]}
    asked = experiment_of(
        task="uplift",
        data={"name": "mail", "sessions": {**table, "treatment": treatment, "duplicates": "keep"}},
        folds={"rule": "stratified", "count": 3, "test": 0.25},
    )
    return prepare(asked, root)


def mailed(n: int = 240) -> list[str]:
    """Few different rows; every third is of nobody's experiment."""
    groups = ("mail", "none", "letter")
    return [f"{n % 4},{int(n % 5 == 0)},{groups[n % 3]},0.{n % 8 + 1}" for n in range(n)]


def test_rows_that_agree_are_kept_where_they_are_different_ones(tmp_path: Path) -> None:
    dataset = treated_table(tmp_path, mailed())
    manifest = read_manifest(dataset.folder)
    assert manifest.duplicates == 0
    assert manifest.cleaning[0].dropped == {"no label": 0, "no treatment": 80}
    assert manifest.development.events + manifest.sealed_test.events == 160


def test_parts_have_the_same_share_of_the_treated_who_said_yes(tmp_path: Path) -> None:
    events = treated_table(tmp_path, mailed()).development
    assert events.treated is not None
    assert events.propensity is None
    yes = (events.kind == BOUGHT) & (events.treated == 1)
    of_parts = [int(yes[events.time == part].sum()) for part in range(3)]
    assert max(of_parts) - min(of_parts) <= 1


def test_a_propensity_is_kept_with_its_row(tmp_path: Path) -> None:
    dataset = treated_table(tmp_path, mailed(), propensity="chance")
    events = unseal(dataset).development
    rows = [row.split(",") for row in mailed() if "letter" not in row]
    expected = sorted((int(group == "mail"), float(chance)) for *_, group, chance in rows)
    assert events.treated is not None
    assert events.propensity is not None
    found = sorted(zip(events.treated.tolist(), events.propensity.tolist(), strict=True))
    assert found == expected


@pytest.mark.parametrize("chance", ["0", "1", "often", ""])
def test_a_propensity_that_is_none_is_named_with_its_row(chance: str, tmp_path: Path) -> None:
    rows = [*mailed(), f"1,0,mail,{chance}"]
    with pytest.raises(BadInput, match=r"row 241: chance is .* a probability of treatment above 0"):
        treated_table(tmp_path, rows, propensity="chance")


def test_a_treated_in_another_spelling_is_no_control(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="group is 'Mail' in 1 rows, and 'mail' in treated or contr"):
        treated_table(tmp_path, [*mailed(), "1,0,Mail,0.5"])


def test_a_treatment_is_for_the_task_that_asks_about_it(tmp_path: Path) -> None:
    table = {"path": "x", "label": "y", "positive": ["1"], "numeric": ["n"]}
    folds = {"rule": "stratified", "count": 3}
    with pytest.raises(ValueError, match="task uplift needs treatment, who was treated, in data"):
        experiment_of(task="uplift", data={"name": "x", "sessions": table}, folds=folds)
    treated = {**table, "treatment": {"column": "g", "treated": ["a"]}}
    with pytest.raises(ValueError, match="treatment is for task: uplift; leave it out"):
        experiment_of(task="purchase", data={"name": "x", "sessions": treated}, folds=folds)
    known = {**treated, "numeric": ["n", "g"]}
    with pytest.raises(ValueError, match="'g' is of the treatment"):
        experiment_of(task="uplift", data={"name": "x", "sessions": known}, folds=folds)


@pytest.mark.parametrize("missing", ["", "NA"])
def test_a_mark_in_label_or_arm_that_nobody_declared_is_pointed_out(
    tmp_path: Path, missing: str
) -> None:
    rows = [f"{n},{n % 7},r,{('TRUE', 'FALSE', 'NA')[n % 3]},{'tcctN'[n % 5]}" for n in range(400)]
    path = tmp_path / "sessions.csv"
    text = "\n".join(["id,pages,region,bought,arm", *rows]).replace(",N\n", ",NA\n")
    path.write_text(text + "\n")
    plain = experiment_on(path, missing=["", missing]).model_dump()
    plain["data"]["sessions"]["treatment"] = {"column": "arm", "treated": ["t"]}
    dataset = prepare(
        experiment_of(task="uplift", data=plain["data"], folds=plain["folds"]), tmp_path
    )
    odd = read_manifest(dataset.folder).odd_values
    assert [line.split(" holds ")[0] for line in odd] == (
        [] if missing else ["Column 'bought'", "Column 'arm'"]
    )


TWO = Folds(rule="stratified", count=2, test=0.25)


def read(folder: Path, rows: Sequence[str], header: str = HEADER, **keys: object) -> Sessions:
    path = folder / "sessions.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    table = {"path": "raw.csv", "label": "bought", "positive": ["TRUE"], "numeric": ["pages"],
             "categorical": ["region"], **keys}  # fmt: skip
    return read_sessions(SessionTable.model_validate(table), path, TWO)


def test_a_session_is_a_learner_with_one_event_in_the_order_of_its_content(
    tmp_path: Path,
) -> None:
    """Twelve say no and eight say yes; of each kind a quarter is the test's. One region lacks."""
    rows = [f"{n},{'' if n == 3 else 'r'},{str(n >= 12).upper()}" for n in range(20)]
    found = read(tmp_path, rows[::-1])
    events, features = found.indexed.events, found.features
    assert events.user.tolist() == [*range(20)]
    assert set(events.item) == {0}
    assert events.time.tolist() == sorted(events.time)
    yes = events.kind == BOUGHT
    assert {KINDS[kind] for kind in events.kind} == {"browse", "purchase"}
    assert np.bincount(events.time[yes]).tolist() == [3, 3, 2]
    assert np.bincount(events.time[~yes]).tolist() == [5, 4, 3]
    assert features.columns == ["_id", "_label", "region", "pages"]
    assert features["_id"].to_list() == [f"session {n + 1}" for n in range(20)]
    assert features["_label"].to_list() == [None] * 20
    assert set(features["pages"].to_numpy()[yes]) == {*range(12, 20)}
    of_part = events.time[~yes][features["pages"].to_numpy()[~yes] == 3].item()
    same = features.filter(pl.Series(~yes & (events.time == of_part)))
    assert same["region"].to_list() == ["r"] * (len(same) - 1) + [None]
    assert same["pages"][:-1].is_sorted()
    assert found.indexed.users.to_list() == features["_id"].to_list()
    assert found.indexed.items.to_list() == ["session"]
    assert (found.cuts.validation, found.cuts.test) == (((0, 1), (1, 2)), (2, 3))
    assert (events.treated, events.propensity) == (None, None)


def test_every_row_of_a_table_of_sessions_is_counted_where_it_went(tmp_path: Path) -> None:
    groups = ("mail", "none", "letter")
    rows = [f"{n},r,{str(n % 2 == 0).upper()},{groups[n % 3]}" for n in range(60)]
    rows += [rows[0], rows[1], "99,r,,mail", "98,r,,letter", "97,r,TRUE,letter"]
    treatment = {"column": "arm", "treated": ["mail"], "control": ["none"]}
    found = read(tmp_path, rows, f"{HEADER},arm", treatment=treatment)
    assert found.rows.path == "raw.csv"
    assert (found.rows.rows, found.rows.kept) == (65, 42)
    assert found.rows.dropped == {"no label": 2, "no treatment": 21}
    assert (found.indexed.duplicates, len(found.features)) == (2, 40)
    assert found.rows.negative == {"FALSE": 31}
    events = found.indexed.events
    assert events.treated is not None
    for part in range(3):
        for treated in (0, 1):
            yes = (events.kind == BOUGHT)[(events.time == part) & (events.treated == treated)]
            assert yes.sum() * 2 in (len(yes), len(yes) - 1, len(yes) + 1)
    untold = read(tmp_path, rows, f"{HEADER},arm")
    assert untold.rows.dropped == {"no label": 2}
    assert (untold.rows.kept, untold.indexed.duplicates) == (63, 2)
    whole = read(tmp_path, rows, f"{HEADER},arm", treatment=treatment, duplicates="keep")
    assert (whole.indexed.duplicates, len(whole.features)) == (0, 42)


def test_of_labels_that_say_no_the_five_most_frequent_are_told_in_order(tmp_path: Path) -> None:
    said = [*"aaaaaa", *"ccccc", *"bbbbb", *"dddd", *"eee", *"ff", *["TRUE"] * 8]
    found = read(tmp_path, [f"{n},r,{word}" for n, word in enumerate(said)])
    assert list(found.rows.negative.items()) == [("a", 6), ("b", 5), ("c", 5), ("d", 4), ("e", 3)]


NO, YES = [False] * 9, [True] * 9
MAIL, NONE = [1.0] * 9, [0.0] * 9


@pytest.mark.parametrize(
    ("bought", "treated", "told"),
    [
        (YES, None, "0 distinct rows whose label says no"),
        (NO, None, "0 distinct rows whose label says yes"),
        ([*NO, True, True, True], None, "3 distinct rows whose label says yes"),
        ([*NO, *YES], [*MAIL, *NONE], "0 distinct treated rows whose label says yes"),
        ([*NO, *YES], MAIL * 2, "0 distinct untreated rows whose label says no"),
        ([*NO, *YES], NONE * 2, "0 distinct treated rows whose label says no"),
        ([*NO, *YES, *NO], [*MAIL, *MAIL, *NONE], "0 distinct untreated rows whose label says yes"),
        ([*NO, *YES, False, *YES], [*MAIL, *MAIL, 0.0, *NONE],
         "1 distinct untreated rows whose label says no"),
    ],
)  # fmt: skip
def test_an_answer_of_too_few_rows_is_named_with_who_gave_it(
    bought: list[bool], treated: list[float] | None, told: str
) -> None:
    arms = None if treated is None else np.array(treated, np.float32)
    with pytest.raises(BadInput, match=f"^log.csv: {told} are too few for 2 folds") as caught:
        split(np.array(bought), TWO, Path("log.csv"), arms)
    assert ("treated and control" in str(caught.value)) == (treated is not None)


def test_parts_have_the_same_share_of_both_answers_of_both_arms() -> None:
    bought, treated = np.array([*NO, *YES] * 2), np.array([*MAIL * 2, *NONE * 2], np.float32)
    part = split(bought, TWO, treated=treated)
    for answer in (False, True):
        for arm in (0, 1):
            of = part[(bought == answer) & (treated == arm)]
            assert np.bincount(of).tolist() == [4, 3, 2]
