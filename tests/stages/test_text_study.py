"""A study of texts through every stage after the search, and a feed that its model watches."""

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from fuzz.command import recsweep
from searched import search_by_hand

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.labels import Feed, labels_of, read_feed
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.data.prepare import prepare
from recsweep.errors import BadInput
from recsweep.models.text.texts import unlabelled
from recsweep.records.confirmation_files import read_confirmation
from recsweep.records.files import read_study
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.fuse.stage import fuse_stage
from recsweep.stages.report import report_stage
from recsweep.stages.reproduce.stage import reproduce_stage
from recsweep.tasks.folds import development_folds
from recsweep.tasks.text.details import TextDetails
from recsweep.training.trial import Trial

NETWORK: dict[str, Value] = {
    "units": "words", "least_texts": 1, "longest_text": 8, "embedding_size": 4, "hidden_size": 4,
    "depth": 1, "dropout": 0.0, "learning_rate": 0.02, "weight_decay": 0.01, "batch_size": 16,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Value]] = {
    "gru": {**NETWORK, "bidirectional": True, "pooling": "max"},
    "wide_deep": {**NETWORK, "wide_learning_rate": 0.05},
    "logistic_regression": {
        "units": "words", "longest": 1, "least_texts": 1, "sublinear": True, "inverse_penalty": 9.0,
    },
    "base_rate": {},
}  # fmt: skip
SAID = {"negative": ("awful", "dull", "broken"), "positive": ("lovely", "fine", "sturdy")}
FIRST = date(2024, 1, 1)


def texts(n: int, negative: float, seed: int) -> list[tuple[str, str]]:
    """Texts with their labels; one in eight says something of both."""
    random, rows = np.random.default_rng(seed), []
    for row in range(n):
        label = "negative" if random.random() < negative else "positive"
        said = [*random.choice(SAID[label], 3), *random.choice(("it", "the", "room", "book"), 2)]
        if random.random() < 0.125:
            said += [*random.choice([w for words in SAID.values() for w in words], 2)]
        rows.append((f"{' '.join(random.permutation(said))} {row}", label))
    return rows


def experiment(path: Path) -> Experiment:
    return Experiment.model_validate(
        {
            "study": "tiny",
            "task": "text",
            "data": {
                "name": "tiny",
                "texts": [{"path": str(path), "text": "text", "label": {"column": "label"}}],
            },
            "folds": {"rule": "stratified", "count": 2, "test": 0.3},
            "families": list(CONFIGS),
            "budget": {"trials": 1, "epochs": 3},
            "confirm": {"seeds": 2, "resamples": 1000},
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    rows = texts(240, 0.5, seed=0)
    pl.DataFrame([*rows, *rows[:80]], schema=["text", "label"], orient="row").write_csv(
        root / "texts.csv"
    )
    folder = search_by_hand(root, experiment(root / "texts.csv"), CONFIGS, epochs=3)
    confirm_stage(folder, root, workers=1)
    fit_stage(folder / "best/logistic_regression.yaml", root, root / "models/reviews")
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "project")
    return tmp_path / "project"


def test_the_confirmation_says_how_well_each_label_is_given_and_what_copies_would_add(
    root: Path,
) -> None:
    found = read_confirmation(root / "results/tiny")
    assert found is not None
    assert (found.unit, found.metric, found.cold_targets) == ("texts", "log_loss", 0)
    wanted = {"log_loss", "accuracy", "macro_f1", "roc_auc", "ece"}
    assert set(found.families["gru"].metrics) == wanted
    right = found.families["logistic_regression"].metrics["accuracy"].mean
    assert right > 0.85
    details = TextDetails.model_validate(found.families["wide_deep"].details["text"])
    assert sum(quality.support for quality in details.labels.values()) == found.targets
    assert details.duplicates is not None
    assert (details.duplicates.texts, details.duplicates.rows) == (240, 320)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_what_duplicates_would_have_added(root: Path, lang: str) -> None:
    page = report_stage(root / "results/tiny", root, lang).page.read_text("utf-8")
    for heading in ("h-duplicates", "h-labels", "h-reliability"):
        assert page.count(f'<h3 id="{heading}">') == 1
    assert "320" in page
    assert {"en": "dropped: same text", "zh": "剔除：文本相同"}[lang] in page
    told = page.lower()
    others = ("learners", "学员", "sessions", "会话", "events", "事件")
    assert not [word for word in others if f" {word} " in told]


def test_the_page_says_which_families_cannot_take_a_texts_columns(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "results/tiny"
    said = "Declared columns are not used by base rate, which can’t take them."
    assert said not in report_stage(folder, root).page.read_text("utf-8")
    study = read_study(folder)
    data = study.experiment.data
    table = data.texts[0].model_copy(update={"numeric": ("stars",)})
    declared = study.experiment.model_copy(
        update={"data": data.model_copy(update={"texts": (table,)})}
    )
    monkeypatch.setattr(
        "recsweep.stages.report.read_study", lambda *_: replace(study, experiment=declared)
    )
    assert said in report_stage(folder, root).page.read_text("utf-8")


@pytest.mark.usefixtures("pool_here")
@pytest.mark.parametrize("family", CONFIGS)
def test_a_best_file_gives_every_figure_bit_for_bit_on_folds_and_test(
    root: Path, family: str
) -> None:
    path = root / f"results/tiny/best/{family}.yaml"
    for sealed in (False, True) if family == "gru" else (False,):
        reproduction = reproduce_stage(path, root, sealed=sealed)
        assert reproduction.passed, reproduction.figures
        assert {figure.difference for figure in reproduction.figures} == {0.0}


def test_an_ensemble_averages_probabilities_and_is_rebuilt_fitted_and_asked_as_a_family_is(
    root: Path,
) -> None:
    fused = fuse_stage(root / "results/tiny", root, workers=1)
    assert fused.as_recorded == len(fused.candidates) == len(CONFIGS)
    assert fused.best.value <= fused.candidates[0].value
    assert reproduce_stage(fused.path, root).passed
    fitted = fit_stage(fused.path, root, root / "models/fused", until="development")
    bundle = load_bundle(fitted.folder)
    assert labels_of(bundle) == ("negative", "positive")
    said = bundle.model.probabilities(unlabelled(np.array(["broken awful", "lovely"], object), ()))
    assert list(said.argmax(1)) == [0, 1]


def test_the_sealed_texts_have_no_say_in_a_trial(finished: Path) -> None:
    """None of them is among what folds are made of, and what a fold is asked it never learned."""
    asked = experiment(finished / "texts.csv")
    dataset = prepare(asked, finished)
    assert dataset.users is not None
    sealed = set(pl.read_parquet(dataset.folder / "sealed_users.parquet")["_text"])
    assert sealed
    assert not sealed & set(dataset.users["_text"])
    folds = development_folds(dataset, asked)
    for fold in folds:
        learned, window = fold.training.examples, fold.validation
        assert learned is not None
        texts_of = [set(each.labels.text) for each in (learned, window) if each.labels]  # type: ignore[attr-defined]
        assert not texts_of[0] & texts_of[1]
    other = replace(folds[0], validation=folds[1].validation)  # another window
    models = []
    for fold in (folds[0], other):
        trial = Trial(
            "logistic_regression", CONFIGS["logistic_regression"], [fold], asked, epochs=1, seed=0,
            device=torch.device("cpu"),
        )  # fmt: skip
        model = trial._models[0]
        trial.run()
        models.append(model.state())
    assert all((models[0][name] == models[1][name]).all() for name in models[0])


def feed(path: Path, doubled_from: int, days: int = 48) -> None:
    """Sixty texts a day of two topics; in `rooms` the negative share doubles."""
    rows: list[tuple[str, str | None, str]] = []
    for day in range(days):
        for topic in ("books", "rooms"):
            share = 0.4 if topic == "rooms" and day >= doubled_from else 0.2
            said = texts(60, share, seed=1000 * day + (topic == "rooms"))
            at = f"{FIRST + timedelta(days=day)}T12:00:00"
            rows += [(f"{text} {topic}", topic, at) for text, _ in said]
    rows += [("nothing", None, f"{FIRST}T12:00:00")]
    pl.DataFrame(rows, schema=["text", "topic", "time"], orient="row").write_csv(path)


def test_a_doubled_share_is_warned_of_within_three_days_and_a_quiet_topic_is_not(
    root: Path,
) -> None:
    feed(root / "feed.csv", doubled_from=40)
    written = ("-o", "out.jsonl", "--page", "page.html")
    done = recsweep(
        root, "monitor", "models/reviews", "feed.csv", "--false-alarms", "0.1", *written
    )
    assert done.done, done.err
    rows = [json.loads(line) for line in (root / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 2 * 20
    warned = [(row["topic"], row["day"], row["since"]) for row in rows if row["warning"]]
    assert {topic for topic, _, _ in warned} == {"rooms"}
    first = date.fromisoformat(warned[0][1])
    assert FIRST + timedelta(days=40) <= first <= FIRST + timedelta(days=42)
    counted = [row for row in rows if row["topic"] == "rooms" and row["day"] == str(first)]
    assert counted[0]["texts"] == 60
    assert counted[0]["counted"] == pytest.approx(24, abs=12)
    assert "1 row left out" in done.err
    page = (root / "page.html").read_text("utf-8")
    assert str(first) in page
    assert page.count("<svg") == 2


def test_a_feed_is_read_in_utf8_or_as_the_studys_texts_are_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(root / "models/reviews")
    (table,) = bundle.known.experiment.data.texts
    written = {"encoding": "gbk", "numeric": ("price",), "currency": ("￥",), "thousands": ","}
    data = bundle.known.experiment.data.model_copy(
        update={"texts": (table.model_copy(update=written),)}
    )
    known = replace(
        bundle.known, experiment=bundle.known.experiment.model_copy(update={"data": data})
    )
    told: list[pl.DataFrame] = []

    def given(bundle: object, text: pl.Series, features: pl.DataFrame) -> pl.Series:
        told.append(features.with_columns(text))
        return pl.repeat("fine", len(text), eager=True)

    monkeypatch.setattr("recsweep.bundle.labels._given", given)
    rows = 'text,topic,time,price\n不错,书,2024-01-01,"￥1,299.00"\n'
    for encoding in ("utf-8", "gbk"):
        (root / "feed.csv").write_text(rows, encoding)
        found, _ = read_feed(replace(bundle, known=known), root / "feed.csv", Feed())
        assert found.rows() == [("书", date(2024, 1, 1), "fine")]
        assert told.pop().rows(named=True) == [{"price": 1299.0, "_text": "不错"}]
    (root / "feed.csv").write_text(rows, "utf-16")
    with pytest.raises(BadInput, match="is text in UTF-16"):
        read_feed(replace(bundle, known=known), root / "feed.csv", Feed())


def test_what_monitor_can_not_do_is_said_in_a_line(root: Path) -> None:
    feed(root / "feed.csv", doubled_from=99, days=5)
    told = {
        ("feed.csv", "--label", "negativ"): "--label negativ: the model knows no such label; did",
        ("feed.csv",): "feed.csv: has texts of 5 days, and its first 28 days are the reference",
        ("feed.csv", "--topic", "subject"): "has no column 'subject'",
        ("feed.csv", "--false-alarms", "0"): "--false-alarms and --reference-days must be above 0",
    }
    for arguments, message in told.items():
        done = recsweep(root, "monitor", "models/reviews", *arguments)
        assert done.status == 2
        assert message in done.err
    done = recsweep(root, "recommend", "models/reviews", "feed.csv")
    assert done.status == 2
    assert "is a model of texts; ask it with recsweep monitor" in done.err


@pytest.mark.parametrize("family", ["gru", "wide_deep"])
def test_a_networks_bundle_labels_texts_as_the_refit_does(root: Path, family: str) -> None:
    """It was built without the texts that it learned from."""
    from recsweep.data.sealed import unseal
    from recsweep.models.text.texts import labelled, unlabelled
    from recsweep.records.selection import read_best
    from recsweep.tasks.development import whole_split
    from recsweep.tasks.registry import TASKS

    path = root / f"results/tiny/best/{family}.yaml"
    fit_stage(path, root, root / "models/m")
    bundle = load_bundle(root / "models/m")
    assert labels_of(bundle) == ("negative", "positive")
    best = read_best(path)
    dataset = unseal(prepare(best.experiment, root))
    split = whole_split(dataset, best.experiment.of_family(family), dataset.cuts.test[1])
    training = TASKS["text"].training(split)
    assert training.examples is not None
    known = labelled(training.examples)
    found = bundle.model.probabilities(unlabelled(known.text, ()))
    assert (found.argmax(axis=1) == known.answer).mean() > 0.8
