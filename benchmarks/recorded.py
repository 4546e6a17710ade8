"""A random forest in the place of training (Eggensperger et al. 2015, "Efficient Benchmarking of
Hyperparameter Optimizers via Surrogates"), on trials that `record_trials.py` has recorded.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold, cross_val_predict

from recsweep.config.values import Configuration
from recsweep.spaces.space import Space

FOREST = {"n_estimators": 100, "random_state": 0, "min_samples_leaf": 1}


def read(path: Path, family: str) -> list[tuple[Configuration, float]]:
    """Configurations of a family with their scores."""
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return [(t["config"], t["value"]) for t in lines if t["family"] == family and t["value"]]


def surrogate(path: Path, family: str, space: Space) -> Callable[[Configuration], float]:
    """What a forest makes of a configuration."""
    trials = read(path, family)
    forest = RandomForestRegressor(**FOREST)
    forest.fit([encoded(config, space) for config, _ in trials], [value for _, value in trials])
    return lambda config: float(forest.predict([encoded(config, space)])[0])


def agreement(path: Path, family: str, space: Space) -> tuple[int, float]:
    """Trials, and Spearman's rank correlation of ten-fold predictions with what was recorded."""
    from scipy.stats import spearmanr

    trials = read(path, family)
    inputs = np.array([encoded(config, space) for config, _ in trials])
    values = np.array([value for _, value in trials])
    folds = KFold(10, shuffle=True, random_state=0)
    told = cross_val_predict(RandomForestRegressor(**FOREST), inputs, values, cv=folds)
    return len(trials), float(spearmanr(told, values).statistic)


def encoded(config: Configuration, space: Space) -> NDArray[np.float64]:
    """Numbers by their position, choices one by one, -1 where a parameter is out of use."""
    found: list[float] = []
    for name, parameter in space.parameters.items():
        if parameter.choices:
            found += [float(config.get(name) == choice) for choice in parameter.choices]
        else:
            found.append(parameter.position(config[name]) if name in config else -1.0)
    return np.array(found)
