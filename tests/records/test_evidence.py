import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from reference import REFERENCE, copied
from studies import study_with, trial_row

from recsweep.data.types import Float64
from recsweep.errors import BadInput
from recsweep.records import evidence as module
from recsweep.records.confirmation_files import LEARNERS, VERDICTS, write_confirmation
from recsweep.records.evidence import Evidence, read_evidence
from recsweep.records.files import write_study
from recsweep.records.selection import read_best


def evidence_of(folder: Path, scores: Float64) -> Evidence:
    """Scores (n_searches, n_seeds, 3) of one family on the learners 4, 7 and 9."""
    evidence = replace(read_evidence(REFERENCE / "mars"), folder=folder)
    assert evidence.confirmation is not None
    seeds = np.arange(scores.shape[0] * scores.shape[1]).reshape(scores.shape[:2]).tolist()
    user = np.array([4, 7, 9], np.int32)
    write_confirmation(evidence.confirmation, {"gru": {"mrr@5": scores}}, seeds, user, folder)
    return evidence


@pytest.mark.parametrize("searches", [1, 2, 3])
def test_a_learners_scores_are_those_of_the_seeds_or_each_searchs_mean_over_its_seeds(
    tmp_path: Path, searches: int
) -> None:
    scores = np.arange(searches * 4 * 3, dtype=np.float64).reshape(searches, 4, 3)
    found = evidence_of(tmp_path, scores).learners("mrr@5")
    assert found is not None
    assert found.user.tolist() == [4, 7, 9]
    expected = scores[0] if searches == 1 else scores.mean(axis=1)
    assert found.values["gru"].tolist() == expected.tolist()


def test_a_metric_that_nobody_scored_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no column ndcg@10"):
        evidence_of(tmp_path, np.ones((1, 2, 3))).learners("ndcg@10")


def test_families_stand_in_the_experiments_order() -> None:
    found = read_evidence(REFERENCE / "mars")
    selected = {path.stem for path in (REFERENCE / "mars" / "best").glob("*.yaml")}
    assert list(found.best) == [name for name in found.experiment.families if name in selected]
    assert list(found.best) != sorted(found.best)  # that of the files


def test_without_a_confirmation_or_its_table_there_are_no_scores(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, np.ones((1, 2, 3)))
    assert evidence.learners("mrr@5") is not None
    assert replace(evidence, confirmation=None).learners("mrr@5") is None
    assert replace(evidence, folder=tmp_path / "other").learners("mrr@5") is None
    path = tmp_path / LEARNERS
    pl.read_parquet(path).clear().write_parquet(path)
    assert evidence.learners("mrr@5") is None


def selected(folder: Path, *families: str) -> Path:
    """Some of the reference's families, and nothing else."""
    (folder / "best").mkdir(parents=True)
    for name in families:
        shutil.copy(REFERENCE / "mars" / "best" / f"{name}.yaml", folder / "best")
    return folder


def test_a_folder_with_selected_configurations_alone_is_evidence(tmp_path: Path) -> None:
    found = read_evidence(selected(tmp_path, "gru", "popularity"))
    assert set(found.best) == {"gru", "popularity"}
    assert (found.folder, found.spaces, found.confirmation) == (tmp_path, None, None)
    assert found.fingerprint == found.best["gru"].data.fingerprint
    assert found.experiment == found.best["gru"].experiment
    assert found.environment == found.best["gru"].environment


def test_a_study_beside_them_tells_its_spaces(tmp_path: Path) -> None:
    folder, study = selected(tmp_path, "gru"), study_with(trial_row(0, (0.1,)))
    write_study(study, folder)
    spaces = {name: space.keys_as_declared() for name, space in study.spaces.items()}
    assert read_evidence(folder).spaces == spaces


def test_where_nothing_was_selected_it_is_said_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no best/<family>\.yaml; run recsweep select"):
        read_evidence(tmp_path)


def test_a_bundle_is_evidence_of_the_study_that_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Path] = []
    monkeypatch.setattr(module, "read_bundle", checked.append)
    shutil.copy(REFERENCE / "mars" / "best" / "gru.yaml", tmp_path / "best.yaml")
    (tmp_path / "bundle.json").write_text("{}")
    assert list(read_evidence(tmp_path).best) == ["gru"]
    assert checked == [tmp_path]
    own = selected(tmp_path / "study", "popularity")
    (own / "bundle.json").write_text("{}")
    assert list(read_evidence(own).best) == ["popularity"]  # what was selected there comes first
    assert checked == [tmp_path]


@pytest.mark.parametrize(("more", "told"), [(None, True), ((), False), (("ensemble",), True)])
def test_an_ensemble_is_told_last_unless_the_verdicts_are_without_it(
    more: tuple[str, ...] | None, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = selected(tmp_path, "gru", "popularity")
    text = (folder / "best" / "gru.yaml").read_text("utf-8")
    assert "\nfamily: gru\nkind: gru\n" in text
    fused = text.replace("\nfamily: gru\nkind: gru\n", "\nfamily: ensemble\nkind: ensemble\n")
    (folder / "best" / "ensemble.yaml").write_text(fused, "utf-8")
    best = {name: read_best(folder / "best" / f"{name}.yaml") for name in ("gru", "popularity")}
    tested = best | dict.fromkeys(more or (), best["gru"])
    verdicts: Any = None if more is None else SimpleNamespace(families=tested)
    monkeypatch.setattr(module, "read_confirmation", lambda at: verdicts)
    found = read_evidence(folder)
    names = [name for name in found.experiment.families if name in ("gru", "popularity")]
    assert list(found.best) == [*names, *(["ensemble"] if told else [])]


def test_verdicts_on_another_selection_are_no_evidence_on_this_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copied("mars", tmp_path)
    assert read_evidence(folder).confirmation is not None
    assert not caplog.messages
    best = folder / "best" / "gru.yaml"
    best.write_text(re.sub(r"^trial: .*", "trial: gru-0099", best.read_text("utf-8"), flags=re.M))
    found = read_evidence(folder)
    assert found.best["gru"].trial == "gru-0099"
    assert (found.confirmation, found.learners("mrr@5")) == (None, None)
    (told,) = caplog.messages
    assert told.startswith(f"{folder / VERDICTS} is about an earlier selection")
