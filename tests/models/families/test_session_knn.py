"""`session_knn` against its definition by plain loops."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from worlds import training_of

from recsweep.data.clock import DAY
from recsweep.models.families import session_knn
from recsweep.models.protocol import Context

VSKNN = {"similarity": "dot", "query_weights": "linear"}
CLOSE = {"closeness": "step", "closeness_weight": math.exp(-1 / 2.05)}
STAN = {
    "similarity": "cosine",
    "query_weights": "fading",
    "fading": "step",
    "fading_weight": math.exp(-1 / 1.02),
    "neighbour_fading": "time",
    "neighbour_half_life_days": 2 / DAY,
} | CLOSE


def naive(histories: list[list[int]], query: list[int], c: dict[str, Any]) -> list[float]:
    """Scores of courses 0 to 7; the n-th event of a history happens at microsecond n."""
    linear, size = c["query_weights"] == "linear", len(query)
    of_query = {
        item: (p + 1) / size if linear else c["fading_weight"] ** (size - 1 - p)
        for p, item in enumerate(query)
    }
    newest = max(len(h) for h in histories) - 1
    sharing = []
    for number, whole in enumerate(histories):
        end, held = len(whole) - 1, whole[-c["neighbour_events"] :]
        shared = set(held) & set(query)
        if not shared:
            continue
        length = float(len(of_query))
        if c["similarity"] == "cosine":
            length = math.sqrt(sum(w * w for w in of_query.values()) * len(set(held)))
        similarity = sum(of_query[item] for item in shared) / length
        if "neighbour_half_life_days" in c:
            similarity *= 0.5 ** ((newest - end) / DAY / c["neighbour_half_life_days"])
        sharing.append((end, -number, similarity, held))
    recent = sorted(sharing, reverse=True)[: c["sample_size"]]
    nearest = sorted(recent, key=lambda n: round(n[2], 9), reverse=True)[: c["neighbours"]]
    scores = [0.0] * 8
    for _, _, similarity, held in nearest:
        place = {item: p for p, item in enumerate(held)}
        star = next(item for item in reversed(query) if item in place)
        for item, p in place.items():
            steps = abs(p - place[star])
            scores[item] += similarity * c.get("closeness_weight", 1.0) ** steps
    return scores


@given(
    histories=st.lists(
        st.lists(st.integers(0, 7), min_size=1, max_size=8), min_size=1, max_size=12
    ),
    queries=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=6), min_size=1, max_size=4),
    published=st.sampled_from(
        [VSKNN, STAN, VSKNN | {"closeness": "step", "closeness_weight": 0.5}]
    ),
    neighbours=st.integers(1, 6),
    sample_size=st.integers(1, 9),
    neighbour_events=st.integers(1, 9),
    entries=st.sampled_from([1, 20, 1 << 22]),
)
@settings(max_examples=60)
def test_scores_are_their_plain_definition_however_little_is_laid_out_at_once(
    histories: list[list[int]],
    queries: list[list[int]],
    published: dict[str, Any],
    neighbours: int,
    sample_size: int,
    neighbour_events: int,
    entries: int,
) -> None:
    own = {
        "neighbours": neighbours, "sample_size": sample_size, "neighbour_events": neighbour_events
    }  # fmt: skip
    config = published | own
    training = training_of(histories, n_items=8)
    model = FAMILIES["session_knn"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_knn, "ENTRIES", entries)
        found = model.score(asked(*queries)).numpy()
    expected = np.array([naive(histories, query, config) for query in queries])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("published", [VSKNN, STAN])
def test_one_history_asked_at_many_places_gets_what_its_parts_get_alone(
    published: dict[str, Any],
) -> None:
    own = {"neighbours": 3, "sample_size": 9, "neighbour_events": 9}
    training = training_of([[0, 1, 2, 3], [3, 2, 5], [6, 7, 0], [4, 1]], n_items=8)
    context = Context(training, 0, CPU, "fp32")
    model = FAMILIES["session_knn"].model(published | own, context)
    model.fit_epoch()
    rows, places = (
        [[1, 0, 1, 2, 6, 4], [7, 7, 3, 5, 0, 2]],
        [(1, 4), (0, 2), (0, 6), (1, 1), (0, 2)],
    )
    row, length = (torch.tensor(column) for column in zip(*places, strict=True))
    found = model.score(replace(asked(*rows), row=row, length=length))
    alone = [model.score(asked(rows[at][:end])) for at, end in places]
    assert torch.equal(found, torch.cat(alone))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"neighbour_fading": "time"}, "neighbour_half_life_days go together"),
        ({"closeness_weight": 0.5}, "closeness_weight go together"),
        ({"fading": "step", "fading_weight": 0.5}, "fading step needs query_weights fading"),
    ],
)
def test_decays_that_say_nothing_are_refused(keys: dict[str, object], message: str) -> None:
    sizes = {"neighbours": 1, "sample_size": 1, "neighbour_events": 1}
    with pytest.raises(ValidationError, match=message):
        FAMILIES["session_knn"].config.model_validate(sizes | keys)
