"""Losses of a (state, target item) pair, the same for every family that is trained by gradient.

States are computed once and shared by the targets that follow them (see `data/batches.py`); each
loss is a mean over targets, each times its weight where it has one (n_targets,); see `weights.py`.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsweep.models.bf16.cross_entropy import HalfCrossEntropy
from recsweep.models.bf16.library import runs

CHUNK_LOGITS = 1 << 24
"""At most so many logits are held at once: 64 MiB in float32."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Extra logits at a few places of the (n_states, n_items) grid."""

    state: Tensor  # (n,) int64, non-decreasing
    item: Tensor  # (n,) int64; values of one (state, item) pair add up
    value: Tensor  # (n,) float32


class _LinearCrossEntropy(torch.autograd.Function):
    """Softmax cross entropy of `states @ weight.T + bias` without keeping the logits.

    The gradient is formed chunk by chunk in the forward pass, while the chunk's logits are at
    hand: (softmax * targets of the state - one-hot of its targets) / n_targets,
    where a target counts with its weight.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,  # (S, D)
        weight: Tensor,  # (N, D)
        bias: Tensor,  # (N,)
        target: Tensor,  # (T,)
        target_state: Tensor,  # (T,)
        memory_value: Tensor | None,
        memory_state: Tensor | None,
        memory_item: Tensor | None,
        weight_of_target: Tensor | None,  # (T,)
        half: bool,
    ) -> Tensor:
        # In bf16 only the three products over the catalogue are; sums and softmax stay float32.
        product = torch.bfloat16 if half else states.dtype
        table = weight.to(product)
        n_targets, n_items = len(target), len(weight)
        size = max(1, CHUNK_LOGITS // n_items)
        n_states = len(states)
        if weight_of_target is None:
            weight_of_target = torch.ones_like(target, dtype=states.dtype)
        repeats = torch.zeros(n_states, dtype=states.dtype, device=states.device)
        repeats.index_add_(0, target_state, weight_of_target)
        if n_states <= size:
            target_bounds, memory_bounds = [0, n_targets], [0, 0]
            if memory_state is not None:
                memory_bounds = [0, len(memory_state)]
        else:
            edges = torch.arange(0, n_states + size, size, device=states.device)
            target_bounds = torch.searchsorted(target_state, edges).tolist()
            memory_bounds = [0] * len(target_bounds)
            if memory_state is not None:
                memory_bounds = torch.searchsorted(memory_state, edges).tolist()
        grad_states = torch.empty_like(states)
        grad_weight, grad_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        grad_memory = None if memory_value is None else torch.empty_like(memory_value)
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        for chunk in range(len(target_bounds) - 1):
            first, last = chunk * size, min((chunk + 1) * size, n_states)
            at = slice(target_bounds[chunk], target_bounds[chunk + 1])
            hidden = states[first:last].to(product)
            logits = torch.mm(hidden, table.T).to(states.dtype).add_(bias)
            row, column, times = target_state[at] - first, target[at], weight_of_target[at]
            extra = slice(memory_bounds[chunk], memory_bounds[chunk + 1])
            if memory_state is not None and memory_item is not None and memory_value is not None:
                place = (memory_state[extra] - first) * n_items + memory_item[extra]
                logits.view(-1).index_add_(0, place, memory_value[extra])
            picked = logits[row, column]
            top = logits.amax(1, keepdim=True)
            logits.sub_(top).exp_()
            mass = logits.sum(1, keepdim=True)
            count = repeats[first:last, None]
            log_mass = mass.log() + top
            total += (log_mass * count).sum() - (picked * times).sum()
            logits.mul_(count / (mass * n_targets))
            logits.view(-1).index_add_(0, row * n_items + column, times * (-1 / n_targets))
            grad_bias += logits.sum(0)
            grad_logits = logits.to(product)
            grad_states[first:last] = grad_logits @ table
            grad_weight += grad_logits.T @ hidden
            if grad_memory is not None and memory_state is not None:
                torch.index_select(logits.view(-1), 0, place, out=grad_memory[extra])
        ctx.save_for_backward(grad_states, grad_weight, grad_bias, grad_memory)
        return total / n_targets

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        states, weight, bias, memory = ctx.saved_tensors
        scaled = None if memory is None else memory * grad
        moved = (states * grad, weight * grad, bias * grad, None, None, scaled)
        return (*moved, None, None, None, None)


def cross_entropy(
    states: Tensor,
    weight: Tensor,
    bias: Tensor,
    target: Tensor,
    target_state: Tensor,
    memory: Memory | None = None,
    weight_of_target: Tensor | None = None,
    half: bool = False,
) -> Tensor:
    """Exact softmax cross entropy over the whole catalogue, mean over targets.

    states (n_states, d), weight (n_items, d), bias (n_items,); target and target_state
    (n_targets,). `half` multiplies in bfloat16.
    """
    loss: Tensor
    plain = memory is None and weight_of_target is None
    if half and plain and runs(states.device):
        loss = HalfCrossEntropy.apply(states, weight, bias, target, target_state)  # type: ignore[no-untyped-call]
        return loss
    extra = (memory.value, memory.state, memory.item) if memory else (None, None, None)
    loss = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, target, target_state, *extra, weight_of_target, half
    )
    return loss


def sampled_softmax(
    positive: Tensor,
    negative: Tensor,
    log_q_positive: Tensor,
    log_q: Tensor,
    weight: Tensor | None = None,
) -> Tensor:
    """Softmax over the target and a shared sample of negatives, corrected for how often each is
    drawn (Bengio & Senécal 2008, eq. 8: subtract log q from the logit), mean over targets.

    A draw that is the target stays: which of the places holds the target, given what all hold, is
    then exactly this softmax at the true logits (Ma & Collins 2018, eq. 4).

    positive, log_q_positive (n_targets,); negative (n_targets, n_negatives); log_q (n_negatives,)
    log of the expected draws.
    """
    corrected = positive - log_q_positive
    of_targets = torch.logaddexp(corrected, (negative - log_q).logsumexp(1)) - corrected
    return _mean(of_targets, weight)


def bpr(positive: Tensor, negative: Tensor, clash: Tensor, weight: Tensor | None = None) -> Tensor:
    """Bayesian personalised ranking (Rendle et al. 2009, eq. 4 without its regulariser): mean of
    -log sigmoid(positive - negative) over negatives, then over targets.

    Shapes as above; clash (n_targets, n_negatives) marks negatives that are the target.
    """
    pairs = -F.logsigmoid(positive[:, None] - negative).masked_fill(clash, 0.0)
    return _mean(pairs.sum(1) / (~clash).sum(1).clamp(min=1), weight)


def binary_cross_entropy(
    positive: Tensor,
    negative: Tensor,
    clash: Tensor,
    beta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """BCE over the target and its negatives (Kang & McAuley 2018, with more negatives than one);
    with beta < 1 gBCE (Petrov & Macdonald 2023), which takes the target's probability to the power
    beta. The mean over a target and its negatives, then over targets.

    Shapes as for `bpr`; beta: see `gbce_beta`.
    """
    of_positive = -beta * F.logsigmoid(positive)
    of_negative = F.softplus(negative).masked_fill(clash, 0.0).sum(1)
    return _mean((of_positive + of_negative) / (1 + (~clash).sum(1)), weight)


def gbce_beta(calibration: float, negatives: int, n_items: int) -> float:
    """The power of gBCE: β = α (t (1 - 1/α) + 1/α) (Petrov & Macdonald 2023), with
    α = negatives / (n_items - 1) their rate.

    Args:
        calibration: t; at 0 it is BCE, at 1 sampling does not move the probabilities.
        negatives: of a target; at most all other items count.
        n_items: that they are drawn from.
    """
    rate = min(1.0, negatives / max(1, n_items - 1))
    return rate * (calibration * (1 - 1 / rate) + 1 / rate)


def bpr_max(
    positive: Tensor,
    negative: Tensor,
    clash: Tensor,
    penalty: float,
    weight: Tensor | None = None,
) -> Tensor:
    """BPR-max with its regularisation of scores (Hidasi & Karatzoglou 2018):
    -log Σ_j s_j σ(r - r_j) + penalty · Σ_j s_j r_j², with s the softmax of the negatives' scores.

    Shapes as for `bpr`; a target whose negatives are all itself has a loss of 0.
    """
    some = (~clash).any(1)
    # Where all clash, none is left out: the softmax stays finite, and the target weighs nothing.
    share = negative.masked_fill(clash & some[:, None], -torch.inf).log_softmax(1)
    chance = (share + F.logsigmoid(positive[:, None] - negative)).logsumexp(1)
    of_targets = (share.exp() * negative.square()).sum(1) * penalty - chance
    return _mean(of_targets.masked_fill(~some, 0.0), weight)


def _mean(of_targets: Tensor, weight: Tensor | None) -> Tensor:
    return (of_targets if weight is None else of_targets * weight).mean()
