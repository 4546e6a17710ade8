"""What every family must do, whatever it is made of."""

import numpy as np
import pytest
import torch
from families import CONFIGS, CPU, FAMILIES, asked, build, checkerboard, fit, scores
from resuming import undisturbed_and_resumed
from worlds import training_of

from recsweep.models import tables
from recsweep.models.protocol import Context, Histories, Portrayable, Recommender
from recsweep.models.ranker import GradientRanker
from recsweep.tasks.next_item.ranking import drop_seen

every_family = pytest.mark.parametrize("case", CONFIGS)


@pytest.mark.parametrize("case", [case for case in CONFIGS if not case.startswith("popularity")])
def test_the_missing_course_of_the_learners_colour_ranks_first(case: str) -> None:
    histories = asked([0, 1, 2], [3, 2, 0], [6, 4, 7], [5, 6, 7])
    found = scores(fit(case, checkerboard()), histories)
    drop_seen(found, histories)
    assert found.argmax(1).tolist() == [3, 1, 5, 4]


def test_popularity_ranks_by_count() -> None:
    found = scores(fit("popularity", training_of([[0, 1, 1], [1, 2], [2, 1]])), asked([0], [2]))
    assert found.tolist() == [[1, 4, 2], [1, 4, 2]]


@every_family
def test_scores_are_finite_and_cover_the_catalogue(case: str) -> None:
    found = scores(fit(case, checkerboard(), epochs=2), asked([0], [7, 7, 7]))
    assert found.shape == (2, 8)
    assert found.dtype == torch.float32
    assert bool(found.isfinite().all())


@every_family
def test_training_more_changes_a_model_and_a_second_model_starts_afresh(case: str) -> None:
    training, histories = checkerboard(), asked([0, 1], [5])
    first = fit(case, training, epochs=3)
    again = fit(case, training, epochs=3)
    assert torch.equal(scores(first, histories), scores(again, histories))
    other = fit(case, training_of([[7, 0, 7, 1, 7, 2]] * 9, n_items=8), epochs=3)
    assert not torch.equal(scores(first, histories), scores(other, histories))


@every_family
def test_a_loaded_state_ranks_as_the_saved_model_did(case: str) -> None:
    training, histories = checkerboard(), asked([0, 1], [5, 4, 6], [2])
    saved = fit(case, training, epochs=4)
    loaded = build(case, training, seed=99)
    loaded.load_state(saved.state())
    assert torch.equal(scores(saved, histories), scores(loaded, histories))


@every_family
def test_a_state_is_a_copy_that_further_training_leaves_alone(case: str) -> None:
    model = fit(case, checkerboard(), epochs=2)
    before = model.state()
    kept = {name: value.clone() for name, value in before.items()}
    model.fit_epoch()
    assert all(torch.equal(before[name], kept[name]) for name in kept)


@pytest.mark.parametrize("sparse_from", [tables.SPARSE_FROM, 1])
@pytest.mark.parametrize("case", [c for c in CONFIGS if FAMILIES[CONFIGS[c][0]].epochs is None])
def test_a_restored_checkpoint_goes_on_bit_for_bit(
    case: str, sparse_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SPARSE_FROM", sparse_from)
    family, config = CONFIGS[case]
    if "dropout" in config:
        config = config | {"dropout": 0.3}

    def new() -> Recommender:
        model: Recommender = FAMILIES[family].model(config, Context(checkerboard(), 7, CPU, "fp32"))
        return model

    undisturbed, resumed = undisturbed_and_resumed(new)
    histories = asked([0, 1], [5, 4, 6], [2])
    assert torch.equal(scores(undisturbed, histories), scores(resumed, histories))


@every_family
def test_padding_and_neighbours_in_a_batch_change_nothing(case: str) -> None:
    model = fit(case, checkerboard(), epochs=3)
    alone = scores(model, asked([0, 1]))
    together = scores(model, asked([4, 5, 6, 7, 4], [0, 1], pad=3))
    torch.testing.assert_close(together[1:], alone, rtol=1e-5, atol=1e-5)


@every_family
def test_nothing_past_a_querys_length_reaches_its_score(case: str) -> None:
    model = fit(case, checkerboard(), epochs=3)
    one, two = torch.tensor([0]), torch.tensor([2])
    nothing = torch.zeros(1, 0)
    found = scores(model, Histories(torch.tensor([[0, 1, 2, 3]]), nothing, one, two))
    changed = scores(model, Histories(torch.tensor([[0, 1, 7, 5]]), nothing, one, two))
    assert torch.equal(found, changed)


@every_family
def test_a_family_says_whether_it_has_a_state_of_a_learner(case: str) -> None:
    model = build(case, checkerboard())
    assert isinstance(model, Portrayable) == FAMILIES[CONFIGS[case][0]].portrays


@pytest.mark.parametrize("case", [c for c in CONFIGS if FAMILIES[CONFIGS[c][0]].portrays])
def test_learners_of_one_colour_have_like_vectors_whoever_stands_beside_them(case: str) -> None:
    model = fit(case, checkerboard())
    assert isinstance(model, Portrayable)
    sequences = training_of([[0, 1, 2], [4, 5, 6, 7], [2, 3, 0, 1], [5, 6]], n_items=8).sequences
    found = model.learner_vectors(sequences)
    assert found.shape[0] == 4
    assert found.dtype == np.float32
    assert np.array_equal(found, model.learner_vectors(sequences))
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    alike = unit @ unit.T
    within = alike[0, 2] + alike[1, 3]
    assert within / 2 > (alike[0, 1] + alike[0, 3] + alike[2, 1] + alike[2, 3]) / 4
    alone = model.learner_vectors(training_of([[5, 6]], n_items=8).sequences)
    np.testing.assert_allclose(alone[0], found[3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ["gru cross_entropy", "lstm bpr"])
def test_a_networks_vector_is_the_state_that_it_scores_with(case: str) -> None:
    model = fit(case, checkerboard(), epochs=3)
    assert isinstance(model, GradientRanker)
    vectors = model.learner_vectors(training_of([[0, 1, 2], [5]], n_items=8).sequences)
    with torch.inference_mode():
        network = model.network
        expected = torch.from_numpy(vectors) @ network.catalogue().T + network.biases()
    torch.testing.assert_close(scores(model, asked([0, 1, 2], [5])), expected)


@every_family
def test_many_queries_of_one_history_score_as_they_would_alone(case: str) -> None:
    model = fit(case, checkerboard(), epochs=3)
    items = torch.tensor([[0, 2, 0, 1]])
    lengths = torch.tensor([1, 2, 3, 4])
    rows = torch.zeros(4, dtype=torch.int64)
    together = scores(model, Histories(items, torch.zeros(1, 0), rows, lengths))
    alone = torch.cat([scores(model, asked(items[0, :n].tolist())) for n in (1, 2, 3, 4)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@every_family
def test_a_catalogue_of_one_course_is_trained_on_and_scored(case: str) -> None:
    model = fit(case, training_of([[0, 0, 0], [0, 0]]), epochs=2)
    assert bool(scores(model, asked([0])).isfinite().all())


@pytest.mark.parametrize("case", [c for c in CONFIGS if FAMILIES[CONFIGS[c][0]].epochs is None])
def test_the_seed_decides_the_start(case: str) -> None:
    training, histories = checkerboard(), asked([0, 1])
    one, other = fit(case, training, 1, epochs=1), fit(case, training, 2, epochs=1)
    assert not torch.equal(scores(one, histories), scores(other, histories))


@pytest.mark.parametrize("case", ["gru cross_entropy", "wide_deep bpr"])
def test_training_does_not_touch_the_global_random_state(case: str) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fit(case, checkerboard(), epochs=1)
    assert torch.equal(torch.get_rng_state(), before)
