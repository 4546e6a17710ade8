from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from treatments import uplift_experiment
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Budget, Experiment
from recsweep.errors import BadInput, WorkFailed
from recsweep.mirror.study import INTERRUPT_LIMIT, LIMIT
from recsweep.search.storage import open_family, open_storage
from recsweep.stages.sweep import stage
from recsweep.tasks.folds import make_fold

ROOT = Path(__file__).parents[3]


def test_what_cannot_be_told_of_the_machine_stops_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round a whole search would be lost to a missing package's metadata."""

    def fails(*_: object) -> None:
        raise OSError("no processor")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the search was begun")

    monkeypatch.setattr(stage, "environment", fails)
    monkeypatch.setattr(stage, "run_search", never)
    experiment = experiment_of(tracking={"wandb": "off"})
    inputs = cast(Any, SimpleNamespace(experiment=experiment, folder=tmp_path / "study"))
    with pytest.raises(OSError, match="no processor"):
        stage.sweep(inputs)


class Searched:
    """A search that is over at once, or is interrupted, and what is done around it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, end: object) -> None:
        self.done: list[object] = []
        self.asked: dict[str, object] = {}
        experiment = experiment_of(tracking={"wandb": "off"})
        dataset = SimpleNamespace(fingerprint="abc", folder=Path("data/log-abc"))
        inputs = SimpleNamespace(
            experiment=experiment,
            folder=folder,
            dataset=dataset,
            folds=(),
            spaces={},
            earlier={},
            widen=False,
        )
        self.inputs = cast(Any, inputs)

        def search(*_: object, **asked: object) -> object:
            self.asked = asked
            if isinstance(end, BaseException):
                raise end
            return end

        replaced = {
            "environment": lambda _: {"numpy": "2"},
            "run_search": search,
            "open_mirror": lambda *_: "mirror",
            "MirrorListener": lambda *_: "mirroring",
            "LiveFile": lambda _, later: " then ".join(["live", *later]),
            "build_study": lambda *_, **known: known,
            "write_study": lambda study, folder: self.done.append((study, folder)),
            "renew_mirror": lambda *told: self.done.append(told),
        }
        for name, value in replaced.items():
            monkeypatch.setattr(stage, name, value)


SESSIONS = {"path": "x.csv", "label": "bought", "positive": ["1"], "numeric": ["pages"]}
WRITTEN = {"dataset": "log-abc", "fingerprint": "abc", "environment": {"numpy": "2"}, "folds": {}}


def test_what_a_search_found_is_written_mirrored_and_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")
    listeners: Any = ["mine"]
    found: object = stage.sweep(
        searched.inputs, extra_trials=2, listeners=listeners, later=["confirm"]
    )
    assert found == (WRITTEN, "session")
    assert searched.done == [(WRITTEN, tmp_path / "study"), ("mirror",)]
    assert searched.asked == {
        "fingerprint": "abc", "dataset": "log-abc", "extra_trials": 2,
        "earlier": {}, "widen": False,
        "listeners": ["live then confirm", "mine", "mirroring"],
    }  # fmt: skip
    assert (tmp_path / "study").is_dir()


@pytest.mark.parametrize(
    ("end", "limit"), [(KeyboardInterrupt(), INTERRUPT_LIMIT), (WorkFailed("no worker"), LIMIT)]
)
def test_what_a_search_found_that_was_ended_is_written_and_mirrored_with_a_limit(
    end: BaseException, limit: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", end)
    with pytest.raises(type(end)) as raised:
        stage.sweep(searched.inputs)
    assert raised.value is end
    assert searched.done == [(WRITTEN, tmp_path / "study"), ("mirror", limit)]


@pytest.mark.parametrize("trouble", [OSError("full"), BadInput("damaged")])
def test_a_search_that_failed_says_why_though_its_files_can_not_be_written(
    trouble: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", WorkFailed("the disk is full"))

    def write(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(stage, "write_study", write)
    with pytest.raises(WorkFailed, match="the disk is full"):
        stage.sweep(searched.inputs)
    assert searched.done == [("mirror", LIMIT)]


@pytest.mark.parametrize("end", [None, KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("trials", "numpy"), [((3,), "1"), ((3, 0), "1"), ((3, 2), "2"), ((3, 0, 2), "2")]
)
def test_a_study_keeps_the_environment_that_its_last_trials_ran_in(
    trials: tuple[int, ...],
    numpy: str,
    end: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is finished is looked at by every later version."""
    searched = Searched(monkeypatch, tmp_path, end)
    before = SimpleNamespace(sessions=("the first",), environment={"numpy": "1"})
    monkeypatch.setattr(stage, "read_study", lambda _: before)
    sessions = tuple(SimpleNamespace(trials=n) for n in trials)
    monkeypatch.setattr(stage, "read_sessions", lambda _: sessions)
    with nullcontext() if end is None else pytest.raises(KeyboardInterrupt):
        stage.sweep(searched.inputs)
    ((written, _), *_) = cast(Any, searched.done)
    assert written["environment"] == {"numpy": numpy}


def test_data_that_are_not_the_searched_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: Any = SimpleNamespace(folder=tmp_path / "data/log-abc", fingerprint="abcdef0123456789")
    monkeypatch.setattr(stage, "load_dataset", {there.folder: there}.__getitem__)
    study = SimpleNamespace(dataset="log-abc", fingerprint=there.fingerprint)
    assert stage.searched_data(cast(Any, study), tmp_path) is there
    study.fingerprint = "0123456789abcdef"
    with pytest.raises(
        BadInput, match=r"fingerprint abcdef012345…, .* on 0123456789ab…; .* recsweep search "
    ):
        stage.searched_data(cast(Any, study), tmp_path)


def test_a_family_that_reads_histories_is_refused_for_a_table_of_sessions(tmp_path: Path) -> None:
    experiment = experiment_of(
        task="purchase",
        data={"name": "shop", "sessions": SESSIONS},
        folds={"rule": "stratified", "count": 2},
        families={"mine": "search_spaces/purchase/gru.yaml"},
    )
    with pytest.raises(BadInput, match=r"^families.mine: gru reads histories, ") as refused:
        stage.load_inputs(experiment, ROOT)
    allowed = str(refused.value).partition("; allowed: ")[2].split(", ")
    assert "base_rate" in allowed
    assert "gru" not in allowed


def test_groups_of_learners_are_refused_for_a_task_whose_metrics_they_have_no_value_of() -> None:
    experiment = uplift_experiment()
    users = {"path": "x", "key": "u", "immutable": True, "categorical": ["team"]}
    asked = uplift_experiment(
        data=experiment.data.model_dump(exclude_unset=True) | {"users": users},
        families={"mine": "search_spaces/uplift/treat_all.yaml"},
        confirm={"groups": ["team"]},
    )
    with pytest.raises(BadInput, match=r"^confirm\.groups: no metric of task uplift is a mean"):
        stage.load_inputs(asked, ROOT)


@pytest.mark.parametrize(
    "experiment",
    [
        experiment_of(),
        experiment_of(task="purchase", families={"gru": "search_spaces/purchase/gru.yaml"}),
        experiment_of(
            task="purchase",
            data={"name": "shop", "sessions": SESSIONS},
            folds={"rule": "stratified", "count": 2},
            families={"base_rate": "search_spaces/purchase/base_rate.yaml"},
        ),
    ],
)
def test_a_sweep_stands_on_the_prepared_data_their_folds_and_the_spaces(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "prepare", lambda *asked: asked)
    monkeypatch.setattr(stage, "development_folds", lambda *asked: asked)
    inputs: Any = stage.load_inputs(experiment, ROOT)
    assert inputs.experiment.families.keys() == experiment.families.keys() == inputs.spaces.keys()
    assert inputs.folder == ROOT / "results" / "test"
    assert inputs.dataset == (inputs.experiment, ROOT)
    assert inputs.folds == (inputs.dataset, inputs.experiment)


@pytest.mark.parametrize("mode", [None, "offline", "online"])
def test_wandb_hears_of_a_sweep_unless_it_is_off_and_gets_a_board_online(
    mode: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")
    called: list[str] = []
    monkeypatch.setattr(stage, "resolve_mode", lambda _: mode)
    monkeypatch.setattr(stage, "opening_board", lambda *_: "board")
    monkeypatch.setattr(
        stage, "publish_along", lambda board, *_, wait: called.append(f"{board} {wait}")
    )
    monkeypatch.setattr(stage, "WandbListener", lambda *asked: asked[-1])
    monkeypatch.setattr(stage, "engine_of", lambda _: called.append("engine"))
    stage.sweep(searched.inputs)
    assert called == ["engine", *(["board False"] if mode == "online" else [])]
    assert searched.asked["listeners"] == ["live", *([mode] if mode else []), "mirroring"]


def test_mlflow_hears_of_a_sweep_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")
    searched.inputs.experiment = experiment_of(tracking={"wandb": "off", "mlflow": True})
    monkeypatch.setattr(stage, "MlflowListener", lambda experiment: f"mlflow {experiment.study}")
    stage.sweep(searched.inputs)
    assert searched.asked["listeners"] == ["live", "mlflow test", "mirroring"]


def test_a_fold_is_told_by_what_it_trains_on_and_asks() -> None:
    events = events_of(
        [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4), (2, 2, 5), (0, 2, 12), (1, 2, 13)]
    )
    fold = make_fold("fold0", events, (10, 20), dataset_of(events), experiment_of())
    counts = stage.fold_counts(fold)
    assert list(counts.items())[:5] == [
        ("training events", 4), ("training learners", 2), ("courses", 3), ("targets", 2),
        ("target learners", 2),
    ]  # fmt: skip
    assert counts["in the window"] == 2
    none = replace(fold.training.sequences, item=np.zeros(0, np.int32))
    rows = replace(fold.training, sequences=none)
    assert stage.fold_counts(replace(fold, training=rows)) == {
        "targets": 2, **fold.validation.counts,
    }  # fmt: skip


def test_more_trials_of_a_budget_of_seconds_are_refused_with_what_to_type_instead(
    tmp_path: Path,
) -> None:
    experiment = experiment_of().model_copy(update={"budget": Budget(seconds=60)})
    folder = tmp_path / "study"
    inputs = cast(Any, SimpleNamespace(experiment=experiment, folder=folder))
    with pytest.raises(BadInput, match=r"--trials \+3: .* type --set budget.seconds=120$"):
        stage.sweep(inputs, extra_trials=3)
    assert not folder.exists()


def test_a_limit_that_can_not_be_measured_stops_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")

    def refuse(experiment: Experiment) -> None:
        assert experiment is searched.inputs.experiment
        raise BadInput("memory can't be measured here")

    monkeypatch.setattr(stage, "check_measurable", refuse)
    with pytest.raises(BadInput, match="can't be measured here"):
        stage.sweep(searched.inputs)
    assert not (tmp_path / "study").exists()
    assert searched.asked == {}


def test_without_a_mirror_nothing_is_copied_and_a_folder_that_is_there_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results" / "of" / "mine"
    searched = Searched(monkeypatch, folder, "session")
    monkeypatch.setattr(stage, "open_mirror", lambda *_: None)
    for _ in range(2):
        stage.sweep(searched.inputs)
    assert searched.done == [(WRITTEN, folder)] * 2
    assert searched.asked["listeners"] == ["live"]
    assert searched.asked["extra_trials"] == 0
    stopped = Searched(monkeypatch, folder, KeyboardInterrupt())
    monkeypatch.setattr(stage, "open_mirror", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        stage.sweep(stopped.inputs)
    assert stopped.done == [(WRITTEN, folder)]


def test_a_budget_of_seconds_is_searched_without_more_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")
    seconds = {"budget": Budget(seconds=60), "tracking": searched.inputs.experiment.tracking}
    searched.inputs.experiment = experiment_of().model_copy(update=seconds)
    assert stage.sweep(searched.inputs)[1] == "session"  # type: ignore[comparison-overlap]


def test_a_study_is_told_by_its_journal_and_its_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = Searched(monkeypatch, tmp_path / "study", "session")
    asked: list[Any] = []

    def build_study(*of: Any, **known: Any) -> int:
        asked.append((of, known))
        return 7

    monkeypatch.setattr(stage, "build_study", build_study)
    monkeypatch.setattr(stage, "fold_counts", lambda fold: f"counts of {fold.name}")
    searched.inputs.folds = tuple(SimpleNamespace(name=f"fold{n}") for n in range(2))
    assert stage.collect(searched.inputs, {"numpy": "2"}) == 7  # type: ignore[comparison-overlap]
    ((of, known),) = asked
    assert of == (tmp_path / "study", searched.inputs.experiment, {})
    assert known == {**WRITTEN, "folds": {f"fold{n}": f"counts of fold{n}" for n in range(2)}}


@pytest.mark.parametrize(
    ("families", "warm_start", "kept", "read"),
    [
        (["gru", "popularity"], [], {}, True),  # which gives nothing, for nothing is named
        (["base_rate"], [], {}, False),
        (["gru"], ["results/a"], {}, True),
        (["gru"], ["results/a"], {"gru": ("kept",)}, False),
        (["gru", "lstm"], ["results/a"], {"gru": ("kept",)}, True),
    ],
)
def test_earlier_studies_are_read_until_every_tuned_family_has_begun_with_them(
    families: list[str],
    warm_start: list[str],
    kept: dict[str, Any],
    read: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, task = "search_spaces", "next_item"
    if families == ["base_rate"]:  # it has nothing to tune
        folder, task = "search_spaces/purchase", "purchase"
    paths = {name: f"{folder}/{name}.yaml" for name in families}
    monkeypatch.setattr(stage, "prepare", lambda *asked: "data")
    monkeypatch.setattr(stage, "development_folds", lambda *asked: "folds")
    monkeypatch.setattr(stage, "kept_earlier", lambda folder: kept)
    monkeypatch.setattr(stage, "read_earlier", lambda *asked: {"read from": asked[2:]})
    experiment = experiment_of(families=paths, warm_start=warm_start, task=task)
    inputs: Any = stage.load_inputs(experiment, ROOT)
    expected = {"read from": ("data", ROOT)} if read else kept if warm_start else {}
    assert inputs.earlier == expected
    assert inputs.widen is False


def test_a_study_goes_on_in_the_precision_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "prepare", lambda *asked: "data")
    monkeypatch.setattr(stage, "development_folds", lambda *asked: "folds")
    monkeypatch.setattr(stage, "study_folder", lambda *asked: tmp_path)
    families = {"gru": "search_spaces/gru.yaml"}
    experiment = experiment_of(families=families, resources={"precision": "auto"})
    found = []
    for kernels in (True, None):  # then as on another machine, or without a compiler
        monkeypatch.setattr("recsweep.models.engine.library", lambda found=kernels: found)
        inputs = stage.load_inputs(experiment, ROOT)
        open_family(open_storage(tmp_path), "gru", inputs.spaces["gru"], inputs.experiment, "")
        found.append(inputs.experiment.resources.precision)
    assert found == ["bf16", "bf16"]


def test_ranges_that_are_named_become_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "prepare", lambda *asked: "data")
    monkeypatch.setattr(stage, "development_folds", lambda *asked: "folds")
    before = stage.load_inputs(experiment_of(), ROOT).spaces["gru"].parameters["window"]
    wider: Any = stage.load_inputs(experiment_of(), ROOT, ["gru.window=5:900"])
    assert wider.widen is True
    now = wider.spaces["gru"].parameters["window"]
    assert (now.low, now.high) == (5, 900) != (before.low, before.high)
