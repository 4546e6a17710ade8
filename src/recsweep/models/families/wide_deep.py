"""`wide_deep` (Cheng et al. 2016): a memory of course pairs beside a deep network.

- Wide: one weight for every crossed feature (previous course × candidate) that training holds.
- Deep: the mean of the history's embeddings, the older ones faded, the previous course's embedding
  and the learner's features, through ReLU layers.

Both parts add up to one logit and are trained together.
"""

from itertools import pairwise

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recsweep.data.batches import cut_windows
from recsweep.data.types import Int64, Training
from recsweep.models.fading import FadingConfig, faded_means
from recsweep.models.family import Build, Family
from recsweep.models.losses import Memory
from recsweep.models.network import Encoder, Network, Rows
from recsweep.models.neural import GradientConfig, Neural
from recsweep.models.protocol import Context, Recommender
from recsweep.models.purchase import wide_deep as purchase


class WideDeepConfig(GradientConfig, FadingConfig):
    """Hyperparameters of `wide_deep`."""

    embedding_size: int = Field(ge=1)
    hidden_size: int = Field(ge=1)
    depth: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    wide_learning_rate: float = Field(gt=0)


class WideDeepEncoder(Encoder):
    """Deep states, and the wide memory."""

    pair_start: Tensor
    pair_item: Tensor
    pair: Tensor  # (n_pairs,) previous * n_items + next, ascending

    def __init__(self, config: WideDeepConfig, training: Training) -> None:
        super().__init__()
        self.width, self.fading = config.hidden_size, config
        sizes = [2 * config.embedding_size + training.sequences.features.shape[1]]
        sizes += [config.hidden_size] * config.depth
        layers: list[nn.Module] = [nn.Dropout(config.dropout)]
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(config.dropout)]
        self.deep = nn.Sequential(*layers)
        start, item = observed_pairs(training)
        self.register_buffer("pair_start", torch.from_numpy(start))
        self.register_buffer("pair_item", torch.from_numpy(item))
        previous = np.repeat(np.arange(training.n_items), np.diff(start))
        pair = torch.from_numpy(previous * training.n_items + item)
        self.register_buffer("pair", pair, persistent=False)
        self.most_pairs = int(np.diff(start).max(initial=0))  # that start with one course
        self.wide = nn.Parameter(torch.zeros(len(item)))

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        """(n_rows, longest, hidden_size)."""
        mean = faded_means(inputs, rows, self.fading)
        features = rows.user_features[:, None].expand(-1, inputs.shape[1], -1)
        deep: Tensor = self.deep(torch.cat((mean, inputs, features), 2))
        return deep

    def memory(self, last_item: Tensor) -> Memory:
        """The weights of every pair that starts with the last item."""
        if last_item.is_cuda:
            return self.padded_memory(last_item)
        start = self.pair_start[last_item]
        count = self.pair_start[last_item + 1] - start
        state = torch.repeat_interleave(
            torch.arange(len(last_item), device=last_item.device), count
        )
        before = count.cumsum(0) - count
        pair = start[state] + torch.arange(len(state), device=state.device) - before[state]
        return Memory(state, self.pair_item[pair], self.wide[pair])

    def padded_memory(self, last_item: Tensor) -> Memory:
        """The same with as many places a state as the most followed course needs, the rest worth 0.

        Its size is known without asking the device how many pairs there are, which would make the
        training loop wait.
        """
        start, end = self.pair_start[last_item], self.pair_start[last_item + 1]
        pair = start[:, None] + torch.arange(self.most_pairs, device=last_item.device)
        real = pair < end[:, None]
        pair = pair.clamp(max=max(0, len(self.wide) - 1))
        state = torch.arange(len(last_item), device=last_item.device)[:, None].expand_as(pair)
        value = torch.where(real, self.wide[pair], 0.0)
        return Memory(state.flatten(), self.pair_item[pair].flatten(), value.flatten())

    def recall(self, last_item: Tensor, item: Tensor) -> Tensor:
        """The weights of single pairs, 0 where training has not seen one."""
        n_items = len(self.pair_start) - 1
        wanted = last_item * n_items + item
        at = torch.searchsorted(self.pair, wanted).clamp_(max=len(self.pair) - 1)
        return torch.where(self.pair[at] == wanted, self.wide[at], 0.0)


def observed_pairs(training: Training) -> tuple[Int64, Int64]:
    """Distinct (previous course, next course) pairs of training, as (n_items + 1,) starts and
    the (n_pairs,) next courses of each previous one.
    """
    windows = cut_windows(training, window=1)
    item = training.sequences.item.astype(np.int64)
    previous = item[windows.state[windows.target_state]]
    pairs = np.unique(previous * training.n_items + item[windows.target])
    previous, following = np.divmod(pairs, training.n_items)
    return np.searchsorted(previous, np.arange(training.n_items + 1)), following


def build_wide_deep(config: WideDeepConfig, context: Context) -> Recommender:
    """An untrained wide & deep model."""
    training = context.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = Network(
            WideDeepEncoder(config, training),
            torch.from_numpy(training.item_features),
            training.sequences.features.shape[1],
            config.embedding_size,
            tied=False,
            n_cold=training.n_cold,
            n_event_features=len(training.event_columns),
        )
    return Neural(network, config, context)


FAMILY = Family(
    name="wide_deep",
    title="wide & deep",
    title_zh="wide & deep",
    role="baseline",
    tasks={
        "next_item": Build(WideDeepConfig, build_wide_deep, uses_features=True, portrays=True),
        "purchase": Build(
            purchase.WideDeepPurchaseConfig,
            purchase.build_wide_deep,
            uses_features=True,
            portrays=True,
        ),
    },
)
