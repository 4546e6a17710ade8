"""A served bundle has the scores of the bundle, whoever is asked beside whom."""

import numpy as np
import polars as pl

from recsweep.bundle.learners import groups_of, no_learners
from recsweep.bundle.recommend import lists_of
from recsweep.serving import served
from recsweep.serving.messages import RecommendIn

EVENTS = [{"course": f"c{n}", "time": 8_000_000 + n, "type": "browse"} for n in (1, 3, 2, 5)]


def test_a_list_has_the_scores_of_the_bundle_bit_for_bit(
    bundles: dict[str, served.ServedBundle],
) -> None:
    asked = RecommendIn.model_validate({"learner": "x", "events": EVENTS, "k": 5})
    (answer,) = bundles["next_item"].recommend([asked])
    bundle = bundles["next_item"].bundle
    rows = [("x", e["course"], e["time"] * 10**6, 0, None) for e in EVENTS]  # type: ignore[operator]
    schema = {"user": pl.String, "item": pl.String, "time": pl.Int64, "kind": pl.Int8}
    frame = pl.DataFrame(rows, {**schema, "dwell": pl.Float32}, orient="row")
    shown, table = np.arange(bundle.file.courses), no_learners(bundle.known.experiment)
    (group,) = groups_of(bundle, frame, table, shown, None)
    lists = lists_of(bundle, group, 5)
    assert [course.score for course in answer.courses] == lists.score.tolist()
    assert answer.basis == "model"


def test_requests_that_are_answered_together_are_answered_as_alone(
    bundles: dict[str, served.ServedBundle],
) -> None:
    asked = [
        RecommendIn.model_validate(
            {"learner": f"l{n}", "events": EVENTS[: n % 5], "k": 1 + n % 4, "allow": allow}
        )
        for n, allow in enumerate([None, ["c1", "c4"], None, ["c1", "c4"], ["none"], None])
    ]
    one_by_one = [bundles["next_item"].recommend([each])[0] for each in asked]
    assert bundles["next_item"].recommend(asked) == one_by_one
    assert [len(answer.courses) for answer in one_by_one] == [1, 2, 3, 2, 0, 2]
    assert one_by_one[0].basis == "popularity"
