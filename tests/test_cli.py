"""The command line as its user meets it, on a small log.

One study is swept in a process of its own, by an installed recsweep that needs no checkout, with
secrets in its environment and a mirror; one is interrupted in another. What other commands do with
the finished study is asked in this process.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from exports import days_first, yuan
from faults.killing import outcome
from fuzz.command import recsweep

from recsweep import cli

REPOSITORY = Path(__file__).parents[1]
FAMILIES = ("gru", "matrix_factorization", "item_knn", "popularity", "markov")
SECRETS = {
    "WANDB_API_KEY": "planted0wandb0key0" + "a1" * 11,  # 40 characters, as W&B wants them
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret-key",
    "AWS_SESSION_TOKEN": "planted-aws-session-token",
    "COMPANY_TOKEN": "planted-company-token",
    "DATABASE_URL": "postgres://user:planted-password@host/db",
}


def write_project(root: Path, **changes: object) -> Path:
    """A project with a log of 60 learners on 30 courses; returns its experiment."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "learner": f"learner-{u:02}@school",
            "course": f"C{(u + 7 * n + int(rng.integers(0, 3))) % 30}",
            "at": t,
        }
        for u in range(60)
        for n, t in enumerate(np.sort(rng.integers(0, 100_000, 12)) + 1_000_000_000)
    ]
    pl.DataFrame(rows).write_csv(root / "log.csv")
    shutil.copytree(REPOSITORY / "search_spaces", root / "search_spaces")
    experiment = {
        "study": "tiny",
        "data": {
            "name": "tiny",
            "events": [{"path": "log.csv", "user": "learner", "item": "course", "time": "at"}],
        },
        "families": {name: f"search_spaces/{name}.yaml" for name in FAMILIES},
        "folds": {"count": 2, "validation": 0.15, "test": 0.2},
        "targets": {"seen": "keep"},
        "budget": {"trials": 3, "epochs": 2},
        "stopping": {"grace_epochs": 1, "full_trials": 1},
        "confirm": {"seeds": 2, "resamples": 1000},
        **changes,
    }
    path = root / "tiny.yaml"
    path.write_text(yaml.safe_dump(experiment))
    return path


def written(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file; compressed tables unpacked."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path, path.read_bytes()
                if path.suffix == ".parquet":
                    yield path, pl.read_parquet(path).write_ndjson().encode()


def in_a_process(
    root: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from recsweep.cli import main; main()", *arguments],
        cwd=root,
        env={**os.environ, "COLUMNS": "100", **(variables or {})},
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[Path]:
    """Short, because the names of sockets have a limit; Ray writes its logs there."""
    with tempfile.TemporaryDirectory(prefix="rs", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what is in the wheel."""
    home = tmp_path_factory.mktemp("wheel")
    source, target = home / "source", home / "installed"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source / name)
    for name in ("src", "search_spaces", "experiments"):
        leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(REPOSITORY / name, source / name, symlinks=True, ignore=leftovers)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    alone = ["--quiet", "--no-deps"]
    wheel = [*pip, "wheel", *alone, "--no-build-isolation", "-w", str(home), str(source)]
    subprocess.run(wheel, check=True, timeout=120, capture_output=True)
    (built,) = home.glob("recsweep-*.whl")
    into = [*pip, "install", *alone, "--no-index", "--target", str(target), str(built)]
    subprocess.run(into, check=True, timeout=120, capture_output=True)
    return target


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, ray_folder: Path, installed: Path) -> Path:
    """A finished study with a mirror beside it; its search spaces are those of the wheel."""
    root = tmp_path_factory.mktemp("project")
    write_project(
        root, families=[*FAMILIES], storage={"mirror": "mirror"}, resources={"workers": 1}
    )
    shutil.rmtree(root / "search_spaces")
    variables = {
        "PYTHONPATH": str(installed),
        "WANDB_MODE": "offline",
        "WANDB_SERVICE": "3-1-unix-/of/a/process/that/is/gone",
        "RAY_TMPDIR": str(ray_folder),
        **SECRETS,
    }
    done = in_a_process(root, "sweep", "tiny.yaml", variables=variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # Ray keeps quiet
    assert "efficiency" in done.stdout
    # The test was opened at once, so it is `confirm` that says what it can show.
    assert done.stdout.count("Power of the sealed test (about ") == 1
    assert done.stdout.index("Power of the") < done.stdout.index("Sealed test, ")
    (root / "terminal.txt").write_text(done.stdout + done.stderr)
    return root


@pytest.mark.slow
def test_a_run_leaves_every_file_that_the_design_names(project: Path) -> None:
    study = project / "results/tiny"
    for name in ("study.json", "trials.parquet", "curves.parquet", "optuna.log", "leaderboard.md"):
        assert (study / name).is_file(), name
    assert sorted(p.stem for p in (study / "best").iterdir()) == sorted(FAMILIES)
    assert list((study / "wandb").glob("offline-run-*"))
    assert (study / "report.html").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_the_process_that_ray_begins_by_itself_is_the_one_that_trains(ray_folder: Path) -> None:
    (session,) = ray_folder.glob("ray/session_[0-9]*")
    assert not list(session.glob("logs/runtime_env_setup-*"))
    assert len(list(session.glob("logs/python-core-worker-*.log"))) == 1


def test_every_space_and_experiment_of_the_repository_is_in_the_wheel(installed: Path) -> None:
    with zipfile.ZipFile(next(installed.parent.glob("recsweep-*.whl"))) as wheel:
        names = set(wheel.namelist())
    for folder in ("search_spaces", "experiments"):
        for path in (REPOSITORY / folder).rglob("*.yaml"):
            assert f"recsweep/{path.relative_to(REPOSITORY)}" in names


def test_an_installed_experiment_is_found_by_its_name(installed: Path, tmp_path: Path) -> None:
    code = "import recsweep; print(recsweep.__file__, recsweep.load_experiment('default').study)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    where, study = done.stdout.split()
    assert Path(where).is_relative_to(installed)
    assert study == "default"


def read_run(run: Path) -> dict[str, list[dict[str, Any]]]:
    """A run file's records by type, read by W&B's own reader.

    It is what `wandb leet inspect --json` starts; a Python for each run takes a second and more.
    """
    from wandb.util import get_core_path

    (file,) = run.glob("*.wandb")
    command = [get_core_path(), "leet", "inspect", "--no-observability", "--json"]
    command += ["--run-file", str(file), str(run.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record["type"], []).append(record[record["type"]])
    return found


@pytest.mark.slow
def test_every_trials_run_file_has_all_its_metrics_and_settings_for_wandbs_own_reader(
    project: Path,
) -> None:
    folder = project / "results/tiny"
    curves = pl.read_parquet(folder / "curves.parquet")
    found = folder.glob("wandb/offline-run-*")
    runs = {run.name.rpartition("-run-")[2][16:].rpartition("-")[0]: run for run in found}
    trials = pl.read_parquet(folder / "trials.parquet").to_dicts()
    for trial in trials:
        records = read_run(runs[trial["id"]])
        assert "exit" in records
        run = records["run"][0]
        assert (run["job_type"], run["run_group"]) == ("trial", "tiny")
        assert run.get("host") in (None, "", "-")
        config = run["config"]["update"]
        assert {k: config[k] for k in json.loads(trial["config"])} == json.loads(trial["config"])
        assert config["budget.epochs"] == 2
        mine = curves.filter(pl.col("trial") == trial["id"])
        assert len(records["history"]) == trial["epochs"]
        for row in records["history"]:
            logged = row["item"]
            for epoch, fold, metric, value in mine.drop("trial").iter_rows():
                if fold is not None and value is not None and epoch == logged["epoch"]:
                    key = (
                        f"loss/{config['loss']}"
                        if metric == "loss" and "loss" in config
                        else metric
                    )
                    assert logged[f"fold/{fold}/{key}"] == value
            assert {"events_per_second", "memory_mb"} <= set(logged)
    stages = [run for name, run in runs.items() if "-00" not in name]
    jobs = [read_run(run)["run"][0]["job_type"] for run in stages]
    assert sorted(jobs) == ["confirm", "study", "study", "study"]
    # What opens first in a viewer of run files: a selected trial, with its curves.
    latest = read_run(_opened_first(folder))
    assert latest["run"][0]["job_type"] == "selected"
    assert latest["run"][0]["tags"][0] == "selected"
    assert "ndcg@10" in latest["history"][0]["item"]
    assert any("sealed/ndcg@10" in str(record) for record in latest["summary"])


def _opened_first(study: Path) -> Path:
    """As `wandb leet` has it: the latest run, by name among those from one second."""
    found = sorted(study.glob("wandb/offline-run-*"))
    latest = max(run.name[:27] for run in found)
    return next(run for run in found if run.name[:27] == latest)


@pytest.mark.slow
def test_every_tuned_family_gets_the_same_number_of_trials(project: Path) -> None:
    trials = pl.read_parquet(project / "results/tiny/trials.parquet")
    counts = dict(trials.group_by("family").len().iter_rows())
    assert counts == dict.fromkeys(FAMILIES, 3)


@pytest.mark.slow
def test_a_finished_study_is_not_run_again_and_reports_the_same(project: Path) -> None:
    board = project / "results/tiny/leaderboard.md"
    trials = project / "results/tiny/trials.parquet"
    before, rows = board.read_text(), pl.read_parquet(trials)
    again = recsweep(project, "sweep", "tiny.yaml", "--quiet")
    assert again.done, again.err
    assert "Every trial of this study is finished" in again.out
    assert len(again.out.splitlines()) <= 24
    lines = recsweep(project, "sweep", "tiny.yaml", "--json").out.splitlines()
    events = [json.loads(line) for line in lines]
    assert [e["event"] for e in events] == ["prepared", "selected", "confirmed", "reported"]
    assert events[2]["opened"] is False
    assert board.read_text() == before
    assert pl.read_parquet(trials).equals(rows)


@pytest.mark.long
def test_a_study_can_be_searched_again_for_a_verdict_on_families(
    project: Path, tmp_path: Path
) -> None:
    root = tmp_path / "again"
    shutil.copytree(project, root)
    done = in_a_process(root, "confirm", "results/tiny", "--searches", "2")
    assert done.returncode == 0, done.stderr
    assert "tiny-search-2: 15 trials" in done.stdout
    assert "2 searches a family" in done.stdout
    assert "this applies to families tuned this hard" in " ".join(done.stdout.split())
    assert "opened 2 times" in done.stdout


@pytest.mark.long
def test_limits_refuse_the_same_trials_with_one_worker_and_with_two(tmp_path: Path) -> None:
    found = []
    for workers in (1, 2):
        root = tmp_path / str(workers)
        root.mkdir()
        write_project(
            root,
            families={n: f"search_spaces/{n}.yaml" for n in ("matrix_factorization", "item_knn")},
            budget={"trials": 3, "epochs": 2},
            stopping={"grace_epochs": 1, "reduction": 2, "full_trials": 1},
            resources={"cpu": 0.5, "workers": workers},
            tracking={"wandb": "off"},
            limits={"parameters": 1500},  # of 30 courses: up to 50 factors, or some 20 neighbours
            repeatable=True,
        )
        done = in_a_process(root, "search", "tiny.yaml")
        assert done.returncode == 0, done.stderr
        found.append(outcome(root / "results/tiny"))
        trials = pl.read_parquet(root / "results/tiny/trials.parquet")
        refused = trials.filter(pl.col("state") == "refused")
        assert set(refused["family"]) == {"matrix_factorization", "item_knn"}
        assert len(trials) - len(refused) == 2 * 3
        replayed = in_a_process(root, "replay", "results/tiny")
        assert replayed.returncode == 0, replayed.stderr
    assert found[1] == found[0]


@pytest.mark.slow
def test_no_file_that_a_run_writes_holds_a_secret(project: Path, ray_folder: Path) -> None:
    seen = set()
    for path, content in written(project, ray_folder):
        seen.add(path.suffix)
        for name, secret in SECRETS.items():
            assert secret.encode() not in content, f"{name} is in {path}"
    assert {".json", ".yaml", ".html", ".parquet", ".wandb", ".log", ".md"} <= seen
    assert [p for p in ray_folder.rglob("*.out") if p.stat().st_size] or list(
        ray_folder.rglob("raylet*")
    )


@pytest.mark.slow
def test_a_fresh_machine_goes_on_from_the_mirror(project: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    shutil.copytree(project, fresh, ignore=shutil.ignore_patterns("results", "data"))
    assert not (fresh / "results").exists()
    again = recsweep(fresh, "search", "tiny.yaml", "--quiet")
    assert again.done, again.err
    assert "Every trial of this study is finished" in again.out
    before, after = project / "results/tiny", fresh / "results/tiny"
    for name in ("best/item_knn.yaml", "openings.json", "report.html"):
        assert (after / name).read_bytes() == (before / name).read_bytes(), name
    assert (after / "optuna.log").read_bytes().startswith((before / "optuna.log").read_bytes())
    trials = pl.read_parquet(before / "trials.parquet")
    assert pl.read_parquet(after / "trials.parquet").equals(trials)


def test_raw_learner_ids_are_in_no_result(project: Path) -> None:
    assert any(b"@school" in content for _, content in written(project / "data"))  # one would see
    seen = set()
    for path, content in written(project / "results"):
        assert b"@school" not in content, path
        seen.add(path.suffix)
    assert {".json", ".parquet", ".yaml", ".md", ".html", ".log", ".wandb"} <= seen


@pytest.mark.slow
def test_an_experiment_that_changed_is_refused_for_a_study_that_has_begun(project: Path) -> None:
    refused = recsweep(project, "search", "tiny.yaml", "--set", "metric.k=5")
    assert refused.status == 2
    assert refused.err.count("recsweep:") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("trials_here")
def test_a_plan_runs_nothing(tmp_path: Path) -> None:
    write_project(tmp_path, families=["matrix_factorization", "popularity"])
    planned = recsweep(tmp_path, "plan", "tiny.yaml")
    assert planned.done, planned.err
    assert "worker" in planned.out
    assert "Power of the sealed test (about " in planned.out
    assert not (tmp_path / "results/tiny/optuna.log").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("trials_here")
def test_ctrl_c_stops_within_ten_seconds_and_the_resumed_study_has_every_trial_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = {name: f"search_spaces/{name}.yaml" for name in ("gru", "matrix_factorization")}
    write_project(
        tmp_path, families=families, budget={"trials": 4, "epochs": 4}, resources={"workers": 1}
    )
    monkeypatch.setenv("WANDB_MODE", "disabled")
    process = subprocess.Popen(
        [sys.executable, "-c", "from recsweep.cli import main; main()", "sweep", "tiny.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[2/"):
            break
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 1
    assert "recsweep sweep tiny.yaml" in stderr
    assert "Traceback" not in stderr
    kept = pl.read_parquet(tmp_path / "results/tiny/trials.parquet")
    assert 2 <= len(kept) < len(families) * 4
    resumed = recsweep(tmp_path, "search", "tiny.yaml", "--quiet")
    assert resumed.done, resumed.err
    trials = pl.read_parquet(tmp_path / "results/tiny/trials.parquet")
    assert len(trials) == len(families) * 4
    assert trials["id"].n_unique() == len(trials)
    assert trials.filter(pl.col("id").is_in(kept["id"].implode())).equals(
        kept.filter(pl.col("id").is_in(trials["id"].implode()))
    )


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        ("folds: {cuont: 3}", "did you mean 'count'?"),
        ("folds: {count: many}", "folds.count"),
        ("folds: {count: 9, validation: 0.2}", "must be below 1"),
        ("families: {gru: search_spaces/grru.yaml}", "search_spaces/grru.yaml"),
        ("data.events.0.user: x", None),
    ],
)
def test_a_mistake_in_the_experiment_is_one_line_and_exit_2(
    break_it: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_project(tmp_path)
    raw = yaml.safe_load(path.read_text())
    if words is None:
        raw["data"]["events"][0]["user"] = "leaner"
        words = "learner"
    else:
        raw |= yaml.safe_load(break_it)
    path.write_text(yaml.safe_dump(raw))
    check(tmp_path, monkeypatch, words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("learner,course,at\n", "log.csv"),
        ("learner,course,at\nL1,C1,yesterday\n", "yesterday"),
        ("\x00\x01\x02PAR1\xff", "log.csv"),
    ],
)
def test_a_broken_log_is_one_line_and_exit_2(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path)
    (tmp_path / "log.csv").write_bytes(content.encode("latin-1"))
    check(tmp_path, monkeypatch, words)


def check(root: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["recsweep", "search", "tiny.yaml"])
    said: list[str] = []
    monkeypatch.setattr(cli.err, "print", lambda text, **_: said.append(text))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert len(said) == 1
    assert "\n" not in said[0]
    assert words in said[0]
    left = [p.name for p in root.rglob("*") if p.is_file() and "search_spaces" not in str(p)]
    assert sorted(left) == ["log.csv", "tiny.yaml"]


def test_trials_wants_a_plus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    monkeypatch.setattr(sys, "argv", ["recsweep", "sweep", "tiny.yaml", "--trials", "12"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2


def test_init_writes_an_experiment_that_prepare_takes(tmp_path: Path) -> None:
    for name, content in yuan().files.items():
        (tmp_path / name).write_bytes(content)
    files = sorted(yuan().files)
    done = recsweep(tmp_path, "init", *files, "--yes", "--output", "mine.yaml")
    assert done.done, done.err
    assert "2024-03-01 09:30:00" in done.out  # a row as it was read
    assert "prepare mine.yaml" in done.out
    prepared = recsweep(tmp_path, "prepare", "mine.yaml")
    assert prepared.done, prepared.err
    again = recsweep(tmp_path, "init", *files, "--yes", "--output", "mine.yaml")
    assert again.status == 2
    assert "mine.yaml: exists already" in again.err


def test_init_that_nobody_answers_says_how_to_go_on(tmp_path: Path) -> None:
    for name, content in days_first().files.items():
        (tmp_path / name).write_bytes(content)
    done = in_a_process(tmp_path, "init", *days_first().files)
    assert done.returncode == 2
    assert "In which time zone" in done.stderr
    assert "--yes" in done.stderr
    assert not (tmp_path / "experiments").exists()
