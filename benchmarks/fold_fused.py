"""All folds of a trial as one batched program, against one fold after the other.

    python benchmarks/fold_fused.py [--epochs 5] [--rounds 3] [--compile] [--without-gpu]

A GRU recommender (hidden 128, embedding 64, exact full softmax) on the three folds of MovieLens
100k. Separate: a network with `nn.GRU` a fold, one after the other, as recsweep trains them.
Fused: the folds' weights in one tensor each, products of all folds in one batched product, a step
of every fold at once; a fold with fewer batches than the others pads with empty ones, and every
catalogue is as wide as the widest, which costs the separate networks 3%. Both take the
same windows in the same order; before the clock starts, the losses of their first steps are
compared. bfloat16 autocast on a GPU, float32 on a CPU. Prints targets a second and the ratio. The
last line is JSON. No figure of this script from a GPU has been published yet.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from plain_loop import BATCH, HIDDEN, WINDOW, PlainNetwork, windows_of
from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.data.types import Training
from recsweep.tasks.folds import development_folds

ROOT = Path(__file__).parents[1]
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Windows:
    """A fold's training windows on the device."""

    items: Tensor  # (n_windows, WINDOW), padded with 0
    targets: Tensor  # (n_windows, WINDOW), padded with IGNORED

    @property
    def n_batches(self) -> int:
        """In an epoch."""
        return -(-len(self.items) // BATCH)


def padded(training: Training, device: torch.device) -> Windows:
    """A fold's windows, all of one length."""
    cuts = windows_of(training)
    items = np.zeros((len(cuts), WINDOW), np.int64)
    targets = np.full((len(cuts), WINDOW), IGNORED, np.int64)
    for row, cut in enumerate(cuts):
        items[row, : len(cut) - 1], targets[row, : len(cut) - 1] = cut[:-1], cut[1:]
    return Windows(torch.from_numpy(items).to(device), torch.from_numpy(targets).to(device))


def batches(folds: Sequence[Windows], seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(n_folds, BATCH, WINDOW) items and targets; rows that a fold lacks have no target."""
    device = folds[0].items.device
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(fold.items), generator=generator).to(device) for fold in folds]
    for at in range(max(fold.n_batches for fold in folds)):
        shape = (len(folds), BATCH, WINDOW)
        items = torch.zeros(shape, dtype=torch.long, device=device)
        targets = torch.full(shape, IGNORED, device=device)
        for n, (fold, order) in enumerate(zip(folds, orders, strict=True)):
            rows = order[at * BATCH : (at + 1) * BATCH]
            items[n, : len(rows)], targets[n, : len(rows)] = fold.items[rows], fold.targets[rows]
        yield items, targets


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over a fold's targets; 0 where there is none."""
    summed = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return summed / (targets != IGNORED).sum().clamp(min=1)


class Separate:
    """A network and an optimiser a fold."""

    def __init__(self, networks: Sequence[PlainNetwork], fused_adam: bool) -> None:
        self.networks = networks
        self._optimizers = [
            torch.optim.Adam(network.parameters(), 1e-3, fused=fused_adam) for network in networks
        ]

    def step(self, items: Tensor, targets: Tensor) -> Tensor:
        """Train every fold, one after the other; its losses."""
        losses = []
        for n, (network, optimizer) in enumerate(zip(self.networks, self._optimizers, strict=True)):
            with autocast(items.device):
                loss = loss_of(network(items[n]), targets[n])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses)


class Fused(nn.Module):
    """The same networks with a leading dimension for the fold."""

    def __init__(self, networks: Sequence[PlainNetwork], fused_adam: bool, compiled: bool) -> None:
        super().__init__()
        parameters = [dict(network.named_parameters()) for network in networks]
        stacked = {
            name.replace(".", "_"): nn.Parameter(
                torch.stack([own[name].detach() for own in parameters])
            )
            for name in parameters[0]
        }
        self.weights = nn.ParameterDict(stacked)
        self._optimizer = torch.optim.Adam(self.parameters(), 1e-3, fused=fused_adam)
        self._forward: Callable[[Tensor, Tensor], Tensor] = self.losses
        if compiled:
            self._forward = torch.compile(self.losses, mode="reduce-overhead")

    def losses(self, items: Tensor, targets: Tensor) -> Tensor:
        """(n_folds,), from (n_folds, n_rows, length) items and targets.

        The GRU of Cho et al. 2014 in the form that cuDNN and `nn.GRU` compute.
        """
        w = self.weights
        fold = torch.arange(len(items), device=items.device)[:, None, None]
        embedded = w["embedding_weight"][fold, items].flatten(1, 2)
        gates = torch.baddbmm(
            w["gru_bias_ih_l0"][:, None], embedded, w["gru_weight_ih_l0"].transpose(1, 2)
        ).view(*items.shape, -1)
        recurrent = w["gru_weight_hh_l0"].transpose(1, 2)
        bias = w["gru_bias_hh_l0"][:, None]
        hidden = gates.new_zeros(*items.shape[:2], HIDDEN)
        states = []
        for at in range(items.shape[2]):
            reset, update, new = gates[:, :, at].chunk(3, -1)
            own_reset, own_update, own_new = torch.baddbmm(bias, hidden, recurrent).chunk(3, -1)
            reset, update = torch.sigmoid(reset + own_reset), torch.sigmoid(update + own_update)
            hidden = torch.lerp(torch.tanh(new + reset * own_new), hidden, update)
            states.append(hidden)
        grid = torch.stack(states, 2).flatten(1, 2)
        projected = torch.baddbmm(
            w["project_bias"][:, None], grid, w["project_weight"].transpose(1, 2)
        )
        logits = torch.baddbmm(w["bias"][:, None], projected, w["embedding_weight"].transpose(1, 2))
        summed = F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
        )
        counts = (targets != IGNORED).sum((1, 2)).clamp(min=1)
        return summed.view(len(items), -1).sum(1) / counts

    def step(self, items: Tensor, targets: Tensor) -> Tensor:
        """Train all folds at once; their losses."""
        with autocast(items.device):
            losses = self._forward(items, targets)
        self._optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return losses.detach()


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 products on a GPU."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def networks_of(folds: Sequence[Training], device: torch.device) -> list[PlainNetwork]:
    """The same start for both ways."""
    found, widest = [], max(fold.n_items for fold in folds)
    for n in range(len(folds)):
        torch.manual_seed(n)
        found.append(PlainNetwork(widest).to(device))
    return found


def seconds(way: Separate | Fused, windows: Sequence[Windows], epochs: int, seed: int) -> float:
    """Of some epochs, with one wait for the device at their end."""
    total = torch.zeros(len(windows), device=windows[0].items.device)
    started = time.perf_counter()
    for epoch in range(epochs):
        for items, targets in batches(windows, seed + epoch):
            total += way.step(items, targets)
    total.tolist()
    return time.perf_counter() - started


def main() -> None:
    """Print both speeds and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--compile", action="store_true", help="the fused program, with CUDA graphs"
    )
    parser.add_argument("--without-gpu", action="store_true", help="try the script on the CPU")
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.without_gpu:
        sys.exit("no GPU here; --without-gpu tries the script on the CPU")
    device = torch.device("cpu" if options.without_gpu else "cuda")
    gpu = device.type == "cuda"
    experiment = load_experiment(ROOT / "experiments/default.yaml", ["features=[]"])
    folds = [fold.training for fold in development_folds(prepare(experiment, ROOT), experiment)]
    windows = [padded(fold, device) for fold in folds]
    n_targets = sum(int((fold.targets != IGNORED).sum()) for fold in windows)

    separate = Separate(networks_of(folds, device), gpu)
    fused = Fused(networks_of(folds, device), gpu, options.compile).to(device)
    for n, (items, targets) in enumerate(batches(windows, 0)):
        if n == 3:
            break
        torch.testing.assert_close(
            separate.step(items, targets),
            fused.step(items, targets),
            rtol=0.02 if gpu else 1e-4,
            atol=0.05 if gpu else 1e-4,
        )
    ways: dict[str, Separate | Fused] = {"separate": separate, "fused": fused}
    for way in ways.values():
        seconds(way, windows, 1, 0)  # warm up
    found: dict[str, list[float]] = {name: [] for name in ways}
    for n in range(options.rounds):
        for name, way in ways.items():
            found[name].append(seconds(way, windows, options.epochs, 1 + n))
    card = torch.cuda.get_device_name(0) if gpu else "CPU"
    print(f"{card}, torch {torch.__version__}: {len(folds)} folds, {n_targets:,} targets an epoch")
    speed = {
        name: options.epochs * n_targets / statistics.median(times) for name, times in found.items()
    }
    for name, value in speed.items():
        print(f"{name:10} {value:12,.0f} targets a second {value / speed['separate']:6.2f}x")
    print(json.dumps({"benchmark": "fold_fused", "card": card, "targets_per_second": speed}))


if __name__ == "__main__":
    main()
