"""The simulator, in place of raw files."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import Schema, Seed, Share, later


class SimulatorSettings(Schema):
    """The dials of the simulator. Equal settings give equal logs, seed included."""

    learners: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    courses: Annotated[int, Field(ge=10, le=20_000)] = 300
    days: Annotated[float, Field(gt=0, le=3650)] = 180  # length of the log
    browses: Annotated[float, Field(ge=1, le=200)] = 13  # mean a learner; heavy upper tail
    stay_days: Annotated[float, Field(gt=0)] = 20  # mean time from a learner's first event to last
    new_learners: Share = 0.8  # share who arrive during the log, not at its start
    new_courses: Share = 0.3  # share listed during the log
    popularity: Annotated[float, Field(ge=0, le=3)] = 0.8  # Zipf's exponent
    taste: Annotated[float, Field(ge=0, le=5)] = 1.5  # how much learners differ in what they like
    order: Share = 0.5  # chance that a browse follows from the course before it
    recency: Share = later(0.0)  # else: chance that it follows from any earlier one, by its age
    purchase_order: Annotated[float, Field(ge=0, le=5)] = 0.0  # what order does to a purchase
    treated: Annotated[float, Field(ge=0, lt=1)] = later(0.0)  # share of browses; 0: no treatments
    # What a treatment does to a purchase, by taste and by what was seen last.
    treatment_effect: Annotated[float, Field(ge=0, le=5)] = later(0.0)
    # How much likelier those who are readier to buy are to be treated; 0: a coin decides.
    treatment_confounding: Annotated[float, Field(ge=0, le=5)] = later(0.0)
    text: Share = 0.5  # share of a course's appeal that its category and tags tell
    seed: Seed = 0

    @model_validator(mode="after")
    def _treatment_is_there(self) -> Self:
        if not self.treated and (self.treatment_effect or self.treatment_confounding):
            raise ValueError("treatment_effect and treatment_confounding need treated above 0")
        return self
