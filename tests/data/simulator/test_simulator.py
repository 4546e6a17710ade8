import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from pydantic import ValidationError

from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.data.simulator import SimulatedLog, SimulatorSettings, simulate, write
from recsweep.data.simulator.raw import simulated
from recsweep.data.simulator.simulate import EFFECT, OUTCOME, PROBABILITY
from recsweep.data.simulator.truth import true_probabilities
from recsweep.errors import BadInput
from recsweep.tasks.folds import development_folds

START = 1_735_689_600_000  # 2025-01-01 UTC in ms


def log_of(**dials: float) -> SimulatedLog:
    return simulate(SimulatorSettings.model_validate(dials))


def course_numbers(log: SimulatedLog) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Learner and course of every browse, in order of (learner, time)."""
    browses = log.exposures.sort("user_id", "time")
    learner = browses["user_id"].str.slice(8).cast(pl.Int64).to_numpy()
    course = browses["item_id"].str.slice(7).cast(pl.Int64).to_numpy()
    return learner, course


def follow_rate(log: SimulatedLog, lag: int = 1) -> float:
    """Share of browses that are a planted successor of the one `lag` before."""
    learner, course = course_numbers(log)
    same = learner[lag:] == learner[:-lag]
    follows = (log.successors[course[:-lag]] == course[lag:, None]).any(axis=1)
    return float(follows[same].mean())


def matching_interest(log: SimulatedLog) -> float:
    """Share of browses in a category that the learner states as an interest."""
    joined = log.exposures.join(log.users, on="user_id").join(log.items, on="item_id")
    stated = joined["interests"].str.split("|").list.contains(joined["category"])
    return float(stated.cast(pl.Float64).to_numpy().mean())


def test_equal_settings_make_equal_logs_and_another_seed_another_one() -> None:
    first, again, other = log_of(learners=50), log_of(learners=50), log_of(learners=50, seed=1)
    for name in ("events", "users", "items", "exposures"):
        assert getattr(first, name).equals(getattr(again, name))
        assert not getattr(first, name).equals(getattr(other, name))


def test_the_default_log_has_the_size_it_promises() -> None:
    log = log_of()
    assert 15_000 < len(log.events) < 25_000
    assert (len(log.users), len(log.items)) == (1000, 300)
    counts = dict(log.events["event"].value_counts().rows())
    assert counts["browse"] > counts["favourite"] > counts["purchase"] > counts["comment"] > 0


def test_without_order_a_browse_says_no_more_of_the_next_than_of_a_later_one() -> None:
    log = log_of(learners=4000, order=0)
    near, far = follow_rate(log, 1), follow_rate(log, 4)
    assert abs(near - far) < 0.005


def test_with_recency_a_browse_follows_from_any_earlier_one_the_younger_the_likelier() -> None:
    planted, none = (log_of(learners=4000, order=0, recency=r, browses=20) for r in (0.6, 0.0))
    extra = [follow_rate(planted, lag) - follow_rate(none, lag) for lag in (1, 2, 3)]
    assert extra[0] > 0.05
    assert extra[1] / extra[0] == pytest.approx(0.7, abs=0.1)
    assert extra[2] / extra[1] == pytest.approx(0.7, abs=0.1)


def test_recency_that_reaches_back_beyond_every_history_draws_from_taste() -> None:
    log = log_of(learners=300, courses=10, recency=1.0)
    assert log.exposures.group_by("user_id").len()["len"].max() == 5


def test_without_order_the_popular_course_comes_first_as_often_as_not() -> None:
    log = log_of(learners=4000, order=0, popularity=1.5, new_courses=0)
    learner, course = course_numbers(log)
    popularity = np.bincount(course, minlength=300)
    start = np.flatnonzero(np.append(True, learner[1:] != learner[:-1]))
    start = start[np.append(np.diff(start), len(learner) - start[-1]) > 1]
    first, second = popularity[course[start]], popularity[course[start + 1]]
    unequal = first != second
    share = (first > second)[unequal].mean()
    assert abs(share - 0.5) < 3 * 0.5 / np.sqrt(unequal.sum())


def test_with_full_order_nearly_every_browse_follows_from_the_one_before() -> None:
    rates = [follow_rate(log_of(learners=600, order=order)) for order in (0.0, 0.5, 1.0)]
    assert rates[0] < 0.1
    assert 0.4 < rates[1] < 0.7
    assert rates[2] > 0.85


def test_text_tells_whom_a_course_appeals_to_as_far_as_the_dial_says() -> None:
    rates = [matching_interest(log_of(order=0, taste=2, text=text)) for text in (0.0, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[0] < 0.3  # two of eight themes: .23 by chance
    assert rates[2] > 0.45


def test_the_dials_of_popularity_and_arrival_do_what_they_say() -> None:
    def top_share(log: SimulatedLog) -> float:
        counts = log.exposures["item_id"].value_counts(sort=True)["count"].to_numpy()
        return float(counts[:10].sum() / counts.sum())

    assert top_share(log_of(popularity=1.5)) > 2 * top_share(log_of(popularity=0))

    def early(log: SimulatedLog, column: str) -> float:
        """Share of all ids that are seen in the first tenth of the log's days."""
        limit = log.events["time"].min() + 18 * 86_400_000  # type: ignore[operator]
        seen = log.events.filter(pl.col("time") < limit)[column].n_unique()
        return seen / log.events[column].n_unique()

    assert early(log_of(new_learners=0), "user_id") > 0.9
    assert early(log_of(new_learners=1), "user_id") < 0.2
    assert early(log_of(new_learners=0, new_courses=0), "item_id") > 0.9
    assert early(log_of(new_learners=0, new_courses=0.8), "item_id") < 0.6


def test_a_funnel_runs_forward_and_ends_before_the_next_browse() -> None:
    log = log_of(learners=300)
    pairs = log.events.pivot("event", index=["user_id", "item_id"], values="time")
    assert pairs["browse"].null_count() == 0
    for earlier, later in (
        ("browse", "favourite"),
        ("browse", "purchase"),
        ("favourite", "purchase"),
        ("purchase", "comment"),
    ):
        both = pairs.drop_nulls([earlier, later])
        assert len(both) > 0
        assert (both[later] > both[earlier]).all()
    assert pairs.filter(pl.col("comment").is_not_null())["purchase"].null_count() == 0
    ordered = log.events.sort("user_id", "time")
    new_course = (ordered["item_id"] != ordered["item_id"].shift(1)) | (
        ordered["user_id"] != ordered["user_id"].shift(1)
    )
    assert (ordered.filter(new_course.fill_null(value=True))["event"] == "browse").all()


def test_a_learner_browses_a_course_once() -> None:
    log = log_of(learners=300, browses=60)
    assert log.exposures.select("user_id", "item_id").is_duplicated().sum() == 0


def test_purchases_happen_as_often_as_their_true_probabilities_say() -> None:
    log = log_of(learners=5000)
    p = log.exposures["purchase_probability"].to_numpy()
    bought = log.exposures["purchased"].to_numpy()
    assert log.events.filter(pl.col("event") == "purchase").height == bought.sum()
    for part in np.array_split(np.argsort(p), 10):
        error = np.sqrt((p[part] * (1 - p[part])).mean() / len(part))
        assert abs(bought[part].mean() - p[part].mean()) < 4 * error


def test_the_best_log_loss_is_that_of_the_true_probabilities() -> None:
    log = log_of(learners=5000)
    p = log.exposures["purchase_probability"].to_numpy()
    bought = log.exposures["purchased"].to_numpy()
    reached = -np.log(np.where(bought, p, 1 - p)).mean()
    rate = bought.mean()
    constant = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert_allclose(reached, log.best_log_loss, rtol=0.02)
    assert log.best_log_loss < constant - 0.03


def test_the_smallest_platform_works() -> None:
    log = log_of(learners=1, courses=10, browses=1)
    assert len(log.exposures) == 1
    assert 0 < log.best_log_loss < 1


def test_many_browses_of_few_courses_end_when_half_the_courses_are_seen() -> None:
    log = log_of(learners=40, courses=10, browses=50, new_courses=1.0)
    assert 1 <= log.exposures.group_by("user_id").len()["len"].max() <= 5  # type: ignore[operator]


@pytest.mark.parametrize("wrong", [{"order": 1.5}, {"learners": 0}, {"colour": 1}])
def test_impossible_dials_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        log_of(**wrong)


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_prepare_reads_what_was_written(tmp_path: Path, file_format: str) -> None:
    log = log_of(learners=200, courses=40)
    path = write(log, tmp_path / "made", file_format, ["gru", "item_knn"])  # type: ignore[arg-type]
    experiment = load_experiment(path)
    dataset = prepare(experiment, tmp_path)
    fold = development_folds(dataset, experiment)[-1]
    assert fold.training.item_features.shape[1] > 10
    assert fold.training.sequences.features.shape[1] > 10
    assert len(fold.validation) > 50
    assert dataset.items is not None
    assert dataset.items["_label"].null_count() == 0


def test_every_file_says_that_it_is_synthetic(tmp_path: Path) -> None:
    log = log_of(learners=20)
    path = write(log, tmp_path / "made", families=["gru"])
    truth = json.loads((tmp_path / "made/SYNTHETIC.json").read_text())
    assert truth["synthetic"] is True
    assert truth["settings"] == log.settings.model_dump()
    assert truth["best_log_loss"] == log.best_log_loss
    assert path.read_text().startswith("# SYNTHETIC")
    tables = sorted((tmp_path / "made").glob("*.parquet"))
    assert len(tables) == 4
    for table in tables:
        assert table.name.startswith("synthetic_")
        origin = json.loads(pq.read_schema(table).metadata[b"recsweep"])
        assert origin == {"synthetic": True, "settings": truth["settings"]}


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exists"):
        write(log_of(learners=5), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write(log_of(learners=5), tmp_path / "file" / "made")


def rate_by_latest_cue(log: SimulatedLog) -> dict[int, float]:
    """Share of looks that end in a purchase, by the kind of course (1, -1, 0: none) seen last."""
    category = dict(log.items.select("item_id", "category").iter_rows())
    cue = {"programming": 1, "business": 1, "music": -1, "cooking": -1}
    found: dict[int, list[bool]] = {1: [], -1: [], 0: []}
    mood, learner = 0, ""
    for user, item, bought in (
        log.exposures.sort("user_id", "time").select("user_id", "item_id", "purchased").iter_rows()
    ):
        if user != learner:
            mood, learner = 0, user
        found[mood].append(bought)
        mood = cue.get(category[item], mood)
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def test_the_kind_of_course_seen_last_moves_purchases_only_if_planted() -> None:
    planted = rate_by_latest_cue(log_of(learners=600, purchase_order=2.0))
    plain = rate_by_latest_cue(log_of(learners=600))
    assert planted[1] > planted[0] + 0.15 > planted[-1] + 0.2
    assert_allclose(plain[1], plain[-1], atol=0.04)


def test_the_true_probability_of_a_look_is_found_by_learner_and_time(tmp_path: Path) -> None:
    settings = SimulatorSettings(learners=40, courses=20)
    log = simulate(settings)
    rows = log.exposures[[5, 0, 17]]
    found = true_probabilities(settings, tmp_path, rows["user_id"], rows["time"].to_numpy() * 1000)
    assert_allclose(found, rows["purchase_probability"].to_numpy())


def test_a_table_that_the_simulator_does_not_make_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"simulator:user: the simulator makes no such table.*users"):
        simulated("simulator:user", SimulatorSettings(), tmp_path)
    with pytest.raises(BadInput, match=r"needs data\.simulator"):
        simulated("simulator:users", None, tmp_path)


def test_without_treatments_a_log_is_what_it_was_and_nobody_is_treated_in_it() -> None:
    plain, treated = log_of(learners=60), log_of(learners=60, treated=0.5)
    columns = ["user_id", "item_id", "time"]
    browses = [log.events.filter(event="browse").select(columns) for log in (plain, treated)]
    assert browses[0].equals(browses[1])
    assert "treatment" not in plain.events.columns
    # A treatment without effect moves nothing, so both logs have the same purchases.
    assert plain.events.equals(treated.events.drop("treatment", "propensity"))


def test_treatment_is_by_a_coin_or_rather_for_those_who_would_buy_anyway() -> None:
    for confounding, least, most in ((0.0, -0.05, 0.05), (1.0, 0.3, 1.0)):
        log = log_of(learners=600, treated=0.4, treatment_confounding=confounding)
        looks = log.events.filter(event="browse").join(
            log.exposures, on=["user_id", "item_id", "time"], maintain_order="left"
        )
        treated = (looks["treatment"] == "treated").to_numpy()
        assert looks["propensity"].round(6).equals(looks["propensity"])
        assert treated.mean() == pytest.approx(looks["propensity"].to_numpy().mean(), abs=0.02)
        apart = np.corrcoef(looks["propensity"] + 1e-9 * treated, looks[PROBABILITY])[0, 1]
        assert least <= apart <= most


def test_the_effect_kept_is_what_treatment_does_to_purchases() -> None:
    log = log_of(learners=1500, treated=0.5, treatment_effect=1.0)
    looks = log.events.filter(event="browse").join(
        log.exposures, on=["user_id", "item_id", "time"], maintain_order="left"
    )
    treated, effect = (looks["treatment"] == "treated").to_numpy(), looks[EFFECT].to_numpy()
    bought = looks[OUTCOME].to_numpy()
    assert (effect < 0).any()  # some are put off
    for part in (effect < np.quantile(effect, 0.3), effect > np.quantile(effect, 0.7)):
        seen = bought[part & treated].mean() - bought[part & ~treated].mean()
        assert seen == pytest.approx(effect[part].mean(), abs=0.03)


def test_dials_of_a_treatment_that_is_never_given_are_refused() -> None:
    with pytest.raises(ValidationError, match="need treated above 0"):
        log_of(treatment_effect=1.0)
