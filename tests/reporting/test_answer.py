"""The answer to a study's question: what it says of every way in which verdicts can fall."""

import re
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.evaluation.verdict import Outcome, PairVerdict
from recsweep.records.evidence import Evidence, read_evidence
from recsweep.reporting.answer import Answer, answer_of_evidence
from recsweep.reporting.question import Entrants, find

REFERENCE = Path(__file__).parents[2] / "examples/reference"
STUDIES = sorted(path.name for path in REFERENCE.iterdir() if path.is_dir())
ENTRANTS = Entrants(
    {
        n: n
        for n in ("lstm", "gru", "matrix_factorization", "wide_deep", "item_knn", "gru_unordered")
    }
)


def verdict(a: str, b: str, outcome: Outcome) -> PairVerdict:
    middle = {"better": 0.02, "worse": -0.02}.get(outcome, 0.0)
    return PairVerdict(
        a, b, outcome, middle, middle - 0.01, middle + 0.01, p=0.5, mean_a=0.1, mean_b=0.1,
        standard_error=0.005, seed_share=0.1, d_z=0.1, rank_biserial=0.1, learners=100, seeds_a=5,
        seeds_b=5, level=0.95, smallest_effect=0.005, scope="configurations",
    )  # fmt: skip


@cache
def evidence_of(name: str) -> Evidence:
    return read_evidence(REFERENCE / name)


def answered(name: str, lang: str = "en", *, closed: bool = False) -> Answer:
    evidence = evidence_of(name)
    return answer_of_evidence(replace(evidence, confirmation=None) if closed else evidence, lang)


@pytest.mark.parametrize(
    ("factors", "wide", "neighbours", "expected"),
    [
        ("better", "better", "better", "yes"),
        ("better", "better", "worse", "yes"),  # item neighbours are no baseline of the question
        ("better", "no difference shown", "better", "partly"),
        ("better", "worse", "better", "partly"),
        ("no difference shown", "worse", "better", "no"),
        ("equivalent", "equivalent", "better", "no"),
        ("equivalent", "no difference shown", "better", "open"),
    ],
)
def test_the_baselines_decide_what_the_answer_is(
    factors: Outcome, wide: Outcome, neighbours: Outcome, expected: str
) -> None:
    pairs = [
        verdict("lstm", "item_knn", neighbours),
        verdict("lstm", "wide_deep", wide).turned(),  # whichever way round it was declared
        verdict("lstm", "matrix_factorization", factors),
        verdict("gru", "gru_unordered", "better"),
    ]
    found = find(pairs, ENTRANTS)
    assert (found.subject, found.verdict) == ("lstm", expected)
    assert [v.b for v in found.rivals] == ["matrix_factorization", "wide_deep", "item_knn"]
    assert [v.a for v in found.twins] == ["gru"]


def test_what_was_not_declared_has_no_say() -> None:
    declared = verdict("lstm", "wide_deep", "no difference shown")
    explored = replace(verdict("lstm", "matrix_factorization", "better"), exploratory=True)
    assert find([explored, declared], ENTRANTS).verdict == "open"


def test_arms_of_two_families_are_told_beside_the_question() -> None:
    arms = [f"{kind}+{n}" for kind in ("gru", "matrix_factorization") for n in range(3)]
    entrants = Entrants({arm: arm.partition("+")[0] for arm in arms})
    rivals = [verdict("gru+0", rival, "better") for rival in arms[3:]]
    pairs = [*combinations(arms[:3], 2), *combinations(arms[3:], 2)]
    among = [verdict(a, b, "better") for a, b in pairs]
    assert find([*rivals, *among], entrants).told == (*rivals, *among)


def test_an_end_of_a_front_meets_its_family_and_is_none_of_the_question() -> None:
    evidence = read_evidence(REFERENCE / "mars")
    sealed = evidence.confirmation
    assert sealed is not None
    families = {**sealed.families, "gru+cheapest": sealed.families["gru"]}
    pairs = (*sealed.pairs, verdict("gru", "gru+cheapest", "better"))
    more = sealed.model_copy(update={"families": families, "pairs": pairs})
    said = answer_of_evidence(replace(evidence, confirmation=more))
    assert said.question == answered("mars").question
    assert ("GRU", "GRU+cheapest") in [(contrast.a, contrast.b) for contrast in said.contrasts]


def test_next_courses_are_told_in_words_and_plain_numbers() -> None:
    said, sealed = answered("mars"), evidence_of("mars").confirmation
    assert sealed is not None
    assert said.question.startswith("Does a tuned ")
    assert "on this log, the tuned GRU" in said.sentence
    for contrast in said.contrasts:
        if contrast.about == "rival":
            recall = sealed.families[contrast.verdict.b].metrics["recall@10"].mean
            assert f"{recall:.1%} with {contrast.b}" in said.plainly
    assert said.basis.startswith(f"{sealed.learners} learners, 5 seeds a family; 95% intervals")


def test_what_sequence_order_contributes_is_the_lead_over_the_twin() -> None:
    said = answered("default")
    order = [c for c in said.contrasts if c.about == "order"]
    assert [c.pair for c in order] == ["GRU − GRU without order", "LSTM − LSTM without order"]
    for contrast in order:
        lead = contrast.numbers.partition(" ")[0]
        assert f"{lead} NDCG@10 to {contrast.a} ({contrast.how})" in said.sequence


def test_purchases_are_told_as_shares_that_are_bought() -> None:
    said = answered("purchase_simulated")
    assert re.search(r"\d+% end in a purchase with (GRU|LSTM), against \d+% with", said.plainly)
    first = said.contrasts[0].verdict
    assert first.lower_is_better
    assert first.lead[0] == -first.difference


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_an_answer_with_an_interval_and_its_learners(name: str, lang: str) -> None:
    said = answered(name, lang)
    confirmation = evidence_of(name).confirmation
    assert confirmation is not None
    assert f"{confirmation.learners:,}" in said.basis
    assert said.contrasts
    assert all("[" in c.numbers for c in said.contrasts)
    text = "\n".join(said.lines)
    assert not [kind for kind in ("wide_deep", "item_knn", "matrix_factorization") if kind in text]
    assert not any(blank in text for blank in ("{", "}", "  。", " ,"))


@pytest.mark.parametrize("name", STUDIES)
def test_before_the_test_is_opened_there_is_no_answer_but_a_warning(name: str) -> None:
    said = answered(name, closed=True)
    assert said.verdict == "closed"
    assert said.sentence.startswith(
        "Not answered yet: there is no verdict of the sealed test on this selection."
    )
    assert not said.contrasts
    assert "don’t rank models" in said.caveats[0]


def test_chinese_and_latin_words_are_set_apart_and_chinese_ones_are_not() -> None:
    said = answered("mars", "zh").sentence
    assert "调优后的 GRU " in said
    assert not re.search(r"[\u4e00-\u9fff] +[\u4e00-\u9fff]|[\u4e00-\u9fff][A-Za-z]", said)


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(BadInput, match="allowed: en, zh"):
        answered("default", "fr")
