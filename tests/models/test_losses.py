import math
from itertools import product
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from recsweep.models import losses


def example() -> tuple[Tensor, ...]:
    torch.manual_seed(0)
    states = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 5, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(11, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 3, 3, 10, 5, 1, 2, 2, 9])
    target_state = torch.tensor([0, 0, 1, 1, 2, 3, 4, 5, 6])
    return states, weight, bias, target, target_state


def plain(
    states: Tensor, weight: Tensor, bias: Tensor, target: Tensor, target_state: Tensor
) -> Tensor:
    return F.cross_entropy((states @ weight.T + bias)[target_state], target)


@pytest.mark.parametrize("chunk_logits", [1, 25, 1 << 24])
def test_cross_entropy_and_its_gradients_equal_torchs_whatever_the_chunk(
    chunk_logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK_LOGITS", chunk_logits)
    states, weight, bias, target, target_state = example()
    ours = losses.cross_entropy(states, weight, bias, target, target_state)
    theirs = plain(states, weight, bias, target, target_state)
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-6, atol=0)
    found = torch.autograd.grad(ours * 3, (states, weight, bias))
    expected = torch.autograd.grad(theirs * 3, (states, weight, bias))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("chunk_logits", [1, 25, 1 << 24])
def test_a_memory_adds_to_its_logits_and_gets_their_gradient(
    chunk_logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK_LOGITS", chunk_logits)
    states, weight, bias, target, target_state = example()
    state, item = torch.tensor([0, 0, 2, 6]), torch.tensor([0, 4, 5, 9])
    value = torch.randn(4, dtype=torch.float64, requires_grad=True)
    ours = losses.cross_entropy(
        states, weight, bias, target, target_state, losses.Memory(state, item, value)
    )
    logits = (states @ weight.T + bias).index_put((state, item), value, accumulate=True)
    theirs = F.cross_entropy(logits[target_state], target)
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-6, atol=0)
    for a, b in zip(
        torch.autograd.grad(ours * 3, (states, value)),
        torch.autograd.grad(theirs * 3, (states, value)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_logits_of_any_size_give_a_finite_loss() -> None:
    states, weight = torch.tensor([[1000.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    target, at = torch.tensor([1]), torch.tensor([0])
    found = losses.cross_entropy(states, weight, torch.zeros(3), target, at)
    assert found == 1000


@pytest.mark.parametrize("remembers", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_in_bfloat16_our_kernel_takes_the_plain_loss_and_any_other_is_nearly_the_same(
    remembers: bool, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = SimpleNamespace(apply=lambda *of: torch.tensor(float(len(of))))
    monkeypatch.setattr(losses, "HalfCrossEntropy", kernel)
    monkeypatch.setattr(losses, "runs", lambda device: True)
    states, weight, bias, target, at = example()
    s, w, b = (part.detach().float() for part in (states, weight, bias))
    place, value = torch.tensor([0, 2, 6]), torch.tensor([3.0, -2.0, 4.0])
    memory = losses.Memory(place, torch.tensor([0, 5, 9]), value) if remembers else None
    times = torch.linspace(0, 2, 9) if weighted else None
    whole, half = (
        losses.cross_entropy(s, w, b, target, at, memory, times, half=half)
        for half in (False, True)
    )
    assert half.dtype == torch.float32
    if not (remembers or weighted):
        assert half == 5  # tensors, and nothing else
        monkeypatch.setattr(losses, "runs", lambda device: False)
        half = losses.cross_entropy(s, w, b, target, at, half=True)
    torch.testing.assert_close(half, whole, rtol=0.01, atol=0)


@pytest.mark.parametrize("draws", [1, 2, 3])
def test_the_sampled_softmax_is_at_rest_at_the_true_shares(draws: int) -> None:
    """Every draw and every target of a small catalogue, each with its probability."""
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    proposal = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
    logits = shares.log().requires_grad_()
    log_q = (proposal * draws).log()
    expected = torch.zeros((), dtype=torch.float64)
    for target in range(3):
        for drawn in product(range(3), repeat=draws):
            chance = shares[target] * proposal[list(drawn)].prod()
            loss = losses.sampled_softmax(
                logits[[target]], logits[list(drawn)][None], log_q[[target]], log_q[list(drawn)]
            )
            expected = expected + chance * loss
    (gradient,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


def test_log_q_correction_makes_the_sampled_softmax_consistent() -> None:
    """With many draws from a skewed proposal, the loss approaches the full softmax."""
    torch.manual_seed(0)
    logits = torch.randn(50)
    proposal = torch.arange(1.0, 51) / torch.arange(1.0, 51).sum()
    n = 200_000
    drawn = torch.multinomial(proposal, n, replacement=True)
    log_q, target = (proposal * n).log(), torch.tensor([7])
    found = losses.sampled_softmax(logits[target], logits[drawn][None], log_q[target], log_q[drawn])
    # The target's own place, one among so many, weighs nothing; what corrects it is a constant.
    full = F.cross_entropy(logits[None], target) + log_q[7]
    torch.testing.assert_close(found, full, rtol=0.01, atol=0.01)


def test_bpr_ignores_negatives_that_are_the_target() -> None:
    positive, negative = torch.tensor([2.0]), torch.tensor([[0.5, 5.0]])
    clash = torch.tensor([[False, True]])
    torch.testing.assert_close(
        losses.bpr(positive, negative, clash), -F.logsigmoid(torch.tensor(1.5))
    )


def test_bpr_is_the_mean_over_negatives_and_then_over_targets() -> None:
    positive, negative = torch.tensor([2.0, -1.0]), torch.tensor([[0.5, 5.0], [3.0, 0.0]])
    clash = torch.tensor([[False, True], [False, False]])
    apart = [[2 - 0.5], [-1 - 3.0, -1 - 0.0]]
    expected = sum(sum(math.log1p(math.exp(-x)) for x in own) / len(own) for own in apart) / 2
    assert float(losses.bpr(positive, negative, clash)) == pytest.approx(expected)


def test_bpr_with_only_clashes_is_zero_and_not_nan() -> None:
    assert losses.bpr(torch.ones(1), torch.ones(1, 2), torch.ones(1, 2, dtype=torch.bool)) == 0


@pytest.mark.parametrize("chunk_logits", [1, 25, 1 << 24])
def test_weighted_cross_entropy_and_its_gradients_equal_torchs(
    chunk_logits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "CHUNK_LOGITS", chunk_logits)
    states, weight, bias, target, target_state = example()
    times = torch.rand(9, dtype=torch.float64) * 3
    ours = losses.cross_entropy(states, weight, bias, target, target_state, weight_of_target=times)
    logits = (states @ weight.T + bias)[target_state]
    theirs = (F.cross_entropy(logits, target, reduction="none") * times).mean()
    torch.testing.assert_close(ours.double(), theirs, rtol=1e-6, atol=0)
    found = torch.autograd.grad(ours * 3, (states, weight, bias))
    expected = torch.autograd.grad(theirs * 3, (states, weight, bias))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_weights_of_one_change_no_bit_of_the_cross_entropy() -> None:
    states, weight, bias, target, at = example()
    parts = [part.detach().float().requires_grad_() for part in (states, weight, bias)]
    s, w, b_ = parts
    plain = losses.cross_entropy(s, w, b_, target, at)
    weighted = losses.cross_entropy(s, w, b_, target, at, weight_of_target=torch.ones(9))
    assert torch.equal(plain, weighted)
    for a, b in zip(*(torch.autograd.grad(loss, parts) for loss in (plain, weighted)), strict=True):
        assert torch.equal(a, b)


def test_weights_reach_the_loss_in_bfloat16_too() -> None:
    torch.manual_seed(0)
    states, weight, bias = torch.randn(6, 32), torch.randn(40, 32), torch.zeros(40)
    target, at = torch.arange(6), torch.arange(6)
    times = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 6.0])
    found = losses.cross_entropy(
        states, weight, bias, target, at, weight_of_target=times, half=True
    )
    alone = plain(states[5:], weight, bias, target[5:], torch.zeros(1, dtype=torch.int64))
    torch.testing.assert_close(found, alone, rtol=0.02, atol=0.02)


def test_a_heavier_target_of_a_sampled_loss_is_a_target_that_comes_more_often() -> None:
    torch.manual_seed(0)
    positive, negative, log_q, of_positive = (torch.randn(s) for s in ((3,), (3, 4), (4,), (3,)))
    clash = torch.rand(3, 4) < 0.3
    often, weight = torch.tensor([0, 0, 2]), torch.tensor([2.0, 0.0, 1.0])
    torch.testing.assert_close(
        losses.bpr(positive, negative, clash, weight),
        losses.bpr(positive[often], negative[often], clash[often]),
    )
    for loss, one in ((losses.binary_cross_entropy, 0.3), (losses.bpr_max, 0.7)):
        torch.testing.assert_close(
            loss(positive, negative, clash, one, weight),
            loss(positive[often], negative[often], clash[often], one),
        )
    torch.testing.assert_close(
        losses.sampled_softmax(positive, negative, of_positive, log_q, weight),
        losses.sampled_softmax(positive[often], negative[often], of_positive[often], log_q),
    )


def scores_of() -> tuple[Tensor, Tensor, Tensor]:
    """Of three targets and four negatives; the first target is among its negatives twice."""
    torch.manual_seed(0)
    positive = torch.randn(3, dtype=torch.float64, requires_grad=True)
    negative = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    clash = torch.zeros(3, 4, dtype=torch.bool)
    clash[0, 1] = clash[0, 3] = True
    return positive, negative, clash


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_bce_and_gbce_are_their_papers_formulas(beta: float) -> None:
    positive, negative, clash = scores_of()
    expected = 0.0
    for target in range(3):
        others = [negative[target, n].item() for n in range(4) if not clash[target, n]]
        likelihood = math.log(sigmoid(positive[target].item()) ** beta)
        likelihood += sum(math.log(1 - sigmoid(other)) for other in others)
        expected -= likelihood / (len(others) + 1) / 3
    found = losses.binary_cross_entropy(positive, negative, clash, beta)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    if beta == 1:
        assert losses.binary_cross_entropy(positive, negative, clash) == found


def test_the_power_of_gbce_goes_from_bce_to_the_share_of_items_that_is_drawn() -> None:
    assert losses.gbce_beta(0, 25, 101) == pytest.approx(1)
    assert losses.gbce_beta(1, 25, 101) == pytest.approx(0.25)
    assert losses.gbce_beta(0.75, 25, 101) == pytest.approx(0.25 * (0.75 * (1 - 4) + 4))
    assert losses.gbce_beta(0.75, 500, 101) == 1  # none is left out
    assert losses.gbce_beta(0.75, 1, 2) == 1
    assert losses.gbce_beta(0.75, 5, 1) == 1


def test_bpr_max_is_its_papers_formula() -> None:
    positive, negative, clash = scores_of()
    expected = 0.0
    for target in range(3):
        others = [negative[target, n].item() for n in range(4) if not clash[target, n]]
        mass = sum(map(math.exp, others))
        share = [math.exp(other) / mass for other in others]
        own = positive[target].item()
        chance = sum(s * sigmoid(own - r) for s, r in zip(share, others, strict=True))
        penalty = 0.7 * sum(s * r**2 for s, r in zip(share, others, strict=True))
        expected += (penalty - math.log(chance)) / 3
    found = losses.bpr_max(positive, negative, clash, 0.7)
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("only", [False, True])
def test_gradients_of_bce_gbce_and_bpr_max_are_those_of_small_steps(only: bool) -> None:
    positive, negative, clash = scores_of()
    clash[1] |= only  # a target that is all its negatives
    weight = torch.tensor([2.0, 0.5, 1.0], dtype=torch.float64)
    for loss, one in ((losses.binary_cross_entropy, 0.3), (losses.bpr_max, 0.7)):
        assert torch.autograd.gradcheck(
            lambda p, n, loss=loss, one=one: loss(p, n, clash, one, weight), (positive, negative)
        )


def test_a_target_that_is_all_its_negatives_has_no_bpr_max() -> None:
    clash = torch.ones(1, 2, dtype=torch.bool)
    assert losses.bpr_max(torch.ones(1), torch.ones(1, 2), clash, 1.0) == 0
