from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsweep.data.types import Float64
from recsweep.errors import BadInput
from recsweep.records.confirmation_files import write_confirmation
from recsweep.records.evidence import Evidence, read_evidence

REFERENCE = Path(__file__).parents[2] / "examples" / "reference"


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
