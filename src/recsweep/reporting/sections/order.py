"""The shuffled-history control: what the order of a history is worth to each family."""

from dataclasses import dataclass

from markupsafe import Markup

from recsweep.evaluation.verdict import PairVerdict, decide
from recsweep.models.registry import role_of
from recsweep.records.confirmation import Confirmation, OrderControl
from recsweep.reporting.charts.intervals import difference_cell, difference_scale
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.sections.verdicts import leading_pair, ranking, verdict_on
from recsweep.reporting.view import View, score, signed_interval


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One family's control; empty but for its name and outcome where it can't see order."""

    index: int
    family: str
    swatch: Markup
    plot: Markup | str
    drop: str
    in_order: str
    shuffled: str
    outcome: str
    kind: str


def order_rows(view: View, confirmation: Confirmation) -> list[OrderRow]:
    """In the order of the families' means; those that can't see order last."""
    controls, x = _controls(confirmation), order_scale(confirmation)
    blind = [name for name in ranking(confirmation) if name not in controls]
    seeing = [name for name in ranking(confirmation) if name in controls]
    effect = confirmation.smallest_effect
    return [
        *(_row(view, name, controls[name], effect, x) for name in seeing),
        *(
            OrderRow(
                index=view.marks[name].index,
                family=name,
                swatch=view.marks[name].swatch(),
                **dict.fromkeys(("plot", "drop", "in_order", "shuffled"), ""),
                outcome=view.say("order_blind"),
                kind="no",
            )
            for name in blind
        ),
    ]


def order_scale(confirmation: Confirmation) -> Scale:
    """Holds every drop's interval and what is too small to matter."""
    drops = [control.drop for control in _controls(confirmation).values()]
    bounds = [bound for drop in drops for bound in (drop.lower, drop.upper)]
    return difference_scale([*bounds, confirmation.smallest_effect])


def order_targets(confirmation: Confirmation) -> int:
    """How many targets were scored twice, the same for every family; 0 without a control."""
    return max((control.targets for control in _controls(confirmation).values()), default=0)


def winners_controls(view: View, confirmation: Confirmation) -> list[str]:
    """No sentence at the top says that a network won without its control below."""
    ranked = ranking(confirmation)
    pairs = [(ranked[0], ranked[1]), leading_pair(view, ranked)]
    verdicts = [verdict_on(confirmation, *pair) for pair in pairs if pair]
    said = [_winners_control(view, confirmation, verdict) for verdict in verdicts]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def winners_drop(view: View, confirmation: Confirmation, verdict: PairVerdict) -> str:
    """The control of a network that won, for a table's cell; empty for any other verdict."""
    winner = _winning_network(view, verdict)
    if winner is None:
        return ""
    control = _controls(confirmation).get(winner)
    if control is None:
        return view.say("order_blind")
    drop = control.drop
    return view.say("order_worth", numbers=signed_interval(drop.mean, drop.lower, drop.upper))


def _winners_control(view: View, confirmation: Confirmation, verdict: PairVerdict) -> str | None:
    winner = _winning_network(view, verdict)
    if winner is None:
        return None
    control = _controls(confirmation).get(winner)
    if control is None:
        return view.say("drop_sentence_none", family=winner)
    drop = control.drop
    outcome = decide(drop.lower, drop.upper, confirmation.smallest_effect)
    return view.say(
        f"drop_sentence_{outcome}".replace(" ", "_"),
        family=winner,
        numbers=signed_interval(drop.mean, drop.lower, drop.upper),
        metric=view.metric,
    )


def _winning_network(view: View, verdict: PairVerdict) -> str | None:
    winner = {"better": verdict.a, "worse": verdict.b}.get(verdict.outcome)
    if winner is None or role_of(str(view.study.spaces[winner]["family"])) != "network":
        return None
    return winner


def _controls(confirmation: Confirmation) -> dict[str, OrderControl]:
    return {n: f.order for n, f in confirmation.families.items() if f.order is not None}


def _row(view: View, family: str, control: OrderControl, effect: float, x: Scale) -> OrderRow:
    drop = control.drop
    shown = (drop.mean, drop.lower, drop.upper)
    outcome = decide(drop.lower, drop.upper, effect)
    return OrderRow(
        index=view.marks[family].index,
        family=family,
        swatch=view.marks[family].swatch(),
        plot=difference_cell(shown, outcome, effect, x),
        drop=signed_interval(*shown),
        in_order=score(control.in_order),
        shuffled=score(control.shuffled),
        outcome=view.say(f"drop_{outcome}".replace(" ", "_")),
        kind=outcome.split()[0],
    )
