"""The live part of the page: sent again whenever it changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.dashboard.frame import say_in
from recsweep.dashboard.state import FamilyState, Places, StudyState, best_of
from recsweep.models.registry import titles
from recsweep.records.study import TrialRow
from recsweep.reporting.answer import answer_of_evidence
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, line_chart
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Point, Scale, nice_range, tag
from recsweep.reporting.html import template
from recsweep.reporting.view import score

LATEST = 8
STAGES = ("prepare", "search", "select", "confirm", "report")
HEIGHT = 250.0


def live_part(
    state: StudyState | None, places: Places, lang: str, trouble: str | None = None
) -> str:
    """What the study looks like now; `state` is None while it is being read."""
    say = say_in(lang)
    names = _names(state, lang) if state else {}
    return template("live.html.j2").render(
        say=say,
        state=state,
        description=(lang == "zh" and state.description_zh) or state.description if state else "",
        trouble=trouble,
        places=places,
        facts=_facts(state, say) if state and state.families else [],
        families=[_family_row(n, f, names, say) for n, f in enumerate(state.families)]
        if state
        else [],
        answer=answer_of_evidence(state.evidence, lang) if state and state.evidence else None,
        stages=_stages(state, say) if state else [],
        chart=_chart(state, names, say) if state else None,
        running_chart=_running_chart(state, say) if state else None,
        latest=[_ended_row(t, say) for t in state.ended[:LATEST]] if state else [],
        failures=[t for t in state.ended if t.state == "failed"] if state else [],
        metric=written(state.metric) if state and state.metric else "",
        score=score,
        duration=lambda seconds: duration(seconds, say),
        tools=_tools(state, places, say) if state else [],
    )


def _names(state: StudyState, lang: str) -> Mapping[str, str]:
    """Families as people read them."""
    return titles({f.name: state.kinds.get(f.name, f.name) for f in state.families}, lang)


def duration(seconds: float, say: Any) -> str:
    """`12 s`, `3 min`, `2 h 05 min`."""
    if seconds < 60:
        return str(say("seconds", n=round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return str(say("minutes", n=minutes))
    return str(say("hours", n=minutes // 60, m=f"{minutes % 60:02d}"))


def _facts(state: StudyState, say: Any) -> list[tuple[str, str, str]]:
    """(number, what it counts, a note)."""
    ended = state.ended
    counts = {s: sum(t.state == s for t in ended) for s in ("complete", "pruned", "failed")}
    of = "fact_done" if state.target is not None else "fact_done_seconds"
    note = say("fact_done_note", **counts)
    if refused := len(ended) - sum(counts.values()):
        note += say("fact_refused_note", refused=refused)
    facts = [(str(state.n_done), say(of, target=state.target), note)]
    best, metric = state.best, written(state.metric)
    if best is not None and best.value is not None:
        note = say("fact_best_note", trial=best.id)
        facts.append((score(best.value), say("fact_best", metric=metric), note))
    else:
        facts.append(("–", say("fact_best", metric=metric), say("fact_best_none")))
    if state.phase == "running":
        left = state.seconds_left
        if left is None:
            facts.append(("–", say("fact_left"), say("fact_left_unknown")))
        else:
            clock = (datetime.now().astimezone() + timedelta(seconds=left)).strftime("%H:%M")
            note = say("fact_left_note", clock=clock)
            facts.append((duration(left, say), say("fact_left"), note))
    if state.workers and state.pace is not None:
        share = f"{min(1.0, state.pace / state.workers):.0%}"
        note = say("fact_workers_note", efficiency=share)
        facts.append((str(state.workers), say("fact_workers"), note))
    if state.wall_seconds:
        wall = duration(state.wall_seconds, say)
        facts.append((wall, say("fact_wall"), say("fact_wall_note")))
    return facts


def _stages(state: StudyState, say: Any) -> list[tuple[str, str]]:
    """(class, words) of every stage, while one is under way."""
    if state.stage is None and not state.later:
        return []
    began = STAGES.index(state.stage) if state.stage else len(STAGES) - len(state.later)
    shown = []
    for n, verb in enumerate(STAGES):
        if n > began and verb not in state.later:
            continue
        kind = "over" if n < began else "now" if n == began else "later"
        shown.append((kind, _stage(verb, state, say) if n == began else say(f"stage_{verb}")))
    return shown


def _stage(verb: str, state: StudyState, say: Any) -> str:
    """The stage under way, with how far it is."""
    if verb == "search" and state.target is not None:
        return str(say("stage_of", stage=say("stage_search"), n=state.n_done, of=state.target))
    if verb == "confirm" and state.total:
        return str(say("stage_of", stage=say("stage_refits"), n=state.done, of=state.total))
    return str(say(f"stage_{verb}"))


def _family_row(
    index: int, family: FamilyState, names: Mapping[str, str], say: Any
) -> dict[str, Any]:
    best = family.best
    return {
        "swatch": Mark(index).swatch(),
        "name": names[family.name],
        "bar": _bar(family),
        "running": len(family.running),
        "complete": family.count("complete"),
        "pruned": family.count("pruned"),
        "failed": family.count("failed"),
        "so_far": family.so_far,
        "best": score(best.value) if best and best.value is not None else "",
        "work": duration(family.seconds, say) if family.ended else "",
    }


def _bar(family: FamilyState) -> Markup:
    """TrialRow, running and to come, on one line."""
    width = 220.0
    ended, running = (width * share for share in family.shares)
    return tag(
        "svg",
        tag("rect", x=0.0, y=8.0, width=width, height=8.0, rx=4.0, class_="to-come"),
        tag("rect", x=0.0, y=8.0, width=running, height=8.0, rx=4.0, class_="under-way"),
        tag("rect", x=0.0, y=8.0, width=ended, height=8.0, rx=4.0, class_="done"),
        viewBox="0 0 220 24",
        class_="cell",
        aria_hidden="true",
    )


def _chart(state: StudyState, names: Mapping[str, str], say: Any) -> Markup | None:
    """Each family's best by the number of its trials that ended."""
    curves: dict[int, list[Point]] = {}
    for n, family in enumerate(state.families):
        if points := _best_so_far(family):
            curves[n] = points
    if not curves:
        return None
    values = [y for points in curves.values() for _, y in points]
    most = max(*(f.done for f in state.families), 2)
    x = Scale(1, most, LEFT + 4, WIDTH - NAMES)
    y = Scale(*nice_range(values), HEIGHT - BOTTOM, TOP)
    lines = [
        Line(Mark(n), names[f.name], curves[n], f"{names[f.name]} {score(curves[n][-1][1])}")
        for n, f in enumerate(state.families)
        if n in curves
    ]
    metric = written(state.metric)
    return line_chart(
        lines,
        x,
        y,
        HEIGHT,
        label=say("chart_label", metric=metric),
        x_label=say("chart_x"),
        y_label=metric,
        x_ticks=[(t, f"{t:g}") for t in x.ticks(whole=True)],
    )


def _running_chart(state: StudyState, say: Any) -> Markup | None:
    """The metric of trials under way, epoch by epoch."""
    marks = {family.name: Mark(n) for n, family in enumerate(state.families)}
    trials = [trial for trial in state.running if trial.values]
    if not trials:
        return None
    x = Scale(1, max(state.epochs, 2), LEFT + 4, WIDTH - NAMES)
    y = Scale(*nice_range([v for t in trials for v in t.values]), HEIGHT - BOTTOM, TOP)
    lines = [
        Line(
            marks[t.family],
            t.id,
            [(float(n), value) for n, value in enumerate(t.values, 1)],
            f"{t.id} {score(t.values[-1])}",
            markers=True,
        )
        for t in trials
    ]
    metric = written(state.metric)
    return line_chart(
        lines,
        x,
        y,
        HEIGHT,
        label=say("running_label", metric=metric),
        x_label=say("epoch"),
        y_label=metric,
        x_ticks=[(t, f"{t:g}") for t in x.ticks(whole=True)],
    )


def _best_so_far(family: FamilyState) -> list[Point]:
    points: list[Point] = []
    best: TrialRow | None = None
    tried = [trial for trial in family.ended if trial.state != "refused"]
    for n, trial in enumerate(sorted(tried, key=lambda t: (t.ended, t.id)), 1):
        if trial.state == "complete":
            best = best_of([t for t in (best, trial) if t], family.metric)
        if best is not None and best.value is not None:
            points.append((float(n), best.value))
    return points


def _ended_row(trial: TrialRow, say: Any) -> dict[str, str]:
    return {
        "id": trial.id,
        "state": say(f"state_{trial.state}"),
        "kind": trial.state,
        "value": "" if trial.value is None else score(trial.value),
        "epochs": str(len(trial.epochs)),
        "work": duration(trial.seconds, say),
    }


def _tools(state: StudyState, places: Places, say: Any) -> list[dict[str, Any]]:
    folder = places.folder
    report = "report.zh.html" if say("language") == "zh" else "report.html"
    if report not in state.files:
        report = "report.html"
    recsweep = places.recsweep
    if places.tensorboard is None:
        tensorboard = f"{recsweep} dashboard {folder} --tensorboard"
    else:
        tensorboard = f"tensorboard --logdir {places.tensorboard}"
    return [
        {"key": "report", "link": f"/{report}" if report in state.files else None},
        {"key": "optuna", "link": places.optuna},
        {"key": "leet", "command": f"{places.wandb} leet {folder}/wandb", "n": state.wandb_runs},
        {"key": "tensorboard", "command": tensorboard},
        {"key": "wandb", "command": f"{recsweep} sync {folder}"},
        {"key": "compare", "command": f"{recsweep} compare {folder} results/<study>"},
    ]
