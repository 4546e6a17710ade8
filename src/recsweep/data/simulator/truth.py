"""The true probability that a simulated look ends in buying, and the true effect of a treatment on
it; only the simulator knows them.
"""

from pathlib import Path

import polars as pl

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.raw import simulated
from recsweep.data.simulator.simulate import EFFECT, PROBABILITY
from recsweep.data.types import Float64, Int64


def true_probabilities(
    settings: SimulatorSettings, raw_folder: Path, user_ids: pl.Series, times: Int64
) -> Float64:
    """(n,) of the looks of these learners (raw ids) at these times (microseconds since 1970 UTC).

    A learner looks at one course at a time. For judging results; no model may see it.
    """
    return _told(PROBABILITY, settings, raw_folder, user_ids, times)


def true_effects(
    settings: SimulatorSettings, raw_folder: Path, user_ids: pl.Series, times: Int64
) -> Float64:
    """(n,) probability of buying with treatment less that without, of the same looks."""
    return _told(EFFECT, settings, raw_folder, user_ids, times)


def _told(
    column: str, settings: SimulatorSettings, raw_folder: Path, user_ids: pl.Series, times: Int64
) -> Float64:
    path = simulated("simulator:exposures", settings, raw_folder)
    truth = pl.read_csv(path).select("user_id", "time", column)
    asked = pl.DataFrame({"user_id": user_ids, "time": times // 1000})
    found = asked.join(truth, on=["user_id", "time"], how="left", maintain_order="left")
    return found[column].to_numpy()
