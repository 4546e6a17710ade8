"""Cost against goodness: what nothing beats in both, and where more cost stops paying."""

import math
from collections.abc import Sequence


def front(costs: Sequence[float], goodness: Sequence[float]) -> list[int]:
    """Places of those that nothing else beats in one without being worse in the other (Pareto),
    from the cheapest to the dearest; of equals the first.
    """
    found: list[int] = []
    for n in sorted(range(len(costs)), key=lambda n: (costs[n], -goodness[n], n)):
        if not found or goodness[n] > goodness[found[-1]]:
            found.append(n)
    return found


def knee(costs: Sequence[float], goodness: Sequence[float]) -> int:
    """Place of the front's knee: what lies farthest above the line between the front's ends (Das
    1999, "On characterizing the knee of the Pareto curve", for two goals), costs by their
    logarithm. Of a front of one or two, and where none lies above the line, it is the best.
    """
    places = front(costs, goodness)
    first, last = places[0], places[-1]
    span = math.log(_positive(costs[last]) / _positive(costs[first])) if len(places) > 2 else 0.0
    if span == 0:
        return last
    rise = goodness[last] - goodness[first]

    def above(n: int) -> float:
        across = math.log(_positive(costs[n]) / _positive(costs[first])) / span
        return round((goodness[n] - goodness[first]) / rise - across, 9)  # on the line is not above

    return max(reversed(places), key=above)


def _positive(cost: float) -> float:
    """What has a logarithm; a cost of 0 is that of a floor that stores or does nothing."""
    return max(cost, 1e-12)
