"""What a worker is given to do. It is all that a worker needs to know of a search."""

from dataclasses import dataclass

from recsweep.config.values import Configuration


@dataclass(frozen=True, slots=True)
class Proposal:
    """A trial that is to be run, or gone on with."""

    id: str
    family: str  # its name in the study
    number: int
    config: Configuration
    seed: int
    until: int  # the epoch at which its worker hands it back, with a checkpoint if it isn't the end
    measured: bool = False  # is what it takes booked?
