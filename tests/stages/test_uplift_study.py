"""A study of the task `uplift` through every stage after the search: a log, and a table."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from searched import search_by_hand
from typer.testing import CliRunner

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.histories import ReadCounts, read_histories
from recsweep.bundle.learners import groups_of, no_learners
from recsweep.cli import app
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.data.prepared import load_dataset
from recsweep.data.sealed import unseal
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.reporting.tasks.registry import report_of, speaker
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.fuse.stage import fuse_stage
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage
from recsweep.tasks.folds import make_fold
from recsweep.tasks.purchase.answers import answers as purchase_answers
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import TEST
from recsweep.tasks.uplift.details import UpliftDetails
from recsweep.training.refit import refit

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
    families = "logistic_regression", "treat_all"
    confirm = {"seeds": 2, "resamples": 1000, "contrasts": [families]}
    return experiment({"sessions": table}, *families, folds=folds, confirm=confirm)


def fitted(root: Path, family: str, out: Path) -> tuple[Path, tuple[pl.DataFrame, np.ndarray]]:
    """A bundle of the development period; and of the sealed test what is known of its learners, and
    what the study's own model says.
    """
    record = fit_stage(root / f"results/tiny/best/{family}.yaml", root, out, until="development")
    asked, cpu = record.file.experiment, torch.device("cpu")
    dataset = unseal(load_dataset(next((root / "data").glob("tiny-*"))))
    fold = make_fold(TEST, dataset.development, dataset.cuts.test, dataset, asked)
    task = TASKS["uplift"]
    model = refit(
        family, record.file.config, fold.training,
        epochs=record.file.epochs, seed=asked.seed, device=cpu, task=task,
    )  # fmt: skip
    scorer = task.scorer(fold.validation, fold.n_items, cpu)
    said = scorer.outcomes(model)
    np.testing.assert_array_equal(scorer.outcomes(load_bundle(out).model), said)
    assert dataset.users is not None
    users = fold.validation.histories.user[fold.validation.sequence]
    return out, (dataset.users[users], said)


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


@pytest.mark.usefixtures("pool_here")
@pytest.mark.parametrize("family", ["gru", "logistic_regression"])
def test_a_best_file_gives_every_figure_bit_for_bit_on_folds_and_test(
    root: Path, family: str
) -> None:
    path = root / f"results/tiny/best/{family}.yaml"
    for sealed in (False, True):
        reproduction = reproduce_stage(path, root, sealed=sealed)
        assert {figure.difference for figure in reproduction.figures} == {0.0}


def test_an_ensemble_averages_differences_of_those_that_estimate_one(root: Path) -> None:
    fused = fuse_stage(root / "results/tiny", root, workers=1)
    assert {each.family for each in fused.candidates} == {"gru", "logistic_regression"}
    assert fused.as_recorded == 2
    assert fused.left_out == ()
    assert reproduce_stage(fused.path, root).passed


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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    random, rows = np.random.default_rng(0), ["n,t,p,y"]
    for number in range(1200):
        chance = 0.3 if number % 2 else 0.7
        group = "yes" if random.random() < chance else "no"
        rows.append(f"{number % 2},{group},{chance},{int(random.random() < 0.4)}")
    path = root / "shop.csv"
    path.write_text("\n".join(rows) + "\n")
    confirmed(root, on_table(path))
    return root


def test_a_table_that_says_how_likely_treatment_was_is_not_warned_of(shop: Path) -> None:
    asked = on_table(shop / "shop.csv")
    found = read_confirmation(shop / "results/tiny")
    assert found is not None
    details = UpliftDetails.model_validate(found.families["treat_all"].details["uplift"])
    assert details.assignment_auc is None
    assert details.effect.lower < 0 < details.effect.upper
    for lang, said in (("en", "No family was shown"), ("zh", "没有任何模型族")):
        (caveat,) = report_of("uplift").caveats(speaker(asked, lang), found)
        assert caveat.startswith(said)
        page = report_stage(shop / "results/tiny", shop, lang).page.read_text("utf-8")
        assert caveat in page


def test_a_bundle_gives_every_row_of_a_table_the_models_difference_bit_for_bit(
    shop: Path, tmp_path: Path
) -> None:
    """Asked with the features alone: neither treatment nor outcome need be there."""
    model, (test, said) = fitted(shop, "logistic_regression", tmp_path / "m")
    asked = pl.DataFrame({"n": [0, 1, 1, 0, 1]})
    asked.write_csv(tmp_path / "asked.csv")
    done = CliRunner().invoke(app, ["recommend", str(model), str(tmp_path / "asked.csv")])
    assert done.exit_code == 0, done.output
    assert "5 rows." in done.stderr
    found = pl.read_csv(done.stdout.encode())
    assert found.columns == ["row", "uplift"]
    of_test = dict(zip(test["n"], said, strict=True))
    assert found["uplift"].to_list() == [of_test[n] for n in asked["n"]]


def test_the_model_card_says_what_the_sealed_test_said_of_treating_by_the_model(
    shop: Path, tmp_path: Path
) -> None:
    model, _ = fitted(shop, "logistic_regression", tmp_path / "m")
    card = (model / "README.md").read_text("utf-8")
    for words in (
        "| family | Qini coefficient | interval |",
        "and treat_all",  # the pair's verdict
        "No family was shown to choose better whom to treat than chance does",
        "recommend models/m table.csv",
        "whom to treat first",
    ):
        assert words in card
    assert "course" not in card
    assert "session" not in card


@pytest.mark.parametrize("family", ["gru", "logistic_regression", "treat_all"])
def test_a_bundle_of_a_log_gives_a_look_at_each_course_the_difference_that_treatment_makes(
    root: Path, tmp_path: Path, family: str
) -> None:
    """Two models are asked one by one, as a model of purchases is."""
    model, _ = fitted(root, family, tmp_path / "m")
    raw = pl.read_csv(next((root / "data/raw").glob("*/synthetic_events.csv")))
    asked = raw.filter(pl.col("user_id").is_in(raw["user_id"].unique().sort()[:3].implode()))
    asked.drop("treatment").write_csv(tmp_path / "asked.csv")
    command = ["recommend", str(model), str(tmp_path / "asked.csv"), "--k", "40"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    found = pl.read_csv(done.stdout.encode())
    assert found["basis"].unique().to_list() == ["model"]
    bundle = load_bundle(model)
    if not (parts := getattr(bundle.model, "parts", {})):
        assert found["score"].unique().to_list() == [1.0]
        return
    frames = read_histories(bundle.known.experiment, tmp_path / "asked.csv", ReadCounts())
    shown, nobody = np.arange(bundle.file.courses), no_learners(bundle.known.experiment)
    (group,) = groups_of(bundle, next(frames), nobody, shown, None)
    (_, yes), (_, no) = (
        next(purchase_answers(parts[arm], group.asked, group.known))
        for arm in ("treated", "untreated")
    )
    expected = (yes - no).nan_to_num(-torch.inf).sort(descending=True).values
    expected = expected[expected > -torch.inf]  # but for courses that they have bought
    assert found["score"].to_list() == expected.tolist()
