"""A study of the task `uplift` through every stage after the search: a log, and a table."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from searched import search_by_hand

from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.reporting.tasks.registry import report_of, speaker
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage
from recsweep.tasks.uplift.details import UpliftDetails

SPACES = "search_spaces/uplift"
LOGISTIC: dict[str, Value] = {"meta_learner": "t", "inverse_penalty": 0.1}
CONFIGS: dict[str, dict[str, Value]] = {
    "gru": {
        "meta_learner": "t", "depth": 1, "hidden_size": 8, "embedding_size": 8, "dropout": 0.0,
        "bidirectional": False, "learning_rate": 0.02, "weight_decay": 0.01, "batch_size": 8,
    },
    "logistic_regression": LOGISTIC,
    "treat_all": {},
}  # fmt: skip
FIGURES = {"qini", "auuc", "uplift_top_tenth", "policy_value_ips", "policy_value_dr"}


def experiment(data: dict[str, object], *families: str, **changes: object) -> Experiment:
    return Experiment.model_validate(
        {
            "study": "tiny",
            "task": "uplift",
            "data": {"name": "tiny", **data},
            "families": {name: f"{SPACES}/{name}.yaml" for name in families},
            "budget": {"trials": 1, "epochs": 1},
            "stopping": {"grace_epochs": 1},
            "confirm": {"seeds": 2, "resamples": 1000},
            **changes,
        }
    )


def on_log() -> Experiment:
    """Those who are readier to buy are likelier to be treated, and nobody says how likely."""
    log = {
        "path": "simulator:events", "user": "user_id", "item": "item_id", "time": "time",
        "time_format": "unix_ms",
        "type": {"column": "event", "values": {k: k for k in ("browse", "purchase")}},
        "treatment": {"column": "treatment", "treated": ["treated"]},
    }  # fmt: skip
    items = {"path": "simulator:items", "key": "item_id", "immutable": True, "numeric": ["price"]}
    dials = {"treated": 0.5, "treatment_effect": 1.0, "treatment_confounding": 2.0}
    return experiment(
        {"simulator": {"learners": 200, "courses": 30, **dials}, "events": [log], "items": items},
        *CONFIGS,
        uplift={"window_days": 2},
        folds={"count": 2, "validation": 0.2, "test": 0.2},
    )


def on_table(path: Path) -> Experiment:
    """A table with a probability of treatment that depends on a feature, and no effect."""
    table = {
        "path": str(path), "label": "y", "positive": ["1"], "numeric": ["n"], "duplicates": "keep",
        "treatment": {"column": "t", "treated": ["yes"], "control": ["no"], "propensity": "p"},
    }  # fmt: skip
    folds = {"rule": "stratified", "count": 2, "test": 0.3}
    return experiment({"sessions": table}, "logistic_regression", "treat_all", folds=folds)


def confirmed(root: Path, asked: Experiment) -> Confirmation:
    configs = {name: CONFIGS[name] for name in asked.families}
    folder = search_by_hand(root, asked, configs, epochs=1)
    confirm_stage(folder, root, workers=1)
    found = read_confirmation(folder)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("uplift")
    confirmed(root, on_log())
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "project")
    return tmp_path / "project"


def test_a_log_comes_to_figures_with_intervals_and_the_truth(root: Path) -> None:
    found = read_confirmation(root / "results/tiny")
    assert found is not None
    assert found.metric == "qini"
    assert set(found.families["gru"].metrics) == FIGURES
    qini = found.families["gru"].metrics["qini"]
    assert qini.lower < qini.mean < qini.upper
    assert abs(found.families["treat_all"].metrics["qini"].mean) < 1e-12
    assert found.best_possible is not None
    assert found.best_possible > max(f.metrics["qini"].mean for f in found.families.values())
    assert found.subgroups == ()  # no learner's value alone is a Qini coefficient
    assert found.window["treated"] < found.targets


@pytest.mark.parametrize("family", ["gru", "logistic_regression"])
def test_a_best_file_gives_every_figure_bit_for_bit_on_folds_and_test(
    root: Path, family: str
) -> None:
    path = root / f"results/tiny/best/{family}.yaml"
    for sealed in (False, True):
        reproduction = reproduce_stage(path, root, sealed=sealed)
        assert {figure.difference for figure in reproduction.figures} == {0.0}


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("Qini curves", "Treatment is not independent of the features", "SYNTHETIC")),
        ("zh", ("Qini 曲线", "干预并非与特征无关", "合成数据")),
    ],
)
def test_the_page_shows_curves_and_warns_of_treatment_that_depends_on_features(
    root: Path, lang: str, said: tuple[str, ...]
) -> None:
    page = report_stage(root / "results/tiny", root, lang).page.read_text("utf-8")
    for words in said:
        assert words in page
    leaderboard = (root / "results/tiny/leaderboard.md").read_text("utf-8")
    assert "infinitesimal jackknife over learners" in leaderboard


def test_a_table_that_says_how_likely_treatment_was_is_not_warned_of(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), ["n,t,p,y"]
    for number in range(1200):
        chance = 0.3 if number % 2 else 0.7
        group = "yes" if random.random() < chance else "no"
        rows.append(f"{number % 2},{group},{chance},{int(random.random() < 0.4)}")
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(rows) + "\n")
    asked = on_table(path)
    found = confirmed(tmp_path, asked)
    details = UpliftDetails.model_validate(found.families["treat_all"].details["uplift"])
    assert details.assignment_auc is None
    assert details.effect.lower < 0 < details.effect.upper
    for lang, said in (("en", "No family was shown"), ("zh", "没有任何模型族")):
        (caveat,) = report_of("uplift").caveats(speaker(asked, lang), found)
        assert caveat.startswith(said)
        page = report_stage(tmp_path / "results/tiny", tmp_path, lang).page.read_text("utf-8")
        assert caveat in page
