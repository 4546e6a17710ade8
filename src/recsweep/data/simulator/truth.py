"""The true probability that a simulated look ends in buying; only the simulator knows it."""

from pathlib import Path

import polars as pl

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.raw import simulated
from recsweep.data.simulator.simulate import PROBABILITY
from recsweep.data.types import Float64, Int64


def true_probabilities(
    settings: SimulatorSettings, raw_folder: Path, user_ids: pl.Series, times: Int64
) -> Float64:
    """(n,) of the looks of these learners (raw ids) at these times (microseconds since 1970 UTC).

    A learner looks at one course at a time. For judging results; no model may see it.
    """
    path = simulated("simulator:exposures", settings, raw_folder)
    truth = pl.read_csv(path).select("user_id", "time", PROBABILITY)
    asked = pl.DataFrame({"user_id": user_ids, "time": times // 1000})
    found = asked.join(truth, on=["user_id", "time"], how="left", maintain_order="left")
    return found[PROBABILITY].to_numpy()
