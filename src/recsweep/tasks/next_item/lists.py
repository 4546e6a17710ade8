"""What the recommended lists are like, beyond hitting the target: coverage and novelty.

A list holds the k best candidates of one query. Scores are computed in blocks; learners × courses
are never held at once.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from recsweep.config.schema import Metric
from recsweep.data.types import UNKNOWN, Float64, Targets, Training
from recsweep.evaluation.metrics import user_means
from recsweep.models.protocol import Recommender
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.tasks.task import Lists


class CatalogueLists:
    """Makes the lists of one fold's targets, laid out once on one device.

    Every target has a list, whether or not training knows its item.
    """

    def __init__(
        self, targets: Targets, training: Training, metric: Metric, device: torch.device
    ) -> None:
        n_items = training.n_items
        stand_in = np.where(targets.item == UNKNOWN, 0, targets.item).astype(np.int32)
        self._ranker = Ranker(replace(targets, item=stand_in), n_items, device)
        self._sequence, self._ks = targets.sequence, metric.report_k
        self._information = torch.from_numpy(self_information(training)).to(device)

    @torch.inference_mode()
    def lists(self, model: Recommender) -> Lists:
        """Coverage and novelty of a model's lists."""
        n_items = len(self._information)
        shown = {k: torch.zeros(n_items, dtype=torch.bool) for k in self._ks}
        novelty = {k: np.zeros(len(self._sequence)) for k in self._ks}
        for block, scores in self._ranker.scores(model):
            # Scores that are not numbers rank last, as they do for targets.
            scores.masked_fill_(scores.isnan(), -torch.inf)
            best, items = scores.topk(min(max(self._ks), n_items), dim=1)
            is_candidate = best > -torch.inf  # a short catalogue may leave a list unfilled
            bits = torch.where(is_candidate, self._information[items], 0)
            for k in self._ks:
                shown[k][items[:, :k][is_candidate[:, :k]].cpu()] = True
                filled = is_candidate[:, :k].sum(1).clamp(min=1)
                of_query = bits[:, :k].sum(1) / filled
                novelty[k][block.at] = _numpy(of_query[block.query])
        return Lists(
            coverage={k: float(flags.double().mean()) for k, flags in shown.items()},
            novelty={k: user_means(values, self._sequence) for k, values in novelty.items()},
        )


def self_information(training: Training) -> Float64:
    """(n_items,) -log2 of the share of training's users who had the item: its novelty by
    popularity (Vargas & Castells 2011, section 4.2; Zhou et al. 2010).

    An item that no trained user had counts as if one had.
    """
    sequences = training.sequences
    user = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    pairs = np.unique(user * training.n_items + sequences.item)
    users = np.bincount(pairs % training.n_items, minlength=training.n_items)
    information: Float64 = -np.log2(np.maximum(users, 1) / len(sequences))
    return information


def _numpy(values: Tensor) -> Float64:
    return values.double().cpu().numpy()
