from collections.abc import Callable

import pytest

from recsweep.evaluation.learner_groups import OTHERS, Gap
from recsweep.records.confirmation import Confirmation, Estimate, GroupedLearners
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.sections.groups import groups_of_learners
from recsweep.reporting.view import View


@pytest.mark.parametrize(
    ("lang", "others", "note"),
    [
        ("en", "others", "fewer than 20 learners are pooled as others: red and white."),
        ("zh", "其他", "少于 20 名学员的群体合并为“其他”：red、white。"),
    ],
)
def test_groups_gaps_and_what_is_pooled_are_told_in_both_languages(
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    confirmation_of: Callable[..., Confirmation],
    lang: str,
    others: str,
    note: str,
) -> None:
    study = make_study(trials=2, families={"gru": "gru", "markov": "markov"})
    mean, gap = Estimate(0.1, 0.05, 0.15), Gap("blue", OTHERS, 0.02, 0.01, 0.03)
    team = GroupedLearners(
        column="team",
        learners={"blue": 1200, OTHERS: 30},
        smallest_group=20,
        pooled=("red", "white"),
        withheld=0,
        means={name: {"ndcg@10": {"blue": mean, OTHERS: mean}} for name in ("gru", "markov")},
        gaps={name: {"ndcg@5": gap, "ndcg@10": gap, "mrr@10": gap} for name in ("gru", "markov")},
    )
    sealed = confirmation_of(study).model_copy(update={"groups": (team,)})
    (table,) = groups_of_learners(View(study, selection_of(study), lang), sealed)
    assert table.groups == ["blue (1,200)", f"{others} (30)"]
    assert table.metrics == ["NDCG@10", "MRR@10"]
    assert table.rows[0].means[0] == "0.1000 [0.0500, 0.1500]"
    assert table.rows[0].gaps[0].text.startswith("+0.0200 [+0.0100, +0.0300] blue")
    assert table.rows[0].gaps[0].significant
    assert table.notes[0].endswith(note)


def test_groups_without_a_value_of_the_metric_are_not_told(
    make_study: Callable[..., Study],
    selection_of: Callable[[Study], Selection],
    confirmation_of: Callable[..., Confirmation],
) -> None:
    study = make_study(trials=2, families={"gru": "gru"})
    team = GroupedLearners(
        column="team",
        learners={"blue": 30},
        smallest_group=20,
        pooled=(),
        withheld=0,
        means={"gru": {}},
        gaps={"gru": {}},
    )
    sealed = confirmation_of(study).model_copy(update={"groups": (team,)})
    assert groups_of_learners(View(study, selection_of(study), "en"), sealed) == []
