"""`fit` writes a bundle that answers as the refit does, and refuses what it must."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest
import torch
from reference import REFERENCE
from studies import study_with, trial_row
from tiny import CONFIGS, World
from worlds import dataset_of, events_of, experiment_of

from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.card import card
from recsweep.bundle.format import BundleFile, Score
from recsweep.config.schema import Metric
from recsweep.data.prepared import load_dataset
from recsweep.data.types import Cuts
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.probability import Calibrator
from recsweep.models.histories import HistoryTable
from recsweep.records.files import write_study
from recsweep.records.selection import read_best
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.fit import stage
from recsweep.stages.fit.stage import fit_stage
from recsweep.tasks.development import whole_development
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged

MF = "matrix_factorization"
OPTIONAL = "ray", "optuna", "wandb"
ROOMS = "recsweep.training", "recsweep.search", "recsweep.spaces", "recsweep.records"


def fit(world: World, family: str = MF, name: str = "m", until: str = "development") -> Path:
    out = world.root / "models" / name
    fit_stage(world.best(family), world.root, out, until=until)  # type: ignore[arg-type]
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("family", CONFIGS)
def test_a_bundle_answers_as_the_confirmations_refit_does(world: World, family: str) -> None:
    heard: list[tuple[str, int, int, float]] = []
    record = fit_stage(
        world.best(family),
        world.root,
        world.root / "models/m",
        until="development",
        on_epoch=lambda *told: heard.append(told),
    ).file
    epochs = record.epochs
    assert [told[:3] for told in heard] == [(family, n, epochs) for n in range(1, epochs + 1)]
    assert [left > 0 for *_, left in heard] == [True] * (epochs - 1) + [False]
    experiment = record.experiment
    (folder,) = (world.root / "data").glob("tiny-*")
    fold = whole_development(load_dataset(folder), experiment)
    model = refit(
        family,
        record.config,
        fold.training,
        epochs=record.epochs,
        seed=experiment.seed,
        device=torch.device("cpu"),
        task=TASKS["next_item"],
    )
    histories = fold.validation.histories
    length = np.diff(histories.offsets)
    every = np.arange(len(histories))
    table = HistoryTable(histories, torch.device("cpu"))
    expected = model.score(table.histories(every, every, length))
    bundle = load_bundle(world.root / "models/m")
    found = bundle.model.score(table.histories(every, every, length))
    assert torch.equal(found, expected)
    assert bundle.courses.catalogue["_id"].to_list() == _raw_ids(world, fold.items)


def _raw_ids(world: World, codes: np.ndarray) -> list[str]:
    (folder,) = (world.root / "data").glob("tiny-*")
    items = load_dataset(folder).items
    assert items is not None
    return items["_id"].gather(codes).to_list()


def test_the_same_fit_writes_the_same_bytes(world: World) -> None:
    one, other = content(fit(world, name="a/m")), content(fit(world, name="b/m"))
    assert one == other
    assert one["README.md"].startswith(b"# m: matrix factorisation, of the study tiny")


def test_the_sealed_test_is_learned_from_once_its_verdicts_are_out(world: World) -> None:
    with pytest.raises(BadInput, match="has no verdicts, so the sealed test stays sealed; run"):
        fit(world, until="everything")
    assert not (world.root / "models").exists()
    confirm_stage(world.study, world.root, workers=1)
    openings = (world.study / "openings.json").read_bytes()
    record = load_bundle(fit(world, until="everything")).file
    assert (world.study / "openings.json").read_bytes() == openings
    assert record.evidence is not None
    assert {name for pair in record.evidence.pairs for name in (pair.a, pair.b)} == set(CONFIGS)
    before = load_bundle(fit(world, name="other")).file
    assert record.fitted.events > before.fitted.events
    assert record.fitted.end > before.fitted.end
    assert record.fitted.events == len(pl.read_csv(world.log))
    assert "figures are of the same configuration fitted without" in card(record, "m")
    searched = record.evidence.model_copy(update={"scope": "families"})
    told = card(record.model_copy(update={"evidence": searched}), "m")
    assert "figures are of what each search of the family selected, fitted without" in told


def test_what_is_learned_from_can_end_at_any_moment_of_the_log(world: World) -> None:
    times = pl.read_csv(world.log)["time"].sort()
    early, late = (int(float(times.quantile(share, "nearest") or 0)) for share in (0.5, 0.95))
    out = world.root / "models"
    fitted = fit_stage(world.best(MF), world.root, out / "m", until=early * 1_000_000).file.fitted
    before = int((times < early).sum())
    assert 0.9 * before < fitted.events <= before
    assert (fitted.until, fitted.end) == ("development", early * 1_000_000)
    with pytest.raises(BadInput, match="the sealed test stays sealed"):
        fit_stage(world.best(MF), world.root, out / "n", until=late * 1_000_000)
    with pytest.raises(BadInput, match=r"--until 2001-.*the log has events from 2020-09"):
        fit_stage(world.best(MF), world.root, out / "n", until=10**15)


def test_a_verdict_on_another_configuration_is_none(
    world: World, edit: Callable[[Path, str, str], None]
) -> None:
    confirm_stage(world.study, world.root, workers=1)
    edit(world.best(MF), "epochs: 2", "epochs: 1")
    with pytest.raises(BadInput, match="no verdict on this matrix_factorization, so the sealed"):
        fit(world, until="everything")
    assert load_bundle(fit(world)).file.evidence is None


def test_a_record_fits_its_schema(world: World) -> None:
    text = json.loads((fit(world) / "bundle.json").read_text())
    assert text.pop("digest")
    schema = json.loads((Path(__file__).parents[3] / "docs/bundle.schema.json").read_text())
    jsonschema.validate(text, schema)
    assert set(text) == set(BundleFile.model_fields)


def test_nothing_of_a_learner_is_in_the_folder(world: World) -> None:
    for data in content(fit(world)).values():
        assert not re.search(rb"\bu(?:[0-9]|[1-3][0-9])\b", data)


def test_a_place_that_is_taken_is_refused_before_any_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = fit(world)
    monkeypatch.setattr("recsweep.stages.fit.stage._train", lambda *_: pytest.fail("it trained"))
    with pytest.raises(BadInput, match="is there already"):
        fit(world)
    assert sorted(path.name for path in out.parent.iterdir()) == ["m"]


def test_models_of_a_task_that_nobody_can_ask_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = replace(TASKS["next_item"], answers=None)
    monkeypatch.setattr("recsweep.stages.fit.stage.TASKS", {"next_item": mute})
    with pytest.raises(BadInput, match="models of task next_item can't be asked outside of a stud"):
        fit(world)
    labels = replace(mute, labels_texts=True)
    monkeypatch.setattr("recsweep.stages.fit.stage.TASKS", {"next_item": labels})
    fit(world)


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "arrays.safetensors", "courses.parquet", "README.md"]
)
def test_a_changed_file_is_refused_in_a_line(world: World, name: str) -> None:
    folder = fit(world, "popularity")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BadInput, match=rf"{name}: was changed after it was written \(sha256"):
        load_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(BadInput, match=rf"{name}: cannot be read"):
        load_bundle(folder)


def test_a_changed_record_is_refused_in_a_line(world: World) -> None:
    folder = fit(world, "popularity")
    path = folder / "bundle.json"
    text = path.read_text()
    for old, new, says in (
        ('"courses": 15', '"courses": 14', "was changed after it was written"),
        ('"format": 1', '"format": 2', "has format 2, this version reads 1"),
        ("{", "[", "is not valid JSON"),
    ):
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(BadInput, match=says):
            load_bundle(folder)
    with pytest.raises(BadInput, match="is no bundle"):
        load_bundle(world.study)


ASK = """
import torch, numpy as np
from pathlib import Path
from recsweep.bundle.bundle import load_bundle
from recsweep.bundle.histories import ReadCounts, read_histories
from recsweep.bundle.learners import groups_of, no_learners
from recsweep.bundle.recommend import lists_of
torch.set_num_threads(1)
bundle = load_bundle(Path({folder!r}))
experiment = bundle.known.experiment
for frame in read_histories(experiment, Path({log!r}), ReadCounts()):
    shown = np.arange(bundle.file.courses)
    for group in groups_of(bundle, frame, no_learners(experiment), shown, None):
        found = lists_of(bundle, group, 5)
        print(found.course.tolist(), found.score.tobytes().hex())
"""
BLOCK = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {OPTIONAL!r} or name.startswith({ROOMS!r}):
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Blocked())
"""


def test_a_bundle_is_asked_where_no_tuner_is_installed_and_nothing_trains(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ASK.format(folder=str(fit(world)), log=str(world.log))
    bare = subprocess.run(
        [sys.executable, "-c", BLOCK + ask], capture_output=True, text=True, check=False
    )
    assert bare.returncode == 0, bare.stderr
    exec(ask, {})
    assert bare.stdout == capsys.readouterr().out != ""


@pytest.mark.parametrize(("metric", "best"), [("ndcg@10", "lstm"), ("log_loss", "markov")])
def test_of_a_study_the_family_with_the_best_score_on_the_folds_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str, best: str
) -> None:
    name, _, k = metric.partition("@")
    asked = experiment_of().model_copy(
        update={"metric": Metric(name=name, k=int(k)) if k else Metric(name=name)}
    )
    values = {"gru": 0.2, "lstm": 0.3, "markov": 0.1}
    files = {n: SimpleNamespace(value=value, experiment=asked) for n, value in values.items()}
    monkeypatch.setattr(stage, "read_evidence", lambda folder: SimpleNamespace(best=files))
    assert stage.best_file(tmp_path) == tmp_path / "best" / f"{best}.yaml"


@pytest.mark.parametrize(
    ("until", "period"),
    [
        ("everything", (90, "everything")),
        ("development", (60, "development")),
        (11, (11, "development")),
        (60, (60, "development")),
        (61, (61, "everything")),
        (90, (90, "everything")),
        (10, None),
        (91, None),
    ],
)
def test_learning_ends_within_the_log_and_the_sealed_test_begins_at_its_cut(
    until: Any, period: tuple[int, str] | None
) -> None:
    dataset = replace(dataset_of(events_of([(0, 0, 10), (0, 1, 50)])), cuts=Cuts((), (60, 90)))
    if period is None:
        with pytest.raises(BadInput, match=r"--until 1970.*: the log has events from 1970"):
            stage._period(until, dataset, experiment_of())
        return
    assert stage._period(until, dataset, experiment_of()) == period
    untimed = experiment_of(folds={"rule": "leave_one_out"})
    if isinstance(until, int):
        with pytest.raises(BadInput, match="these folds aren't cut by the clock; everything or"):
            stage._period(until, dataset, untimed)
    else:
        assert stage._period(until, dataset, untimed) == period


BEST: Any = SimpleNamespace(family="arm", kind="gru", config={}, epochs=4)


def test_what_is_left_is_told_by_the_epochs_that_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, heard = [50.0], list[tuple[object, ...]]()
    monkeypatch.setattr(stage, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def refit(*given: object, on_epoch: Callable[[int, int], None], **more: object) -> str:
        assert given == ("gru", {}, "training")
        assert (more["epochs"], more["seed"], more["precision"]) == (4, 7, "fp32")
        for epoch in range(1, 5):
            now[0] += 3.0
            on_epoch(epoch, 4)
        return "model"

    monkeypatch.setattr(stage, "refit", refit)
    training: Any = "training"
    made = stage._train(BEST, experiment_of(seed=7), training, lambda *told: heard.append(told))
    assert made == "model"
    assert heard == [("arm", 1, 4, 9.0), ("arm", 2, 4, 6.0), ("arm", 3, 4, 3.0), ("arm", 4, 4, 0.0)]


def test_a_fit_that_diverges_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refit(*given: object, **more: object) -> None:
        raise Diverged("the training loss is nan in epoch 1")

    monkeypatch.setattr(stage, "refit", refit)
    training: Any = None
    with pytest.raises(WorkFailed, match="arm: the fit diverged: the training loss is nan in epo"):
        stage._train(BEST, experiment_of(), training, lambda *told: None)


def test_probabilities_are_calibrated_on_every_folds_window_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folds = [SimpleNamespace(validation=f"targets {n}") for n in range(2)]
    monkeypatch.setattr(stage, "development_folds", lambda dataset, experiment: folds)
    monkeypatch.setattr(stage, "_held_out", lambda best, asked, fold: f"held out {fold.validation}")
    task = SimpleNamespace(calibrator=lambda *given: given)
    monkeypatch.setattr(stage, "TASKS", {"purchase": task})
    data: Any = None
    plain = experiment_of().model_copy(update={"task": "purchase"})
    assert stage._calibrator(BEST, plain, data) == Calibrator()
    platt = Metric(name="log_loss", calibration="platt")
    asked = plain.model_copy(update={"metric": platt})
    made: Any = stage._calibrator(BEST, asked, data)
    assert made == (
        ["held out targets 0", "held out targets 1"],
        ["targets 0", "targets 1"],
        platt,
    )


def test_what_is_held_out_is_asked_of_a_model_of_what_lay_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold: Any = SimpleNamespace(training="before", validation="window", n_items=9)

    def scorer(*given: object) -> Any:
        assert given == ("window", 9, torch.device("cpu"))
        return SimpleNamespace(outcomes=lambda model: f"outcomes of {model}")

    monkeypatch.setattr(stage, "TASKS", {"next_item": SimpleNamespace(scorer=scorer)})
    monkeypatch.setattr(stage, "_train", lambda best, asked, training, hear: f"model of {training}")
    assert stage._held_out(BEST, experiment_of(), fold) == "outcomes of model of before"


def test_a_bundle_carries_what_the_sealed_test_said_of_its_family(world: World) -> None:
    confirmation = confirm_stage(world.study, world.root, workers=1).confirmation
    record = fit_stage(world.best(MF), world.root, world.root / "m", licence="MIT").file
    assert record.licence == "MIT"
    found = record.evidence
    assert found is not None
    assert {*found.pairs} == {p for p in confirmation.pairs if MF in (p.a, p.b)}
    assert len(found.pairs) == 2
    assert found.openings == 1
    assert _scores(found.scores) == {
        name: (e.mean, e.lower, e.upper)
        for name, e in ((n, f.metrics["ndcg@10"]) for n, f in confirmation.families.items())
    }
    written = (world.root / "m" / "verdicts.json").read_bytes()
    assert written == (world.study / "verdicts.json").read_bytes()
    assert (world.root / "m" / "best.yaml").read_bytes() == world.best(MF).read_bytes()


def test_the_trials_that_a_configuration_was_selected_from_are_those_that_ran(
    tmp_path: Path,
) -> None:
    best = read_best(REFERENCE / "default" / "best" / "gru.yaml")
    assert stage._selected(best, tmp_path).trials == best.experiment.budget.trials == 10
    rows = [trial_row(0, (), state="refused"), trial_row(1, (0.1,)), trial_row(2, (0.2,))]
    write_study(study_with(*rows), tmp_path)
    assert stage._selected(best, tmp_path).trials == 2
    fused = best.model_copy(update={"kind": "ensemble"})
    assert stage._selected(fused, tmp_path).trials is None


def _scores(scores: Mapping[str, Score]) -> dict[str, tuple[float, float, float]]:
    return {name: (each.mean, each.lower, each.upper) for name, each in scores.items()}


def test_a_licence_that_nobody_told_is_said_to_be_unknown_and_of_which_package() -> None:
    assert stage._unknown_licence(experiment_of()).startswith(
        "Nobody told recsweep the licence of the data test. Read its terms before you pass"
    )
    package = {"name": "recbole", "version": "1.2.1", "wheel": "x.whl", "sha256": "0" * 64}
    named = experiment_of()
    named = named.model_copy(
        update={"data": named.data.model_copy(update={"package": SimpleNamespace(**package)})}
    )
    assert "of the data test (of the package recbole). Read" in stage._unknown_licence(named)


def test_a_card_counts_the_trials_that_the_family_had_where_the_study_is_at_hand(
    tmp_path: Path,
) -> None:
    best = read_best(REFERENCE / "default/best/gru.yaml")
    assert stage._selected(best, tmp_path).trials == best.experiment.budget.trials == 10
    rows = [trial_row(n, (0.1,)) for n in range(12)]  # two were added
    write_study(study_with(*rows, trial_row(0, (0.1,), family="lstm")), tmp_path)
    assert stage._selected(best, tmp_path).trials == 12
    fused = best.model_copy(update={"family": "ensemble", "kind": "ensemble"})  # of others'
    assert stage._selected(fused, tmp_path).trials is None


def test_a_folder_of_a_study_stands_for_its_best_family(world: World) -> None:
    record = fit_stage(world.study, world.root, world.root / "m", until="development").file
    values = {name: read_best(world.best(name)).value for name in CONFIGS}
    assert values[record.family] == max(values.values())
    assert record.selected.value == max(values.values())
    assert record.evidence is None
    assert not (world.root / "m" / "verdicts.json").exists()
