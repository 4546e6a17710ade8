"""From settings to the tables of a platform's export."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy.special import entr

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.browsing import Browses, browse, make_successors
from recsweep.data.simulator.funnel import Funnel, run_funnel
from recsweep.data.simulator.words import item_table, user_table
from recsweep.data.simulator.world import Int, make_courses, make_learners
from recsweep.data.types import Float64

START_MS = 1_735_689_600_000
"""2025-01-01 UTC, the first moment of every synthetic log."""
_DAY_MS = 86_400_000
EVENTS = ("browse", "favourite", "purchase", "comment")
PROBABILITY, OUTCOME, EFFECT = "purchase_probability", "purchased", "treatment_effect"
"""The columns of the truth about a browse."""


@dataclass(frozen=True, slots=True)
class SimulatedLog:
    """A synthetic log and the truth behind it."""

    settings: SimulatorSettings
    events: pl.DataFrame = field(repr=False)  # user_id, item_id, time (Unix ms), event, …
    users: pl.DataFrame = field(repr=False)  # user_id, age, region, interests
    items: pl.DataFrame = field(repr=False)  # item_id, title, description, tags, price, …
    exposures: pl.DataFrame = field(repr=False)  # a browse, what is known of it
    successors: Int = field(repr=False)  # (n_courses, 3) the planted transitions, likeliest first
    listed: pl.Series = field(repr=False)  # (n_courses,) Unix ms from which a course is on offer

    @property
    def best_log_loss(self) -> float:
        """Expected log loss (nats) of the true probabilities: no model's is lower."""
        p = self.exposures[PROBABILITY].to_numpy()
        return float((entr(p) + entr(1 - p)).mean())


def simulate(settings: SimulatorSettings) -> SimulatedLog:
    """Make a log. The same settings make the same log, on one version of numpy."""
    # Streams of their own: a dial of one part leaves the other parts' draws as they were.
    random = [np.random.default_rng(s) for s in np.random.SeedSequence(settings.seed).spawn(6)]
    learners = make_learners(settings, random[0])
    courses = make_courses(settings, random[1])
    successors = make_successors(courses, random[2])
    browses = browse(settings, learners, courses, successors, random[2])
    funnel = run_funnel(settings, learners, courses, browses, random[3], random[5])
    users = user_table(learners, random[4])
    items = item_table(courses, random[4])
    user_id = users["user_id"].gather(browses.learner)
    item_id = items["item_id"].gather(browses.course)
    exposures = pl.DataFrame(
        {
            "user_id": user_id,
            "item_id": item_id,
            "time": _milliseconds(browses.time),
            PROBABILITY: funnel.probability,
            OUTCOME: funnel.bought,
        }
    )
    events = _events(user_id, item_id, browses, funnel)
    if settings.treated:
        exposures = exposures.with_columns(pl.Series(EFFECT, funnel.effect))
        events = _with_treatments(events, exposures, funnel)
    listed = _milliseconds(courses.listed)
    return SimulatedLog(settings, events, users, items, exposures, successors, listed)


def _events(
    user_id: pl.Series, item_id: pl.Series, browses: Browses, funnel: Funnel
) -> pl.DataFrame:
    """All events in order of time."""
    parts = (
        (np.arange(len(browses.time)), browses.time),
        (np.flatnonzero(funnel.favourite), funnel.favourite_time),
        (np.flatnonzero(funnel.bought), funnel.bought_time),
        (np.flatnonzero(funnel.comment), funnel.comment_time),
    )
    frames = [
        pl.DataFrame(
            {
                "user_id": user_id.gather(at),
                "item_id": item_id.gather(at),
                "time": _milliseconds(time[at]),
                "event": pl.repeat(event, len(at), eager=True, dtype=pl.String),
            }
        )
        for event, (at, time) in zip(EVENTS, parts, strict=True)
    ]
    return pl.concat(frames).sort("time", "user_id", maintain_order=True)


def _with_treatments(events: pl.DataFrame, exposures: pl.DataFrame, funnel: Funnel) -> pl.DataFrame:
    """Each browse with whether it was treated, and how likely that was; nothing for others."""
    of_browses = exposures.select("user_id", "item_id", "time").with_columns(
        pl.lit(EVENTS[0]).alias("event"),
        pl.Series("treatment", np.where(funnel.treated, "treated", "control")),
        pl.Series("propensity", funnel.propensity.round(6)),
    )
    keys = ["user_id", "item_id", "time", "event"]
    return events.join(of_browses, on=keys, how="left", maintain_order="left")


def _milliseconds(days: Float64) -> pl.Series:
    return pl.Series(START_MS + np.round(days * _DAY_MS).astype(np.int64))
