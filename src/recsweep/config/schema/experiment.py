"""A whole experiment file, and how its parts must fit together."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import (
    DWELL,
    EVENT_FEATURES,
    GAP,
    TYPE,
    ArmName,
    Name,
    Schema,
    SpacePath,
    later,
)
from recsweep.config.schema.data import Data
from recsweep.config.schema.metric import PROBABILITY_METRICS, Metric
from recsweep.config.schema.question import Folds, Purchase, Targets, Text
from recsweep.config.schema.search import (
    Arm,
    Budget,
    Confirm,
    Resources,
    Selection,
    Stopping,
    Storage,
    Tracking,
)


class Experiment(Schema):
    """One study: one data set, one task, equal-budget trials of every family."""

    study: Name
    description: str = ""
    task: Literal["next_item", "purchase"] = "next_item"
    data: Data
    folds: Folds = Folds()
    targets: Targets = Targets()
    purchase: Purchase | None = later(None)  # of the task purchase, which fills it in
    metric: Metric = Metric()
    # Of users, items and events; absent: all declared. Named sets: an ablation, see `with_arms`.
    features: tuple[str, ...] | Mapping[Name, tuple[str, ...]] | None = None
    text: Text = later(Text())
    # Name in the study -> space file.
    families: Annotated[Mapping[ArmName, SpacePath | Arm], Field(min_length=1)]
    budget: Budget = Budget()
    stopping: Stopping = Stopping()
    repeatable: bool = False  # the same trials and stops whatever finishes first
    resources: Resources = Resources()
    tracking: Tracking = Tracking()
    storage: Storage = Storage()
    selection: Selection = Selection()
    confirm: Confirm = Confirm()
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_task(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and raw.get("task") == "purchase":
            return {"metric": {"name": "log_loss"}, "purchase": {}, **raw}
        return raw

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.stopping.grace_epochs > self.budget.epochs:
            raise ValueError(
                f"stopping.grace_epochs = {self.stopping.grace_epochs} exceeds "
                f"budget.epochs = {self.budget.epochs}"
            )
        if self.repeatable and self.stopping.rule != "halving":
            raise ValueError(
                f"repeatable: true needs stopping.rule halving, not {self.stopping.rule}"
            )
        purchase = self.task == "purchase"
        if purchase is not (self.metric.name in PROBABILITY_METRICS):
            raise ValueError(f"metric.name {self.metric.name} is not a metric of task {self.task}")
        if not purchase and (self.purchase is not None or self.data.sessions is not None):
            key = "purchase" if self.purchase is not None else "data.sessions"
            raise ValueError(f"{key} is for task: purchase")
        if purchase and self.folds.min_user_events != Folds().min_user_events:
            raise ValueError("folds.min_user_events is for task: next_item; leave it out")
        if purchase and self.targets != Targets():
            raise ValueError("targets is for task: next_item; purchase has a key of its own")
        named, timed = self.feature_names or (), any(t.dwell is not None for t in self.data.events)
        if DWELL in named and not timed:
            raise ValueError(f"features: {DWELL} needs dwell, a column, in an entry of data.events")
        for name in (TYPE, GAP):
            if purchase and name in named:
                raise ValueError(f"features: task purchase always uses {name}; leave it out")
        stratified = self.folds.rule == "stratified"
        if stratified is not (self.data.sessions is not None):
            found = "events, which have a clock" if stratified else "sessions, which have none"
            right = "time" if stratified else "stratified"
            raise ValueError(f"the data are {found}: use folds.rule: {right}")
        items = self.data.items
        if self.targets.candidates == "catalogue" and (items is None or not items.dated):
            raise ValueError(
                "targets.candidates: catalogue needs data.items with valid_from (when was a course "
                "added?) or immutable: true (all of them were there from the start)"
            )
        return self

    @model_validator(mode="after")
    def _contrasts_name_families(self) -> Self:
        if isinstance(self.features, Mapping):  # arms have their names once they are written out
            return self
        for name in (name for pair in self.confirm.contrasts or () for name in pair):
            if name not in self.families:
                raise ValueError(
                    f"confirm.contrasts: no family is called {name}; "
                    f"allowed: {', '.join(self.families)}"
                )
        return self

    def space_of(self, family: str) -> str:
        """The space file of a family in the study."""
        entry = self.families[family]
        return entry if isinstance(entry, str) else entry.space

    def features_of(self, family: str) -> tuple[str, ...] | None:
        """The columns that a family in the study uses; None: all declared."""
        entry = self.families[family]
        if isinstance(entry, Arm):
            return entry.features
        return None if isinstance(self.features, Mapping) else self.features

    @property
    def is_ablation(self) -> bool:
        """Do families in the study differ in the columns that they use?"""
        arms = any(isinstance(entry, Arm) for entry in self.families.values())
        return arms or isinstance(self.features, Mapping)

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The columns that any family uses; None: all declared."""
        if self.features is None:
            return None
        sets = self.features.values() if isinstance(self.features, Mapping) else [self.features]
        arms = [arm.features for arm in self.families.values() if isinstance(arm, Arm)]
        return tuple(dict.fromkeys(name for names in (*sets, *arms) for name in names))

    @property
    def event_features(self) -> tuple[str, ...]:
        """What any family uses of a history's events: of what every log has only what is named."""
        timed = any(table.dwell is not None for table in self.data.events)
        declared = (DWELL,) if timed else ()
        names = declared if self.feature_names is None else self.feature_names
        return tuple(name for name in EVENT_FEATURES if name in names)
