"""What a search found is fitted anew only where it is another configuration."""

from types import SimpleNamespace
from typing import Any

import pytest

from recsweep.stages.backtest.fits import Fit
from recsweep.stages.backtest.walk import _place

OLD = {"memory": 3}


def found(config: dict[str, int], epochs: int) -> Any:
    return SimpleNamespace(choice=SimpleNamespace(config=config, epochs=epochs))


def test_what_was_known_already_is_fitted_once() -> None:
    fits = [Fit(0, OLD, 2, (0, 1)), Fit(1, OLD, 2, (1,))]
    assert [_place(step, found(OLD, 2), fits) for step in (0, 1)] == [0, 1]
    assert len(fits) == 2


@pytest.mark.parametrize(("config", "epochs"), [({"memory": 4}, 2), (OLD, 3)])
def test_another_configuration_or_another_length_is_one_fit_more(
    config: dict[str, int], epochs: int
) -> None:
    fits = [Fit(0, OLD, 2, (0, 1)), Fit(1, OLD, 2, (1,))]
    assert _place(1, found(config, epochs), fits) == 2
    assert fits[2] == Fit(1, config, epochs, (1,))
