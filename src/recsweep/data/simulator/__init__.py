"""A synthetic course platform with planted effects. Nothing in here describes real people.

What a study should find is known beforehand, so a study can be checked: with `order` = 0 no
model gains by reading histories in order, with `order` = 1 one that does must win; `text` says how
far the courses' text tells whom they appeal to; and the true probability that a look ends in buying
is kept, so that the best possible log loss is known. With `purchase_order` > 0 whether a course is
bought depends on which of two kinds of courses a learner looked at last, so that a model of buying
that reads histories in order must win.
"""

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.files import write
from recsweep.data.simulator.simulate import SimulatedLog, simulate

__all__ = ["SimulatedLog", "SimulatorSettings", "simulate", "write"]
