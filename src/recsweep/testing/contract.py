"""What every family must do, on every task that it serves, with every configuration."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from safetensors.torch import load, save
from torch import Tensor

from recsweep.bundle.bundle import Bundle
from recsweep.bundle.learners import groups_of, no_learners
from recsweep.data.arrays import ranges
from recsweep.data.types import Sequences, Targets
from recsweep.models.family import Family
from recsweep.models.protocol import Portrayable, Resumable
from recsweep.tasks.registry import TASKS
from recsweep.testing.bundles import bundle_of
from recsweep.testing.cases import EPOCHS, Case, cases_of
from recsweep.testing.worlds import smallest_world, world

RTOL, ATOL = 1e-4, 1e-5
"""How far answers may be apart that are the same but for the order of sums."""


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about one case; calling it raises AssertionError where it doesn't hold."""

    claim: Callable[[Case], None]
    case: Case

    def __call__(self) -> None:
        """Hold the claim against the case."""
        self.claim(self.case)

    def __str__(self) -> str:
        return f"{self.case}: {self.claim.__name__.replace('_', ' ')}"


def checks(family: Family, cases: Iterable[Case] | None = None) -> Iterator[Check]:
    """Every claim about every case; without any, about those of the family's own spaces.

    Raises:
        BadInput: the family brings no space for one of its tasks.
    """
    if cases is None:
        cases = [case for task in family.tasks for case in cases_of(family, task)]
    for case in cases:
        for claim in CLAIMS:
            yield Check(claim, case)


def check_family(family: Family, cases: Iterable[Case] | None = None) -> None:
    """Run all `checks`.

    Raises:
        AssertionError: the first that fails, named in a note.
    """
    for check in checks(family, cases):
        try:
            check()
        except Exception as error:
            error.add_note(str(check))
            raise


def answers_are_finite_and_one_for_each_target(case: Case) -> None:
    """Targets on courses that training doesn't know are among them."""
    (model, losses), targets, found = case.trained, case.fold.validation, case.found
    assert all(loss is None or np.isfinite(loss) for loss in losses)
    assert len(found) == len(targets)
    assert np.isfinite(found).all()
    if hasattr(model, "score"):
        assert found.shape == (len(targets), case.fold.n_items)
        assert found.dtype == np.float32
    if hasattr(model, "probability") or hasattr(model, "probabilities"):
        assert ((found >= 0) & (found <= 1)).all()
    if hasattr(model, "probabilities"):
        np.testing.assert_allclose(found.sum(axis=1), 1, RTOL)


def a_seed_gives_one_model_whatever_happens_around_it(case: Case) -> None:
    """A second model starts afresh, asking changes nothing, and no generator of others is used."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    model = case.built()
    for _ in range(case.traits.epochs or EPOCHS):
        model.fit_epoch()
        case.answers(model)
    _same(model.state(), case.model.state())
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.random() == expected


def what_building_tells_of_its_size_is_true(case: Case) -> None:
    """All of it where it trains for several epochs; what is fitted in one go may grow by that."""
    built = case.built()
    least, size = (sum(t.numel() for t in m.state().values()) for m in (built, case.model))
    assert least == size if isinstance(built, Resumable) else least <= size


def without_chance_every_seed_gives_the_same_model(case: Case) -> None:
    """`random`."""
    if not case.traits.random:
        _same(case.model.state(), case.fitted(seed=1).state())


def a_loaded_state_answers_as_the_saved_model_did(case: Case) -> None:
    """Through a file, into a model that has seen no learner; and a state is a copy, which further
    training leaves alone.
    """
    bare = replace(case.fold, training=case.fold.training.without_learners())
    model, other = case.built(), case.built(bare, seed=9)
    for _ in range(case.traits.epochs or 1):
        model.fit_epoch()
    state = model.state()
    kept = {name: value.clone() for name, value in state.items()}
    other.load_state(load(save({n: value.contiguous() for n, value in state.items()})))
    np.testing.assert_array_equal(case.answers(model), case.answers(other))
    model.fit_epoch()
    _same(state, kept)


def a_restored_checkpoint_goes_on_bit_for_bit(case: Case) -> None:
    """Of a family that trains on and says that it can."""
    model = case.model
    if case.traits.epochs is not None or not isinstance(model, Resumable):
        return
    cut_off, resumed = case.built(), case.built()
    cut_off.fit_epoch()
    kept = load(save(cut_off.checkpoint()))
    losses = [cut_off.fit_epoch()]  # what was kept is a copy
    assert losses == case.trained[1][1:]
    _same(cut_off.state(), case.model.state())  # which nothing disturbed
    losses += [cut_off.fit_epoch()]
    torch.manual_seed(99)
    np.random.seed(99)
    resumed.restore(kept)
    assert [resumed.fit_epoch() for _ in losses] == losses
    _same(cut_off.state(), resumed.state())


def nothing_past_a_targets_length_reaches_its_answer(case: Case) -> None:
    """Everything that can be changed behind each learner's first target is."""
    targets = case.fold.validation
    _, first = np.unique(targets.sequence, return_index=True)
    histories, counts = targets.histories, np.diff(targets.histories.offsets)
    place = np.arange(len(histories.item)) - np.repeat(histories.offsets[:-1], counts)
    behind = place >= np.repeat(targets.length[first], counts)
    item = np.where(behind, (histories.item + 1) % case.fold.training.n_known, histories.item)
    changed = replace(
        histories,
        item=item.astype(np.int32),
        kind=np.where(behind, 0, histories.kind).astype(np.int8),
        time=histories.time + np.where(behind, 1_000_000, 0),
        item_features=_moved(histories.item_features, behind),
        event_features=_moved(histories.event_features, behind),
    )
    found = case.answers(case.model, replace(targets, histories=changed))[first]
    np.testing.assert_array_equal(found, case.found[first])


def an_answer_is_the_same_alone_and_in_company(case: Case) -> None:
    """Neither other learners nor other targets of the same history change it."""
    targets, together = case.fold.validation, case.found
    for n in (0, len(targets) // 2, len(targets) - 1):
        one = targets.at(np.array([n]))
        history = _history(targets.histories, int(one.sequence[0]))
        one = replace(one, histories=history, sequence=np.zeros(1, np.int32))
        np.testing.assert_allclose(case.answers(case.model, one)[0], together[n], RTOL, ATOL)


def order_reaches_answers_exactly_where_it_is_said_to(case: Case) -> None:
    """`reads_order`: what happened at a history's moments is shuffled, the moments stay."""
    after = case.answers(case.model, _shuffled(case.fold.validation))
    same = np.allclose(after, case.found, RTOL, ATOL)
    assert same is not case.traits.sees_order(case.config)


def columns_reach_no_family_that_uses_none(case: Case) -> None:
    """`uses_features`."""
    if not case.traits.uses_features:
        plain = world(case.task, case.settings, features=False)
        found = case.answers(case.fitted(plain), fold=plain)
        np.testing.assert_array_equal(found, case.found)


def a_state_of_a_learner_is_there_where_it_is_said_to_be(case: Case) -> None:
    """`portrays`: a vector for each learner, whoever stands beside them."""
    model, whole = case.model, case.fold.training.sequences
    assert isinstance(model, Portrayable) == case.traits.portrays
    if not isinstance(model, Portrayable):
        return
    found = model.learner_vectors(whole)
    assert len(found) == len(whole)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, model.learner_vectors(whole))
    np.testing.assert_allclose(model.learner_vectors(_history(whole, 0))[0], found[0], RTOL, ATOL)


def the_smallest_world_is_enough(case: Case) -> None:
    """One course, no columns; where the task has histories of nothing, those as well."""
    fold = smallest_world(case.task, case.settings)
    assert np.isfinite(case.answers(case.fitted(fold), fold=fold)).all()


def a_bundle_answers_a_learner_the_same_bit_for_bit_whoever_is_beside(case: Case) -> None:
    """Fitted, taken to pieces, rebuilt from them without the log, and asked as `recommend` asks."""
    if TASKS[case.task].answers is None:
        return
    bundle = bundle_of(case)
    together = _answers(bundle, range(LEARNERS))
    assert len(together) == LEARNERS
    for learner in (0, LEARNERS - 1):
        assert torch.equal(_answers(bundle, [learner])[learner], together[learner])


LEARNERS = 5


def _answers(bundle: Bundle, learners: Iterable[int]) -> dict[int, Tensor]:
    """Of learners with histories of other lengths, by their numbers."""
    rows = [(f"new{n}", f"c{(n + at) % 9}", at) for n in learners for at in range(1, 3 * n + 2)]
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")
    events = frame.with_columns(kind=pl.lit(0, pl.Int8), dwell=pl.lit(1.5, pl.Float32))
    shown = np.arange(bundle.file.courses)
    table, task = no_learners(bundle.known.experiment), TASKS[bundle.file.task]
    assert task.answers is not None
    (group,) = groups_of(bundle, events, table, shown, None)
    found = {}
    for at, scores in task.answers(bundle.model, group.asked, group.known):
        for n, row in zip(at.tolist(), scores, strict=True):
            assert not row.isnan().any()
            found[int(group.ids[n].removeprefix("new"))] = row.clone()
    return found


CLAIMS: tuple[Callable[[Case], None], ...] = (
    answers_are_finite_and_one_for_each_target,
    a_seed_gives_one_model_whatever_happens_around_it,
    what_building_tells_of_its_size_is_true,
    without_chance_every_seed_gives_the_same_model,
    a_loaded_state_answers_as_the_saved_model_did,
    a_restored_checkpoint_goes_on_bit_for_bit,
    nothing_past_a_targets_length_reaches_its_answer,
    an_answer_is_the_same_alone_and_in_company,
    order_reaches_answers_exactly_where_it_is_said_to,
    columns_reach_no_family_that_uses_none,
    a_state_of_a_learner_is_there_where_it_is_said_to_be,
    the_smallest_world_is_enough,
    a_bundle_answers_a_learner_the_same_bit_for_bit_whoever_is_beside,
)


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def _moved(features: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if features is None else (features + rows[:, None]).astype(np.float32)


def _shuffled(targets: Targets) -> Targets:
    """Each after a history of its own, in random order."""
    histories, length = targets.histories, targets.length.astype(np.int64)
    in_time = ranges(histories.offsets[targets.sequence], length)
    owner, draw = np.repeat(np.arange(len(targets)), length), np.random.default_rng(0)
    at = in_time[np.lexsort((draw.random(len(in_time)), owner))]
    features, of_events = histories.item_features, histories.event_features
    own = Sequences(
        user=histories.user[targets.sequence],
        offsets=np.concatenate(([0], np.cumsum(length))),
        item=histories.item[at],
        time=histories.time[in_time],
        kind=histories.kind[at],
        features=histories.features[targets.sequence],
        item_features=None if features is None else features[at],
        event_features=None if of_events is None else of_events[at],
    )
    return replace(targets, histories=own, sequence=np.arange(len(targets), dtype=np.int32))


def _history(sequences: Sequences, n: int) -> Sequences:
    """One of them alone."""
    at = slice(sequences.offsets[n], sequences.offsets[n + 1])
    features, of_events = sequences.item_features, sequences.event_features
    return Sequences(
        user=sequences.user[n : n + 1],
        offsets=np.array([0, at.stop - at.start]),
        item=sequences.item[at],
        time=sequences.time[at],
        kind=sequences.kind[at],
        features=sequences.features[n : n + 1],
        item_features=None if features is None else features[at],
        event_features=None if of_events is None else of_events[at],
    )
