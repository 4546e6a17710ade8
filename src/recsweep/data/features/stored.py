"""Fitted columns as what JSON can hold, with arrays beside it; and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsweep.data.features.columns import Scale, Values
from recsweep.data.features.events import EventEncoder
from recsweep.data.features.table import Part
from recsweep.data.features.text import Embedding, TextVectors, Tfidf

Arrays = Mapping[str, NDArray[Any]]
Stored = Mapping[str, Any]


def stored_parts(
    parts: Sequence[Part], arrays: dict[str, NDArray[Any]], prefix: str
) -> list[Stored]:
    """One entry a column; what is large goes into `arrays` under names that begin with `prefix`."""
    return [_stored(part, arrays, f"{prefix}{n}.") for n, part in enumerate(parts)]


def restored_parts(entries: Sequence[Stored], arrays: Arrays, prefix: str) -> tuple[Part, ...]:
    """The inverse.

    Raises:
        KeyError, TypeError: it is none of ours.
    """
    return tuple(_restored(entry, arrays, f"{prefix}{n}.") for n, entry in enumerate(entries))


def stored_events(events: EventEncoder) -> Stored | None:
    """Columns of events are values and numbers, and need no array."""
    if events.kept is None:
        return None
    return {"parts": stored_parts(events.parts, {}, ""), "kept": events.kept.tolist()}


def restored_events(entry: Stored | None) -> EventEncoder:
    """The inverse."""
    if entry is None:
        return EventEncoder()
    return EventEncoder(restored_parts(entry["parts"], {}, ""), np.array(entry["kept"], bool))


def _stored(part: Part, arrays: dict[str, NDArray[Any]], prefix: str) -> Stored:
    if isinstance(part, Values):
        return {"values": part.column, "own": list(part.own), "rest": list(part.rest)}
    if isinstance(part, Scale):
        return {"number": part.column, "mean": part.mean, "deviation": part.deviation}
    entry: dict[str, Any] = {"text": part.column, "size": part.size, "scale": part.scale}
    if part.components is not None:
        arrays[f"{prefix}components"] = part.components
    if isinstance(part.vectorize, Tfidf):
        arrays[f"{prefix}idf"] = part.vectorize.idf
        entry |= {"terms": list(part.vectorize.terms), "chinese": part.vectorize.chinese}
    elif isinstance(part.vectorize, Embedding):
        entry["model"] = part.vectorize.model
    return entry


def _restored(entry: Stored, arrays: Arrays, prefix: str) -> Part:
    if "values" in entry:
        return Values(entry["values"], tuple(entry["own"]), tuple(entry["rest"]))
    if "number" in entry:
        return Scale(entry["number"], entry["mean"] or 0.0, entry["deviation"])
    vectorize: Tfidf | Embedding | None = None
    if "terms" in entry:
        vectorize = Tfidf(tuple(entry["terms"]), arrays[f"{prefix}idf"], entry["chinese"])
    elif "model" in entry:
        vectorize = Embedding(entry["model"])
    components = arrays.get(f"{prefix}components")
    return TextVectors(entry["text"], entry["size"], vectorize, components, entry["scale"])
