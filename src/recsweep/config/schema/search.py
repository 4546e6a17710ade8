"""`budget`, `stopping`, `limits`, `resources`, `energy`, `tracking`, `storage`, `selection` and
`confirm`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import (
    ArmName,
    Fraction,
    Loss,
    Name,
    PositiveInt,
    Schema,
    SpacePath,
    later,
)
from recsweep.config.schema.decides import ANSWERS, Decides

Positive = Annotated[float, Field(gt=0)]
SelectionRule = Literal["best_mean", "one_standard_error", "limit", "knee"]
Cost = Literal["parameters", "model_bytes", "seconds_per_epoch", "p99_ms", "kwh"]
"""What is recorded of every trial that a score may be held against."""
FRONT_ENDS = ("cheapest", "best")
"""Of a front of score against a cost; `gru+cheapest` is one on the sealed test."""


class Budget(Schema):
    """The same for every tuned family: so many trials, or trials until their epochs have taken so
    many seconds. A study may go on to more of either.
    """

    trials: Annotated[PositiveInt | None, Decides.NOTHING] = 12  # None: seconds are given
    # of fitting and evaluating; a trial that has begun is finished
    seconds: Annotated[Positive | None, Decides.NOTHING] = later(None)
    # full training length of a trial; an evaluation after each
    epochs: Annotated[PositiveInt, Decides.TRIALS] = 8

    @model_validator(mode="before")
    @classmethod
    def _seconds_take_the_place_of_trials(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and raw.get("seconds") is not None:
            return {"trials": None, **raw}
        return raw

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.trials is not None and self.seconds is not None:
            raise ValueError(
                f"trials = {self.trials} and seconds = {self.seconds:g} are two budgets; give one "
                "(trials: null takes the other away)"
            )
        if self.trials is None and self.seconds is None:
            raise ValueError("give trials, or seconds")
        return self


class StudyStop(Schema):
    """When a search ends before its budget of trials."""

    when: Literal["expected_gain"]
    below: Positive  # of the study's metric: the smallest gain that matters


class Search(Schema):
    """Who proposes a family's configurations, once its first ones are tried."""

    sampler: Literal["tpe", "gp", "cma_es", "random", "sobol", "grid"] = later("tpe")
    levels: Annotated[int, Field(ge=2)] = later(3)  # grid: values of each range
    # tpe and gp: the front of score against this is searched; None: the best score is
    goals: tuple[Literal["score"], Cost] | None = later(None)

    @property
    def cost(self) -> Cost | None:
        """The second goal."""
        return None if self.goals is None else self.goals[1]


class Stopping(Schema):
    """Within a family, on the cross-validated mean: asynchronous successive halving, how far a
    trial may lag behind the best, or a forecast of what it will reach.
    """

    rule: Literal["halving", "lag", "forecast"] = later("halving")
    grace_epochs: PositiveInt = 2
    reduction: Annotated[int, Field(ge=2)] = 3  # halving
    # lag: the share of the best that may be missing; an entry an epoch from grace_epochs on, the
    # last one for all later epochs
    lag: Annotated[tuple[Fraction, ...], Field(min_length=1)] = later((0.25, 0.1))
    # forecast: the chance to end as the family's best that an epoch of mean length needs
    chance: Annotated[float, Field(gt=0, lt=1)] = later(0.23)
    full_trials: Annotated[int, Field(ge=0)] = 4  # a family's first trials are never stopped
    # epochs in a row without a better score after which a trial is complete, in every rule
    patience: PositiveInt | None = later(None)
    # of all families together; None: at the end of the budget
    study: StudyStop | None = later(None)


class Limits(Schema):
    """What a configuration may take. One that is outside is refused before it is trained."""

    parameters: Positive | None = later(None)  # numbers in a model's state, on the largest fold
    p99_ms: Positive | None = later(None)  # to answer one learner, 99 times of 100
    memory_mb: Positive | None = later(None)  # MiB that one model takes at most, beside the data
    seconds_per_epoch: Positive | None = later(None)  # of fitting, all folds

    @property
    def given(self) -> dict[str, float]:
        """Those that were set, by name."""
        return {name: limit for name, limit in self if limit is not None}


class Resources(Schema):
    """What one trial holds, and how many run at once."""

    # Threads and devices decide the last bits: a sweep may change them on the way, figures of a
    # sealed test may not.
    cpu: Annotated[Positive, Decides.CONFIRMATION | Decides.PORTRAIT] = 1
    gpu: Annotated[float, Field(ge=0), Decides.CONFIRMATION | Decides.PORTRAIT] = 0
    # other resources of a Ray cluster
    custom: Annotated[Mapping[str, Positive], Decides.NOTHING] = {}
    # at most; otherwise as many as the cluster holds
    workers: Annotated[PositiveInt | None, Decides.NOTHING] = None
    # auto: bf16 where `models/bf16` has kernels for the driver's processor; settled once a study
    precision: Annotated[Literal["auto", "fp32", "bf16"], ANSWERS] = "fp32"
    # between two checkpoints of a trial
    checkpoint_seconds: Annotated[float, Field(ge=0), Decides.NOTHING] = 5
    # a trial that reports nothing is ended
    silence_seconds: Annotated[Positive, Decides.NOTHING] = 3600

    @property
    def threads(self) -> int:
        """That a model is trained with: one a core, and never less than one."""
        return max(1, int(self.cpu))


class Energy(Schema):
    """Trials' energy is recorded: by counters where they can be read, otherwise estimated."""

    # watts of a core that works; of a GPU that is held
    watts_per_core: Positive = 10
    watts_per_gpu: Positive = 300
    price_per_hour: Positive | None = None  # of what one trial holds, in any currency


class Tracking(Schema):
    """W&B: offline run files unless somebody is logged in. MLflow: where asked for."""

    wandb: Literal["auto", "online", "offline", "off"] = "auto"
    project: Name = "recsweep"
    close_seconds: Positive = 10  # a sweep's end waits no longer on a network
    mlflow: bool = later(False)  # to MLFLOW_TRACKING_URI, or its local store


class Storage(Schema):
    """The study lies on the driver's disk; a copy of it may lie elsewhere."""

    mirror: Annotated[str, Field(min_length=1)] | None = None  # a path or URL, parent of all copies


class Selection(Schema):
    """The rule that picks each family's configuration, written before the test is opened."""

    rule: SelectionRule = "best_mean"
    limits: Limits = later(Limits())  # limit: the best mean of what is inside
    against: Cost | None = later(None)  # knee: of the front of score against this

    @model_validator(mode="after")
    def _reaches_the_rule(self) -> Self:
        for key, rule, given in (
            ("limits", "limit", bool(self.limits.given)),
            ("against", "knee", self.against is not None),
        ):
            if given != (self.rule == rule):
                raise ValueError(
                    f"rule {rule} needs {key}" if not given else f"{key} is for rule {rule}"
                )
        if self.limits.memory_mb is not None:
            raise ValueError("limits: memory_mb isn't known of a trial; limit it before training")
        return self


class Confirm(Schema):
    """How the selected configurations are compared on the sealed test."""

    seeds: Annotated[int, Field(ge=2)] = 5
    smallest_effect: Positive = 0.005  # of the study's metric
    resamples: Annotated[int, Field(ge=1000)] = 4000
    # Pairs of families that the question is about, e.g. [[gru, matrix_factorization]]; None: the
    # best network against each baseline and the best floor, each network against its twin, arms of
    # a family among themselves.
    contrasts: tuple[tuple[ArmName, ArmName], ...] | None = later(None)
    # Columns of users, categorical or numeric: every metric for each group of learners, and the
    # largest gap between two groups. They needn't be features.
    groups: tuple[str, ...] = later(())
    # Groups of fewer learners are pooled; fewer of those together are withheld.
    smallest_group: Annotated[int, Field(ge=2)] = later(20)
    # The ends of each family's front of score against this, beside what was selected.
    front: Cost | None = later(None)

    @model_validator(mode="after")
    def _contrasts_are_pairs(self) -> Self:
        if self.contrasts is None:
            return self
        if not self.contrasts:
            raise ValueError("contrasts: name at least one pair, or leave the key out")
        seen = set()
        for a, b in self.contrasts:
            if a == b or frozenset((a, b)) in seen:
                fault = "twice the same family" if a == b else "twice the same pair"
                raise ValueError(f"contrasts: [{a}, {b}] is {fault}")
            seen.add(frozenset((a, b)))
        return self


class Arm(Schema):
    """A family in a study, with features or losses of its own."""

    space: Annotated[SpacePath, Decides.NOTHING]
    features: Annotated[tuple[str, ...] | None, ANSWERS] = None  # None: the study's
    # What they do to a space is recorded.
    losses: Annotated[tuple[Loss, ...] | None, Decides.NOTHING] = later(None)
