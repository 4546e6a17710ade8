from collections.abc import Mapping
from pathlib import Path

import pytest
from families import FAMILIES
from worlds import experiment_of

from recsweep.config.schema import Arm, Experiment
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.stages.sweep.arms import with_arms

ROOT = Path(__file__).parents[3]
SETS = {"ids": [], "text": ["title"]}


def spaces_of(*families: str) -> dict[str, Space]:
    return {name: load_space(ROOT / f"search_spaces/{name}.yaml", FAMILIES) for name in families}


def study_of(features: object, **families: object) -> Experiment:
    return experiment_of(features=features, families=families)


def expanded(features: object, **families: object) -> tuple[Experiment, Mapping[str, Space]]:
    known = {name: Path(str(path)).stem for name, path in families.items()}
    spaces = {name: spaces_of(kind)[kind] for name, kind in known.items()}
    return with_arms(study_of(features, **families), spaces)


def test_every_family_that_uses_features_has_an_arm_a_set_and_the_others_one() -> None:
    experiment, spaces = expanded(
        SETS, gru="search_spaces/gru.yaml", popularity="search_spaces/popularity.yaml"
    )
    assert list(experiment.families) == list(spaces) == ["gru+ids", "gru+text", "popularity"]
    assert experiment.features_of("gru+ids") == ()
    assert experiment.features_of("gru+text") == ("title",)
    assert experiment.feature_names == ("title",)
    assert spaces["gru+ids"] is spaces["gru+text"]


def test_a_family_without_a_choice_of_losses_has_an_arm_for_each_set_of_features() -> None:
    path = "search_spaces/purchase/gru.yaml"
    experiment = experiment_of(task="purchase", features=SETS, families={"gru": path})
    space = load_space(ROOT / path, families_of("purchase"))
    assert "loss" not in space.parameters
    found, spaces = with_arms(experiment, {"gru": space})
    assert list(found.families) == list(spaces) == ["gru+ids", "gru+text"]


def test_what_is_written_out_is_read_back_the_same_and_not_expanded_again() -> None:
    experiment, spaces = expanded(SETS, gru="search_spaces/gru.yaml")
    again = Experiment.model_validate(experiment.model_dump(mode="json"))
    assert again == experiment
    assert with_arms(again, spaces)[0] == experiment


def test_without_named_sets_nothing_changes() -> None:
    for features in (None, ["title"]):
        experiment, _ = expanded(features, gru="search_spaces/gru.yaml")
        assert list(experiment.families) == ["gru"]
        assert experiment.features_of("gru") == (tuple(features) if features else None)


def test_an_arm_may_be_written_out_by_hand() -> None:
    entry = {"space": "search_spaces/gru.yaml", "features": ["title"]}
    experiment = study_of(None, gru="search_spaces/gru.yaml", other=entry)
    assert experiment.families["other"] == Arm(space="search_spaces/gru.yaml", features=("title",))
    assert experiment.features_of("other") == ("title",)
    assert experiment.features_of("gru") is None


def losses_of(losses: object, *families: str) -> tuple[Experiment, Mapping[str, Space]]:
    experiment = experiment_of(losses=losses, families=list(families))
    return with_arms(experiment, spaces_of(*families))


ALL = ["cross_entropy", "sampled_softmax", "gbce", "bce", "bpr", "bpr_max"]


def test_every_family_trained_by_gradient_gets_the_same_losses_with_the_same_ranges() -> None:
    gradient = [path.stem for path in sorted((ROOT / "search_spaces").glob("*.yaml"))]
    experiment, spaces = losses_of(ALL, *gradient)
    assert list(experiment.families) == gradient
    changed = {name: space for name, space in spaces.items() if "loss" in space.parameters}
    assert {"gru", "lstm", "sasrec", "neumf", "wide_deep", "matrix_factorization"} <= {*changed}
    for name, space in changed.items():
        own = ["als"] if name == "matrix_factorization" else []
        assert list(space.parameters["loss"].choices) == own + ALL
        for parameter in ("negatives", "calibration", "score_penalty"):
            assert space.parameters[parameter] == changed["gru"].parameters[parameter]
        assert space.first()["defaults"] == spaces_of(name)[name].first()["defaults"]
        gradients = space.parameters["learning_rate"].when.get("loss", tuple(ALL))
        assert list(gradients) == ALL
        assert all(list(when["loss"]) == ALL for when in space.fixed_when.values())
        assert set(space.fixed_when) == (set(space.fixed) if own else set())
    assert spaces["popularity"] == spaces_of("popularity")["popularity"]


def test_losses_are_arms_with_a_space_of_their_own_and_a_published_start() -> None:
    sets = {"softmax": ["cross_entropy", "sampled_softmax"], "gbce": ["gbce"]}
    experiment, spaces = losses_of(sets, "gru", "matrix_factorization", "popularity")
    arms = [f"{kind}+{name}" for kind in ("gru", "matrix_factorization") for name in sets]
    assert list(experiment.families) == [*arms, "popularity"]
    assert list(spaces["gru+softmax"].parameters["loss"].choices) == sets["softmax"]
    for name in ("gru+gbce", "matrix_factorization+gbce"):
        space = spaces[name]
        assert space.fixed["loss"] == "gbce"
        assert "score_penalty" not in space.parameters
        assert not space.parameters["calibration"].when
        assert space.first()["defaults"]["calibration"] == 0.75
    assert "alpha" not in spaces["matrix_factorization+gbce"].parameters
    assert spaces["matrix_factorization+gbce"].fixed["batch_unit"] == "events"
    assert not spaces["matrix_factorization+gbce"].fixed_when
    again = Experiment.model_validate(experiment.model_dump(mode="json"))
    written_out = {
        name: spaces_of(name.partition("+")[0])[name.partition("+")[0]] for name in spaces
    }
    assert with_arms(again, written_out) == (experiment, spaces)


def test_losses_that_reach_no_family_are_refused() -> None:
    for losses in (ALL, {"gbce": ["gbce"]}):
        with pytest.raises(BadInput, match="none of the families has a choice of losses"):
            losses_of(losses, "popularity", "markov")


def test_an_ablation_of_families_without_features_is_refused() -> None:
    with pytest.raises(BadInput, match="none of the families uses features"):
        expanded(SETS, popularity="search_spaces/popularity.yaml")


def test_two_arms_of_one_name_are_refused() -> None:
    spaces = spaces_of("gru")
    by_hand = {"space": "search_spaces/gru.yaml", "features": []}
    experiment = study_of(SETS, **{"gru": "search_spaces/gru.yaml", "gru+ids": by_hand})
    with pytest.raises(BadInput, match=r"two are called gru\+ids"):
        with_arms(experiment, {"gru": spaces["gru"], "gru+ids": spaces["gru"]})
