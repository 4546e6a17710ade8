"""A study of the task `purchase` through every stage after the search, on a simulated log."""

import re
import shutil
from pathlib import Path

import pytest
from searched import search_by_hand

from recsweep.cli.confirmation_lines import confirmation_lines
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.records.confirmation_files import read_confirmation
from recsweep.spaces.files import load_space
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage
from recsweep.stages.sweep.stage import load_inputs
from recsweep.tasks.purchase.details import PurchaseDetails

ROOT = Path(__file__).parents[2]
SPACES = "search_spaces/purchase"
CONFIGS: dict[str, dict[str, Value]] = {
    "gru": {
        "depth": 1, "hidden_size": 8, "embedding_size": 8, "dropout": 0.0, "bidirectional": False,
        "learning_rate": 0.02, "weight_decay": 0.01, "batch_size": 8,
    },
    "gradient_boosting": {
        "learning_rate": 0.1, "trees": 10, "leaves": 7, "min_samples_leaf": 5, "l2": 0.0,
        "columns_a_split": 1.0,
    },
    "base_rate": {},
}  # fmt: skip


def experiment() -> Experiment:
    def table(name: str, **keys: object) -> dict[str, object]:
        return {"path": f"simulator:{name}", **keys}

    event = {"column": "event", "values": {k: k for k in ("browse", "favourite", "purchase")}}
    log = table("events", user="user_id", item="item_id", time="time", time_format="unix_ms")
    return Experiment.model_validate(
        {
            "study": "tiny",
            "task": "purchase",
            "data": {
                "name": "tiny",
                "simulator": {"learners": 150, "courses": 30, "purchase_order": 2.0},
                "events": [{**log, "type": event}],
                "items": table(
                    "items", key="item_id", immutable=True, numeric=["price"], tags={"tags": "|"}
                ),
            },
            "purchase": {"window_days": 2, "price": "price"},
            "folds": {"count": 2, "validation": 0.2, "test": 0.2},
            "families": {name: f"{SPACES}/{name}.yaml" for name in CONFIGS},
            "budget": {"trials": 1, "epochs": 2},
            "confirm": {"seeds": 2, "resamples": 1000},
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("purchase")
    confirm(root, experiment())
    return root


def confirm(root: Path, asked: Experiment) -> None:
    """A study of one trial a family, up to its confirmation."""
    configs = {name: CONFIGS[name] for name in asked.families}
    folder = search_by_hand(root, asked, configs, epochs=2)
    confirm_stage(folder, root, workers=1)


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "project")
    return tmp_path / "project"


def test_the_confirmation_says_how_good_probabilities_and_decisions_are(root: Path) -> None:
    confirmation = read_confirmation(root / "results/tiny")
    assert confirmation is not None
    assert confirmation.metric == "log_loss"
    gru = confirmation.families["gru"]
    assert {"log_loss", "brier", "roc_auc", "pr_auc", "ece", "f1", "lift"} <= set(gru.metrics)
    assert {"expected_revenue", "revenue"} <= set(gru.metrics)
    area = gru.metrics["roc_auc"]
    assert area.lower < area.mean < area.upper
    details = PurchaseDetails.model_validate(gru.details["purchase"])
    assert sum(b.examples for b in details.reliability) == confirmation.targets
    assert sum(a.support for a in details.answers.values()) == confirmation.targets
    assert not gru.coverage
    assert all(pair.lower_is_better for pair in confirmation.pairs)


def test_nothing_beats_the_truth_which_is_printed_beside_what_was_reached(root: Path) -> None:
    folder = root / "results/tiny"
    confirmed = confirm_stage(folder, root)
    assert not confirmed.opened
    best = confirmed.confirmation.best_possible
    assert best is not None
    means = [f.metrics["log_loss"].mean for f in confirmed.confirmation.families.values()]
    assert best < min(means)
    text = "\n".join(confirmation_lines(confirmed, folder))
    assert f"log loss {best:.4f}   the best possible" in text
    means_of = confirmed.confirmation.families.values()
    in_order = sorted(family.metrics["log_loss"].mean for family in means_of)
    printed = [
        line.split("log loss ")[1][:6] for line in text.splitlines() if " log loss 0." in line
    ]
    assert printed[:3] == [f"{mean:.4f}" for mean in in_order]


@pytest.mark.usefixtures("pool_here")
@pytest.mark.parametrize("family", CONFIGS)
def test_a_best_file_gives_every_figure_bit_for_bit_on_folds_and_test(
    root: Path, family: str
) -> None:
    path = root / f"results/tiny/best/{family}.yaml"
    for sealed in (False, True):
        reproduction = reproduce_stage(path, root, sealed=sealed)
        assert reproduction.passed, reproduction.figures
        assert {figure.difference for figure in reproduction.figures} == {0.0}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_reliability_decisions_and_the_truth(root: Path, lang: str) -> None:
    reported = report_stage(root / "results/tiny", root, lang)
    page = reported.page.read_text("utf-8")
    assert page.count('<h3 id="h-reliability">') == 1
    assert page.count('<h3 id="h-decisions">') == 1
    assert "SYNTHETIC" in page or "合成数据" in page
    assert "Coverage" not in page
    leaderboard = (root / "results/tiny/leaderboard.md").read_text("utf-8")
    assert "ROC AUC" in leaderboard
    assert "catalogue is ranked" not in leaderboard


def sessions_experiment(path: Path, *families: str) -> Experiment:
    raw = experiment().model_dump(mode="json")
    raw["data"] = {
        "name": "shop",
        "sessions": {"path": str(path), "label": "b", "positive": ["1"], "numeric": ["n"]},
    }
    raw["folds"] = {"rule": "stratified", "count": 2, "test": 0.3}
    raw["purchase"] = {}
    raw["families"] = {name: f"{SPACES}/{name}.yaml" for name in families}
    return Experiment.model_validate(raw)


def test_a_family_that_reads_histories_is_refused_on_a_table_of_sessions(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "search_spaces", tmp_path / "search_spaces")
    with pytest.raises(BadInput, match=r"families\.gru: gru reads histories"):
        load_inputs(sessions_experiment(tmp_path / "x.csv", "gru"), tmp_path)


def visible(page: str) -> str:
    """What a page says, without its styles and marks."""
    return re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]*>", " ", page, flags=re.DOTALL)


def test_a_table_of_sessions_comes_to_a_verdict_and_a_page(tmp_path: Path) -> None:
    table = tmp_path / "shop.csv"
    rows = [f"{n / 100},{int(n % 100 + 37 * n % 61 > 80)}" for n in range(400)]
    table.write_text("\n".join(["n,b", *rows]) + "\n")
    confirm(tmp_path, sessions_experiment(table, "gradient_boosting", "base_rate"))
    confirmation = read_confirmation(tmp_path / "results/tiny")
    assert confirmation is not None
    assert len(confirmation.pairs) == 1
    assert confirmation.subgroups == ()
    lift = {"en": "lift in the top tenth", "zh": "最高十分之一的提升度"}
    best = {"en": "the best mean over folds", "zh": "各折均值最好"}
    absent = {"en": ("learner", "courses that training"), "zh": ("学员", "训练里没有")}
    for lang in ("en", "zh"):
        page = report_stage(tmp_path / "results/tiny", tmp_path, lang).page.read_text("utf-8")
        assert "gradient_boosting" in page
        assert lift[lang] in page
        assert best[lang] in page
        assert not [word for word in absent[lang] if word in visible(page).lower()]
    leaderboard = (tmp_path / "results/tiny/leaderboard.md").read_text("utf-8")
    assert "time is not respected" in leaderboard
    assert "courses" not in leaderboard
    assert "cross-fitted over sessions" in leaderboard


def test_the_spaces_of_the_experiments_families_can_be_loaded() -> None:
    for name in CONFIGS:
        assert load_space(ROOT / SPACES / f"{name}.yaml", families_of("purchase")).family == name
