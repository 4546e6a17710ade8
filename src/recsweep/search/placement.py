"""Resources of a trial, and the machine it gets: small trials together, large ones apart."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import ray
from ray import tune
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table

from recsweep.config.schema import Resources


def bundle(resources: Resources) -> dict[str, float]:
    """What one trial holds, on one machine, by Ray's names."""
    wanted = {"CPU": resources.cpu, "GPU": resources.gpu, **resources.custom}
    return {name: amount for name, amount in wanted.items() if amount}


def places(machine: Mapping[str, float], resources: Resources) -> int:
    """Trials that a machine holds at once. A fraction of a GPU lies on one of them."""
    counts = [machine.get(name, 0) / amount for name, amount in bundle(resources).items()]
    if 0 < resources.gpu < 1:
        counts.append(machine.get("GPU", 0) * (1 / resources.gpu // 1))
    return int(min(counts) + 1e-9)


def request(resources: Resources) -> tune.PlacementGroupFactory:
    """What Ray Tune is to ask for, for each worker.

    Ray gives a worker the machine with the most room, so trials spread. Those that hold a fraction
    of a GPU are kept together instead, so that machines and whole GPUs stay free for others.
    """
    if 0 < resources.gpu < 1:
        return _Together(resources)
    return tune.PlacementGroupFactory([bundle(resources)])


class _Together(tune.PlacementGroupFactory):  # type: ignore[misc]
    """One for the whole sweep, so that any trial may take over any worker."""

    def __init__(self, resources: Resources) -> None:
        super().__init__([bundle(resources)], strategy="STRICT_PACK")  # the one that takes a hint
        self._resources = resources

    def to_placement_group(self) -> PlacementGroup:
        """Prefer the machine with the least room; where that has gone, Ray takes another."""
        target = _fullest(self._resources)
        group = placement_group(self.bundles, self.strategy, _soft_target_node_id=target)
        if target is not None:
            group.wait(1)  # until the next one can see it
        return group


def _fullest(resources: Resources) -> str | None:
    """The id of the machine with the fewest places left; None: all are taken."""
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    for group in placement_group_table().values():
        if group["state"] == "CREATED":
            for index, machine in group["bundles_to_node_id"].items():
                taken[machine].update(group["bundles"][index])
    left = {}
    for node in ray.nodes():
        if node["Alive"]:
            id_ = node["NodeID"]
            free = {name: amount - taken[id_][name] for name, amount in node["Resources"].items()}
            left[id_] = places(free, resources)
    return min((id_ for id_ in left if left[id_]), key=left.__getitem__, default=None)
