import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from worlds import experiment_of

from recsweep.config.files import expand, load_experiment, nearest, read_yaml, validate
from recsweep.config.schema import Budget, Experiment
from recsweep.errors import BadInput

SMALL = """\
study: small
data:
  name: log
  events:
    - {path: log.csv, user: u, item: i, time: t}
families:
  gru: search_spaces/gru.yaml
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "study.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def refusal(path: Path, *overrides: str) -> str:
    """The one line that a person gets to see."""
    with pytest.raises(BadInput) as caught:
        load_experiment(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def test_a_small_file_is_enough_and_the_rest_has_defaults(write: Write) -> None:
    experiment = load_experiment(write(SMALL))
    assert experiment.budget == Budget()
    assert experiment.data.events[0].type.constant == "browse"
    assert experiment.metric.key == "ndcg@10"


def test_an_experiment_survives_a_round_trip(write: Write) -> None:
    experiment = load_experiment(write(SMALL))
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment


@pytest.mark.parametrize("line", ["budget: {seconds: 60}", "budget: {trials: null, seconds: 60}"])
def test_seconds_take_the_place_of_trials(write: Write, line: str) -> None:
    experiment = load_experiment(write(f"{SMALL}{line}\n"))
    assert (experiment.budget.trials, experiment.budget.seconds) == (None, 60)
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment
    other = load_experiment(write(SMALL), ["budget.trials=null", "budget.seconds=60"])
    assert other == experiment


def test_without_seconds_records_say_nothing_of_them(write: Write) -> None:
    dumped = load_experiment(write(SMALL)).model_dump(mode="json")
    assert dumped["budget"] == {"trials": 12, "epochs": 8}


# -- keys and values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("budgett: {trials: 3}", "unknown key 'budgett'; did you mean 'budget'?"),
        ("budget: {trails: 3}", "unknown key 'budget.trails'; did you mean 'trials'?"),
        ("folds: {zzz: 3}", "unknown key 'folds.zzz'; allowed: count, min_item_events,"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(write: Write, line: str, expected: str) -> None:
    path = write(f"{SMALL}{line}\n")
    assert refusal(path).startswith(f"{path}: {expected}")


def test_an_unknown_key_inside_a_list_is_named_with_the_nearest(write: Write) -> None:
    message = refusal(write(SMALL.replace("user: u", "usr: u")))
    assert "unknown key 'data.events.0.usr'; did you mean 'user'?" in message


def test_a_missing_key_is_named(write: Write) -> None:
    assert "the key 'study' is missing" in refusal(write(SMALL.replace("study: small", "")))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("budget: {trials: many}", "budget.trials: input should be a valid integer"),
        ("budget: {trials: 0}", "budget.trials: input should be greater than or equal to 1"),
        ("budget: {trials: 2.5}", "budget.trials: input should be a valid integer"),
        ("budget: [1, 2]", "budget: input should be a valid dictionary"),
        ("budget:", "budget: input should be a valid dictionary"),
        ("seed: [1]", "seed: input should be a valid integer, found a list of 1"),
        ("features: age", "features: input should be a valid tuple, found 'age'"),
        ("features: [event.dwell]", "features: event.dwell needs dwell, a column, in an entry of"),
        ("features: {ids: 3}", "features.ids: input should be a valid tuple, found 3"),
        ("targets: {candidates: all}", "targets.candidates: input should be"),
        ("folds: {test: .nan}", "folds.test: input should be"),
        ("confirm: {smallest_effect: .inf}", "confirm.smallest_effect: input should be a finite"),
        ("confirm: {contrasts: [[gru, gru]]}", "contrasts: [gru, gru] is twice the same family"),
        ("confirm: {contrasts: [[a, b], [b, a]]}", "contrasts: [b, a] is twice the same pair"),
        ("confirm: {contrasts: []}", "contrasts: name at least one pair"),
        ("confirm: {contrasts: [[gru, els]]}", "no family is called els; allowed: "),
        ("targets: {seen: maybe}", "targets.seen: input should be 'drop' or 'keep', found 'maybe'"),
        ("folds: {count: 9}", "folds: count * validation + test must be below 1"),
        ("metric: {k: 7}", "metric: k = 7 must be one of report_k = [5, 10, 20]"),
        ("stopping: {grace_epochs: 99}", "stopping.grace_epochs = 99 exceeds budget.epochs = 8"),
        ("budget: {trials: 3, seconds: 60}", "budget: trials = 3 and seconds = 60 are two budgets"),
        ("budget: {trials: null}", "budget: give trials, or seconds"),
        ("budget: {seconds: 0}", "budget.seconds: input should be greater than 0"),
        ("budget: {seconds: 60}\nrepeatable: true", "repeatable: true needs budget.trials"),
        ("limits: {p99_ms: 9}\nrepeatable: true", "needs limits on parameters alone, not p99_ms"),
        ("limits: {parameters: 0}", "limits.parameters: input should be greater than 0"),
        ("limits: {parameters: 9}\nsearch: {sampler: grid}", "grid can't have limits"),
        (
            "limits: {parameters: 9}\nsearch: {sampler: gp}\nwarm_start: [results/a]",
            "gp can't have both limits and warm_start",
        ),
        ("confirm: {front: kwh}", "confirm.front: kwh needs energy"),
        ("search: {goals: [score]}", "search.goals.1"),
        ("search: {goals: [score, latency]}", "search.goals.1: input should be 'parameters', "),
        ("search: {goals: [parameters, score]}", "search.goals.0: input should be 'score'"),
        ("search: {goals: [score, kwh]}", "search.goals: kwh needs energy; write energy: {}"),
        (
            "search: {goals: [score, parameters], sampler: cma_es}",
            "search.goals: cma_es can't look at two values; use search.sampler: tpe or gp",
        ),
        (
            "search: {goals: [score, p99_ms]}\nrepeatable: true",
            "repeatable: true needs search.goals with parameters or model_bytes, not p99_ms",
        ),
        (
            "search: {goals: [score, p99_ms]}\n"
            "stopping: {study: {when: expected_gain, below: 0.1}}",
            "search.goals can't have stopping.study",
        ),
        (
            "search: {goals: [score, p99_ms]}\nwarm_start: [results/a]",
            "search.goals can't have warm_start",
        ),
        ("selection: {rule: knee}", "selection: rule knee needs against"),
        ("selection: {rule: limit}", "selection: rule limit needs limits"),
        ("selection: {against: p99_ms}", "selection: against is for rule knee"),
        (
            "selection: {rule: limit, limits: {memory_mb: 9}}",
            "selection: limits: memory_mb isn't known of a trial",
        ),
        ("selection: {rule: knee, against: kwh}", "kwh needs energy"),
        ("seed: true", "seed: found true, expected a whole number from 0 to 2147483647"),
        ("seed: -1", "seed: found -1, expected a whole number from 0 to 2147483647"),
        ("seed: 100000000000000000000", "expected a whole number from 0 to 2147483647"),
        ("seed: 2147483648", "seed: found 2147483648, expected a whole number from 0 to"),
        (
            "features: [7]",
            'features.0: input should be a valid string, found 7; put quotes around it, as in "7"',
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(write: Write, line: str, expected: str) -> None:
    assert expected in refusal(write(f"{SMALL}{line}\n"))


def test_a_familys_entry_that_does_not_fit_is_named_without_the_kinds_it_may_be(
    write: Write,
) -> None:
    entry = SMALL.replace("gru: search_spaces/gru.yaml", "gru: {spce: x, features: []}")
    assert "unknown key 'families.gru.spce'; did you mean 'space'?" in refusal(write(entry))


@pytest.mark.parametrize(
    "entry", ["../x.yaml", "/x.yaml", "~/x.yaml", "{space: /x.yaml, features: []}"]
)
def test_a_space_outside_of_the_folder_is_told_without_the_validators_name(
    write: Write, entry: str
) -> None:
    said = refusal(write(SMALL.replace("gru: search_spaces/gru.yaml", f"gru: {entry}")))
    assert "families.gru: " in said or "families.gru.space: " in said
    assert "function" not in said
    assert "must not climb" in said or "write a path such as search_spaces/gru.yaml" in said


@pytest.mark.parametrize(
    ("entry", "where", "word"),
    [
        ("type: {column: k, values: {1: browse}}", "type.values.1", "1"),
        ("type: {column: k, values: {true: purchase}}", "type.values.1", "true"),
        ("missing: [-1]", "missing.0", "-1"),
        ("missing: [null]", "missing.0", "null"),
        ("dwell: 5", "dwell", "5"),
    ],
)
def test_a_text_of_the_file_that_looks_like_a_number_wants_quotes(
    write: Write, entry: str, where: str, word: str
) -> None:
    raw = SMALL.replace("time: t", f"time: t, {entry}")
    assert entry in raw
    said = refusal(write(raw))
    assert f"data.events.0.{where}: input should be a valid string, found {word}" in said
    assert said.endswith(f'put quotes around it, as in "{word}"')


def test_a_format_of_times_that_is_none_is_told_what_there_is(write: Write) -> None:
    for word in ("ms", "unix_s", "yyyy-MM-dd HH:mm:ss"):
        said = refusal(write(SMALL.replace("time: t", f"time: t, time_format: {word}")))
        assert f"time_format: found '{word}', expected unix, unix_ms, unix_us, unix_ns, iso" in said


def test_a_seed_of_the_simulator_has_the_same_range(write: Write) -> None:
    raw = SMALL.replace("data:\n", "data:\n  simulator: {seed: -3}\n")
    assert "data.simulator.seed: found -3, expected a whole number from 0" in refusal(write(raw))


def test_a_name_can_not_lead_out_of_its_folder(write: Write) -> None:
    for name in ("../outside", "a/b", ".hidden", ""):
        assert "study: " in refusal(write(SMALL.replace("study: small", f"study: '{name}'")))


def test_a_package_is_an_exact_version_and_no_option_of_an_installer(write: Write) -> None:
    for name, version in (("-r", "1.0"), ("box", "--pre"), ("box @ http://x", "1.0"), ("box", "")):
        package = {"name": name, "version": version, "sha256": {}}
        raw = yaml.safe_load(SMALL)
        raw["data"]["package"] = package
        assert "data.package." in refusal(write(yaml.safe_dump(raw)))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("user: t, item: i, time: t", "user and time are both the column 't'"),
        ("user: u, item: u, order: row", "user and item are both the column 'u'"),
        ("user: u, item: t, time: t", "item and time are both the column 't'"),
    ],
)
def test_a_column_means_one_thing(write: Write, line: str, told: str) -> None:
    assert told in refusal(write(SMALL.replace("user: u, item: i, time: t", line)))


def test_a_rule_that_the_data_does_not_fit_comes_with_what_it_needs(write: Write) -> None:
    told = refusal(write(SMALL), "folds.rule=sessions")
    assert "use folds.rule: time or leave_one_out or learners" in told
    assert "sessions needs session in an entry of data.events, or data.session_gap_minutes" in told
    load_experiment(write(SMALL), ["folds.rule=sessions", "data.session_gap_minutes=30"])
    assert "needs" not in refusal(write(SMALL), "folds.rule=group")  # no ranking is split so


@pytest.mark.parametrize(("rule", "column"), [("time", "time"), ("group", "group")])
def test_a_rule_of_texts_needs_its_column_in_every_table(
    write: Write, rule: str, column: str
) -> None:
    tables = [{"path": p, "text": "t", "label": {"column": "l"}, column: "c"} for p in "ab"]
    raw = {"study": "s", "task": "text", "data": {"name": "d", "texts": tables}}
    raw |= {"families": ["naive_bayes"], "folds": {"rule": rule}}
    load_experiment(write(yaml.safe_dump(raw)))
    del tables[1][column]
    told = refusal(write(yaml.safe_dump(raw)))
    assert f"{rule} needs {column}, a column, in every entry of data.texts" in told


def test_an_event_type_comes_from_one_place(write: Write) -> None:
    table = "time: t, type: {constant: browse, column: k}"
    message = refusal(write(SMALL.replace("time: t", table)))
    assert "data.events.0.type: give either constant or column" in message
    message = refusal(write(SMALL.replace("time: t", "time: t, type: {column: k}")))
    assert "column needs values" in message
    wrong = "time: t, type: {column: k, values: {buy: purchse}}"
    assert "data.events.0.type.values.buy: input should be 'browse'" in refusal(
        write(SMALL.replace("time: t", wrong))
    )


# -- the file ----------------------------------------------------------------------------------


def test_numbers_with_an_exponent_are_numbers(write: Write) -> None:
    path = write("a: 3e-4\nb: 1E5\nc: 1.5e+3\nd: -2e3\ne: 3e-4x\n")
    assert read_yaml(path) == {"a": 3e-4, "b": 1e5, "c": 1500.0, "d": -2000.0, "e": "3e-4x"}


@pytest.mark.parametrize("word", ["off", "no", "On", "YES"])
def test_words_that_other_readers_take_for_true_or_false_are_words(word: str, write: Write) -> None:
    path = write(f"study: s\nname: {word}\nflags: [true, False]")
    assert read_yaml(path) == {"study": "s", "name": word, "flags": [True, False]}


def test_tracking_is_switched_off_by_a_word(write: Write) -> None:
    assert load_experiment(write(SMALL), ["tracking.wandb=off"]).tracking.wandb == "off"


def test_a_repeated_key_is_refused_with_its_line(write: Write) -> None:
    path = write(f"{SMALL}seed: 1\nseed: 2\n")
    assert refusal(path).startswith(f"{path}, line 9: ")
    assert "the key 'seed' is given twice" in refusal(path)


def test_a_key_may_override_one_that_is_merged_in(write: Write) -> None:
    path = write("base: &base {a: 1, b: 2}\nmine: {<<: *base, a: 3}\n")
    assert read_yaml(path)["mine"] == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("just words", "found 'just words', expected a mapping"),
        ("- a\n- b\n", "found a list of 2, expected a mapping"),
        ("a: [1, 2", "is not valid YAML"),
        ("a: b: c", "line 1: is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML"),
        ("? [a, b]\n: 1\n", "a key must be a plain word"),
        ("a: 2020-13-45\n", "is not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", "is not valid YAML"),
        ("a: &a [*a]\n", "is not valid YAML"),
        ("a: " + "[" * 5000 + "]" * 5000, "is not valid YAML"),
        ("a: " + "9" * 5000, "is not valid YAML"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "is not a text file in UTF-8"),
        (b"a: \x00\x01\n", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused_in_one_line(
    write: Write, content: str | bytes, expected: str
) -> None:
    path = write(content)
    message = refusal(path)
    assert message.startswith(str(path))
    assert expected in message


def test_a_byte_order_mark_does_no_harm(write: Write) -> None:
    assert load_experiment(write(b"\xef\xbb\xbf" + SMALL.encode())).study == "small"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("where", ["extra", "families", "features", "description"])
def test_aliases_that_unfold_to_billions_are_refused_at_once(write: Write, where: str) -> None:
    layers = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    layers += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 12)]
    small = re.sub(r"families:\n.*\n", "", SMALL) if where == "families" else SMALL
    refusal(write("\n".join([*layers, small, f"{where}: *x11", ""])))


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "nothing.yaml")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


# -- overrides ---------------------------------------------------------------------------------


def test_overrides_reach_deep_keys_and_make_missing_ones(write: Write) -> None:
    overrides = ["budget.trials=4", "data.times.earliest=2001-01-01", "features=[age]", "seed=0x10"]
    experiment = load_experiment(write(SMALL), overrides)
    assert experiment.budget.trials == 4
    assert experiment.data.times.earliest.year == 2001
    assert experiment.features == ("age",)
    assert experiment.seed == 16


def test_a_later_override_wins_and_a_value_may_hold_an_equals_sign(write: Write) -> None:
    experiment = load_experiment(write(SMALL), ["seed=1", "seed=2", "description=a=b"])
    assert (experiment.seed, experiment.description) == (2, "a=b")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("budget.trials", "expected key=value"),
        ("=3", "expected key=value"),
        ("study.name=x", "study holds 'small', not further keys"),
        ("data.events.0.path=x", "events holds a list of 1, not further keys"),
        ("features=[a", "is not a YAML value"),
        ("description=2020-13-45", "is not a YAML value"),
        ("description=" + "[" * 5000, "is not a YAML value"),
        ("budgt.trials=4", "unknown key 'budgt'; did you mean 'budget'?"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(
    write: Write, override: str, expected: str
) -> None:
    assert expected in refusal(write(SMALL), override)


# -- small parts -------------------------------------------------------------------------------


def test_a_variable_in_a_path_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FOLDER", "/somewhere")
    assert expand("${SOME_FOLDER}/log.csv") == Path("/somewhere/log.csv")
    assert expand("~/log.csv") == Path.home() / "log.csv"
    monkeypatch.delenv("SOME_FOLDER")
    with pytest.raises(BadInput, match=r"SOME_FOLDER is not set.*SOME_FOLDER=/path/to/data"):
        expand("${SOME_FOLDER}/log.csv")


def test_the_nearest_name_is_offered_or_else_what_is_allowed() -> None:
    assert nearest("trails", ["trials", "epochs"]) == "; did you mean 'trials'?"
    assert nearest("zzz", ["b", "a"]) == "; allowed: a, b"


def test_a_long_list_of_what_is_allowed_is_cut_short() -> None:
    hint = nearest("zzz", [f"column_{n}" for n in range(1000)])
    assert len(hint) < 300
    assert hint.endswith("and 988 more")


def test_a_schema_is_frozen() -> None:
    budget: Any = validate(Budget, {}, "here")
    with pytest.raises(ValueError, match="frozen"):
        budget.trials = 3


@pytest.mark.parametrize("path", ["../up.yaml", "a/../../up.yaml", "/etc/x.yaml", "~/x.yaml"])
def test_a_space_file_lies_below_the_folder_that_one_runs_in(path: str) -> None:
    with pytest.raises(ValidationError, match=r"must not climb|lies below"):
        experiment_of(families={"gru": path})


def test_a_raw_table_may_lie_anywhere_but_its_path_does_not_climb() -> None:
    def read(path: str) -> str:
        event = {"path": path, "user": "u", "item": "i", "time": "t"}
        return experiment_of(data={"name": "x", "events": [event]}).data.events[0].path

    for path in ("/data/x.csv", "${LOGS}/x.csv", "x..csv", "~/x.csv"):
        assert read(path) == path
    for path in ("../x.csv", "${LOGS}/../x.csv"):
        with pytest.raises(ValidationError, match="must not climb"):
            read(path)
