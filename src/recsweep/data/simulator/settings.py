"""The dials of the simulator."""

from typing import Annotated

from pydantic import Field

from recsweep.config.schema import Schema

Share = Annotated[float, Field(ge=0, le=1)]


class SimulatorSettings(Schema):
    """Equal settings give equal logs, seed included."""

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
    text: Share = 0.5  # share of a course's appeal that its category and tags tell
    seed: Annotated[int, Field(ge=0)] = 0
