"""What the recommended lists are like, beyond hitting the target.

A list holds the k best candidates of one query. Scores are computed in blocks; learners × courses
are never held at once.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.config.schema import Metric
from recsweep.data.types import UNKNOWN, Float64, Int64, Mask, Targets, Training
from recsweep.evaluation.exposure import long_tail
from recsweep.evaluation.jackknife import groups_of
from recsweep.evaluation.metrics import user_means
from recsweep.models.protocol import Histories, Recommender
from recsweep.tasks.next_item.categories import Categories
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.tasks.task import Lists


class CatalogueLists:
    """Makes the lists of one fold's targets, laid out once on one device.

    Every target has a list, whether or not training knows its item.
    """

    def __init__(
        self,
        targets: Targets,
        training: Training,
        metric: Metric,
        device: torch.device,
        categories: Categories | None = None,
    ) -> None:
        n_items = training.n_items
        stand_in = np.where(targets.item == UNKNOWN, 0, targets.item).astype(np.int32)
        self._ranker = Ranker(replace(targets, item=stand_in), n_items, device)
        self._sequence, self._ks, self._k = targets.sequence, metric.report_k, metric.k
        self._information = torch.from_numpy(self_information(training)).to(device)
        counts = np.bincount(training.sequences.item, minlength=n_items).astype(np.float64)
        self._tail, self._categories = long_tail(counts), categories

    @torch.inference_mode()
    def lists(self, model: Recommender) -> Lists:
        """What a model's lists are like."""
        n_items, n = len(self._information), len(self._sequence)
        shown = {k: torch.zeros(n_items, dtype=torch.bool) for k in self._ks}
        novelty = {k: np.zeros(n) for k in self._ks}
        names = ("long_tail", *(("diversity", "miscalibration") if self._categories else ()))
        others = {name: np.zeros(n) for name in names}
        group = groups_of(int(self._sequence.max()) + 1)
        exposure = np.zeros((int(group.max()) + 1, n_items))
        weight = 1 / np.bincount(self._sequence)[self._sequence]  # of a list: a learner counts once
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
            k = self._k
            top, used = items[:, :k].cpu().numpy(), is_candidate[:, :k].cpu().numpy()
            query = block.query.cpu().numpy()
            for name, values in self._of_queries(top, used, block.histories).items():
                others[name][block.at] = values[query]
            of_target = used[query]
            place = np.repeat(group[self._sequence[block.at]], of_target.sum(1))
            each = np.repeat(weight[block.at], of_target.sum(1))
            np.add.at(exposure, (place, top[query][of_target]), each)
        means = {name: user_means(values, self._sequence) for name, values in others.items()}
        return Lists(
            coverage={k: float(flags.double().mean()) for k, flags in shown.items()},
            novelty={k: user_means(values, self._sequence) for k, values in novelty.items()},
            per_learner={f"{name}@{self._k}": values for name, values in means.items()},
            exposure=exposure,
        )

    def _of_queries(self, top: Int64, used: Mask, histories: Histories) -> dict[str, Float64]:
        """Name -> (n_queries,)."""
        filled = used.sum(axis=1)
        in_tail = (self._tail[top] & used).sum(axis=1) / np.maximum(filled, 1)
        if self._categories is None:
            return {"long_tail": in_tail}
        n, n_items = len(top), len(self._tail)
        rows = np.repeat(np.arange(n), filled)
        lists = csr_matrix((np.ones(len(rows)), (rows, top[used])), (n, n_items))
        length, row = histories.length.cpu().numpy(), histories.row.cpu().numpy()
        held = histories.items.cpu().numpy()[row]
        seen = np.arange(held.shape[1]) < length[:, None]
        rows = np.repeat(np.arange(n), length)
        before = csr_matrix((np.ones(len(rows)), (rows, held[seen])), (n, n_items))
        return {
            "long_tail": in_tail,
            "diversity": self._categories.diversity(top, filled),
            "miscalibration": self._categories.miscalibration(lists, before),
        }


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
