"""A file of histories is read as that log of the study is whose kind of file it is."""

from pathlib import Path

import pytest
from worlds import experiment_of

from recsweep.bundle.histories import history_table

FIRST = {"path": "a.csv", "user": "学员", "item": "课程", "time": "时间", "encoding": "gbk"}
SECOND = {**FIRST, "path": "b.csv", "encoding": "utf-16", "separator": "\t"}
ORDERS = {"path": "c.csv", "user": "buyer", "item": "product", "time": "paid"}


@pytest.mark.parametrize(
    ("text", "encoding", "log"),
    [
        ("学员,课程,时间\nu,c,1\n", "gbk", "gbk"),
        ("学员\t课程\t时间\nu\tc\t1\n", "utf-16", "utf-16"),
        ("buyer,product,paid\nu,c,1\n", "utf-8", "utf-8"),
        ("who,what,when\nu,c,1\n", "utf-8", "gbk"),  # none: the first one tells what is missing
    ],
)
def test_the_log_that_is_written_as_the_file_is_tells_how_to_read_it(
    text: str, encoding: str, log: str, tmp_path: Path
) -> None:
    path = tmp_path / "histories.csv"
    path.write_text(text, encoding)
    experiment = experiment_of(data={"name": "d", "events": [FIRST, SECOND, ORDERS]})
    table = history_table(experiment, path)
    assert (table.encoding, table.path) == (log, str(path))
