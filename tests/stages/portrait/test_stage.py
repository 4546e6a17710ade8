"""Portraits of two planted groups of learners, through the stage and the command line."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from searched import search_by_hand
from sklearn.metrics import adjusted_rand_score
from typer.testing import CliRunner
from worlds import dataset_of, events_of, experiment_of, training_of

from recsweep import cli
from recsweep.cli import app
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.data.prepared import DEVELOPMENT, ITEM_ROWS, ITEMS, USER_ROWS, USERS
from recsweep.errors import BadInput, WorkFailed
from recsweep.records.openings import Opened
from recsweep.records.portrait import portrait_path, read_portrait, vectors_path
from recsweep.stages.fit.stage import fit_stage
from recsweep.stages.portrait import stage
from recsweep.stages.portrait.bundle import bundle_portrait_stage
from recsweep.stages.portrait.stage import portrait_stage
from recsweep.stages.report import report_stage
from recsweep.training.trial import Diverged

TASKS = ("next_item", "purchase")
EVERY_TASK = pytest.mark.parametrize("task", TASKS)
LEARNERS, KIND = 80, 8
STRAY = {"next_item": 0.02, "purchase": 0.2}
EPOCHS = 6
GRU: dict[str, Value] = {
    "depth": 1, "hidden_size": 16, "embedding_size": 8, "dropout": 0.0, "learning_rate": 0.03,
    "weight_decay": 0.001, "batch_size": 8,
}  # fmt: skip
CONFIGS: dict[str, dict[str, dict[str, Value]]] = {
    "next_item": {
        "gru": {**GRU, "window": 20, "loss": "cross_entropy", "tied_embeddings": True},
        "popularity": {},
    },
    "purchase": {"gru": {**GRU, "bidirectional": False}, "base_rate": {}},
}


def write_log(root: Path, task: str, future: int = 0) -> None:
    """Even learners look at courses 0 to 7 and live in the south, odd ones at 8 to 15.

    Some looks stray, more where who buys is the question: nobody buys what isn't of their
    kind. `future` changes what the last sixth of the looks is about, and nothing before.
    """
    random = np.random.default_rng(0)
    rows = []
    for look, (user, at) in enumerate(
        zip(random.permutation(np.arange(LEARNERS * 12) % LEARNERS), range(960), strict=True)
    ):
        course = KIND * (user % 2) + int(random.integers(KIND))
        stray = random.random() < STRAY[task]
        bought = not stray and random.random() < 0.8
        if stray:
            course = (course + KIND) % (2 * KIND)
        if look > 800:
            course = (course + future) % (2 * KIND)
        time = 1_600_000_000 + 1000 * at
        rows.append((f"learner-{user:03}", f"c{course}", time, "browse"))
        rows.append((f"learner-{user:03}", f"c{course}", time + 1, "purchase" if bought else "-"))
    pl.DataFrame(rows, schema=["user", "item", "time", "event"], orient="row").write_csv(
        root / "log.csv"
    )
    pl.DataFrame(
        {
            "user": [f"learner-{n:03}" for n in range(LEARNERS)],
            "region": ["north" if n % 2 else "south" for n in range(LEARNERS)],
            "age": [40 + n % 7 if n % 2 else 20 + n % 7 for n in range(LEARNERS)],
        }
    ).write_csv(root / "users.csv")
    pl.DataFrame(
        {
            "item": [f"c{n}" for n in range(2 * KIND)],
            "title": [f"Course {n}" for n in range(2 * KIND)],
            "tags": ["cooking|evening" if n < KIND else "java|evening" for n in range(2 * KIND)],
        }
    ).write_csv(root / "items.csv")


def experiment(root: Path, task: str) -> Experiment:
    kinds = {"column": "event", "values": {"browse": "browse", "purchase": "purchase"}}
    log = {"path": str(root / "log.csv"), "user": "user", "item": "item", "time": "time"}
    folder = "search_spaces" if task == "next_item" else "search_spaces/purchase"
    return Experiment.model_validate(
        {
            "study": f"planted-{task.replace('_', '-')}",
            "task": task,
            "data": {
                "name": "planted",
                "events": [{**log, "type": kinds}],
                "users": {
                    "path": str(root / "users.csv"), "key": "user", "categorical": ["region"],
                    "numeric": ["age"],
                },
                "items": {
                    "path": str(root / "items.csv"), "key": "item", "label": "title",
                    "tags": {"tags": "|"},
                },
            },
            "features": [],
            "folds": {"count": 1, "validation": 0.2, "test": 0.2},
            **({"targets": {"seen": "keep"}} if task == "next_item" else {}),
            **({"purchase": {"window_days": 0.001}} if task == "purchase" else {}),
            "families": {name: f"{folder}/{name}.yaml" for name in CONFIGS[task]},
            "budget": {"trials": 1, "epochs": EPOCHS},
        }
    )  # fmt: skip


def build(root: Path, task: str, future: int = 0) -> Path:
    root.mkdir(exist_ok=True)
    write_log(root, task, future)
    return search_by_hand(root, experiment(root, task), CONFIGS[task], epochs=EPOCHS)


@pytest.fixture(scope="module")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    torch.set_num_threads(1)
    for task in TASKS:
        build(root, task)  # over the first one's log: portraits need prepared data alone
    return root


@pytest.fixture
def root(_finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a project with a finished study of each task, and the working folder."""
    shutil.copytree(_finished, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    return tmp_path / "project"


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command that must end with status 2 and one line."""

    def run(*arguments: str) -> str:
        said: list[str] = []
        monkeypatch.setattr(sys, "argv", ["recsweep", *arguments])
        monkeypatch.setattr(cli.err, "print", lambda text, **_: said.append(text))
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 2
        assert len(said) == 1
        assert "\n" not in said[0]
        return said[0]

    return run


def study_of(root: Path, task: str) -> Path:
    return root / "results" / f"planted-{task.replace('_', '-')}"


@EVERY_TASK
def test_planted_groups_are_recovered_and_the_right_things_characterise_each(
    root: Path, task: str
) -> None:
    folder = study_of(root, task)
    portrait = portrait_stage(folder, root, clusters=2).portrait
    table = pl.read_parquet(vectors_path(folder, "gru"))
    planted = table["learner"].str.slice(-3).cast(pl.Int64).to_numpy() % 2
    assert adjusted_rand_score(planted, table["cluster"].to_numpy()) > 0.9
    assert portrait.learners == len(table) == LEARNERS
    assert portrait.stability is not None
    assert portrait.stability > 0.8
    assert portrait.silhouette is not None
    for cluster in portrait.clusters:
        mine = table.filter(cluster=cluster.cluster)
        odd = np.mean(mine["learner"].str.slice(-3).cast(pl.Int64).to_numpy() % 2) > 0.5
        kind = range(KIND, 2 * KIND) if odd else range(KIND)
        assert {c.id for c in cluster.courses} <= {f"c{n}" for n in kind}
        assert len(cluster.courses) >= 6
        assert all(c.label == f"Course {c.id[1:]}" for c in cluster.courses)
        assert cluster.courses[0].lift > 1.3
        first = {(v.table, v.column): v.value for v in reversed(cluster.values)}
        assert first["learners", "region"] == ("north" if odd else "south")
        assert first["courses", "tags"] == ("java" if odd else "cooking")
        assert "evening" not in {v.value for v in cluster.values}
        level = cluster.levels[0]
        assert level.column == "age"
        assert level.overall == pytest.approx(33, abs=0.3)
        assert level.standardised > 0.8 if odd else level.standardised < -0.8


def test_a_bundle_of_the_same_fit_is_portrayed_the_same_beside_its_folder(root: Path) -> None:
    folder, model = study_of(root, "purchase"), root / "models" / "gru"
    fit_stage(folder / "best/gru.yaml", root, model, until="development")
    before = sorted(model.iterdir())
    shown = CliRunner().invoke(app, ["portrait", "models/gru", "--clusters", "2"])
    assert shown.exit_code == 0, shown.output
    assert "models/portraits/gru.json" in shown.output
    assert sorted(model.iterdir()) == before
    expected = portrait_stage(folder, root, clusters=2).portrait
    found = read_portrait(root / "models", "gru")
    assert found is not None
    assert found.clusters == expected.clusters
    assert found.vectors == expected.vectors
    assert not bundle_portrait_stage(model, root, clusters=2).fitted


@EVERY_TASK
def test_nothing_after_the_development_cut_changes_a_byte(root: Path, task: str) -> None:
    other = build(root.parent / "other", task, future=3)
    written = []
    for folder in (study_of(root, task), other):
        for sealed in folder.parents[1].glob("data/*/sealed_*"):
            sealed.unlink()
        portrait_stage(folder, folder.parents[1])
        paths = (portrait_path(folder, "gru"), vectors_path(folder, "gru"))
        written.append([path.read_bytes() for path in paths])
    assert (root / "log.csv").read_bytes() != (root.parent / "other/log.csv").read_bytes()
    assert written[0] == written[1]


def test_what_was_portrayed_is_not_fitted_again_and_would_be_the_same(root: Path) -> None:
    folder, heard = study_of(root, "next_item"), []
    path = vectors_path(folder, "gru")
    first = portrait_stage(folder, root, on_epoch=lambda *epoch: heard.append(epoch[:3]))
    assert first.fitted
    assert heard == [("gru", n, first.portrait.epochs) for n in range(1, 1 + len(heard))]
    before = path.read_bytes()
    again = portrait_stage(folder, root)
    assert not again.fitted
    assert again.portrait == first.portrait
    path.unlink()
    assert portrait_stage(folder, root).fitted
    assert path.read_bytes() == before
    assert portrait_stage(folder, root, clusters=3).fitted


@EVERY_TASK
def test_the_command_shows_the_groups_and_renews_the_page_without_a_learners_id(
    root: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = study_of(root, task)
    report_stage(folder, root, "zh")
    if task == "purchase":
        monkeypatch.setenv("WANDB_MODE", "offline")
    shown = CliRunner().invoke(app, ["portrait", str(folder)])
    assert shown.exit_code == 0, shown.output
    said = " ".join(shown.output.split())
    assert "[1/" in said
    assert "80 learners in 2 groups, chosen by silhouette score from 2 to 8." in said
    assert "adjusted Rand index of" in said
    assert "Course 1" in said
    for name, title in (("report.html", "Learner portraits"), ("report.zh.html", "学员画像")):
        page = (folder / name).read_text("utf-8")
        assert f'<h2 id="h-portraits">{title}</h2>' in page
        assert page.count('class="mark faint') >= LEARNERS
        assert "learner-0" not in page
    assert "learner-0" not in portrait_path(folder, "gru").read_text("utf-8")
    sent = [p for p in folder.glob("wandb/**/*") if p.is_file()]
    assert bool(sent) == (task == "purchase")
    assert not [p for p in sent if b"learner-0" in p.read_bytes()]


def test_a_portrait_of_an_earlier_selection_is_left_out_with_a_word(
    root: Path, caplog: pytest.LogCaptureFixture, edit: Callable[[Path, str, str], None]
) -> None:
    folder = study_of(root, "next_item")
    portrait_stage(folder, root)
    assert "h-portraits" in report_stage(folder, root).page.read_text("utf-8")
    edit(portrait_path(folder, "gru"), '"trial": "gru-0000"', '"trial": "gru-0007"')
    assert "h-portraits" not in report_stage(folder, root).page.read_text("utf-8")
    assert "is of an earlier selection; recsweep portrait" in caplog.text


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_portrait_that_was_changed_is_refused_by_name(root: Path, suffix: str) -> None:
    folder = study_of(root, "next_item")
    portrait_stage(folder, root)
    path = folder / "portraits" / f"gru.{suffix}"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"gru"', b'"lst"') if suffix == "json" else content + b" ")
    with pytest.raises(BadInput, match=rf"gru\.{suffix}: was changed .* recsweep portrait"):
        read_portrait(folder, "gru")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--family", "popularity"), "--family popularity: has no state of a learner to portray; "
         "allowed: gru"),
        (("--family", "grru"), "--family grru: the study has no such family; did you mean 'gru'?"),
        (("--clusters", "81"), "--clusters 81: only 80 learners differ; ask for at most 80"),
    ],
)  # fmt: skip
def test_what_cant_be_portrayed_is_one_line_and_exit_2(
    root: Path, fails: Callable[..., str], arguments: tuple[str, str], words: str
) -> None:
    assert words in fails("portrait", str(study_of(root, "next_item")), *arguments)


def test_a_table_of_sessions_has_nobody_to_portray(
    tmp_path: Path, fails: Callable[..., str]
) -> None:
    rows = [(n % 3, n, n % 5 == 0) for n in range(120)]
    path = tmp_path / "sessions.csv"
    pl.DataFrame(rows, schema=["visits", "pages", "bought"], orient="row").write_csv(path)
    asked = Experiment.model_validate(
        {
            "study": "sessions",
            "task": "purchase",
            "data": {
                "name": "shop",
                "sessions": {
                    "path": str(path), "label": "bought", "positive": ["true"], "numeric": ["pages"]
                },
            },
            "folds": {"rule": "stratified", "count": 2},
            "families": {"base_rate": "search_spaces/purchase/base_rate.yaml"},
        }
    )  # fmt: skip
    folder = search_by_hand(tmp_path, asked, {"base_rate": {}}, epochs=1)
    assert "sessions, not learners with histories" in fails("portrait", str(folder))


OPENED = Opened(kind="gru", trial="gru-0001", config={"x": 1}, epochs=4)


class Seeing:
    """A model that sees every learner so."""

    def __init__(self, vectors: Any) -> None:
        self.vectors = np.array(vectors, np.float32)

    def learner_vectors(self, histories: Any) -> Any:
        assert len(histories) == 2
        return self.vectors


def refitted(monkeypatch: pytest.MonkeyPatch, vectors: Any, **keys: Any) -> tuple[Any, ...]:
    """The vectors, what was asked of the refit, and what was heard of two of four epochs."""
    told: list[Any] = []
    heard: list[Any] = []
    clock = iter([100.0, 103.0, 110.0])

    def refit(kind: str, config: Any, training: Any, **rest: Any) -> Any:
        if vectors is None:
            raise Diverged("the training loss is nan in epoch 1")
        on_epoch = rest.pop("on_epoch")
        told.extend((kind, config, training, rest))
        on_epoch(1, 4)
        on_epoch(2, 4)
        return Seeing(vectors)

    monkeypatch.setattr(stage, "refit", refit)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    experiment = experiment_of(seed=7, resources={"precision": "bf16"}, **keys)
    training = training_of([[0, 1], [1, 2]])
    fold: Any = SimpleNamespace(
        training=training, validation=SimpleNamespace(histories=training.sequences)
    )
    found = stage._vectors(experiment, "mine", OPENED, fold, lambda *epoch: heard.append(epoch))
    return found, told, heard


def test_a_refit_is_by_the_study_s_seed_and_its_epochs_are_told_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, told, heard = refitted(monkeypatch, [[1, 2], [3, 4]])
    assert found.tolist() == [[1, 2], [3, 4]]
    rest = told.pop()
    assert told[:2] == ["gru", {"x": 1}]
    assert (rest["epochs"], rest["seed"], rest["precision"]) == (4, 7, "bf16")
    assert (rest["device"], rest["task"].name) == (torch.device("cpu"), "next_item")
    # 3 s an epoch and three to come; then 5 s and two.
    assert heard == [("mine", 1, 4, 9.0), ("mine", 2, 4, 10.0)]


def test_a_refit_that_diverges_is_no_portrait(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkFailed, match=r"^mine: the refit diverged: the training loss is nan"):
        refitted(monkeypatch, None)
    with pytest.raises(WorkFailed, match=r"^mine: some learners' vectors are not finite"):
        refitted(monkeypatch, [[1, np.inf], [3, 4]])


def test_ten_learners_are_portrayed_in_as_many_groups_as_they_differ() -> None:
    points = np.eye(10)[[*range(9), 0]]
    stage._check(points, None, Path("x"))
    stage._check(points, 9, Path("x"))
    with pytest.raises(BadInput, match=r"--clusters 10: only 9 learners differ; .* at most 9"):
        stage._check(points, 10, Path("x"))
    with pytest.raises(BadInput, match=r"^x: 9 learners have a history .* portraits need 10"):
        stage._check(points[:9], None, Path("x"))


def inputs_of(**changes: Any) -> str:
    files = {name: SimpleNamespace(content=name) for name in ("development.parquet", "users")}
    asked: dict[str, Any] = {
        "files": files, "cut": 5, "experiment": experiment_of(families=["gru", "lstm"]),
        "family": "gru", "selected": OPENED, "clusters": None, **changes,
    }  # fmt: skip
    return stage.portrait_inputs(**asked)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"cut": 6}, False),
        ({"clusters": 2}, False),
        ({"selected": OPENED.model_copy(update={"epochs": 5})}, False),
        ({"experiment": experiment_of(families=["gru", "lstm"], seed=1)}, False),
        ({"experiment": experiment_of(families=["gru"])}, True),  # others have no say
        ({"experiment": experiment_of(families=["gru", "lstm"], confirm={"seeds": 9})}, True),
    ],
)
def test_a_portrait_is_renewed_when_what_it_is_of_changes(
    change: dict[str, Any], same: bool
) -> None:
    assert (inputs_of(**change) == inputs_of()) == same


def test_a_portrait_is_of_the_development_period_s_files_alone() -> None:
    read = (DEVELOPMENT, USERS, ITEMS, USER_ROWS, ITEM_ROWS)
    files = {name: SimpleNamespace(content="a") for name in (*read, "sealed_test.parquet")}
    before = inputs_of(files=files)
    for name in files:
        changed = {**files, name: SimpleNamespace(content="b")}
        assert (inputs_of(files=changed) == before) == (name not in read)
    fewer = {name: files[name] for name in read[:1]}
    assert inputs_of(files=fewer) != before


def test_learners_are_grouped_and_written_under_their_own_ids(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    users = np.arange(14)
    dataset = replace(
        dataset_of(events_of([(int(user), 0, int(user)) for user in users])),
        users=pl.DataFrame({"_id": [f"learner {n}" for n in users]}),
    )
    fold: Any = SimpleNamespace(
        validation=SimpleNamespace(histories=SimpleNamespace(user=users[2:].astype(np.int32)))
    )
    vectors = np.array([[1, n / 50, 0] for n in range(8)] + [[0, n / 50, 1] for n in range(4)])
    monkeypatch.setattr(stage, "characterise", lambda *asked: ())
    told = {
        **OPENED.model_dump(), "study": "s", "seed": 7, "asked": 2, "inputs": "0f",
        "environment": {},
    }  # fmt: skip
    seen = vectors.astype(np.float32)
    found = stage.portray(seen, fold, dataset, experiment_of(), tmp_path, "mine", told)
    assert (found.family, found.learners, found.width) == ("mine", 12, 3)
    assert read_portrait(tmp_path, "mine") == found
    table = pl.read_parquet(vectors_path(tmp_path, "mine"))
    assert table["learner"].to_list() == [f"learner {n}" for n in users[2:]]
    assert table["cluster"].to_list() == [1] * 8 + [2] * 4  # the largest first
    with pytest.raises(BadInput, match="only 12 learners differ"):
        stage.portray(seen, fold, dataset, experiment_of(), tmp_path, "mine", {**told, "asked": 13})
