"""Typed schemas of an experiment file: every key of `experiments/*.yaml` is declared here once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

PositiveInt = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


def _no_climbing(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError(
            "a path must not climb with '..'; write it from the top or use ${VARIABLES}"
        )
    return path


def _below(path: str) -> str:
    if PurePosixPath(path).is_absolute() or path.startswith("~"):
        raise ValueError("a space file lies below the folder that you run in")
    return _no_climbing(path)


RawPath = Annotated[str, AfterValidator(_no_climbing)]
SpacePath = Annotated[str, AfterValidator(_below)]
ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]{0,63}$")]

EventType = Literal["browse", "favourite", "purchase", "comment", "rate", "watch"]
TimeFormat = str
"""`unix`, `unix_ms`, `iso`, or a strptime pattern. A time without a zone is read as UTC."""


PROBABILITY_METRICS = ("log_loss", "brier")
"""Those of the task `purchase`; the others rank."""


def lower_is_better(key: str) -> bool:
    """Does less mean better? `key` as in `Metric.key`; also of metrics that are only reported."""
    return key in {"log_loss", "brier", "ece"}


def goodness(key: str, value: float) -> float:
    """`value` of the metric `key` with the sign that makes more better."""
    return -value if lower_is_better(key) else value


class Schema(BaseModel):
    """Frozen, and closed to unknown keys and to numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def later(default: Any) -> Any:
    """A key that came after records were written: at its default, records leave it out.

    So the folder of prepared data, a study's identity and a best file's digests stay what they
    were before the key.
    """
    return Field(default, exclude_if=lambda value: value == default)


# -- data ------------------------------------------------------------------------------------


class Package(Schema):
    """A Python package whose wheel carries data files; none of its code is run."""

    name: Name
    version: Annotated[str, Field(pattern=r"^\d[A-Za-z0-9.!+-]*$")]
    sha256: Mapping[str, str]  # member of the wheel -> sha256 of its bytes


class Table(Schema):
    """One raw file. `path` may hold `${VARIABLES}`; `package:<member>` is a file of `package`."""

    path: RawPath
    format: Literal["csv", "parquet"] = "csv"
    separator: Annotated[str, Field(min_length=1, max_length=8)] = ","
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    header: bool = True  # without one, columns are called column_1, column_2, …
    sha256: str | None = None  # of the file's bytes as they lie on disk


class TypeMapping(Schema):
    """Where an event's type comes from: a column and its values, or one type for every row."""

    constant: EventType | None = None
    column: str | None = None
    values: Mapping[str, EventType] = {}  # raw value -> type; other values are dropped and counted

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.constant is None) == (self.column is None):
            raise ValueError("give either constant or column")
        if self.column is not None and not self.values:
            raise ValueError("column needs values: {raw value: event type}")
        return self


class EventTable(Table):
    """An event log: who, which course, when, what."""

    user: str
    item: str
    time: str
    time_format: TimeFormat = "unix"
    type: TypeMapping = TypeMapping(constant="browse")


class FeatureTable(Table):
    """A table of learners or courses. Without `valid_from`, its columns are taken as known from
    the start; with it, a row is known from its time on, and an id may have several rows.
    """

    key: str
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}  # column of several values -> their separator
    text: tuple[str, ...] = later(())
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"
    label: str | None = None  # a column to show to people (a course's title)
    immutable: bool = later(False)  # declares that no row was ever written later than the log
    valid_from: str | None = later(None)  # the column of a row's time
    valid_from_format: TimeFormat = later("iso")

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        if self.immutable and self.valid_from is not None:
            raise ValueError("give immutable or valid_from, not both")
        return self

    @property
    def dated(self) -> bool:
        """Does it say since when its rows are known, be it since ever?"""
        return self.immutable or self.valid_from is not None


class SessionTable(Table):
    """A plain table: each row a session of its own, with what is known of it and how it ended."""

    label: str  # the column that says whether it ended in a purchase
    positive: Annotated[tuple[str, ...], Field(min_length=1)]  # its raw values that mean yes
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"

    @model_validator(mode="after")
    def _label_is_no_feature(self) -> Self:
        if self.label in (*self.categorical, *self.numeric):
            raise ValueError(f"the label {self.label!r} can't be a feature as well")
        return self


class SimulatorSettings(Schema):
    """The dials of the simulator. Equal settings give equal logs, seed included."""

    learners: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    courses: Annotated[int, Field(ge=10, le=20_000)] = 300
    days: Annotated[float, Field(gt=0, le=3650)] = 180  # length of the log
    browses: Annotated[float, Field(ge=1, le=200)] = 13  # mean a learner; heavy upper tail
    stay_days: Annotated[float, Field(gt=0)] = 20  # mean time from a learner's first event to last
    new_learners: Share = 0.8  # share who arrive during the log, not at its start
    new_courses: Share = 0.3  # share listed during the log
    popularity: Annotated[float, Field(ge=0, le=3)] = 0.8  # Zipf's exponent
    taste: Annotated[float, Field(ge=0, le=5)] = 1.5  # how much learners differ in what they like
    order: Share = 0.5  # chance that a browse follows from the course before it
    purchase_order: Annotated[float, Field(ge=0, le=5)] = 0.0  # what order does to a purchase
    text: Share = 0.5  # share of a course's appeal that its category and tags tell
    seed: Annotated[int, Field(ge=0)] = 0


class TimeLimits(Schema):
    """Events outside are impossible times; they are dropped and counted."""

    earliest: datetime = datetime(1990, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2100, 1, 1, tzinfo=UTC)


class Data(Schema):
    """What to read and how to clean it."""

    name: Name
    package: Package | None = None
    simulator: SimulatorSettings | None = later(None)  # makes files for paths `simulator:<name>`
    events: tuple[EventTable, ...] = ()
    sessions: SessionTable | None = later(None)  # in place of events, for the task purchase
    users: FeatureTable | None = None
    items: FeatureTable | None = None
    times: TimeLimits = TimeLimits()

    @model_validator(mode="after")
    def _one_kind_of_log(self) -> Self:
        if bool(self.events) == (self.sessions is not None):
            raise ValueError("give events, or for the task purchase a table of sessions instead")
        if self.sessions is not None and (self.users is not None or self.items is not None):
            raise ValueError("sessions bring their own columns: leave out users and items")
        return self


# -- the question ----------------------------------------------------------------------------


class Folds(Schema):
    """How the development period is cut; the sealed test is the last part of the clock.

    `stratified` is for a table of sessions, which has no clock: folds and test are drawn at random,
    with the same share of purchases in each.
    """

    rule: Literal["time", "stratified"] = "time"
    count: Annotated[int, Field(ge=1, le=20)] = 3
    validation: Fraction = 0.1  # share of all events in each fold's validation window
    test: Fraction = 0.2  # share of all events in the sealed test
    min_item_events: PositiveInt = 1  # counted before the fold's cut
    min_user_events: Annotated[int, Field(ge=2)] = 2  # for a learner to be trained on

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.rule == "stratified":
            if self.count < 2:
                raise ValueError("stratified folds need a count of 2 or more")
            if self.validation != type(self).model_fields["validation"].default:
                raise ValueError("stratified folds share all rows: leave out folds.validation")
        elif self.count * self.validation + self.test >= 1:
            raise ValueError("count * validation + test must be below 1")
        return self


class Targets(Schema):
    """Which events of a window are to be predicted, and what they are ranked against."""

    which: Literal["all", "last", "first"] = "all"
    types: tuple[EventType, ...] = get_args(EventType)
    seen: Literal["drop", "keep"] = "drop"  # are courses of the history still candidates?
    # known: courses with events before the cut; catalogue: those that the table knows by then, too
    candidates: Literal["known", "catalogue"] = later("known")


class Purchase(Schema):
    """What is an example of the task `purchase`, and what is made of its probability."""

    exposures: Annotated[tuple[EventType, ...], Field(min_length=1)] = ("browse",)
    window_days: Annotated[float, Field(gt=0)] = 7  # bought within it: a purchase
    price: str | None = None  # a numeric column of items: for expected revenue


class Metric(Schema):
    """The score that trials are compared by, and the cut-offs that are reported.

    It must be a mean over learners: verdicts resample them. That is why an area under a curve is
    reported, but can't be what a study is decided by.
    """

    name: Literal["recall", "ndcg", "mrr", "log_loss", "brier"] = "ndcg"
    k: PositiveInt = 10  # of a ranking metric
    report_k: tuple[PositiveInt, ...] = (5, 10, 20)
    calibration: Literal["none", "platt", "isotonic"] = later("none")  # of probabilities

    @model_validator(mode="after")
    def _k_is_reported(self) -> Self:
        if self.k not in self.report_k:
            raise ValueError(f"k = {self.k} must be one of report_k = {list(self.report_k)}")
        fields = type(self).model_fields
        changed = [n for n in ("k", "report_k") if getattr(self, n) != fields[n].default]
        if self.name not in PROBABILITY_METRICS and self.calibration != "none":
            raise ValueError(f"{self.name} is of ranks: there is nothing to calibrate")
        if self.name in PROBABILITY_METRICS and changed:
            raise ValueError(f"{self.name} has no cut-off: leave out {' and '.join(changed)}")
        return self

    @property
    def key(self) -> str:
        """`ndcg@10`, `log_loss`; the name used in every file, run and page."""
        return self.name if self.name in PROBABILITY_METRICS else f"{self.name}@{self.k}"

    @property
    def lower_is_better(self) -> bool:
        """The direction that every comparison of this study's scores reads."""
        return lower_is_better(self.key)

    def goodness(self, value: float) -> float:
        """`value` with the sign that makes more better: what scores are sorted by."""
        return goodness(self.key, value)


class Text(Schema):
    """How columns of text become numbers."""

    method: Literal["tfidf", "embeddings"] = "tfidf"
    size: Annotated[int, Field(ge=1, le=512)] = 32  # numbers a column
    language: Literal["auto", "zh", "other"] = "auto"  # zh: Han characters are cut into words
    model: str | None = None  # a local folder with a sentence-transformers model

    @model_validator(mode="after")
    def _model_with_embeddings(self) -> Self:
        if (self.method == "embeddings") != (self.model is not None):
            raise ValueError("method embeddings needs model, a local folder; tfidf has none")
        return self


# -- the search ------------------------------------------------------------------------------


class Budget(Schema):
    """The same for every tuned family."""

    trials: PositiveInt = 12
    epochs: PositiveInt = 8  # full training length of a trial; an evaluation after each


class Stopping(Schema):
    """Within a family, on the cross-validated mean: asynchronous successive halving, or how far a
    trial may lag behind the best.
    """

    rule: Literal["halving", "lag"] = "halving"
    grace_epochs: PositiveInt = 2
    reduction: Annotated[int, Field(ge=2)] = 3  # halving
    # lag: the share of the best that may be missing; an entry an epoch from grace_epochs on, the
    # last one for all later epochs
    lag: Annotated[tuple[Fraction, ...], Field(min_length=1)] = (0.25, 0.1)
    full_trials: Annotated[int, Field(ge=0)] = 4  # a family's first trials are never stopped


class Resources(Schema):
    """What one trial holds, and how many run at once."""

    cpu: Annotated[float, Field(gt=0)] = 1
    gpu: Annotated[float, Field(ge=0)] = 0
    custom: Mapping[str, Annotated[float, Field(gt=0)]] = {}  # other resources of a Ray cluster
    workers: PositiveInt | None = None  # at most; otherwise as many as the cluster holds
    precision: Literal["fp32", "bf16"] = "fp32"
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 5  # between two checkpoints of a trial
    silence_seconds: Annotated[float, Field(gt=0)] = 3600  # a trial that reports nothing is ended


class Tracking(Schema):
    """W&B: offline run files unless somebody is logged in."""

    wandb: Literal["auto", "online", "offline", "off"] = "auto"
    project: Name = "recsweep"
    close_seconds: Annotated[float, Field(gt=0)] = 10  # a sweep's end waits no longer on a network


class Storage(Schema):
    """The study lies on the driver's disk; a copy of it may lie elsewhere."""

    mirror: Annotated[str, Field(min_length=1)] | None = None  # a path or URL, parent of all copies


class Selection(Schema):
    """The rule that picks each family's configuration, written before the test is opened."""

    rule: Literal["best_mean", "one_standard_error"] = "best_mean"


class Confirm(Schema):
    """How the selected configurations are compared on the sealed test."""

    seeds: Annotated[int, Field(ge=2)] = 5
    smallest_effect: Annotated[float, Field(gt=0)] = 0.005  # of the study's metric
    resamples: Annotated[int, Field(ge=1000)] = 4000


class Arm(Schema):
    """A family in a study, with features of its own."""

    space: SpacePath
    features: tuple[str, ...]


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
    # Of users and items; absent: all declared. Named sets: an ablation, see `with_arms`.
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
        arms = any(isinstance(entry, Arm) for entry in self.families.values())
        if purchase and (arms or isinstance(self.features, Mapping)):
            raise ValueError(
                "named sets of features are for task: next_item; give features as a list"
            )
        if purchase and self.targets != Targets():
            raise ValueError("targets is for task: next_item; purchase has a key of its own")
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
    def feature_names(self) -> tuple[str, ...] | None:
        """The columns that any family uses; None: all declared."""
        if self.features is None:
            return None
        sets = self.features.values() if isinstance(self.features, Mapping) else [self.features]
        arms = [arm.features for arm in self.families.values() if isinstance(arm, Arm)]
        return tuple(dict.fromkeys(name for names in (*sets, *arms) for name in names))
