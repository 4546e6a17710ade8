"""Who leads, and a sentence for every verdict."""

from collections.abc import Mapping, Sequence

from recsweep.config.schema import goodness
from recsweep.evaluation.verdict import PairVerdict
from recsweep.models.registry import role_of
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.view import View, interval


def leading_pair(view: View, order: Sequence[str]) -> tuple[str, str] | None:
    """The first network and the first baseline; None where the study lacks either."""
    return leading({name: view.study.spaces[name].family for name in order})


def leading(kinds: Mapping[str, str]) -> tuple[str, str] | None:
    """The same of families, the best first, and what kind each is of."""
    network = next((name for name, kind in kinds.items() if role_of(kind) == "network"), None)
    baseline = next((name for name, kind in kinds.items() if role_of(kind) == "baseline"), None)
    return None if network is None or baseline is None else (network, baseline)


def ranking(confirmation: Confirmation) -> list[str]:
    """Families by their mean on the sealed test, the best first."""
    key, families = confirmation.metric, confirmation.families
    return sorted(families, key=lambda name: -goodness(key, families[name].metrics[key].mean))


def verdict_on(confirmation: Confirmation, a: str, b: str) -> PairVerdict:
    """The verdict on `a` against `b`, turned round if need be."""
    for verdict in confirmation.pairs:
        if (verdict.a, verdict.b) == (a, b):
            return verdict
        if (verdict.a, verdict.b) == (b, a):
            return verdict.turned()
    raise KeyError(f"no verdict on {a} and {b}")


def sentence(view: View, verdict: PairVerdict) -> str:
    """As `PairVerdict.sentence`, in the reader's language."""
    if view.lang == "en":
        return verdict.sentence(view.metric, view.titles, unit=view.study.experiment.data.unit)
    v = verdict.turned() if verdict.outcome == "worse" else verdict
    text = view.say(
        f"verdict_{v.outcome}".replace(" ", "_"),
        a=view.titles[v.a],
        b=view.titles[v.b],
        numbers=interval(v),
        metric=view.metric,
        effect=f"{v.smallest_effect:g}",
    )
    text = "；".join((text, *cautions(view, v)))
    basis = view.say(f"basis_{v.scope}", learners=f"{v.learners:,}", seeds=_seeds(v))
    return f"{text}（{basis}）"


def cautions(view: View, verdict: PairVerdict) -> list[str]:
    """What the verdict says of its own limits."""
    limits = [view.say(f"caveat_{caveat}".replace(" ", "_")) for caveat in verdict.caveats]
    return [*([view.say("exploratory")] if verdict.exploratory else []), *limits]


def _seeds(verdict: PairVerdict) -> str:
    return "/".join(map(str, dict.fromkeys((verdict.seeds_a, verdict.seeds_b))))
