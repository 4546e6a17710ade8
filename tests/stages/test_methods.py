"""The tables and sentences of a methods section, from small studies."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ranges import parameter
from reference import REFERENCE, change_verdicts, copied
from studies import study_with, trial_row
from typer.testing import CliRunner
from worlds import experiment_of

from recsweep.cli import app
from recsweep.config.schema import Folds
from recsweep.config.schema.data import DataKind
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.evidence import read_evidence
from recsweep.records.files import write_study
from recsweep.records.study import EarlyEnd
from recsweep.spaces.declared import DeclaredSpace, Widening
from recsweep.stages.methods import (
    _budget,
    _contrasts,
    _counts,
    _data,
    _families,
    _machine,
    _most_trials,
    _range,
    _spaces,
    _split,
    _testing,
    _tuning,
    methods_stage,
)

RATE: dict[str, Any] = {"float": [0.001, 0.1], "log": True, "role": "scientific", "why": "x"}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"float": [0.0, 0.5]}, "[0, 0.5]"),
        (RATE, "[0.001, 0.1], log scale"),
        ({"int": [1, 4]}, "[1, 4], whole numbers"),
        ({"int": [16, 128], "pow2": True}, "[16, 128], powers of two, log scale"),
        ({"int": [10, 50], "step": 10}, "[10, 50], whole numbers, in steps of 10"),
        ({"choice": ["bpr", "gbce"]}, "{bpr, gbce}"),
    ],
)
def test_a_range_is_told_as_it_was_searched(keys: dict[str, Any], text: str) -> None:
    assert _range(parameter(**keys)) == text


def test_a_parameter_that_depends_on_another_says_so() -> None:
    asked = parameter(int=[1, 9], when={"loss": ["bpr"]})
    assert _range(asked) == f"[1, 9], whole numbers, if {asked.condition}"
    assert "bpr" in asked.condition


def test_a_space_has_a_row_for_each_parameter_and_one_that_says_that_nothing_is_tuned() -> None:
    tuned = DeclaredSpace.model_validate(
        {"family": "gru", "defaults": {"rate": 0.01}, "parameters": {"rate": RATE}}
    )
    spaces = {
        "gru": tuned,
        "lstm": DeclaredSpace(family="lstm"),
        "floor": DeclaredSpace(family="popularity"),
    }
    shown = {name: name.upper() for name in spaces}
    columns, rows = _spaces(replace(study_with(), spaces=spaces), shown)
    assert columns == ("family", "hyperparameter", "range")
    assert [*rows] == [
        ("GRU", "`rate`", "[0.001, 0.1], log scale"),
        ("LSTM", "none is tuned", ""),
        ("FLOOR", "none is tuned", "1 epoch"),
    ]


def test_trials_that_were_stopped_or_failed_are_counted_beside_all() -> None:
    study = study_with(
        trial_row(0, (0.1,)),
        trial_row(1, (0.1,), state="pruned"),
        trial_row(2, (0.1,), state="pruned"),
        trial_row(3, (), state="failed"),
        trial_row(4, (), state="refused"),
        trial_row(0, (0.1,), family="lstm"),
    )
    assert _counts(study, "gru") == "4 (2 stopped early, 1 failed)"
    assert _counts(study, "lstm") == "1"
    assert _counts(study, "sasrec") == "0"
    assert _most_trials(study) == 4
    assert _most_trials(study_with()) == experiment_of().budget.trials


def test_a_budget_is_told_in_trials_or_in_the_seconds_that_were_used() -> None:
    trials = experiment_of(budget={"trials": 7, "epochs": 3})
    assert _budget(trials, None) == "7 trials of up to 3 epochs"
    two = study_with(trial_row(0, (0.1,)), trial_row(1, (0.1,)))
    assert _budget(trials, two) == "2 trials of up to 3 epochs"
    assert _budget(trials, study_with(trial_row(0, (0.1,)))) == "1 trial of up to 3 epochs"
    seconds = experiment_of(budget={"seconds": 90, "epochs": 3})
    text = "trials of up to 3 epochs until 90 s of fitting and evaluating were used"
    assert _budget(seconds, None) == text


def test_the_machine_is_told_with_its_gpus_or_that_it_has_none() -> None:
    environment = {
        "recsweep": "1.0", "python": "3.11", "cpu": "CPU", "cores": 8, "threads": 1,
        "packages": {"torch": "2.5", "unheard": "1"}, "code": {"commit": "abc", "changes": "diff"},
    }  # fmt: skip
    told = _machine(environment)
    assert "recsweep 1.0 (commit abc with uncommitted changes), Python 3.11, torch 2.5, on" in told
    assert told.endswith("on CPU (8 cores, 1 threads a process; no GPU).")
    assert "; H200, H200)." in _machine({**environment, "gpus": ["H200", "H200"]})
    clean = {**environment, "code": {"commit": "abc", "changes": None}, "packages": None}
    assert "(commit abc), Python" in _machine(clean)
    assert "(commit unknown), Python" in _machine({**environment, "code": None, "gpus": []})


@pytest.mark.parametrize(
    ("folds", "rows", "told"),
    [
        (
            {"rule": "time", "count": 2, "validation": 0.05, "test": 0.25},
            "events",
            "The log was cut on one clock: the last 25% of events are the sealed test, and before "
            "it lie 2 validation windows of 5% each; a fold trains on everything before its "
            "window.",
        ),
        (
            {"rule": "sessions"},
            "events",
            "The log was cut on one clock: the last 20% of events are the sealed test, and before "
            "it lie 3 validation windows of 10% each; a fold trains on everything before its "
            "window. Histories are single sessions; a session belongs to the period it ends in.",
        ),
        (
            {"rule": "leave_one_out", "count": 4},
            "events",
            "Each learner's last moment is the sealed test, and the moment before it was scored in "
            "one of 4 folds, drawn at random; a fold trains on all other development events, later "
            "ones of other learners included.",
        ),
        (
            {"rule": "learners"},
            "events",
            "A share of 20% of the learners, drawn at random, is the sealed test; the others were "
            "dealt into 3 folds, and a fold trains on the learners of the others, whose later "
            "events are included.",
        ),
        (
            {"rule": "stratified"},
            "sessions",
            "The table has no clock: 3 folds and a sealed test of 20% were drawn at random, with "
            "equal shares of each answer.",
        ),
        (
            {"rule": "group"},
            "texts",
            "Time was not respected: 3 folds and a sealed test of 20% were drawn at random, with "
            "equal shares of each answer, no group in two of them.",
        ),
    ],
)
def test_a_split_is_told_by_its_rule(folds: dict[str, Any], rows: DataKind, told: str) -> None:
    assert " ".join(_split(Folds.model_validate(folds), rows)) == told


def tuning(**changes: object) -> list[str]:
    return [*_tuning(experiment_of(budget={"trials": 1, "epochs": 9}, **changes), None)]


def test_a_search_is_told_with_its_sampler_its_stopping_and_its_selection() -> None:
    assert tuning() == [
        "Every tuned family, the baselines included, had 1 trial of up to 9 epochs on the same "
        "folds with the same seeds, proposed by a tree-structured Parzen estimator (Optuna) after "
        "the first trials that the family's space names, its defaults before others.",
        "Within a family, trials were stopped early by asynchronous successive halving (from epoch "
        "2, one in 3 goes on; the first 4 trials were never stopped).",
        "One configuration a family, and its number of epochs, was selected by the best mean over "
        "folds.",
    ]


@pytest.mark.parametrize(
    ("changes", "at", "told"),
    [
        ({"search": {"sampler": "sobol"}}, 0, "proposed by a scrambled Sobol sequence after"),
        ({"warm_start": ["a", "b"]}, 1, "that earlier studies (a, b) had found, none of which saw"),
        ({"repeatable": True}, 1, "by successive halving, in batches whose trials waited for each"),
        ({"stopping": {"patience": 3}}, 2, "when its last epochs, 3 in a row, were no better"),
        ({"stopping": {"rule": "lag"}}, 1, "behind their family's best by 25%, 10% were stopped"),
        ({"stopping": {"rule": "forecast"}}, 1, "small a chance to end as its family's best (2"),
        (
            {"stopping": {"study": {"when": "expected_gain", "below": 0.01}}},
            2,
            "where no family was likely to gain more than 0.01 by its remaining trials.",
        ),
        (
            {"search": {"goals": ["score", "parameters"]}},
            2,
            "for the front of score against parameters: the sampler was told both, and a trial was",
        ),
        (
            {"limits": {"parameters": 2e6, "p99_ms": 2.5}},
            2,
            "Configurations outside of limits (parameters ≤ 2,000,000, p99_ms ≤ 2.5) were refused",
        ),
        (
            {"selection": {"rule": "one_standard_error"}},
            2,
            "selected by the fewest epochs within one paired standard error of the best.",
        ),
        (
            {"selection": {"rule": "limit", "limits": {"p99_ms": 3}}},
            2,
            "selected by the best mean over folds among configurations inside of p99_ms ≤ 3.",
        ),
        (
            {"selection": {"rule": "knee", "against": "parameters"}},
            2,
            "selected by the knee of the front of score against parameters.",
        ),
    ],
)  # fmt: skip
def test_what_an_experiment_asks_for_is_told_in_its_place(
    changes: dict[str, Any], at: int, told: str
) -> None:
    said = tuning(**changes)
    assert told in said[at]
    more = {"warm_start", "limits"} & changes.keys() or "goals" in changes.get("search", {})
    more = more or {"study", "patience"} & changes.get("stopping", {}).keys()
    assert len(said) == 3 + bool(more)


def test_where_a_search_ended_before_its_budget_is_told() -> None:
    rule = {"stopping": {"study": {"when": "expected_gain", "below": 0.01}}}
    study = replace(study_with(trial_row(0, (0.1,))), early_end=EarlyEnd(trials=7, budget=10))
    said = " ".join(_tuning(experiment_of(**rule), study))
    assert "by its remaining trials; it did after 7 of 10." in said


def test_a_range_that_was_widened_is_told_with_the_trials_that_were_known_by_then() -> None:
    wider = Widening(parameter="window", before=(20, 200), now=(20, 400), trials=5)
    study = replace(study_with(), widened={"gru": (wider,)})
    told = [*_tuning(experiment_of(), study)]
    assert [line for line in told if "widened" in line] == [
        "The range of gru's window was widened from [20, 200] to [20, 400] after 5 of its trials.",
    ]


def test_verdicts_on_an_earlier_selection_are_told_of_no_later_one(tmp_path: Path) -> None:
    folder = copied("default", tmp_path)
    assert "Contrasts on the sealed test:" in methods_stage(folder)
    best = folder / "best" / "gru.yaml"
    best.write_text(re.sub(r"^trial: .*", "trial: gru-0099", best.read_text("utf-8"), flags=re.M))
    assert "Contrasts on the sealed test:" not in methods_stage(folder)


def test_the_seconds_that_families_used_are_told_from_the_least_to_the_most() -> None:
    seconds = experiment_of(budget={"seconds": 90, "epochs": 3}, families=["gru", "lstm"])
    study = study_with(
        trial_row(0, (0.1,), fit_seconds=60.0),
        trial_row(1, (0.1,), fit_seconds=40.0),
        trial_row(0, (0.1,), family="lstm", fit_seconds=95.0),
        experiment=seconds,
    )
    rate = {"parameters": {"rate": RATE}, "defaults": {"rate": 0.01}}
    spaces = {n: DeclaredSpace.model_validate({"family": n, **rate}) for n in ("gru", "lstm")}
    assert _budget(seconds, replace(study, spaces=spaces)) == (
        "trials of up to 3 epochs until 90 s of fitting and evaluating were used (a trial that had "
        "begun by then was finished: 95 to 101 s were used)"
    )
    nothing_tuned = {name: DeclaredSpace(family=name) for name in spaces}
    assert _budget(seconds, replace(study, spaces=nothing_tuned)).endswith("were used")


@pytest.fixture
def sealed() -> Confirmation:
    found = read_confirmation(REFERENCE / "default")
    assert found is not None
    return found


def test_a_test_is_told_with_its_seeds_its_openings_and_its_declared_contrasts(
    sealed: Confirmation,
) -> None:
    pairs = tuple(replace(v, exploratory=n > 2) for n, v in enumerate(sealed.pairs))
    once = sealed.model_copy(update={"pairs": pairs, "openings": sealed.openings[:1]})
    refitted, paired = _testing(experiment_of(confirm={"resamples": 2000}), once)
    assert refitted.endswith("and scored on it; it was opened once.")
    assert "simultaneous over the 3 declared contrasts" in paired
    assert "over 2,000 bootstrap resamples of learners); families count as equivalent" in paired
    again = once.model_copy(update={"openings": once.openings * 3, "repeated": ({}, {})})
    assert "their variance over learners and seeds." in paired
    refitted, repeated, paired = _testing(experiment_of(), again)
    assert refitted.endswith("it was opened 3 times.")
    assert repeated == (
        "The whole search was run 3 times from different seeds, what each selected was refitted as "
        "often, with seeds of its own, and a family counts by the means of its searches."
    )
    assert "their variance over learners and searches." in paired


def test_ends_of_a_front_are_told_beside_what_was_selected(tmp_path: Path) -> None:
    shutil.copytree(REFERENCE / "default", tmp_path / "study")
    evidence = read_evidence(tmp_path / "study")
    found = evidence.confirmation
    assert found is not None
    end = found.families["gru"].model_copy(update={"epochs": 3})
    declared = replace(found.pairs[0], a="gru", b="gru+cheapest", exploratory=False)
    confirmed = found.model_copy(
        update={"families": {**found.families, "gru+cheapest": end}, "pairs": (declared,)}
    )
    path = tmp_path / "study" / "verdicts.json"
    path.write_text(confirmed.model_dump_json(), encoding="utf-8")
    text = methods_stage(tmp_path / "study")
    mean = end.metrics["ndcg@10"].mean
    assert f"\n| GRU+cheapest | network | yes |  | 3 |  | {mean:.4f} [" in text
    assert "\n| GRU | GRU+cheapest | " in text
    *_, ends, _ = _testing(experiment_of(confirm={"front": "parameters"}), confirmed)
    assert "each family's front of score against parameters were refitted as well" in ends
    repeated = confirmed.model_copy(update={"repeated": ({},)})  # ends are of one search
    assert "front" not in " ".join(
        _testing(experiment_of(confirm={"front": "parameters"}), repeated)
    )


def test_declared_contrasts_have_a_row_each_with_their_p_and_what_it_says(
    sealed: Confirmation,
) -> None:
    one = replace(sealed.pairs[0], a="gru", b="lstm", difference=0.01, lower=-0.002, upper=0.022)
    pairs = (
        replace(one, p=0.0009999, outcome="better", exploratory=False),
        replace(one, p=0.001, outcome="worse", exploratory=False),
        replace(one, p=0.5, outcome="no difference shown", exploratory=False),
        replace(one, p=0.25, outcome="equivalent", exploratory=False),
        replace(one, p=0.125, outcome="better", exploratory=True),
    )
    shown = {"gru": "GRU", "lstm": "LSTM"}
    columns, rows = _contrasts(sealed.model_copy(update={"pairs": pairs}), shown)
    assert columns == ("a", "b", "a - b, NDCG@10", "p", "verdict")
    start = ("GRU", "LSTM", "+0.0100 [-0.0020, +0.0220]")
    assert [*rows] == [
        (*start, "< 0.001", "a is better"),
        (*start, "0.001", "b is better"),
        (*start, "0.500", "no significant difference"),
        (*start, "0.250", "equivalent"),
    ]


def test_a_study_that_was_searched_here_adds_its_spaces_and_its_counts(tmp_path: Path) -> None:
    shutil.copytree(REFERENCE / "default" / "best", tmp_path / "best")
    alone = methods_stage(tmp_path)
    assert "Search spaces:" not in alone
    assert "Contrasts" not in alone
    write_study(study_with(trial_row(0, (0.1,)), trial_row(1, (), state="failed")), tmp_path)
    text = methods_stage(tmp_path)
    assert "\n| GRU | network | yes | 2 (1 failed) | " in text
    assert "\n| LSTM | network | yes | 0 | " in text
    assert text.endswith(
        "\n\nSearch spaces:\n\n| family | hyperparameter | range |\n| --- | --- | --- |\n"
        "| GRU | none is tuned |  |"
    )
    assert text.startswith("## Methods\n\nTask `next_item` on the data `")


def test_a_log_without_times_says_which_event_is_the_later_one(
    sealed: Confirmation,
) -> None:
    evidence = read_evidence(REFERENCE / "default")
    says = "The log has no times; of a learner's events, the later row is the later event."
    assert says not in _data(evidence, sealed)
    untimed = experiment_of(
        data={"name": "test", "events": [{"path": "x", "user": "u", "item": "i", "order": "row"}]},
        folds={"rule": "leave_one_out"},
    )
    told = [*_data(replace(evidence, experiment=untimed), None)]
    assert says in told
    assert told[-1] == "Configurations were compared by NDCG@10, a mean over learners."


def test_a_family_has_a_row_with_as_much_as_is_known_of_it() -> None:
    evidence = read_evidence(REFERENCE / "mars")
    confirmation = evidence.confirmation
    assert confirmation is not None
    tested = {n: f for n, f in confirmation.families.items() if n != "popularity"}
    unheard = {"recency": 0.5}  # of a configuration that this version doesn't take
    best = {
        **evidence.best,
        "item_knn": evidence.best["item_knn"].model_copy(update={"config": unheard}),
    }
    changed = replace(
        evidence, best=best, confirmation=confirmation.model_copy(update={"families": tested})
    )
    columns, rows = _families(changed, None, {name: name for name in best})
    assert columns == [
        *("family", "role", "sees order", "trials", "epochs"),
        *("NDCG@10, folds", "NDCG@10, sealed test"),
    ]
    told = {row[0]: row[1:] for row in rows}
    knn, gru, popular = best["item_knn"], best["gru"], best["popularity"]
    means = {name: tested[name].metrics["ndcg@10"] for name in ("gru", "item_knn")}
    scores = {n: f"{e.mean:.4f} [{e.lower:.4f}, {e.upper:.4f}]" for n, e in means.items()}
    assert told["gru"] == (
        *("network", "yes", "", str(gru.epochs), f"{gru.value:.4f}"),
        scores["gru"],
    )
    assert told["item_knn"] == ("floor", "", "", "1", f"{knn.value:.4f}", scores["item_knn"])
    assert told["popularity"] == ("floor", "no", "", "1", f"{popular.value:.4f}", "")


def test_a_methods_section_tells_the_record() -> None:
    folder = REFERENCE / "default"
    confirmation = read_confirmation(folder)
    assert confirmation is not None
    text = methods_stage(folder)
    shown = CliRunner().invoke(app, ["methods", str(folder)])
    assert shown.output.strip() == text
    assert f"{confirmation.learners:,} learners and {confirmation.targets:,} targets" in text
    assert "the baselines included, had 10 trials of up to 16 epochs" in text
    seeds = ", ".join(map(str, confirmation.families["gru"].seeds))
    assert f"with 5 seeds ({seeds})" in text
    shown_as = titles({name: family.kind for name, family in confirmation.families.items()})
    for name, family in confirmation.families.items():
        e = family.metrics["ndcg@10"]
        assert f"{e.mean:.4f} [{e.lower:.4f}, {e.upper:.4f}]" in next(
            line for line in text.splitlines() if line.startswith(f"| {shown_as[name]} |")
        )
    assert text.count("\n| GRU | ") > 2  # its row, and its contrasts
    for row in (
        "GRU | network | yes",
        "GRU without order | control | yes",  # its events fade
        "LSTM without order | control | yes",
        "popularity | floor | no",
    ):
        assert f"\n| {row} | " in text


def test_a_methods_section_tells_what_a_tasks_examples_are() -> None:
    said = "Each text counts once; one that bears two labels was left out."
    assert said in (text := methods_stage(REFERENCE / "text_reviews"))
    assert said not in methods_stage(REFERENCE / "default")
    # There is no history whose order could be seen; a network reads words in theirs.
    assert "sees order" not in text
    assert "\n| GRU | network | " in text


def test_what_a_metric_is_a_mean_over_is_told_and_of_one_that_is_no_mean_nothing() -> None:
    reviews = read_evidence(REFERENCE / "text_reviews")
    data = reviews.experiment.data
    table = data.texts[0].model_copy(update={"group": "customer"})
    grouped = reviews.experiment.model_copy(
        update={"data": data.model_copy(update={"texts": (table,)})}
    )
    assert grouped.data.unit == "groups"
    for experiment in (reviews.experiment, grouped):
        told = [*_data(replace(reviews, experiment=experiment), None)]
        assert told[-1] == "Configurations were compared by log loss, a mean over texts."
    told = [*_data(read_evidence(REFERENCE / "uplift_hillstrom"), None)]
    assert told[-1] == "Configurations were compared by Qini coefficient."


def test_a_methods_section_says_nothing_of_the_order_where_no_code_can_tell(
    tmp_path: Path,
) -> None:
    folder = copied("mars", tmp_path)
    best = folder / "best" / "item_knn.yaml"
    record = yaml.safe_load(best.read_text("utf-8"))
    record["config"]["recency"] = 0.5  # no more, as in records of an earlier version
    best.write_text(yaml.safe_dump(record))
    assert "\n| item neighbours | floor |  | " in methods_stage(folder)


def test_a_methods_section_leaves_the_test_open_of_a_family_that_was_not_confirmed(
    tmp_path: Path,
) -> None:
    def forget(content: dict[str, Any]) -> None:
        del content["families"]["popularity"]
        content["pairs"] = [p for p in content["pairs"] if "popularity" not in (p["a"], p["b"])]

    folder = copied("mars", tmp_path)
    change_verdicts(folder, forget)
    text = methods_stage(folder)
    (row,) = [line for line in text.splitlines() if line.startswith("| popularity | floor |")]
    assert row.endswith(" |  |")


def test_a_methods_section_tells_which_budget_it_was(
    tmp_path: Path,
) -> None:
    folder = copied("default", tmp_path)
    for path in (folder / "best").iterdir():
        record = yaml.safe_load(path.read_text())
        record["experiment"]["budget"] |= {"trials": None, "seconds": 90.0}
        path.write_text(yaml.safe_dump(record))
    text = methods_stage(folder)
    assert "had trials of up to 16 epochs until 90 s of fitting and evaluating were used" in text
