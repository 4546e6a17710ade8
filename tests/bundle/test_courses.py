"""Courses of a bundle stand where the catalogue has them, and are known when the table says."""

from dataclasses import replace

import numpy as np

from recsweep.bundle.courses import Courses, courses_of
from recsweep.data.features.table import EncodedTable
from recsweep.data.types import UNKNOWN
from recsweep.testing.worlds import whole_world

DAY = 86_400_000_000  # microseconds


def test_every_course_has_its_place_and_its_features_at_any_time() -> None:
    split = whole_world("next_item", {})
    rows = split.dataset.item_rows
    assert rows is not None
    # One course is known from day 50 on only, and another not at all.
    valid = [50 * DAY if course == "c2" else None for course in rows["_id"]]
    late = rows.with_columns(_valid_from=np.array(valid, float)).filter(rows["_id"] != "c3")
    late = late.with_columns(late["_valid_from"].cast(int, strict=False))
    dataset = replace(split.dataset, item_rows=late)
    from recsweep.tasks.development import whole_split

    split = whole_split(dataset, split.experiment, split.window[0])
    encoder, items = split.learned.encoder, split.learned.items
    table = EncodedTable.of(encoder.of_items)  # type: ignore[arg-type]
    found, matrix = courses_of(dataset, split.events, items, table)
    again = Courses.from_bytes(found.to_bytes())
    assert again.catalogue["_index"].to_list() == list(range(len(items)))
    known = EncodedTable(again.dated(), matrix, table.names, table.sources)
    for at in (0, 49 * DAY, 51 * DAY):
        expected = encoder.items(items, at)
        np.testing.assert_array_equal(known.encode(again.items, at), expected)
    unheard = np.array([len(again.ids)], np.int32)
    nothing = known.encode(unheard, 51 * DAY)
    c3 = np.array([again.ids.to_list().index("c3")], np.int32)
    np.testing.assert_array_equal(nothing, known.encode(c3, 51 * DAY))
    since = dict(zip(again.of_code["_id"], again.of_code["_since"], strict=True))
    assert (since["c2"], since["c3"], since["c1"]) == (50 * DAY, None, None)
    assert (again.index != UNKNOWN).sum() == len(items)
