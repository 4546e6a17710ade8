"""What a model card says is true of the model that it lies beside."""

import pytest
from reference import REFERENCE
from worlds import experiment_of

from recsweep.bundle.card import _fairness, card
from recsweep.bundle.format import BundleFile
from recsweep.config.schema import Data
from recsweep.evaluation.learner_groups import Gap
from recsweep.models.registry import families
from recsweep.records.confirmation import Estimate, GroupedLearners
from recsweep.records.confirmation_files import read_confirmation
from recsweep.stages.fit.stage import _evidence
from recsweep.testing.bundles import pieces_of
from recsweep.testing.cases import Case

TEXTS = Data.model_validate(
    {"name": "t", "texts": [{"path": "t.csv", "text": "text", "label": {"column": "label"}}]}
)


def test_gaps_between_groups_that_were_measured_are_told_and_those_that_were_not() -> None:
    found = read_confirmation(REFERENCE / "default")
    assert found is not None
    without = "No check of fairness between groups was made."
    assert _fairness(None) == _fairness(_evidence("gru", found, experiment_of())) == without
    mean, gap = Estimate(0.1, 0.05, 0.15), Gap("blue", "red", 0.02, 0.01, 0.03)

    def grouped(column: str, gaps: dict[str, Gap]) -> GroupedLearners:
        return GroupedLearners(
            column=column,
            learners={"blue": 1200, "red": 30},
            smallest_group=20,
            pooled=(),
            withheld=0,
            means={"gru": {"ndcg@10": {"blue": mean, "red": mean}}},
            gaps={"gru": gaps},
        )

    groups = (grouped("region", {"ndcg@10": gap}), grouped("age", {}))  # of age all are pooled
    measured = _evidence("gru", found.model_copy(update={"groups": groups}), experiment_of())
    assert measured.groups == ("region",)
    assert _fairness(measured).startswith("Gaps between groups of learners by region are in ")


def test_what_it_was_fitted_on_is_called_what_it_is() -> None:
    record = popularity()
    assert "| fitted on | all data: events before " in card(record, "m")
    texts = record.experiment.model_copy(update={"task": "text", "data": TEXTS})
    told = card(record.model_copy(update={"task": "text", "experiment": texts}), "m")
    assert "| fitted on | all data: texts before " in told
    assert "events" not in told


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        (("negative", "positive"), ""),  # which monitor watches by itself
        (("dull", "fine"), " --label dull"),
        (("not good", "good"), " --label 'not good'"),
    ],
)
def test_the_command_that_watches_a_feed_names_a_label_that_the_model_knows(
    labels: tuple[str, ...], more: str
) -> None:
    texts = popularity().experiment.model_copy(update={"task": "text", "data": TEXTS})
    record = popularity().model_copy(update={"task": "text", "experiment": texts})
    assert f"\nrecsweep monitor models/m feed.csv{more}\n" in card(record, "m", labels)


def popularity() -> BundleFile:
    """The record of a bundle that nothing was confirmed of."""
    record, _ = pieces_of(Case(families()["popularity"], "next_item", {"fading": "none"}))
    return record
