"""What families of the task next_item make of a history's types, gaps and dwells."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from families import CONFIGS, CPU, FAMILIES, build, scores
from worlds import training_of

from recsweep.data.types import Training
from recsweep.models.protocol import Context, Histories

GRADIENT = [case for case in CONFIGS if case.split()[0] in ("gru", "lstm", "wide_deep")]
GRADIENT += [c for c in CONFIGS if c.startswith("matrix") and not c.endswith("als")]


def planted(learners: int = 60) -> Training:
    """After a long look comes the course that follows, after a short one the one before."""
    rng = np.random.default_rng(0)
    histories, dwell = [], []
    for _ in range(learners):
        items, looks = [int(rng.integers(8))], rng.choice([-1.0, 1.0], 8)
        for look in looks[:-1]:
            items.append(int(items[-1] + look) % 8)
        histories.append(items)
        dwell.append(looks)
    plain = training_of(histories, n_items=8)
    timed = replace(plain.sequences, event_features=np.concatenate(dwell)[:, None].astype("f4"))
    return replace(plain, sequences=timed, event_columns=("event.dwell",))


def after(item: int, look: float) -> Histories:
    one = torch.tensor([1])
    items, nothing = torch.tensor([[item]]), torch.zeros(1, 0)
    return Histories(items, nothing, torch.tensor([0]), one, torch.tensor([[[look]]]))


@pytest.mark.parametrize("case", GRADIENT)
def test_the_dwell_reaches_the_scores(case: str) -> None:
    model = build(case, planted())
    for _ in range(3):
        model.fit_epoch()
    assert not torch.equal(scores(model, after(3, 1.0)), scores(model, after(3, -1.0)))


@pytest.mark.parametrize("case", GRADIENT)
def test_a_state_with_event_features_is_loaded_as_it_was_saved(case: str) -> None:
    saved = build(case, planted())
    saved.fit_epoch()
    loaded = build(case, planted(), seed=9)
    loaded.load_state(saved.state())
    assert torch.equal(scores(saved, after(2, 1.0)), scores(loaded, after(2, 1.0)))


@pytest.mark.parametrize("case", GRADIENT)
def test_without_event_features_no_parameter_is_added(case: str) -> None:
    plain = replace(planted(), event_columns=())
    plain = replace(plain, sequences=replace(plain.sequences, event_features=None))
    assert not any("event" in name for name in build(case, plain).state())


@pytest.mark.slow
def test_a_gru_finds_the_course_that_only_the_dwell_tells() -> None:
    _, config = CONFIGS["gru cross_entropy"]
    model = FAMILIES["gru"].model(config, Context(planted(), 0, CPU, "fp32"))
    for _ in range(60):
        model.fit_epoch()
    for item in range(8):
        assert int(scores(model, after(item, 1.0)).argmax()) == (item + 1) % 8
        assert int(scores(model, after(item, -1.0)).argmax()) == (item - 1) % 8
