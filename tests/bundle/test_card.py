from reference import REFERENCE
from worlds import experiment_of

from recsweep.bundle.card import _fairness
from recsweep.evaluation.learner_groups import Gap
from recsweep.records.confirmation import Estimate, GroupedLearners
from recsweep.records.confirmation_files import read_confirmation
from recsweep.stages.fit.stage import _evidence


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
