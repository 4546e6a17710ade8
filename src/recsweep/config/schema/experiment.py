"""A whole experiment file."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from recsweep.config.schema.base import (
    DWELL,
    EVENT_FEATURES,
    ArmName,
    ByName,
    Loss,
    Name,
    RawPath,
    Schema,
    Seed,
    SpacePath,
    later,
)
from recsweep.config.schema.data import Data
from recsweep.config.schema.decides import ANSWERS, Decides
from recsweep.config.schema.fitting import check_together
from recsweep.config.schema.metric import Metric
from recsweep.config.schema.question import Folds, Targets, Text
from recsweep.config.schema.search import (
    Arm,
    Budget,
    Confirm,
    Energy,
    Limits,
    Resources,
    Search,
    Selection,
    Stopping,
    Storage,
    Tracking,
)
from recsweep.config.schema.task import (
    NEXT_ITEM,
    question_of,
    settings_of_tasks,
    task_packages,
)

S = TypeVar("S", bound=Schema)


def _known(task: str) -> str:
    if task not in task_packages():
        raise ValueError(f"should be one of {', '.join(task_packages())}, found {task!r}")
    return task


def _with_tasks(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False
    schema["properties"]["task"]["enum"] = list(task_packages())
    for task, settings in settings_of_tasks().items():
        schema["properties"][task] = settings.model_json_schema()


class Experiment(Schema):
    """One study: one data set, one task, equal-budget trials of every family.

    The settings of the task stand under its name; its `Question` says what they are.
    """

    # Extra keys are the task's own and no others: `_ask_the_task`.
    model_config = ConfigDict(extra="allow", json_schema_extra=_with_tasks)

    study: Annotated[Name, Decides.NOTHING]
    description: Annotated[str, Decides.NOTHING] = ""
    description_zh: Annotated[str, Decides.NOTHING] = later("")  # for the Chinese page
    task: Annotated[str, AfterValidator(_known), ANSWERS] = NEXT_ITEM
    data: Annotated[Data, Decides.DATA]
    folds: Annotated[Folds, ANSWERS | Decides.DATA] = Folds()
    targets: Annotated[Targets, ANSWERS] = Targets()
    metric: Annotated[Metric, Decides.TRIALS | Decides.CONFIRMATION] = Field(default_factory=Metric)
    # Of users, items and events; absent: all declared. Named sets: an ablation, see `with_arms`.
    features: Annotated[tuple[str, ...] | Mapping[Name, tuple[str, ...]] | None, ANSWERS] = None
    text: Annotated[Text, ANSWERS] = later(Text())
    # In place of those of the space files. Named sets: an ablation, as of features. What they do to
    # a space is recorded.
    losses: Annotated[
        tuple[Loss, ...] | Mapping[Name, tuple[Loss, ...]] | None, Decides.NOTHING
    ] = later(None)
    # Name in the study -> space file, or the family whose own space is meant; or a list of those.
    # Neither decides anything: what a space holds is recorded.
    families: Annotated[Mapping[ArmName, SpacePath | Arm], ByName, Field(min_length=1)]
    budget: Budget = Budget()
    search: Annotated[Search, Decides.TRIALS] = later(Search())
    stopping: Annotated[Stopping, Decides.TRIALS] = Stopping()
    limits: Annotated[Limits, Decides.TRIALS] = later(Limits())
    # The same trials and stops whatever finishes first.
    repeatable: Annotated[bool, Decides.TRIALS] = later(False)
    # Folders of earlier studies, whose trials every tuned family knows before its first one.
    warm_start: Annotated[tuple[RawPath, ...], Decides.TRIALS] = later(())
    resources: Resources = Resources()
    energy: Annotated[Energy | None, Decides.NOTHING] = later(None)  # None: not measured
    tracking: Annotated[Tracking, Decides.NOTHING] = Tracking()
    storage: Annotated[Storage, Decides.NOTHING] = Storage()
    # What it picks is recorded.
    selection: Annotated[Selection, Decides.NOTHING] = Selection()
    confirm: Annotated[Confirm, Decides.CONFIRMATION] = Confirm()
    seed: Annotated[Seed, ANSWERS] = 0

    @model_validator(mode="before")
    @classmethod
    def _ask_the_task(cls, raw: Any) -> Any:
        """Fill in the task's metric and settings, and refuse every other unknown key."""
        if not isinstance(raw, Mapping):
            return raw
        task = raw.get("task", cls.model_fields["task"].default)
        if not isinstance(task, str) or task not in task_packages():
            return raw
        question, others = question_of(task), settings_of_tasks()
        keys = {key: value for key, value in raw.items() if value is not None or key not in others}
        if isinstance(metric := keys.get("metric", {}), Mapping):
            keys["metric"] = {"name": question.metric, **metric}
        if question.settings is not None:
            try:
                keys[task] = question.settings.model_validate(keys.get(task, {}))
            except ValidationError as error:
                below = [{**each, "loc": (task, *each["loc"])} for each in error.errors()]
                raise _problems(below) from None
        for key, value in keys.items():
            if key in cls.model_fields or (key == task and question.settings):
                continue
            if key in others:
                raise ValueError(f"{key} is for task: {key}")
            raise _problems([{"type": "extra_forbidden", "loc": (key,), "input": value}])
        return keys

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_together(self)
        return self

    def settings_of(self, kind: type[S]) -> S:
        """The settings under the task's name, for the task's own code."""
        found = (self.__pydantic_extra__ or {}).get(self.task)
        assert isinstance(found, kind)
        return found

    def space_of(self, family: str) -> str:
        """The space of a family in the study: a file, or a family's name. An ensemble, which is
        made of the study's trials, has none, and goes by its own name.
        """
        entry = self.families.get(family, family)
        return entry if isinstance(entry, str) else entry.space

    def features_of(self, family: str) -> tuple[str, ...] | None:
        """The columns that a family in the study uses; None: all declared."""
        entry = self.families.get(family)
        if isinstance(entry, Arm) and entry.features is not None:
            return entry.features
        return None if isinstance(self.features, Mapping) else self.features

    def losses_of(self, family: str) -> tuple[Loss, ...] | None:
        """What a family in the study may be trained by; None: what its space says."""
        entry = self.families.get(family)
        if isinstance(entry, Arm) and entry.losses is not None:
            return entry.losses
        return None if isinstance(self.losses, Mapping) else self.losses

    def of_family(self, family: str) -> Self:
        """The same experiment with one of its families alone, and that one's features. It has
        nobody to be compared with.
        """
        update = {
            "confirm": self.confirm.model_copy(update={"contrasts": None}),
            "families": {family: self.space_of(family)},
            "features": self.features_of(family),
            "losses": self.losses_of(family),
        }
        return self.model_copy(update=update)

    @property
    def is_ablation(self) -> bool:
        """Do families in the study differ in the columns that they use?"""
        arms = (entry for entry in self.families.values() if isinstance(entry, Arm))
        return isinstance(self.features, Mapping) or any(arm.features is not None for arm in arms)

    @property
    def named_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Of features or of losses, each of which becomes an arm; empty: there are none."""
        sets = self.features if isinstance(self.features, Mapping) else self.losses
        return sets if isinstance(sets, Mapping) else {}

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The columns that any family uses; None: all declared."""
        if self.features is None:
            return None
        sets = self.features.values() if isinstance(self.features, Mapping) else [self.features]
        arms = [arm.features for arm in self.families.values() if isinstance(arm, Arm)]
        return tuple(dict.fromkeys(name for names in (*sets, *arms) for name in names or ()))

    @property
    def event_features(self) -> tuple[str, ...]:
        """What any family uses of a history's events: of what every log has only what is named."""
        timed = any(table.dwell is not None for table in self.data.events)
        declared = (DWELL,) if timed else ()
        names = declared if self.feature_names is None else self.feature_names
        return tuple(name for name in EVENT_FEATURES if name in names)


def _problems(found: Any) -> ValidationError:
    """As pydantic tells them: `type`, `loc`, `input`, `ctx` of each."""
    return ValidationError.from_exception_data(Experiment.__name__, found)
