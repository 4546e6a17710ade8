"""Courses without an event in training: what every family says of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from families import CONFIGS, FAMILIES, asked, checkerboard, fit, scores, trained

from recsweep.data.types import Float32, Training
from recsweep.tasks.next_item.ranking import drop_seen

COLOURS = np.array([[1, 0]] * 4 + [[0, 1]] * 4, np.float32)
GRADIENT = [
    case for case in CONFIGS if FAMILIES[CONFIGS[case][0]].epochs is None and "als" not in case
]


def with_cold(features: Float32) -> Training:
    """Eight known courses of two colours, and two cold ones after them: one of each colour."""
    training = checkerboard()
    return replace(training, n_items=10, n_cold=2, item_features=features)


def featureless() -> Training:
    return with_cold(np.zeros((10, 0), np.float32))


def coloured() -> Training:
    return with_cold(np.concatenate([COLOURS, COLOURS[[0, 7]]]))


@pytest.mark.parametrize("case", CONFIGS)
def test_every_family_scores_cold_courses_and_reads_them_in_histories(case: str) -> None:
    found = scores(trained(case, featureless, epochs=3), asked([0, 9, 1], [8], [8, 9]))
    assert found.shape == (3, 10)
    assert bool(found.isfinite().all())


@pytest.mark.parametrize("case", CONFIGS)
def test_without_features_all_cold_courses_score_the_same(case: str) -> None:
    found = scores(trained(case, featureless, epochs=3), asked([0, 1], [5]))
    torch.testing.assert_close(found[:, 8], found[:, 9], rtol=0, atol=0)


@pytest.mark.parametrize("case", [c for c in CONFIGS if c not in GRADIENT])
def test_what_only_counts_gives_a_cold_course_the_zero_of_one_without_events(case: str) -> None:
    assert scores(fit(case, featureless()), asked([0, 1], [5]))[:, 8:].abs().max() < 1e-6


@pytest.mark.parametrize("case", GRADIENT)
def test_features_rank_a_cold_course_of_the_learners_colour_above_the_other(case: str) -> None:
    found = scores(trained(case, coloured), asked([0, 1, 2], [6, 4, 7]))
    margin = found[:, 8] - found[:, 9]
    assert margin[0] > 0.1
    assert margin[1] < -0.1


# A network without order reads means: a cold course by itself is like nothing it was trained on.
@pytest.mark.parametrize("case", [case for case in GRADIENT if "unordered" not in case])
def test_a_cold_course_in_a_history_tells_by_its_features(case: str) -> None:
    found = scores(trained(case, coloured), asked([8], [9]))
    drop_seen(found, asked([8], [9]))
    assert found[0, :4].mean() > found[0, 4:8].mean()
    assert found[1, :4].mean() < found[1, 4:8].mean()


@pytest.mark.parametrize("case", GRADIENT)
def test_cold_courses_change_nothing_for_known_ones(case: str) -> None:
    """They are no negatives, and draw no random number."""

    known_only = replace(coloured(), n_items=8, n_cold=0, item_features=COLOURS)
    models = trained(case, coloured, epochs=3), fit(case, known_only, epochs=3)
    all_, known = (scores(model, asked([0, 1], [5]))[:, :8] for model in models)
    torch.testing.assert_close(all_, known, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CONFIGS)
def test_a_saved_state_ranks_cold_courses_as_before(case: str) -> None:
    saved, loaded = trained(case, coloured, epochs=3), fit(case, coloured(), seed=7, epochs=1)
    loaded.load_state(saved.state())
    histories = asked([0, 1], [5, 8])
    assert torch.equal(scores(saved, histories), scores(loaded, histories))
