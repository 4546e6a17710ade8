"""Turning declared columns of learners and courses into numbers, fitted before a fold's cut only;
and what is known of events (`events.py`).

Categories and tags become 0/1 columns, numbers are standardised (`columns.py`), text becomes a few
numbers (`text.py`). A column that is the same for every row of training is left out. A table with
`valid_from` gives the row that stood at the asked time (`known.py`).
"""

from recsweep.data.features.choose import with_features
from recsweep.data.features.columns import FAR, MOST
from recsweep.data.features.dated import (
    ALWAYS,
    ID,
    LABEL,
    NOTHING,
    RESERVED,
    VALID_FROM,
    DatedTable,
    known_of,
)
from recsweep.data.features.events import EventEncoder, fit_events, known_dwell, summaries
from recsweep.data.features.fit import (
    Encoder,
    check_names,
    declared_names,
    fit_features,
    known_items,
    known_users,
    text_names,
)
from recsweep.data.features.table import EncodedTable, TableEncoder, fit_table

__all__ = [
    "ALWAYS",
    "FAR",
    "ID",
    "LABEL",
    "MOST",
    "NOTHING",
    "RESERVED",
    "VALID_FROM",
    "DatedTable",
    "EncodedTable",
    "Encoder",
    "EventEncoder",
    "TableEncoder",
    "check_names",
    "declared_names",
    "fit_events",
    "fit_features",
    "fit_table",
    "known_dwell",
    "known_items",
    "known_of",
    "known_users",
    "summaries",
    "text_names",
    "with_features",
]
