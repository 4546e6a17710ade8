"""A hyperparameter means the same, and has the same bounds, in whatever family it is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from recsweep.models.registry import families

BOUNDS = {
    "from 1": "batch_size depth embedding_size factors heads hidden_size least_texts longest_text "
    "memory min_samples_leaf negatives neighbour_events neighbours sample_size trees window",
    "from 2": "leaves",
    "from 1 to 5": "longest",
    "from 0 below 1": "dropout embedding_dropout input_dropout",
    "from 0 to 1": "b calibration history_exponent",
    "above 0 to 1": "closeness_weight columns_a_split",
    "above 0": "alpha decay_epochs half_life_days inverse_penalty learning_rate "
    "neighbour_half_life_days smoothing training_half_life_days wide_learning_rate",
    "from 0": "k1 l2 score_penalty warmup_epochs weight_browse weight_comment weight_decay "
    "weight_ema_epochs weight_favourite weight_purchase weight_rate weight_watch",
}
DEFAULTS = {
    "0": "embedding_dropout warmup_epochs weight_ema_epochs",
    "0.75": "calibration",
    "1": "memory negatives score_penalty weight_browse weight_comment weight_favourite "
    "weight_purchase weight_rate weight_watch",
}
WORDS = {"Ge": "from", "Gt": "above", "Le": "to", "Lt": "below"}


def bounds(field: FieldInfo) -> str:
    marks = ((type(mark).__name__, mark) for mark in field.metadata)
    limits = {name: getattr(mark, name.lower()) for name, mark in marks if name in WORDS}
    return " ".join(f"{word} {limits[name]:g}" for name, word in WORDS.items() if name in limits)


def fields() -> Iterator[tuple[str, FieldInfo]]:
    for family in families().values():
        for build in family.tasks.values():
            yield from build.config.model_fields.items()


def told(expected: Mapping[str, str]) -> dict[str, set[str]]:
    return {name: {value} for value, names in expected.items() for name in names.split()}


def test_bounds_are_those_of_what_a_hyperparameter_is() -> None:
    found = defaultdict(set)
    for name, field in fields():
        if limits := bounds(field):
            found[name].add(limits)
    assert found.pop("fading_weight") == {"above 0 to 1", "from 0.5 to 1"}
    assert found.pop("regularization") == {"above 0", "from 0"}  # of EASE, and of ALS
    assert found == told(BOUNDS)


def test_what_a_record_does_not_name_is_what_it_was_before_it_had_a_name() -> None:
    found = defaultdict(set)
    for name, field in fields():
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            found[name].add(f"{field.default:g}")
    assert found == told(DEFAULTS)
