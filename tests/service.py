"""A service in the test's own process: what stands in for Ray's replicas."""

from dataclasses import dataclass

from recsweep.serving import served
from recsweep.serving.app import Busy
from recsweep.serving.messages import ModelOut, PurchaseIn, RecommendIn


@dataclass
class Here:
    """The bundle in this process."""

    bundle: served.ServedBundle
    busy: bool = False

    async def recommend(self, request: RecommendIn) -> bytes:
        if self.busy:
            raise Busy
        return self.bundle.recommend([request])[0].model_dump_json().encode()

    async def purchase(self, request: PurchaseIn) -> bytes:
        return self.bundle.purchase([request])[0].model_dump_json().encode()


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
