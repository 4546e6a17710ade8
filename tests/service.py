"""A service in the test's own process: what stands in for Ray's replicas."""

from dataclasses import dataclass

from recsweep.serving import served
from recsweep.serving.app import Busy
from recsweep.serving.messages import ModelOut, PurchaseIn, PurchaseOut, RecommendIn, RecommendOut


@dataclass
class Here:
    """The bundle in this process."""

    bundle: served.ServedBundle
    busy: bool = False

    async def recommend(self, request: RecommendIn) -> RecommendOut:
        if self.busy:
            raise Busy
        return self.bundle.recommend([request])[0]

    async def purchase(self, request: PurchaseIn) -> PurchaseOut:
        return self.bundle.purchase([request])[0]


def model(name: str, task: str = "next_item", share: float = 1.0) -> ModelOut:
    return ModelOut(
        model=name,
        task=task,
        family="gru",
        study="made-up",
        courses=12,
        fitted_until="everything",
        share=share,
    )
