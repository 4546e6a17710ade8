"""How the keys of an experiment must fit together, beyond what each may be alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recsweep.config.schema.base import DWELL
from recsweep.config.schema.data import Data
from recsweep.config.schema.question import FoldRule
from recsweep.config.schema.search import FRONT_ENDS, Cost
from recsweep.config.schema.task import question_of, task_packages

if TYPE_CHECKING:
    from recsweep.config.schema.experiment import Experiment


def check_together(experiment: "Experiment") -> None:
    """Nothing, where they do.

    Raises:
        ValueError: they don't; the message names the keys.
    """
    _check_end(experiment)
    _check_search(experiment)
    _check_question(experiment)
    _check_costs(experiment)
    _check_front_ends(experiment)
    _check_groups(experiment)
    _check_contrasts(experiment)


def _check_end(experiment: "Experiment") -> None:
    if experiment.stopping.study is not None and experiment.budget.seconds is not None:
        raise ValueError(
            "stopping.study needs budget.trials, not budget.seconds: what further trials may "
            "gain depends on how many are left"
        )


def _check_search(experiment: "Experiment") -> None:
    if experiment.stopping.grace_epochs > experiment.budget.epochs:
        raise ValueError(
            f"stopping.grace_epochs = {experiment.stopping.grace_epochs} exceeds "
            f"budget.epochs = {experiment.budget.epochs}"
        )
    if len(set(experiment.warm_start)) < len(experiment.warm_start):
        raise ValueError(f"warm_start: names a study twice: {', '.join(experiment.warm_start)}")
    if experiment.search.sampler == "grid" and experiment.budget.seconds is not None:
        raise ValueError("search.sampler: grid needs budget.trials, not budget.seconds")
    if experiment.repeatable and experiment.stopping.rule != "halving":
        raise ValueError(
            f"repeatable: true needs stopping.rule halving, not {experiment.stopping.rule}"
        )
    if experiment.repeatable and experiment.budget.seconds is not None:
        raise ValueError(
            "repeatable: true needs budget.trials, not budget.seconds: how many trials fit "
            "into them differs from run to run"
        )


def _check_question(experiment: "Experiment") -> None:
    data, task = experiment.data, experiment.task
    question = question_of(task)
    metric = question.metrics.get(experiment.metric.name)
    if metric is None or not metric.decides:
        raise ValueError(f"metric.name {experiment.metric.name} is not a metric of task {task}")
    kind = data.kind
    if kind not in question.reads:
        able = [name for name in task_packages() if kind in question_of(name).reads]
        raise ValueError(f"data.{kind} is for task: {', '.join(able)}")
    if bool(data.treatments) is not question.treatment:
        able = [name for name in task_packages() if question_of(name).treatment]
        if question.treatment:
            raise ValueError(
                f"task {task} needs treatment, who was treated, in data.sessions or in an entry of "
                "data.events"
            )
        raise ValueError(f"treatment is for task: {', '.join(able)}; leave it out")
    _check_folds(experiment, question.folds)
    question.check(experiment)
    timed = any(table.dwell is not None for table in data.events)
    if DWELL in (experiment.feature_names or ()) and not timed:
        raise ValueError(f"features: {DWELL} needs dwell, a column, in an entry of data.events")
    if isinstance(experiment.features, Mapping) and isinstance(experiment.losses, Mapping):
        raise ValueError("give named sets of features or of losses, not both")
    items = data.items
    if experiment.targets.candidates == "catalogue" and (items is None or not items.dated):
        raise ValueError(
            "targets.candidates: catalogue needs data.items with valid_from (when was a course "
            "added?) or immutable: true (all of them were there from the start)"
        )


def _check_costs(experiment: "Experiment") -> None:
    for key, cost in (
        ("selection.against", experiment.selection.against),
        ("confirm.front", experiment.confirm.front),
        ("search.goals", experiment.search.cost),
    ):
        if cost == "kwh" and experiment.energy is None:
            raise ValueError(f"{key}: kwh needs energy; write energy: {{}}")
    measured = [name for name in experiment.limits.given if name != "parameters"]
    if experiment.repeatable and measured:
        raise ValueError(
            f"repeatable: true needs limits on parameters alone, not {', '.join(measured)}: "
            "what is measured differs from run to run"
        )
    if experiment.search.cost is not None:
        _check_goals(experiment, experiment.search.cost)
    if experiment.limits.given and experiment.search.sampler == "grid":
        raise ValueError(
            "search.sampler: grid can't have limits: no other takes a refused cell's place"
        )
    if experiment.limits.given and experiment.warm_start and experiment.search.sampler == "gp":
        raise ValueError(
            "search.sampler: gp can't have both limits and warm_start: what earlier trials "
            "take wasn't measured; use tpe"
        )


def _check_goals(experiment: "Experiment", cost: Cost) -> None:
    """Refuse what a search for a front can't have."""
    if experiment.search.sampler not in ("tpe", "gp"):
        raise ValueError(
            f"search.goals: {experiment.search.sampler} can't look at two values; "
            "use search.sampler: tpe or gp"
        )
    if experiment.repeatable and cost not in ("parameters", "model_bytes"):
        raise ValueError(
            f"repeatable: true needs search.goals with parameters or model_bytes, not {cost}: "
            "what is measured differs from run to run"
        )
    if experiment.stopping.study is not None:
        raise ValueError(
            "search.goals can't have stopping.study, which ends a search when the best score "
            "alone won't rise; leave one of them out"
        )
    if experiment.warm_start:
        raise ValueError(
            "search.goals can't have warm_start: what an earlier study's trials cost was "
            "measured on other data; leave one of them out"
        )


RULE_NEEDS: dict[FoldRule, str] = {
    "time": "times, and histories that aren't sessions",
    "sessions": "session in an entry of data.events, or data.session_gap_minutes",
}
"""What makes data fit a rule, in an experiment's words."""
TEXTS_NEED: dict[FoldRule, str] = {
    "time": "time, a column, in every entry of data.texts",
    "group": "group, a column, in every entry of data.texts",
}
"""The same of texts: one table without the column is enough for the rule not to fit."""


def _check_folds(experiment: "Experiment", of_task: tuple[FoldRule, ...]) -> None:
    """Refuse a rule that the data or the task has no use for."""
    data, rule = experiment.data, experiment.folds.rule
    fitting: tuple[FoldRule, ...]
    if data.texts:
        kind, fitting = "data.texts", _fitting_texts(data)
    elif data.sessions is not None:
        kind, fitting = "data.sessions", ("stratified",)
    elif data.in_sessions:
        kind, fitting = "a log of sessions", ("sessions",)
    elif not data.timed:
        kind, fitting = "a log with order: row", ("leave_one_out", "learners")
    else:
        kind, fitting = "a log with times", ("time", "leave_one_out", "learners")
    allowed = [name for name in fitting if name in of_task]
    if not allowed:
        able = [t for t in task_packages() if set(question_of(t).folds) & set(fitting)]
        raise ValueError(f"{kind} is for task: {', '.join(able)}")
    if rule not in allowed:
        known = TEXTS_NEED if data.texts else RULE_NEEDS
        needs = f"; {rule} needs {known[rule]}" if rule in {*of_task} & {*known} else ""
        raise ValueError(
            f"{kind} of task {experiment.task} can't be split by {rule}: "
            f"use folds.rule: {' or '.join(allowed)}{needs}"
        )


def _fitting_texts(data: Data) -> tuple[FoldRule, ...]:
    """By the columns that every table of texts has."""
    timed = all(table.time for table in data.texts)
    grouped = all(table.group for table in data.texts)
    found: tuple[FoldRule, ...] = ("time",) if timed else ()
    return (*found, "stratified", "group") if grouped else (*found, "stratified")


def _check_front_ends(experiment: "Experiment") -> None:
    ends = {f"{name}+{end}" for name in experiment.families for end in FRONT_ENDS}
    if experiment.confirm.front is not None and (twice := ends & experiment.families.keys()):
        raise ValueError(
            f"confirm.front: {min(twice)} is the name of a family; give it another name"
        )


def _check_groups(experiment: "Experiment") -> None:
    users = experiment.data.users
    columns = () if users is None else (*users.categorical, *users.numeric)
    for name in experiment.confirm.groups:
        if name not in columns:
            raise ValueError(
                f"confirm.groups: {name} is no categorical or numeric column of data.users; "
                f"allowed: {', '.join(columns) or 'none is declared'}"
            )


def _check_contrasts(experiment: "Experiment") -> None:
    if experiment.named_sets:  # arms have their names once they are written out
        return
    for name in (name for pair in experiment.confirm.contrasts or () for name in pair):
        if name not in experiment.families:
            raise ValueError(
                f"confirm.contrasts: no family is called {name}; "
                f"allowed: {', '.join(experiment.families)}"
            )
