"""One statement over the committed evidence of several studies."""

import math
import shutil
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import REFERENCE, change_verdicts
from typer.testing import CliRunner

from recsweep.cli import app
from recsweep.errors import BadInput
from recsweep.evaluation.meta import pool
from recsweep.evaluation.verdict import TURNED, PairVerdict
from recsweep.models.registry import titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import read_confirmation
from recsweep.stages.verdict import OfLog, Statement, over_logs, statement_lines, verdict_stage


def test_each_log_stands_beside_the_statement_over_all(folders: tuple[Path, Path]) -> None:
    shown = CliRunner().invoke(app, ["verdict", *map(str, folders)])
    assert shown.exit_code == 0, shown.output
    statement = verdict_stage(folders)
    pair = statement.pairs[0]
    confirmations = [read_confirmation(folder) for folder in folders]
    of_logs = [
        next(v for v in c.pairs if (v.a, v.b) == (pair.a, pair.b)) for c in confirmations if c
    ]
    level = 1 - 0.05 / len(statement.pairs)
    expected = pool([v.difference for v in of_logs], [v.standard_error for v in of_logs], level)
    assert pair.pooled.difference == expected.difference
    # No two NDCGs differ by more than 1, however little two logs tell of others.
    bounds = max(-1, expected.lower), min(1, expected.upper)
    assert (pair.pooled.lower, pair.pooled.upper) == bounds
    said = " ".join(shown.output.split())
    for v in of_logs:
        assert f"{v.difference:+.4f} [{v.lower:+.4f}, {v.upper:+.4f}]" in said
    assert "! Few logs" in said


Said = dict[tuple[str, str], tuple[object, ...]]


def by_name(statement: Statement) -> Said:
    """All that is said of each pair, with the families in the alphabet's order."""
    said: Said = {}
    for pair in statement.pairs:
        turned, p = pair.a > pair.b, pair.pooled
        numbers = [(p.difference, p.lower, p.upper), *(log.numbers for log in pair.logs)]
        if turned:
            numbers = [(-difference, -upper, -lower) for difference, lower, upper in numbers]
        key = (pair.b, pair.a) if turned else (pair.a, pair.b)
        outcome = TURNED.get(pair.outcome, pair.outcome) if turned else pair.outcome
        said[key] = (outcome, p.p, p.tau, p.heterogeneity, *numbers)
    return said


@pytest.mark.parametrize("number", [0, 1])
def test_a_pair_that_another_study_names_the_other_way_round_is_turned(
    folders: tuple[Path, Path], number: int
) -> None:
    statement = verdict_stage(folders)
    pair = next(p for p in statement.pairs if (p.a, p.b) == ("gru", "wide_deep"))
    of_logs = [c for c in map(read_confirmation, folders) if c]
    assert [log.numbers[0] for log in pair.logs] == [
        v.difference for c in of_logs for v in c.pairs if (v.a, v.b) == ("gru", "wide_deep")
    ]

    def turn(content: dict[str, object]) -> None:
        pairs = [v.turned() for v in of_logs[number].pairs]
        content["pairs"] = [asdict(v) for v in pairs]

    change_verdicts(folders[number], turn)
    assert by_name(verdict_stage(folders)) == by_name(statement)


@cache
def committed(study: str) -> Confirmation:
    confirmation = read_confirmation(REFERENCE / study)
    assert confirmation is not None
    return confirmation


PAIRS = 4
WHICH = st.sets(st.integers(0, PAIRS - 1))


@pytest.mark.parametrize("study", ["mars", "purchase_simulated"])  # more is better, and less is
@given(
    st.lists(
        st.tuples(st.floats(-0.1, 0.1), st.floats(0.001, 0.01), WHICH, WHICH),
        min_size=2,
        max_size=4,
    )
)
def test_which_way_round_studies_name_their_pairs_decides_nothing(
    study: str, logs: list[tuple[float, float, set[int], set[int]]]
) -> None:
    named, turned = [], []
    for difference, half, undeclared, others in logs:
        pairs = [
            replace(
                v,
                difference=difference / number,
                lower=difference / number - half,
                upper=difference / number + half,
                standard_error=half / 2,
                exploratory=number - 1 in undeclared,
            )
            for number, v in enumerate(committed(study).pairs[:PAIRS], 1)
        ]
        other = [v.turned() if n in others else v for n, v in enumerate(pairs)]
        named.append(committed(study).model_copy(update={"pairs": tuple(pairs)}))
        turned.append(committed(study).model_copy(update={"pairs": tuple(other)}))
    assert by_name(over_logs(turned)) == by_name(over_logs(named))


def test_only_declared_pairs_are_pooled(folders: tuple[Path, Path]) -> None:
    def declare_one(content: dict[str, object]) -> None:
        for pair in content["pairs"]:  # type: ignore[attr-defined]
            pair["exploratory"] = {pair["a"], pair["b"]} != {"lstm", "item_knn"}

    for folder in folders:
        change_verdicts(folder, declare_one)
    (pair,) = verdict_stage(folders).pairs
    assert {pair.a, pair.b} == {"lstm", "item_knn"}


def test_three_logs_that_agree_make_a_verdict(folders: tuple[Path, Path]) -> None:
    third = folders[0].parent / "third"
    shutil.copytree(folders[0], third)
    for number, folder in enumerate((*folders, third)):

        def agree(content: dict[str, object], number: int = number) -> None:
            content["fingerprint"] = f"{number}" * 64
            for pair in content["pairs"]:  # type: ignore[attr-defined]
                pair |= {"difference": 0.03, "lower": 0.02, "upper": 0.04, "standard_error": 0.002}
                pair["exploratory"] = (pair["a"], pair["b"]) != ("gru", "lstm")

        change_verdicts(folder, agree)
    lines = list(statement_lines(verdict_stage((*folders, third))))
    assert lines[0].startswith("Over 3 logs, GRU beats LSTM by +0.0300 [+0.0")
    assert "another log is expected within" in " ".join(lines)
    assert len({line.index("+") for line in lines[1:4]}) == 1  # one under another


@pytest.mark.parametrize(("study", "ahead"), [("mars", "a"), ("purchase_simulated", "b")])
@pytest.mark.parametrize("sign", [1, -1])
def test_where_less_is_better_the_family_with_the_higher_mean_loses(
    study: str, ahead: str, sign: int
) -> None:
    """By how much is told without a sign, whichever of the two was named first."""
    lower, upper = sorted((sign * 0.02, sign * 0.04))
    higher = replace(
        committed(study).pairs[0],
        difference=sign * 0.03,
        lower=lower,
        upper=upper,
        standard_error=0.002,
    )
    confirmation = committed(study).model_copy(update={"pairs": (higher,)})
    lines = list(statement_lines(over_logs([confirmation] * 3)))
    kinds = {name: family.kind for name, family in confirmation.families.items()}
    a, b = titles(kinds)[higher.a], titles(kinds)[higher.b]
    winner, loser = (a, b) if (ahead == "a") == (sign > 0) else (b, a)
    half = "[+0.0250, +0.0350]"  # 4.303, t of two degrees of freedom, times 0.002 / sqrt(3)
    assert lines[0].startswith(f"Over 3 logs, {winner} beats {loser} by +0.0300 {half}")


@pytest.mark.parametrize(
    ("error", "words"),
    [(1e-4, "and LSTM are equivalent within 0.005 NDCG@10: difference"),
     (0.1, "there is no significant difference between GRU")],
)  # fmt: skip
def test_what_nothing_tells_apart_is_no_equivalence_until_the_interval_is_narrow(
    error: float, words: str
) -> None:
    pair = replace(
        committed("mars").pairs[0], a="gru", b="lstm", difference=0.001, standard_error=error
    )
    confirmation = committed("mars").model_copy(update={"pairs": (pair,)})
    assert words in next(iter(statement_lines(over_logs([confirmation] * 3))))


def of(a: str, b: str, difference: float, error: float, **changes: Any) -> PairVerdict:
    """A declared pair whose own interval is two standard errors each way."""
    return replace(
        committed("mars").pairs[0],
        **{
            **{"a": a, "b": b, "difference": difference, "standard_error": error},
            **{"lower": difference - 2 * error, "upper": difference + 2 * error},
            **{"exploratory": False, "learners": 1234, **changes},
        },
    )


def on_log(study: str, *pairs: PairVerdict, smallest_effect: float = 0.005) -> Confirmation:
    changes = {"study": study, "pairs": pairs, "smallest_effect": smallest_effect}
    return committed("mars").model_copy(update=changes)


def test_two_logs_are_pooled_as_by_hand() -> None:
    """Cochran's Q is 2, tau^2 0.0001, the error 0.01; with one degree of freedom t is Cauchy's."""
    logs = [
        on_log(study, of("gru", "lstm", difference, 0.01))
        for study, difference in (("a", 0.02), ("longer", 0.04))
    ]
    p = 1 - 2 * math.atan(3) / math.pi
    half = 0.01 * math.tan(math.pi * 0.475)
    assert [*statement_lines(over_logs(logs))] == [
        "Over 2 logs, there is no significant difference between GRU and LSTM: "
        f"+0.0300 [{0.03 - half:+.4f}, {0.03 + half:+.4f}] NDCG@10 (p = {p:.3f})",
        "  a       +0.0200 [+0.0000, +0.0400] (1,234 learners)",
        "  longer  +0.0400 [+0.0200, +0.0600] (1,234 learners)",
        "  between logs: tau 0.0100, I2 50%",
        "Random effects over logs (DerSimonian-Laird), Hartung-Knapp intervals at 95%.",
        "! Few logs: the spread between logs is poorly known, so the intervals are wide",
    ]


@pytest.mark.parametrize("pairs", [1, 3, 5])
def test_a_p_value_is_adjusted_for_all_pairs_and_never_above_1(pairs: int) -> None:
    families = list(committed("mars").families)
    named = [of("gru", b, 0.02, 0.01) for b in families if b != "gru"][:pairs]
    turned = [replace(v, difference=0.04) for v in named]
    statement = over_logs([on_log("a", *named), on_log("b", *turned)])
    one = 1 - 2 * math.atan(3) / math.pi
    assert [p.pooled.p for p in statement.pairs] == pytest.approx([min(1, pairs * one)] * pairs)
    adjusted = f"95%, adjusted for {pairs} pairs (Bonferroni)." if pairs > 1 else "95%."
    assert adjusted in [line.split("intervals at ")[-1] for line in statement_lines(statement)]


def test_an_interval_ends_where_no_difference_of_the_metric_can_lie() -> None:
    """By two logs of errors 0.3, NDCGs might differ by 2.7 more or less; log losses by anything."""
    logs = [on_log(study, of("gru", "lstm", 0.0, 0.3)) for study in "ab"]
    (pair,) = over_logs(logs).pairs
    assert (pair.pooled.lower, pair.pooled.upper) == (-1, 1)
    losses = [log.model_copy(update={"metric": "log_loss"}) for log in logs]
    (pair,) = over_logs(losses).pairs
    half = 0.3 / math.sqrt(2) * math.tan(math.pi * 0.475)
    assert (pair.pooled.lower, pair.pooled.upper) == pytest.approx((-half, half))


def test_where_no_learner_differs_a_quarter_of_the_interval_is_the_error() -> None:
    pair = of("gru", "lstm", 0.02, 0.0, lower=-0.02, upper=0.06)
    assert OfLog("a", "learners", pair).error == 0.02
    assert OfLog("a", "learners", replace(pair, standard_error=0.01)).error == 0.01


def test_a_pair_that_one_log_alone_has_is_left_to_that_logs_own_verdict() -> None:
    both, alone = of("gru", "lstm", 0.02, 0.01), of("gru", "item_knn", 0.02, 0.01)
    statement = over_logs([on_log("a", both, alone), on_log("b", both)])
    assert [(pair.a, pair.b) for pair in statement.pairs] == [("gru", "lstm")]
    assert statement.left_out == (("gru", "item_knn"),)
    said = "GRU and item neighbours meet on one log only: see that study's own verdict."
    assert said in [*statement_lines(statement)]


def test_the_smallest_effect_is_the_smallest_of_all_logs() -> None:
    pair = of("gru", "lstm", 0.0, 0.01)
    logs = [on_log("a", pair, smallest_effect=0.3), on_log("b", pair, smallest_effect=0.2)]
    statement = over_logs(logs)
    assert statement.smallest_effect == 0.2
    assert statement.pairs[0].outcome == "equivalent"  # within 0.09
    assert "equivalent within 0.2 NDCG@10" in next(statement_lines(statement))


@pytest.mark.parametrize(("logs", "few"), [(4, True), (5, False)])
def test_under_five_logs_are_said_to_be_few_even_where_a_pair_has_less(
    logs: int, few: bool
) -> None:
    often, seldom = of("gru", "lstm", 0.02, 0.01), of("gru", "item_knn", 0.02, 0.01)
    found = [on_log(str(n), *([often, seldom] if n < 2 else [often])) for n in range(logs)]
    lines = [*statement_lines(over_logs(found))]
    assert any(line.startswith("! Few logs") for line in lines) == few
    assert {line.split(",")[0] for line in lines if line.startswith("Over")} == {
        f"Over {logs} logs",
        "Over 2 logs",
    }


def test_studies_that_share_no_pair_have_nothing_to_say_together(
    folders: tuple[Path, Path],
) -> None:
    for folder, kept in zip(folders, (("gru", "lstm"), ("gru", "item_knn")), strict=True):
        pair = asdict(of(*kept, 0.02, 0.01))
        change_verdicts(folder, lambda content, pair=pair: content.update(pairs=[pair]))  # type: ignore[misc]
    with pytest.raises(BadInput, match=r"default, .*mars: share no pair of families"):
        verdict_stage(folders)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("default",), "verdict needs two studies"),
        (("default", "default"), "was tested on the same data as"),
        (("default", "purchase_simulated"), "on log_loss, those of .* on ndcg@10"),
        (("default", "nowhere"), "nowhere: has no verdicts.json"),
    ],
)
def test_what_cannot_be_pooled_is_named(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        verdict_stage([REFERENCE / name for name in names])
