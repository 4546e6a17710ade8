import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from families import stand_in
from scipy.stats import t
from tiny import World

from recsweep.cli.confirmation_lines import confirmation_lines
from recsweep.data import sealed
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.power import Power
from recsweep.models.family import Build
from recsweep.models.registry import families_of
from recsweep.records.confirmation_files import read_confirmation, read_learners
from recsweep.records.lock import study_lock
from recsweep.records.openings import read_openings
from recsweep.records.user_values import read_user_values
from recsweep.stages.confirm import stage
from recsweep.stages.confirm.refits import Job
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
