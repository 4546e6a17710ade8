"""The verb `methods`: how a study was done, for a paper, from its record alone."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsweep.config.schema import Experiment, Folds, is_additive, written
from recsweep.config.schema.data import DataKind
from recsweep.models.registry import families_of, role_of, titles
from recsweep.records.confirmation import Confirmation
from recsweep.records.evidence import Evidence, read_evidence
from recsweep.records.files import read_study
from recsweep.records.openings import Opened
from recsweep.records.study import Study
from recsweep.reporting.tasks.registry import report_of
from recsweep.spaces.parameter import Parameter

SAMPLERS = {
    "tpe": "a tree-structured Parzen estimator (Optuna)",
    "gp": "a Gaussian process with expected improvement (Optuna)",
    "cma_es": "CMA-ES (cmaes)",
    "random": "random search",
    "sobol": "a scrambled Sobol sequence",
    "grid": "a grid in random order",
}
SHOWN = ("torch", "optuna", "ray", "numpy", "scikit-learn")


def methods_stage(folder: Path) -> str:
    """Markdown: paragraphs, then a table of families, of spaces, and of contrasts.

    What a folder lacks is left out: spaces and numbers of trials without `study.json`, the sealed
    test without verdicts.

    Raises:
        BadInput: nothing was selected there, or a file can't be read.
    """
    evidence = read_evidence(folder)
    shown = titles({name: each.kind for name, each in _entrants(evidence).items()})
    study = read_study(folder) if (folder / "study.json").exists() else None
    parts = [
        "## Methods",
        *_paragraphs(evidence, study),
        _table(*_families(evidence, study, shown)),
    ]
    if study is not None:
        parts += ["Search spaces:", _table(*_spaces(study, shown))]
    if evidence.confirmation is not None:
        parts += [
            "Contrasts on the sealed test:",
            _table(*_contrasts(evidence.confirmation, shown)),
        ]
    return "\n\n".join(parts)


def _entrants(evidence: Evidence) -> dict[str, Opened]:
    """All that was selected, and what went to the sealed test beside it."""
    selected = {name: Opened.of(best) for name, best in evidence.best.items()}
    tested = evidence.confirmation.families if evidence.confirmation is not None else {}
    return selected | {n: Opened.of(each) for n, each in tested.items() if n not in selected}


def _paragraphs(evidence: Evidence, study: Study | None) -> Iterator[str]:
    experiment, sealed = evidence.experiment, evidence.confirmation
    yield " ".join([*_data(evidence, sealed), *_tuning(experiment, study)])
    if sealed is not None:
        yield " ".join(_testing(experiment, sealed))
    yield _machine(evidence.environment)


def _data(evidence: Evidence, sealed: Confirmation | None) -> Iterator[str]:
    experiment, data = evidence.experiment, next(iter(evidence.best.values())).data
    folds, unit = experiment.folds, experiment.data.unit
    yield (
        f"Task `{experiment.task}` on the data `{data.dataset}` "
        f"(fingerprint {data.fingerprint[:12]})."
    )
    yield from report_of(experiment.task).methods
    yield from _split(folds, experiment.data.kind)
    if not experiment.data.timed:
        yield "The log has no times; of a learner's events, the later row is the later event."
    if sealed is not None:
        yield f"The sealed test has {sealed.learners:,} {unit} and {sealed.targets:,} targets."
    # Groups of texts are what is resampled; each text counts alike.
    over = "texts" if experiment.data.kind == "texts" else unit
    mean = f", a mean over {over}" if is_additive(experiment.metric.key) else ""
    yield f"Configurations were compared by {written(experiment.metric.key)}{mean}."


def _split(folds: Folds, rows: DataKind) -> Iterator[str]:
    match folds.rule:
        case "time" | "sessions":
            yield (
                f"The log was cut on one clock: the last {folds.test:.0%} of {rows} are the sealed "
                f"test, and before it lie {folds.count} validation windows of "
                f"{folds.validation:.0%} each; a fold trains on everything before its window."
            )
            if folds.rule == "sessions":
                yield "Histories are single sessions; a session belongs to the period it ends in."
        case "leave_one_out":
            yield (
                "Each learner's last moment is the sealed test, and the moment before it was "
                f"scored in one of {folds.count} folds, drawn at random; a fold trains on all "
                "other development events, later ones of other learners included."
            )
        case "learners":
            yield (
                f"A share of {folds.test:.0%} of the learners, drawn at random, is the sealed "
                f"test; the others were dealt into {folds.count} folds, and a fold trains on the "
                "learners of the others, whose later events are included."
            )
        case "stratified" | "group":
            why = "The table has no clock" if rows == "sessions" else "Time was not respected"
            whole = ", no group in two of them" if folds.rule == "group" else ""
            yield (
                f"{why}: {folds.count} folds and a sealed test of {folds.test:.0%} were drawn at "
                f"random, with equal shares of each answer{whole}."
            )


def _tuning(experiment: Experiment, study: Study | None) -> Iterator[str]:
    stopping = experiment.stopping
    yield (
        f"Every tuned family, the baselines included, had {_budget(experiment, study)} "
        f"on the same folds with the same seeds, proposed by {SAMPLERS[experiment.search.sampler]} "
        "after the first trials that the family's space names, its defaults before others."
    )
    if experiment.warm_start:
        yield (
            "After the defaults, each tried the best configurations that earlier studies "
            f"({', '.join(experiment.warm_start)}) had found, none of which saw the sealed test."
        )
    if stopping.rule == "halving":
        how = "asynchronous successive halving"
        if experiment.repeatable:
            how = "successive halving, in batches whose trials waited for each other"
        yield (
            f"Within a family, trials were stopped early by {how} "
            f"(from epoch {stopping.grace_epochs}, one in {stopping.reduction} goes on; the first "
            f"{stopping.full_trials} trials were never stopped)."
        )
    elif stopping.rule == "forecast":
        yield (
            "A trial was stopped early when the forecast of its curve gave it too small a chance "
            f"to end as its family's best ({stopping.chance:.0%} for an epoch of mean length)."
        )
    else:
        lag = ", ".join(f"{share:.0%}" for share in stopping.lag)
        yield f"Trials that lagged behind their family's best by {lag} were stopped early."
    if stopping.study is not None:
        end = study.early_end if study is not None else None
        did = f"; it did after {end.trials} of {end.budget}" if end is not None else ""
        yield (
            "The search was to end before its budget where no family was likely to gain more than "
            f"{stopping.study.below:g} by its remaining trials{did}."
        )
    if (cost := experiment.search.cost) is not None:
        yield (
            f"The search was for the front of score against {cost}: the sampler was told both, and "
            "a trial was stopped early only where a complete one of its family that costs no more "
            "was better by the same epoch."
        )
    if stopping.patience is not None:
        yield (
            f"A trial was complete, too, when its last epochs, {stopping.patience} in a row, were "
            "no better than its best one."
        )
    if study is not None:
        yield from _widened(study)
    if limits := experiment.limits.given:
        each = ", ".join(f"{name} ≤ {limit:,.7g}" for name, limit in limits.items())
        yield (
            f"Configurations outside of limits ({each}) were refused before they were trained, and "
            "others proposed in their place."
        )
    rule = {
        "best_mean": "the best mean over folds",
        "one_standard_error": "the fewest epochs within one paired standard error of the best",
        "limit": "the best mean over folds among configurations inside of "
        + ", ".join(f"{k} ≤ {v:,.7g}" for k, v in experiment.selection.limits.given.items()),
        "knee": f"the knee of the front of score against {experiment.selection.against}",
    }[experiment.selection.rule]
    yield f"One configuration a family, and its number of epochs, was selected by {rule}."


def _widened(study: Study) -> Iterator[str]:
    """Ranges that became wider after trials had been seen."""
    for family, ranges in study.widened.items():
        for w in ranges:
            yield (
                f"The range of {family}'s {w.parameter} was widened from [{w.before[0]:g}, "
                f"{w.before[1]:g}] to [{w.now[0]:g}, {w.now[1]:g}] after {w.trials} of its trials."
            )


def _budget(experiment: Experiment, study: Study | None) -> str:
    """What a tuned family had."""
    budget, epochs = experiment.budget, f"up to {experiment.budget.epochs} epochs"
    if budget.seconds is None:
        trials = budget.trials if study is None else _most_trials(study)
        return f"{'1 trial' if trials == 1 else f'{trials} trials'} of {epochs}"
    text = f"trials of {epochs} until {budget.seconds:g} s of fitting and evaluating were used"
    if study is None or not study.tuned:
        return text
    used = [sum(t.seconds for t in study.trials_of(name)) for name in study.tuned]
    return (
        f"{text} (a trial that had begun by then was finished: "
        f"{min(used):.0f} to {max(used):.0f} s were used)"
    )


def _testing(experiment: Experiment, sealed: Confirmation) -> Iterator[str]:
    seeds = next(iter(sealed.families.values())).seeds
    times = len(sealed.openings)
    runs = "searches" if sealed.repeated else "seeds"
    yield (
        f"The selected configurations were refitted on all data before the sealed test with "
        f"{len(seeds)} seeds ({', '.join(map(str, seeds))}) and scored on it; it was opened "
        f"{'once' if times == 1 else f'{times} times'}."
    )
    if (front := experiment.confirm.front) is not None and not sealed.repeated:
        yield (
            "The cheapest and the best configuration of each family's front of score against "
            f"{front} were refitted as well, where another one was selected."
        )
    if sealed.repeated:
        yield (
            f"The whole search was run {sealed.searches} times from different seeds, what each "
            "selected was refitted as often, with seeds of its own, and a family counts by the "
            "means of its searches."
        )
    declared = sum(not pair.exploratory for pair in sealed.pairs)
    yield (
        f"Differences are paired over {sealed.unit} and studentised by their variance over "
        f"{sealed.unit} and {runs}. Intervals ({sealed.level:.0%}) and p values are simultaneous "
        f"over the {declared} declared contrasts (single-step min-p over "
        f"{experiment.confirm.resamples:,} bootstrap resamples of {sealed.unit}); families count "
        f"as equivalent within {sealed.smallest_effect:g} {written(sealed.metric)}."
    )


def _machine(environment: Mapping[str, Any]) -> str:
    packages, code = environment.get("packages") or {}, environment.get("code") or {}
    versions = [f"{name} {packages[name]}" for name in SHOWN if name in packages]
    commit = str(code.get("commit") or "unknown")
    changed = " with uncommitted changes" if code.get("changes") else ""
    gpus = ", ".join(map(str, environment.get("gpus") or ())) or "no GPU"
    return (
        f"Computed with recsweep {environment.get('recsweep')} (commit {commit}{changed}), Python "
        f"{environment.get('python')}, {', '.join(versions)}, on {environment.get('cpu')} "
        f"({environment.get('cores')} cores, {environment.get('threads')} threads a process; "
        f"{gpus})."
    )


def _families(
    evidence: Evidence, study: Study | None, shown: Mapping[str, str]
) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    sealed, key = evidence.confirmation, evidence.experiment.metric.key
    metric = written(key)
    # A text has an order of words, which each of its families reads or not; no history has any.
    histories = evidence.experiment.data.kind != "texts"
    columns = ["family", "role", *["sees order"] * histories, "trials", "epochs"]
    columns += [f"{metric}, folds", f"{metric}, sealed test"]

    def rows() -> Iterator[Sequence[str]]:
        for name, each in _entrants(evidence).items():
            tested = ""
            if sealed is not None and name in sealed.families:
                e = sealed.families[name].metrics[key]
                tested = f"{e.mean:z.4f} [{e.lower:z.4f}, {e.upper:z.4f}]"
            best = evidence.best.get(name)
            trials = "" if study is None or best is None else _counts(study, name)
            order = [_sees_order(each, evidence.experiment.task)] * histories
            value = "" if best is None else f"{best.value:z.4f}"
            yield (
                *(shown[name], role_of(each.kind) or "", *order),
                *(trials, str(each.epochs), value, tested),
            )

    return columns, rows()


def _sees_order(best: Opened, task: str) -> str:
    """Can the order of a history's events reach a score? Nothing where no code here can tell."""
    try:
        build = families_of(task)[best.kind]
        return "yes" if build.sees_order(best.config) else "no"
    except (KeyError, ValidationError):  # a family or a hyperparameter that isn't here
        return ""


def _counts(study: Study, family: str) -> str:
    states = [trial.state for trial in study.trials_of(family)]
    stopped, failed = states.count("pruned"), states.count("failed")
    parts = [f"{stopped} stopped early"] * bool(stopped) + [f"{failed} failed"] * bool(failed)
    return f"{len(states)}" + (f" ({', '.join(parts)})" if parts else "")


def _most_trials(study: Study) -> int | None:
    """Of a family, without the refused ones, whose places in the budget others had."""
    counts = [len(study.trials_of(name)) for name in study.experiment.families]
    return max(counts) or study.experiment.budget.trials


def _spaces(
    study: Study, shown: Mapping[str, str]
) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    """One row a parameter, as its space file declares it."""
    known = families_of(study.experiment.task)

    def rows() -> Iterator[Sequence[str]]:
        for name, space in study.spaces.items():
            if not space.parameters:
                length = known[space.family].epochs
                yield shown[name], "none is tuned", f"{length} epoch" if length == 1 else ""
            for parameter in space.parameters.values():
                yield shown[name], f"`{parameter.name}`", _range(parameter)

    return ("family", "hyperparameter", "range"), rows()


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        text = "{" + ", ".join(map(str, parameter.choices)) + "}"
    else:
        text = f"[{parameter.low:g}, {parameter.high:g}]"
        whole = ", powers of two" if parameter.pow2 else ", whole numbers"
        text += whole if parameter.int is not None else ""
        text += f", in steps of {parameter.step:g}" if parameter.step else ""
    text += ", log scale" if parameter.log else ""
    return f"{text}, if {parameter.condition}" if parameter.when else text


def _contrasts(
    sealed: Confirmation, shown: Mapping[str, str]
) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    columns = ("a", "b", f"a - b, {written(sealed.metric)}", "p", "verdict")
    rows = (
        (
            shown[v.a],
            shown[v.b],
            f"{v.difference:+.4f} [{v.lower:+.4f}, {v.upper:+.4f}]",
            "< 0.001" if v.p < 0.001 else f"{v.p:.3f}",
            _said(v.outcome),
        )
        for v in sealed.pairs
        if not v.exploratory
    )
    return columns, rows


def _said(outcome: str) -> str:
    return {
        "better": "a is better",
        "worse": "b is better",
        "no difference shown": "no significant difference",
    }.get(outcome, outcome)


def _table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
