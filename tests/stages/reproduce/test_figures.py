from recsweep.config.schema import Resources
from recsweep.records.environment import environment
from recsweep.stages.reproduce.figures import obstacles


def test_nothing_stands_against_equal_figures_in_the_same_surroundings() -> None:
    now = environment()
    assert obstacles(now, now, Resources()) == []


def test_another_engine_stands_against_equal_figures() -> None:
    now = environment()
    before = {**now, "engine": "an earlier one"}
    assert obstacles(before, now, Resources()) == [f"engine an earlier one → {now['engine']}"]


def test_a_record_from_before_engines_had_names_must_still_agree_bit_for_bit() -> None:
    now = environment()
    before = {key: value for key, value in now.items() if key != "engine"}
    assert obstacles(before, now, Resources()) == []
