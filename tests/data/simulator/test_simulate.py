"""The tables of a platform's export, put together from what learners did."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.simulate import SimulatedLog, simulate

DIALS = {"learners": 60, "courses": 40, "days": 90}


def log_of(**dials: float) -> SimulatedLog:
    return simulate(SimulatorSettings.model_validate({**DIALS, **dials}))


def test_every_log_begins_with_2025_and_lasts_the_days_that_the_dial_says() -> None:
    log = log_of(learners=3000)
    begin = datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000
    days = (log.events.filter(event="browse")["time"].to_numpy() - begin) / (24 * 60 * 60 * 1000)
    assert 0 <= days.min() < 0.5
    assert 89.9 < days.max() < 90.01  # looks of one moment are seconds apart
    assert log.events["time"].dtype == log.listed.dtype == pl.Int64


def test_courses_that_are_there_from_the_start_are_listed_at_the_logs_first_moment() -> None:
    listed = (log_of(new_courses=0.5).listed - 1_735_689_600_000) / 86_400_000
    assert listed.min() == 0
    assert 0.3 < (listed.to_numpy() == 0).mean() < 0.7
    assert 60 < listed.to_numpy().max() < 81


def test_every_look_is_an_exposure_and_what_came_of_it_an_event_of_its_own() -> None:
    log = log_of()
    assert log.exposures.columns == [
        "user_id",
        "item_id",
        "time",
        "purchase_probability",
        "purchased",
    ]
    assert log.events.columns == ["user_id", "item_id", "time", "event"]
    keys = ["user_id", "item_id", "time"]
    looks = log.events.filter(event="browse").select(keys)
    assert looks.sort(keys).equals(log.exposures.select(keys).sort(keys))
    bought = log.events.filter(event="purchase").select("user_id", "item_id").sort(pl.all())
    told = log.exposures.filter("purchased").select("user_id", "item_id").sort(pl.all())
    assert bought.equals(told)
    assert set(log.events["event"]) == {"browse", "favourite", "purchase", "comment"}


def test_events_are_in_order_of_time() -> None:
    log = log_of()
    assert log.events["time"].is_sorted()
    assert not log.exposures["time"].is_sorted()  # those are learner by learner


def test_the_best_log_loss_is_the_mean_entropy_of_the_true_probabilities() -> None:
    log = log_of()
    p = log.exposures["purchase_probability"].to_numpy()
    assert log.best_log_loss == pytest.approx(np.mean(-p * np.log(p) - (1 - p) * np.log(1 - p)))


def test_looks_of_a_log_with_treatments_tell_theirs_and_other_events_none() -> None:
    log = log_of(treated=0.4, treatment_effect=1.0, treatment_confounding=1.0)
    keys = ["user_id", "item_id", "time"]
    looks = log.events.filter(event="browse").join(log.exposures, on=keys, validate="1:1")
    assert len(looks) == len(log.exposures)
    assert set(looks["treatment"]) == {"treated", "control"}
    assert looks["propensity"].is_between(0.02, 0.98).all()
    others = log.events.filter(pl.col("event") != "browse")
    assert others["treatment"].null_count() == others["propensity"].null_count() == len(others) > 0
    assert log.events["time"].is_sorted()
    assert log.exposures["treatment_effect"].std() > 0.01  # type: ignore[operator]


def test_treatments_are_told_as_they_were_drawn_and_their_propensity_to_six_decimals() -> None:
    often = log_of(learners=600, treated=0.9)
    looks = often.events.filter(event="browse")
    assert looks["propensity"].unique().to_list() == [0.9]
    assert (looks["treatment"] == "treated").to_numpy().mean() == pytest.approx(0.9, abs=0.015)
    leaning = log_of(treated=0.4, treatment_confounding=1.0).events["propensity"].drop_nulls()
    assert leaning.round(6).equals(leaning)
    assert not leaning.round(5).equals(leaning)


def test_a_dial_of_one_part_leaves_what_the_other_parts_draw_as_it_was() -> None:
    plain, others = log_of(), log_of(purchase_order=2.0, treated=0.4, treatment_effect=1.0)
    assert plain.users.equals(others.users)
    assert plain.items.equals(others.items)
    keys = ["user_id", "item_id", "time"]
    assert plain.exposures.select(keys).equals(others.exposures.select(keys))
    assert not plain.exposures.equals(others.exposures.select(plain.exposures.columns))


def test_a_dial_of_words_and_one_of_browsing_draw_from_streams_of_their_own() -> None:
    plain, ordered = log_of(order=0.0), log_of(order=1.0)
    assert plain.users.equals(ordered.users)
    assert plain.items.equals(ordered.items)
    assert_allclose(plain.successors, ordered.successors)
    assert not plain.events.equals(ordered.events)


def test_a_simulated_study_is_named_by_its_settings_so_they_make_what_they_always_made() -> None:
    """Figures of one log with every dial turned; whoever moves them moves every such study's."""
    dials = {
        "days": 180,
        "order": 0.4,
        "recency": 0.3,
        "purchase_order": 1.0,
        "text": 0.6,
        "new_courses": 0.5,
    }
    log = log_of(learners=60, courses=40, browses=12, new_learners=0.5, **dials)
    day, kinds = log.events["time"] - 1_735_689_600_000, log.events["event"]
    found = {}
    for kind in kinds.unique():
        of_kind = day.filter(kinds == kind).to_numpy()
        found[kind] = (len(of_kind), of_kind.mean() / 864e5)
    assert found == {
        "browse": (617, pytest.approx(57.764661640442085, rel=1e-9)),
        "favourite": (126, pytest.approx(63.61108977641829, rel=1e-9)),
        "purchase": (106, pytest.approx(59.32666319247905, rel=1e-9)),
        "comment": (41, pytest.approx(52.61859024192638, rel=1e-9)),
    }
    assert log.best_log_loss == pytest.approx(0.38608999103)
    assert log.exposures["purchase_probability"].std() == pytest.approx(0.18554001835)
    course = log.exposures["item_id"].str.slice(7).cast(pl.Int64)
    assert (course * np.arange(1, 618)).sum() == 3853187
    assert (log.successors * np.arange(1, 121).reshape(40, 3)).sum() == 146407
    assert (log.listed - 1_735_689_600_000).to_numpy().sum() / 864e5 == pytest.approx(1398.6167271)
    assert log.items["price"].sum() == pytest.approx(1506.47)
    assert log.items.row(7)[1:] == (
        "Startups and marketing 8",
        "A course on business: startups and marketing, with a touch of programming (python).",
        "startups|marketing|python",
        30.01,
        "business",
    )
    assert log.users["age"].sum() == 60 * 33.35
    assert dict(log.users["region"].value_counts().rows()) == {
        "north": 17, "south": 18, "east": 12, "west": 6, "abroad": 7,
    }  # fmt: skip
    assert log.users["interests"].str.split("|").list.len().sum() == 117
    assert log.users.row(11)[3] == "data|music"


def test_a_log_shows_its_settings_alone() -> None:
    log = log_of()
    assert repr(log) == f"SimulatedLog(settings={log.settings!r})"
