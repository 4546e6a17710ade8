"""By which rules the numbers came about, and what they came about with."""

from collections.abc import Iterator, Mapping

from recsweep.config.schema import Arm
from recsweep.data.features.fit import declared_names
from recsweep.evaluation.enough import LIMIT, chance_of_gain
from recsweep.models.registry import families_of
from recsweep.reporting.charts.fronts import cost_name
from recsweep.reporting.tasks.registry import listed, report_of
from recsweep.reporting.view import View


def protocol_notes(view: View) -> list[str]:
    """One sentence or two a rule, filled in from the experiment."""
    experiment = view.study.experiment
    folds, stopping, sessions = experiment.folds, experiment.stopping, experiment.data.sessions
    notes = [
        view.say(
            f"protocol_folds_{folds.rule}",
            folds=folds.count,
            validation=f"{folds.validation:.0%}",
            test=f"{folds.test:.0%}",
            duplicates=view.say(f"duplicates_{sessions.duplicates}") if sessions else "",
        ),
        *report_of(experiment.task).notes(view),
        _budget(view),
        *_sampler(view),
        *_goals(view),
        *_warm_start(view),
        *_widened(view),
        view.say(
            f"protocol_stopping_{'repeatable' if experiment.repeatable else stopping.rule}",
            grace=stopping.grace_epochs,
            reduction=stopping.reduction,
            lag=", ".join(f"{share:.0%}" for share in stopping.lag),
            chance=f"{stopping.chance:.0%}",
            full=stopping.full_trials,
        ),
        *_patience(view),
        *_enough(view),
        view.say("protocol_selection", rule=view.say(f"rule_{view.selection.rule}")),
    ]
    if limits := experiment.limits.given:
        each = [f"{name} ≤ {limit:,.7g}" for name, limit in limits.items()]
        notes.append(view.say("protocol_limits", limits=view.say("list_within").join(each)))
    for name, entry in experiment.families.items():
        if isinstance(entry, Arm) and entry.losses is not None:
            losses = ", ".join(entry.losses)
            notes.append(view.say("protocol_losses", family=view.titles[name], losses=losses))
        if isinstance(entry, Arm) and entry.features is not None:
            columns = ", ".join(entry.features) or view.say("no_features")
            notes.append(view.say("protocol_arms", family=view.titles[name], features=columns))
    if without := _without_features(view):
        notes.append(
            view.say(
                "protocol_features",
                families=listed(view.say, [view.titles[name] for name in without]),
            )
        )
    return notes


def environment_rows(view: View) -> list[tuple[str, str]]:
    """Code, machine and seed; no path, no name of a person or a host."""
    found = view.study.environment
    code = found.get("code")
    code = code if isinstance(code, Mapping) else {}
    version = str(code.get("commit") or view.say("unknown"))
    if code.get("changes"):
        version += ", " + view.say("changes", digest=str(code["changes"])[:12])
    rows = [
        (view.say("code"), f"recsweep {found.get('recsweep', '')} · {version}"),
        (view.say("python"), str(found.get("python", view.say("unknown")))),
        (
            view.say("machine"),
            view.say(
                "cores",
                cpu=found.get("cpu") or view.say("unknown"),
                cores=found.get("cores") or view.say("unknown"),
            ),
        ),
    ]
    gpus = found.get("gpus")
    if isinstance(gpus, list) and gpus:
        rows.append(("GPU", ", ".join(map(str, gpus))))
    packages = found.get("packages")
    if isinstance(packages, Mapping):
        shown = [
            f"{name} {packages[name]}" for name in ("torch", "ray", "optuna") if name in packages
        ]
        rows.append((view.say("packages"), ", ".join(shown)))
    rows.append((view.say("seed"), str(view.study.experiment.seed)))
    return rows


def commands(view: View) -> list[str]:
    """What to type, from the repository's root.

    How the study itself was started is not among them: no record names the experiment's file.
    """
    study = view.study.experiment.study
    return [f"make reproduce BEST=results/{study}/best/{name}.yaml" for name in view.families]


def _budget(view: View) -> str:
    study, budget = view.study, view.study.experiment.budget
    if budget.seconds is None:
        return view.say("protocol_budget", trials=study.trials_each, epochs=budget.epochs)
    used = [sum(trial.seconds for trial in study.trials_of(name)) for name in study.tuned] or [0.0]
    return view.say(
        "protocol_budget_seconds",
        seconds=f"{budget.seconds:g}",
        least=f"{min(used):.0f}",
        most=f"{max(used):.0f}",
        epochs=budget.epochs,
    )


def _patience(view: View) -> Iterator[str]:
    if (patience := view.study.experiment.stopping.patience) is not None:
        yield view.say("protocol_patience", patience=patience)


def _enough(view: View) -> Iterator[str]:
    """Where and why `stopping.study` ended the search; nothing where it wasn't asked for."""
    study = view.study
    rule, trials = study.experiment.stopping.study, study.trials_each
    if rule is None or trials is None or not study.tuned:
        return
    n = min(len(study.trials_of(name)) for name in study.tuned)
    chances = {
        name: chance_of_gain(
            [view.goodness(t.value) for t in view.trials(name)[:n] if t.value is not None],
            max(0, trials - n),
            rule.below,
        )
        for name in study.tuned
    }
    yield view.say(
        "protocol_enough",
        trials=trials,
        limit=f"{LIMIT:.0%}",
        below=f"{rule.below:g}",
        metric=view.metric,
        ended=view.say("enough_ended" if study.early_end else "enough_open", n=n),
        chances=", ".join(f"{view.titles[name]} {p:.1%}" for name, p in chances.items()),
    )


def _sampler(view: View) -> Iterator[str]:
    """The default goes without saying."""
    search = view.study.experiment.search
    if search.sampler != "tpe":
        yield view.say("protocol_sampler", sampler=view.say(f"sampler_{search.sampler}"))


def _goals(view: View) -> Iterator[str]:
    """The score alone goes without saying."""
    if (cost := view.study.experiment.search.cost) is not None:
        yield view.say("protocol_goals", cost=cost_name(view, cost))


def _warm_start(view: View) -> Iterator[str]:
    for earlier in view.study.warm_start:
        trials = [f"{view.titles[name]} {count}" for name, count in earlier.trials.items()]
        yield view.say(
            "protocol_warm_start",
            study=earlier.study,
            fingerprint=earlier.fingerprint[:12],
            trials=listed(view.say, trials),
        )


def _widened(view: View) -> Iterator[str]:
    for family, ranges in view.study.widened.items():
        for w in ranges:
            yield view.say(
                "protocol_widened",
                family=view.titles[family],
                parameter=w.parameter,
                before=f"[{w.before[0]:g}, {w.before[1]:g}]",
                now=f"[{w.now[0]:g}, {w.now[1]:g}]",
                trials=w.trials,
            )


def _without_features(view: View) -> list[str]:
    experiment = view.study.experiment
    data = experiment.data
    declared = any(
        [
            *declared_names(data.users, data.items),
            *(c for table in data.texts for c in (*table.categorical, *table.numeric)),
        ]
    )
    if not declared or experiment.feature_names == ():
        return []
    known = families_of(experiment.task)
    kinds = {name: known.get(view.study.spaces[name].family) for name in view.families}
    return [name for name, kind in kinds.items() if kind is not None and not kind.uses_features]
