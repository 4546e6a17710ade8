import torch
from worlds import training_of

from recsweep.models.protocol import Context

CONTEXT = Context(training_of([[0, 1]]), 7, torch.device("cpu"), "fp32")


def of_epoch(epoch: int) -> list[float]:
    with CONTEXT.randomness(epoch):
        return torch.rand(3).tolist()


def of_weights() -> list[float]:
    with CONTEXT.weights():
        return torch.rand(3).tolist()


def test_what_an_epoch_and_first_weights_draw_depends_on_nothing_drawn_before() -> None:
    epochs, weights = [of_epoch(epoch) for epoch in (1, 2)], of_weights()
    assert epochs[0] != epochs[1]
    torch.rand(5)
    assert of_weights() == weights
    assert [of_epoch(epoch) for epoch in (1, 2)] == epochs
    before = torch.get_rng_state()
    of_epoch(1)
    of_weights()
    assert torch.equal(torch.get_rng_state(), before)
