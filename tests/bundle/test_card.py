"""What a model card says is true of the model that it lies beside."""

import pytest

from recsweep.bundle.card import card
from recsweep.bundle.format import BundleFile, Evidence
from recsweep.config.schema import Data
from recsweep.models.registry import families
from recsweep.testing.bundles import pieces_of
from recsweep.testing.cases import Case

EVIDENCE = Evidence(
    metric="ndcg@10", learners=9, unit="learners", targets=30, level=0.95, smallest_effect=0.005,
    scope="configurations", openings=1, scores={}, pairs=(),
)  # fmt: skip
TEXTS = Data.model_validate(
    {"name": "t", "texts": [{"path": "t.csv", "text": "text", "label": {"column": "label"}}]}
)


def test_gaps_between_groups_are_named_where_the_sealed_test_told_them() -> None:
    record = popularity()
    unchecked = "No check of fairness between groups was made."
    asked = record.experiment.confirm.model_copy(update={"groups": ("sex", "age")})
    experiment = record.experiment.model_copy(update={"confirm": asked})
    for found in (
        record.model_copy(update={"evidence": EVIDENCE}),
        record.model_copy(update={"experiment": experiment}),  # nothing was confirmed
    ):
        assert unchecked in card(found, "m")
    told = card(record.model_copy(update={"evidence": EVIDENCE, "experiment": experiment}), "m")
    assert unchecked not in told
    assert (
        "Gaps between groups of learners (sex, age) on the sealed test are in `verdicts.json`"
        in told
    )


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
