"""A hyperparameter means the same, and has the same bounds, in whatever family it is."""

from collections import defaultdict

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
    "from 0": "k1 l2 score_penalty warmup_epochs weight_browse weight_decay weight_purchase",
}
WORDS = {"Ge": "from", "Gt": "above", "Le": "to", "Lt": "below"}


def bounds(field: FieldInfo) -> str:
    marks = ((type(mark).__name__, mark) for mark in field.metadata)
    limits = {name: getattr(mark, name.lower()) for name, mark in marks if name in WORDS}
    return " ".join(f"{word} {limits[name]:g}" for name, word in WORDS.items() if name in limits)


def test_bounds_are_those_of_what_a_hyperparameter_is() -> None:
    found = defaultdict(set)
    for family in families().values():
        for build in family.tasks.values():
            for name, field in build.config.model_fields.items():
                found[name].add(bounds(field))
    expected = {name: {limits} for limits, names in BOUNDS.items() for name in names.split()}
    assert {name: found[name] for name in expected} == expected
    assert found["fading_weight"] == {"above 0 to 1", "from 0.5 to 1"}
    assert found["regularization"] == {"above 0", "from 0"}  # of EASE, and of ALS
