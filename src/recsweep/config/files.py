"""Reading configuration files, with errors of one line that say what to mend.

A problem names the file, the key, what was found and what is allowed.
"""

import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

try:
    from yaml import CSafeLoader as SafeLoader  # five times as fast
except ImportError:  # a PyYAML that was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

from recsweep.config.schema import Experiment, settings_of_tasks
from recsweep.errors import BadInput, one_line

S = TypeVar("S", bound=BaseModel)

LISTED = 12
BUNDLED = Path(__file__).parents[1] / "experiments"
"""The repository's top-level folder: a link in a checkout, the files themselves in a wheel."""


def load_experiment(path: str | Path, overrides: Iterable[str] = ()) -> Experiment:
    """Read an experiment file; each override is `dotted.key=value`, its value parsed as YAML.

    A plain name, such as `default`, is an experiment that comes with recsweep.

    Raises:
        BadInput: the file or an override can't be read, or does not fit the schema.

    Examples:
        >>> experiment = load_experiment("default", ["budget.trials=4", "study=quick"])
        >>> experiment.study, experiment.budget.trials, experiment.metric.key
        ('quick', 4, 'ndcg@10')
    """
    path = _bundled(Path(path))
    raw = read_yaml(path)
    for override in overrides:
        _apply(raw, override)
    return validate(Experiment, raw, path)


def _bundled(path: Path) -> Path:
    if path.suffix or len(path.parts) != 1 or path.exists():
        return path
    names = {file.stem: file for file in BUNDLED.glob("*.yaml")}
    if path.name not in names:
        raise BadInput(
            f"{path}: neither a file nor an experiment of recsweep's{nearest(path.name, names)}"
        )
    return names[path.name]


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse a YAML mapping, safely.

    Raises:
        BadInput: no such file, not text, not YAML, a repeated key, or not a mapping.
    """
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=_Loader)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: is not a text file in UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        what = getattr(error, "problem", None) or one_line(error)
        raise BadInput(f"{path}{line}: is not valid YAML ({what})") from None
    if raw is None:
        raise BadInput(f"{path}: is empty")
    if not isinstance(raw, dict):
        raise BadInput(f"{path}: found {_kind(raw)}, expected a mapping of keys to values")
    return raw


def dump_yaml(keys: Mapping[str, Any], flow: bool = False) -> str:
    """Write YAML that `read_yaml` reads back the same, floats to the last digit; `flow`: a line."""
    text: str = yaml.dump(
        dict(keys),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100 if not flow else float("inf"),
        default_flow_style=flow,
    )
    return text


def validate(schema: type[S], raw: object, path: Path | str) -> S:
    """Check `raw` against `schema`.

    Raises:
        BadInput: one line on the first problem, with the nearest right key for an unknown one.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise BadInput(f"{path}: {_first_problem(schema, raw, error)}") from None


def expand(path: str) -> Path:
    """Replace `${VARIABLES}` in a path.

    Raises:
        BadInput: a variable isn't set.
    """
    missing = [v for v in re.findall(r"\$\{(\w+)\}", path) if v not in os.environ]
    if missing:
        raise BadInput(
            f"{path}: the variable {missing[0]} is not set; "
            f"set it to the folder that holds the data, e.g. {missing[0]}=/path/to/data"
        )
    return Path(re.sub(r"\$\{(\w+)\}", lambda m: os.environ[m[1]], path)).expanduser()


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?` or the start of the list of what is allowed."""
    allowed = sorted(allowed)
    if close := difflib.get_close_matches(name, allowed, n=1):
        return f"; did you mean {close[0]!r}?"
    more = f" and {len(allowed) - LISTED} more" if len(allowed) > LISTED else ""
    return f"; allowed: {', '.join(allowed[:LISTED])}{more}"


class _Loader(SafeLoader):
    """Safe, and refuses a key given twice (YAML would silently keep the last)."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    seen: set[Any] = set()
    for key_node in own:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a plain word", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is given twice", key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)  # merged keys first, so that a mapping's own keys win
    return {
        loader.construct_object(key, deep=True): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)

# YAML 1.1 reads on, off, yes and no as true and false; here they are words, as in YAML 1.2.
_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that `_Loader` would read as numbers: a commit like 12e4567 stays one."""


# YAML 1.1 reads 3e-4 as text; a learning rate is a number.
for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
        list("-+0123456789."),
    )


def _apply(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise BadInput(f"--set {override}: expected key=value, e.g. --set budget.trials=4")
    *parents, last = key.split(".")
    node = raw
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise BadInput(f"--set {override}: {parent} holds {_kind(child)}, not further keys")
        node = child
    try:
        node[last] = yaml.load(value, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadInput(f"--set {key}=…: {_kind(value)} is not a YAML value") from None


def _first_problem(schema: type[BaseModel], raw: object, error: ValidationError) -> str:
    # An unknown key often causes the "missing" next to it, so it is named first.
    problems = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    first = problems[0]
    alike = [e for e in problems if _names(raw, e)[:1] == _names(raw, first)[:1]]
    if any(len(_names(raw, e)) < len(e["loc"]) for e in alike):
        # Of what may be of several kinds, the kind that got furthest is the one that was meant.
        first = max(alike, key=lambda e: len(e["loc"]))
    names = _names(raw, first)
    key = ".".join(names)
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}" + nearest(names[-1], _keys_at(schema, first["loc"][:-1]))
    if first["type"] == "missing":
        return f"the key {key!r} is missing"
    found = "" if first["type"] == "value_error" else f", found {_kind(first['input'])}"
    kinds = [SCALARS[e["type"]] for e in alike if _names(raw, e) == names and e["type"] in SCALARS]
    if len(kinds) > 1:
        advice = "; name the value that means none" if first["input"] is None else ""
        return f"{key}: expected {', '.join(dict.fromkeys(kinds))}{found}{advice}"
    if first["type"] == "string_type" and isinstance(first["input"], bool | int | float | None):
        found += f'; put quotes around it, as in "{_kind(first["input"])}"'
    message = first["msg"].removeprefix("Value error, ")
    return f"{key + ': ' if key else ''}{message[:1].lower()}{message[1:]}{found}"


SCALARS = {
    "bool_type": "true, false",
    "int_type": "a number",
    "float_type": "a number",
    "string_type": "a word",
}
"""pydantic's errors on a value that may be of several kinds."""


def _names(raw: object, error: Any) -> list[str]:
    """Where in the file an error is.

    pydantic puts its own names in between, of the kind of value that it tried.
    """
    names, node, location = [], raw, error["loc"]
    for n, part in enumerate(location):
        inside = isinstance(node, Mapping) and part in node
        listed = isinstance(node, list | tuple) and isinstance(part, int) and part < len(node)
        if inside or listed:
            node = cast(Any, node)[part]
        elif n < len(location) - 1 or error["type"] not in ("missing", "extra_forbidden"):
            continue
        names.append(str(part))
    return names


def _keys_at(schema: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    model: Any = schema
    for part in location:
        if isinstance(part, int) or part not in _fields(model):  # a key of a mapping
            continue
        models = [a for a in _flatten(_fields(model)[part]) if _is_model(a)]
        if not models:
            return []
        model = models[0]
    return list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Key -> its type; an experiment has those of tasks besides."""
    own = {name: field.annotation for name, field in model.model_fields.items()}
    return {**own, **settings_of_tasks()} if model is Experiment else own


def _flatten(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [annotation, *(a for i in inner for a in _flatten(i))]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
