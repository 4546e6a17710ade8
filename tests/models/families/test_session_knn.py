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
from recsweep.data.types import KINDS
from recsweep.models.families import session_knn
from recsweep.models.protocol import Context

VSKNN = {"similarity": "dot", "query_weights": "linear"}
FADED = {"similarity": "dot", "query_weights": "fading", "fading": "step", "fading_weight": 0.5}
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
        [VSKNN, STAN, FADED, VSKNN | {"closeness": "step", "closeness_weight": 0.5}]
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


SIZES = {"neighbours": 3, "sample_size": 9, "neighbour_events": 9}


@pytest.mark.parametrize(
    ("keys", "reads"),
    [
        ({}, True),  # a course weighs by its place
        ({"query_weights": "fading"}, False),
        ({"query_weights": "fading", "fading": "step", "fading_weight": 0.5}, True),
        ({"query_weights": "fading", "fading": "step", "fading_weight": 1.0}, False),
        ({"query_weights": "fading", "closeness": "step", "closeness_weight": 0.5}, True),
        ({"query_weights": "fading", "closeness": "step", "closeness_weight": 1.0}, False),
    ],
)
def test_order_is_read_where_places_ages_or_steps_count(
    keys: dict[str, object], reads: bool
) -> None:
    assert FAMILIES["session_knn"].sees_order(SIZES | keys) is reads


def weighed(neighbour_events: int) -> torch.Tensor:
    """Of course 0, where purchases weigh three times a look, and comments nothing. One learner
    looked at 0, bought it and looked at 1; another looked at 0 and 2 and commented on 3.
    """
    training = training_of([[0, 0, 1], [0, 2, 3]], n_items=4)
    kinds = ["browse", "purchase", "browse", "browse", "browse", "comment"]
    kind = np.array([KINDS.index(kind) for kind in kinds], np.int8)
    training = replace(training, sequences=replace(training.sequences, kind=kind))
    config = SIZES | {
        "weight_purchase": 3.0, "weight_comment": 0.0, "neighbour_events": neighbour_events,
        "neighbour_fading": "time", "neighbour_half_life_days": 1 / DAY,
    }  # fmt: skip
    model = FAMILIES["session_knn"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    scores: torch.Tensor = model.score(asked([0]))
    return scores[0]


@pytest.mark.parametrize("neighbour_events", [2, 9])
def test_a_neighbour_holds_what_the_heaviest_event_of_a_course_weighs(
    neighbour_events: int,
) -> None:
    look, bought = 6 / 7, 18 / 7  # over the mean of 1, 3, 1, 1, 1 and 0
    other = look / 2  # whose last event that weighs anything came a half-life earlier
    expected = [bought * bought + other * look, bought * look, other * look, 0]
    torch.testing.assert_close(weighed(neighbour_events), torch.tensor(expected))


def test_a_neighbours_last_events_are_those_that_weigh_anything() -> None:
    assert weighed(1).tolist() == [0, 0, 0, 0]  # who looked at 1 or 2 last shares no course


@pytest.mark.parametrize("published", [VSKNN, STAN])
def test_a_state_is_all_that_scores_need_and_a_copy(published: dict[str, Any]) -> None:
    training = training_of([[0, 1, 2, 3], [3, 2, 5], [6, 7, 0], [4, 1]], n_items=8)
    build, query = FAMILIES["session_knn"], asked([1, 2], [0, 3])
    model = build.model(published | SIZES, Context(training, 0, CPU, "fp32"))
    assert not model.score(query).any()  # nobody is known before training
    model.fit_epoch()
    before = model.score(query)
    other = build.model(published | SIZES, Context(training_of([[0]], 8), 0, CPU, "fp32"))
    other.load_state(model.state())
    assert torch.equal(other.score(query), before)
    for value in model.state().values():
        value.zero_()
    assert torch.equal(model.score(query), before)


def test_who_shares_no_course_with_anybody_gets_nothing() -> None:
    training = training_of([[0, 1], [1, 2]], n_items=4)
    model = FAMILIES["session_knn"].model(SIZES, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    assert model.score(asked([3], [3, 3])).tolist() == [[0] * 4] * 2


def test_a_course_so_old_that_it_weighs_nothing_finds_no_neighbour() -> None:
    training = training_of([[1, 2], [0, 3]], n_items=4)
    training.sequences.time[:] = [0, 1, 8, 9]
    config = {
        "neighbours": 1, "sample_size": 1, "neighbour_events": 9, "query_weights": "fading",
        "fading": "time", "half_life_days": 1 / DAY,
    }  # fmt: skip
    model = FAMILIES["session_knn"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    query = replace(asked([0, 1]), time=torch.tensor([[0, 2000]]))  # 2^-2000 is 0
    assert model.score(query).tolist() == [[0, 1, 1, 0]]
