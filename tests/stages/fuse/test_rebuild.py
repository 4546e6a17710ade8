"""Which trials an ensemble may be made of."""

from types import SimpleNamespace
from typing import Any

from recsweep.stages.fuse.rebuild import candidates_of


def trial(id_: str, value: float | None, state: str = "complete") -> SimpleNamespace:
    best = value and SimpleNamespace(epoch=2, value=value, metrics={})
    return SimpleNamespace(
        id=id_, best=best, state=state, config={}, seed=1, epochs=[None] * 4, fit_seconds=8.0,
        evaluate_seconds=4.0,
    )  # fmt: skip


def test_the_best_complete_trials_of_each_family_are_asked_with_the_seconds_they_may_take() -> None:
    trials = {
        "a": [trial("a0", 0.1), trial("a1", 0.3), trial("a2", 0.2), trial("a3", 0.9, "stopped")],
        "b": [trial("b0", 0.25), trial("b1", None)],
    }
    study: Any = SimpleNamespace(
        experiment=SimpleNamespace(metric=SimpleNamespace(goodness=float)),
        spaces={name: SimpleNamespace(family=name) for name in trials},
        trials_of=trials.__getitem__,
    )
    found = candidates_of(study, ["a", "b"], 2)
    assert [each.trial for each in found] == ["a1", "b0", "a2"]
    # Two of four epochs are fitted again, and an evaluation counts three times.
    assert {round(each.work, 2) for each in found} == {8 / 2 + 3 * 4 / 4}
