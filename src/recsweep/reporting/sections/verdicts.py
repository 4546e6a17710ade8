"""The page's first sentence, and a sentence for every verdict."""

from collections.abc import Mapping, Sequence

from recsweep.config.schema import goodness
from recsweep.evaluation.verdict import PairVerdict
from recsweep.models.registry import family, role_of
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.view import View, interval, score


def headline(view: View, confirmation: Confirmation | None) -> str:
    """One sentence; from the sealed test where it was opened."""
    if confirmation and confirmation.pairs:
        pair = leading_contrast(confirmation)
        return view.say("sealed_headline", verdict=sentence(view, verdict_on(confirmation, *pair)))
    first_row, *others = view.rows
    if not others:
        return view.say(
            "folds_alone",
            a=first_row.choice.family,
            value=score(first_row.mean),
            metric=view.metric,
        )
    return view.say(
        "folds_headline",
        a=first_row.choice.family,
        b=others[0].choice.family,
        d=score(abs(first_row.mean - others[0].mean)),
        metric=view.metric,
    )


def question(view: View, confirmation: Confirmation | None) -> str | None:
    """The best network against the best baseline, where the headline isn't about them."""
    order = ranking(confirmation) if confirmation else view.families
    pair = leading_pair(view, order)
    tested = confirmation is not None and bool(confirmation.pairs)
    told = leading_contrast(confirmation) if confirmation and tested else order[:2]
    if pair is None or set(pair) == set(told):
        return None
    if confirmation and tested:
        text = sentence(view, verdict_on(confirmation, *pair))
    else:
        means = {row.choice.family: row.mean for row in view.rows}
        first, second = sorted(pair, key=view.families.index)
        d = score(abs(means[first] - means[second]))
        text = view.say("leads", a=first, b=second, d=d, metric=view.metric)
    return view.say("question", baselines=_baselines(view), text=text)


def _baselines(view: View) -> str:
    """Those of the study by their titles."""
    kinds = dict.fromkeys(space.family for space in view.study.spaces.values())
    known = [family(kind) for kind in kinds if role_of(kind) == "baseline"]
    *others, last = (each.title_zh if view.lang == "zh" else each.title for each in known)
    return view.say("best_of", others=", ".join(others), last=last) if others else last


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


def leading_contrast(confirmation: Confirmation) -> tuple[str, str]:
    """Of the declared pairs the one with the best families, the better of the two first."""
    place = {name: n for n, name in enumerate(ranking(confirmation))}
    declared = [v for v in confirmation.pairs if not v.exploratory] or confirmation.pairs
    pairs = [tuple(sorted((place[v.a], place[v.b]))) for v in declared]
    first, second = min(pairs)
    names = list(place)
    return names[first], names[second]


def sequence(view: View, confirmation: Confirmation) -> list[str]:
    """What sequence order contributes to each network: its verdict against its twin without it."""
    kinds = {name: result.kind for name, result in confirmation.families.items()}
    networks = [n for n in ranking(confirmation) if role_of(kinds[n]) == "network"]
    pairs = [(n, t) for n in networks for t in kinds if kinds[t] == family(kinds[n]).twin]
    if networks and not pairs:
        return [view.say("sequence_absent")]
    found = [verdict_on(confirmation, *pair) for pair in pairs]
    return [
        view.say(
            f"sequence_{verdict.outcome}".replace(" ", "_"),
            family=verdict.a,
            twin=verdict.b,
            numbers=interval(verdict),
            metric=view.metric,
        )
        for verdict in found
    ]


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
        return verdict.sentence(view.metric, unit=view.study.experiment.data.unit)
    v = verdict.turned() if verdict.outcome == "worse" else verdict
    text = view.say(
        f"verdict_{v.outcome}".replace(" ", "_"),
        a=v.a,
        b=v.b,
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
