import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from families import stand_in
from scipy.stats import t
from studies import study_with, trial_row
from tiny import World
from worlds import experiment_of, training_of

from recsweep.cli.confirmation_lines import confirmation_lines
from recsweep.data import sealed
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.power import Power
from recsweep.models.family import Build
from recsweep.models.registry import families_of
from recsweep.records.confirmation import Steps
from recsweep.records.confirmation_files import read_confirmation, read_learners
from recsweep.records.lock import study_lock
from recsweep.records.openings import Opened, read_openings
from recsweep.records.user_values import read_user_values
from recsweep.stages.confirm import stage
from recsweep.stages.confirm.refits import Job
from recsweep.stages.confirm.searches import Search
from recsweep.stages.confirm.stage import confirm_stage

Edit = Callable[[Path, str, str], None]


def confirm(world: World, workers: int = 1, **rest: Any) -> stage.Confirmed:
    return confirm_stage(world.study, world.root, workers=workers, **rest)


def test_the_first_confirmation_opens_the_test_and_says_so(world: World) -> None:
    confirmed = confirm(world)
    assert confirmed.opened
    (opening,) = read_openings(world.study)
    assert opening.why == "confirm"
    assert opening.fingerprint == confirmed.confirmation.fingerprint
    assert opening.configurations["matrix_factorization"].config["factors"] == 8
    assert confirmed.confirmation.openings == (opening,)


def test_with_nothing_changed_the_test_stays_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = confirm(world)

    def never(*_: object) -> None:
        raise AssertionError("the sealed test was read")

    monkeypatch.setattr(stage, "unseal", never)
    monkeypatch.setattr(sealed, "load_sealed", never)
    again = confirm(world)
    assert not again.opened
    assert again.confirmation == first.confirmation
    assert len(read_openings(world.study)) == 1


def test_a_study_that_another_process_changes_is_not_confirmed_meanwhile(world: World) -> None:
    with study_lock(world.study, "sweep"), pytest.raises(BadInput, match="recsweep sweep is run"):
        confirm(world)
    assert read_openings(world.study) == ()
    assert confirm(world).opened


def test_what_another_process_confirmed_while_this_one_read_is_not_opened_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = study_lock

    @contextmanager
    def late(folder: Path, verb: str) -> Iterator[None]:
        monkeypatch.setattr(stage, "study_lock", lock)
        confirm(world)
        with lock(folder, verb):
            yield

    monkeypatch.setattr(stage, "study_lock", late)
    assert not confirm(world).opened
    assert len(read_openings(world.study)) == 1


def test_what_the_test_can_show_is_said_before_it_is_opened_and_only_then(world: World) -> None:
    heard: list[tuple[Power, int]] = []

    def before_opening(power: Power) -> None:
        heard.append((power, len(read_openings(world.study))))

    confirmation = confirm(world, before_opening=before_opening).confirmation
    confirm(world, before_opening=before_opening)
    ((power, openings),) = heard
    assert openings == 0
    declared = [(v.a, v.b) for v in confirmation.pairs if not v.exploratory]
    assert list(power.differences) == declared
    a, b = (
        np.concatenate([f.value for f in read_user_values(world.study, choice.trial)])
        for choice in (confirmation.families[name] for name in declared[0])
    )
    n = power.learners
    assert 0.5 < n / confirmation.learners < 2
    # One fold or several with like means: the pooled spread is about that of all.
    rough = (t.isf(0.025 / len(declared), n - 1) + t.isf(0.2, n - 1)) * (a - b).std() / n**0.5
    assert power.differences[declared[0]] == pytest.approx(rough, rel=0.1)


def test_what_cannot_be_told_of_the_machine_leaves_the_test_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("no processor")

    monkeypatch.setattr(stage, "environment", fails)
    with pytest.raises(OSError, match="no processor"):
        confirm(world)
    assert read_openings(world.study) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [('"seeds": 2', '"seeds": 3'), ('"smallest_effect": 0.005', '"smallest_effect": 0.1')],
)
def test_a_changed_question_opens_it_again_and_is_counted(
    world: World, edit: Edit, old: str, new: str
) -> None:
    confirm(world)
    edit(world.study / "study.json", old, new)
    confirmed = confirm(world)
    assert confirmed.opened
    assert len(read_openings(world.study)) == 2
    assert any("opened 2 times" in line for line in confirmation_lines(confirmed, world.study))


def test_a_resource_that_changes_no_number_keeps_the_test_closed(world: World, edit: Edit) -> None:
    confirm(world)
    edit(world.study / "study.json", '"silence_seconds": 3600', '"silence_seconds": 60')
    assert not confirm(world).opened
    assert len(read_openings(world.study)) == 1


def test_an_opening_is_written_down_before_the_test_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(dataset: object) -> None:
        assert len(read_openings(world.study)) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "unseal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        confirm(world)
    assert len(read_openings(world.study)) == 1
    assert read_confirmation(world.study) is None


def test_the_verdicts_can_be_read_by_people(world: World) -> None:
    confirm(world)
    content = json.loads((world.study / "verdicts.json").read_text("utf-8"))
    assert list(content)[:5] == ["study", "metric", "verdicts", "smallest_effect", "level"]
    assert len(content["verdicts"]) == 3
    assert all("ndcg@10 [" in sentence for sentence in content["verdicts"])
    assert content["scope"] == "configurations"
    assert set(content["families"]["markov"]["metrics"]) == {
        f"{name}@{k}" for name in ("recall", "ndcg", "mrr") for k in (5, 10)
    }


def test_the_lists_are_described_beyond_accuracy_with_intervals(world: World) -> None:
    for family in confirm(world).confirmation.families.values():
        assert {*family.corrected} == {*family.metrics}
        assert {"coverage@10", "gini@10", "long_tail@10"} <= {*family.beyond}
        assert family.beyond["coverage@10"].mean == pytest.approx(family.coverage["coverage@10"])
        for found in family.beyond.values():
            assert found.lower <= found.mean <= found.upper


def test_every_metric_is_given_in_each_group_of_learners(world: World) -> None:
    confirmation = confirm(world).confirmation
    (team,) = confirmation.groups
    assert team.column == "team"
    assert {*team.learners} == {"blue", "red"}
    assert sum(team.learners.values()) == confirmation.learners
    table = read_learners(world.study).filter(family="markov")
    for metric, gap in team.gaps["markov"].items():
        means = {name: mean.mean for name, mean in team.means["markov"][metric].items()}
        assert gap.difference == pytest.approx(max(means.values()) - min(means.values()))
        weighed = sum(means[name] * n for name, n in team.learners.items())
        assert weighed / confirmation.learners == pytest.approx(table[metric].mean())


def test_the_learners_table_holds_the_means_that_are_reported(world: World) -> None:
    confirmation = confirm(world).confirmation
    table = read_learners(world.study)
    assert len(table) == 3 * 2 * confirmation.learners
    for name, family in confirmation.families.items():
        mean = table.filter(family=name)["ndcg@10"].mean()
        assert mean == pytest.approx(family.metrics["ndcg@10"].mean)


def test_only_a_family_without_chance_is_trained_once(world: World) -> None:
    jobs: list[Job] = []
    confirmation = confirm(world, on_end=lambda ended: jobs.append(ended.job)).confirmation
    families = Counter(job.family for job in jobs)
    assert families == {"matrix_factorization": 2, "markov": 1, "popularity": 1}
    assert jobs == sorted(jobs, key=lambda job: -job.work)  # what takes longest goes first
    table = read_learners(world.study)

    def seeds_agree(family: str) -> bool:
        rows = table.filter(family=family)["ndcg@10"].to_numpy().reshape(2, -1)
        return np.array_equal(rows[0], rows[1])

    assert seeds_agree("markov")
    assert not seeds_agree("matrix_factorization")
    assert confirmation.families["markov"].deterministic
    assert confirmation.families["matrix_factorization"].seeds == (9000, 9001)


def test_steps_grow_with_the_data_while_epochs_stay(world: World) -> None:
    family = confirm(world).confirmation.families["matrix_factorization"]
    assert family.steps is not None
    assert family.steps.folds[0] < family.steps.folds[1] < family.steps.refit
    assert confirm(world).confirmation.families["popularity"].steps is None


def test_every_target_is_in_one_tercile_and_either_new_or_returning(world: World) -> None:
    confirmation = confirm(world).confirmation
    targets = {group.name: group.targets for group in confirmation.subgroups}
    for words in (("history of",), ("new learner", "returning"), ("course",)):
        parts = [n for name, n in targets.items() if name.startswith(words)]
        assert len(parts) > 1
        assert sum(parts) == confirmation.targets
    assert {len(group.differences) for group in confirmation.subgroups} == {3}


def test_two_processes_find_what_one_finds(world: World) -> None:
    confirm(world)
    alone = read_learners(world.study)
    (world.study / "verdicts.json").unlink()
    confirm(world, workers=2)
    assert read_learners(world.study).equals(alone)


def test_the_terminal_names_the_metric_as_the_page_does(world: World) -> None:
    lines = list(confirmation_lines(confirm(world), world.study))
    assert sum("NDCG@10" in line for line in lines) >= 3  # a mean a family
    assert not [line for line in lines if "ndcg@" in line]


def test_other_data_than_the_search_had_are_refused_unopened(world: World, edit: Edit) -> None:
    fingerprint = json.loads((world.study / "study.json").read_text())["fingerprint"]
    edit(world.study / "study.json", fingerprint, "0" * 64)
    with pytest.raises(BadInput, match="fingerprint"):
        confirm(world)
    assert read_openings(world.study) == ()


def test_a_refit_that_diverges_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Diverging:
        def fit_epoch(self) -> float:
            return float("nan")

    entry = families_of("next_item")["matrix_factorization"]
    broken = Build(entry.config, lambda config, context: Diverging())
    stand_in(monkeypatch, "matrix_factorization", broken)
    with pytest.raises(WorkFailed, match="matrix_factorization, seed 9000: the refit diverged"):
        confirm(world)


def test_a_damaged_confirmation_is_not_written_over(world: World) -> None:
    (world.study / "verdicts.json").write_text("{}")
    with pytest.raises(BadInput, match=r"verdicts\.json"):
        confirm(world)
    assert read_openings(world.study) == ()


def test_a_confirmation_without_its_learners_is_made_again(world: World) -> None:
    confirm(world)
    (world.study / "confirmation.parquet").unlink()
    assert confirm(world).opened
    assert isinstance(read_learners(world.study), pl.DataFrame)


CONFIG = {"window": 3, "batch_size": 2}


def opened(name: str, **keys: Any) -> Opened:
    return Opened(**{"kind": name, "trial": f"{name}-0001", "config": CONFIG, "epochs": 4, **keys})


def member(name: str, epochs: int) -> dict[str, object]:
    rest = {"weight": 1, "seed_offset": 0, "config": {}}
    return {"trial": f"{name}-0001", "kind": name, "epochs": epochs, **rest}


TRIALS = (
    trial_row(1, (0.1, 0.2), family="gru", fit_seconds=10.0),
    trial_row(1, (0.1,), family="popularity", fit_seconds=2.0),
)
MEMBERS = {"members": (member("gru", 3), member("popularity", 1))}
SELECTED = {
    "gru": opened("gru"),
    "popularity": opened("popularity", config={}, epochs=1),
    "ensemble": opened("ensemble", config=MEMBERS, epochs=1),
}


def search_of(seed: int = 0) -> Search:
    families = ["gru", "popularity"]
    experiment = experiment_of(families=families, seed=seed, confirm={"seeds": 2})
    return Search(study_with(*TRIALS, experiment=experiment), SELECTED)


def test_a_refit_is_expected_to_take_what_its_trials_epochs_took() -> None:
    jobs = stage._jobs(search_of(5), 2)
    assert [(job.family, job.seed) for job in jobs] == [
        ("gru", 9005), ("gru", 9006), ("popularity", 9005), ("ensemble", 9005), ("ensemble", 9006)
    ]  # fmt: skip
    assert {job.search for job in jobs} == {2}
    assert (jobs[0].kind, jobs[0].config, jobs[0].epochs) == ("gru", CONFIG, 4)
    # A trial of gru fitted two epochs in 10 s, and evaluated them in 1/3 s: three times an epoch's.
    gru, popularity = 4 * 5.0 + 3 / 6, 2.0 + 3 / 3
    both = 3 * 5.0 + 3 / 6 + popularity
    expected = [gru + 1e-3] * 2 + [popularity + 1e-3] + [both + 1e-3] * 2
    assert [job.work for job in jobs] == pytest.approx(expected, abs=1e-9)


def test_steps_are_of_those_that_are_trained_in_batches() -> None:
    training = training_of([[0, 1, 2, 3, 4], [1, 2], [3, 0, 1]])
    fold: Any = SimpleNamespace(training=training)
    # Windows of 3 targets: two of the first learner, one of the others each; two a batch.
    assert stage._steps(fold, SELECTED, "next_item") == {"gru": 4 * 2}


class Staged:
    """`confirm_stage` with all that it calls stood in for: who is asked what, in which order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: dict[str, Any] = {}
        self.own = search_of()
        self.before: list[Any] = [None, None]
        self.power: Any = None
        targets = SimpleNamespace(histories=SimpleNamespace(user="users"))
        self.test = SimpleNamespace(fold=SimpleNamespace(validation=targets, name="test"))
        stand_ins = {
            "read_study": lambda folder: self.own.study,
            "own_search": lambda study, folder: self.own,
            "searched_data": lambda study, root: "data",
            "confirmation_inputs": lambda study, *chosen: self.note("inputs", chosen, "0f"),
            "_confirmed": lambda folder, inputs: self.before.pop(0),
            "development_folds": lambda data, experiment: ("fold1", "fold2"),
            "_steps": self.steps,
            "contrasts": lambda study, selected: "asked",
            "power_of_study": lambda *asked: self.power,
            "environment": lambda resources: {"python": "3"},
            "open_test": lambda *asked: self.note("opened", asked, (self.test, 3)),
            "worker_count": lambda resources, n: 100 + n,
            "score_all": self.score_all,
            "conclude": lambda *asked: self.note("concluded", asked, ("said", "tables")),
            "write_confirmation": lambda *asked: self.note("written", asked, None),
        }
        for name, given in stand_ins.items():
            monkeypatch.setattr(stage, name, given)

    def note(self, name: str, what: Any, answer: Any) -> Any:
        self.told[name] = what
        return answer

    def steps(self, fold: Any, selected: Any, task: str) -> dict[str, int]:
        return {"gru": 3 if fold is self.test.fold else int(fold.removeprefix("fold"))}

    def score_all(self, jobs: Any, test: Any, **rest: Any) -> Any:
        self.told["jobs"], self.told["workers"] = jobs, rest["workers"]
        return [SimpleNamespace(job=job) for job in jobs]


def test_families_are_confirmed_with_the_ensemble_after_one_search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch)
    found: Any = confirm_stage(tmp_path, tmp_path)
    assert (found.confirmation, found.opened) == ("said", True)
    assert staged.told["inputs"] == (SELECTED, [])
    assert staged.told["opened"][5:] == ([],)
    assert staged.told["opened"][4] == SELECTED
    assert staged.told["jobs"] == stage._jobs(staged.own, 1)
    assert staged.told["workers"] == 105
    scored, test, plan = staged.told["concluded"]
    assert test is staged.test
    assert {name: [run.job.family for run in runs] for name, runs in scored.items()} == {
        "gru": ["gru"] * 2,
        "popularity": ["popularity"],
        "ensemble": ["ensemble"] * 2,
    }
    assert plan.steps == {"gru": Steps(folds=(1, 2), refit=3)}
    assert plan.searches == (staged.own,)
    assert (plan.users, plan.contrasts, plan.inputs, plan.folder) == (3, "asked", "0f", tmp_path)
    assert plan.environment == {"python": "3"}
    assert staged.told["written"] == ("said", "tables", [(9000, 9001)], "users", tmp_path)


def test_repeated_searches_leave_the_ensemble_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch)
    families = {name: SELECTED[name] for name in ("gru", "popularity")}
    again = Search(search_of(10_000).study, families)
    confirm_stage(tmp_path, tmp_path, repeats=[again], workers=7)
    assert staged.told["workers"] == 7
    assert staged.told["inputs"] == (families, [families])
    assert staged.told["opened"][4:] == (families, [families])
    jobs = [(job.family, job.seed, job.search) for job in staged.told["jobs"]]
    seeds = [("gru", 0), ("gru", 1), ("popularity", 0)]
    assert jobs == [
        (name, 10_000 * (search - 1) + 9000 + n, search) for search in (1, 2) for name, n in seeds
    ]
    assert set(staged.told["concluded"][0]) == set(families)
    assert staged.told["written"][2] == [(9000, 9001), (19_000, 19_001)]


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_confirmed_before_or_meanwhile_is_given_back(
    times: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged = Staged(monkeypatch)
    staged.before = [None] * (times - 1) + ["before"]
    assert confirm_stage(tmp_path, tmp_path) == "before"  # type: ignore[comparison-overlap]
    assert "opened" not in staged.told


@pytest.mark.parametrize("power", [None, "power"])
def test_what_the_test_can_show_is_said_where_it_is_known(
    power: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    staged, heard = Staged(monkeypatch), list[Any]()
    staged.power = power
    confirm_stage(tmp_path, tmp_path, before_opening=heard.append)
    assert heard == ([] if power is None else [power])


@pytest.mark.parametrize(
    ("inputs", "learners", "found"), [("0f", True, True), ("ff", True, False), ("0f", False, False)]
)
def test_a_confirmation_of_the_same_inputs_stands_with_its_table(
    inputs: str, learners: bool, found: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert stage._confirmed(tmp_path, inputs) is None
    before: Any = SimpleNamespace(inputs="0f")
    monkeypatch.setattr(stage, "read_confirmation", lambda folder: before)
    if learners:
        (tmp_path / "confirmation.parquet").touch()
    expected = stage.Confirmed(before, opened=False) if found else None
    assert stage._confirmed(tmp_path, inputs) == expected
