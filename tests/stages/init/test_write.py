"""An experiment's file: blocks, lines and comments."""

from recsweep.stages.init.write import WIDTH, to_yaml


def test_tables_are_blocks_and_all_else_stands_on_a_line() -> None:
    keys = {
        "study": "mine",
        "data": {"events": [{"path": "a.csv", "values": {"x": "browse"}}, {"path": "b.csv"}],
                 "items": {"path": "c.csv", "tags": {}, "numeric": ["price", "pages"]}},
        "folds": {"count": 5, "test": 0.2},
        "families": [],
    }  # fmt: skip
    assert to_yaml(keys, {}) == (
        "\nstudy: mine\n"
        "\ndata:\n"
        "  events:\n"
        "    - path: a.csv\n"
        "      values: {x: browse}\n"
        "    - path: b.csv\n"
        "  items:\n"
        "    path: c.csv\n"
        "    tags: {}\n"
        "    numeric: [price, pages]\n"
        "\nfolds: {count: 5, test: 0.2}\n"
        "\nfamilies: []\n"
    )


def test_only_tables_of_the_data_are_blocks_and_an_empty_one_stands_on_a_line() -> None:
    keys = {
        "data": {"sessions": {"path": "a.csv"}, "users": {"path": "b.csv"}, "events": []},
        "users": {"a": 1},
        "targets": {"users": {"a": 1}},
        "arms": [{"a": {"b": [1, 2]}, "c": 2}],
        "names": ("x", "y"),
        "title": "a: b",
        "nothing": None,
    }
    assert to_yaml(keys, {}) == (
        "\ndata:\n"
        "  sessions:\n"
        "    path: a.csv\n"
        "  users:\n"
        "    path: b.csv\n"
        "  events: []\n"
        "\nusers:\n"
        "  a: 1\n"
        "\ntargets: {users: {a: 1}}\n"
        "\narms:\n"
        "  - a: {b: [1, 2]}\n"
        "    c: 2\n"
        "\nnames: [x, y]\n"
        "\ntitle: 'a: b'\n"
        "\nnothing: null\n"
    )


def test_a_comment_stands_once_above_its_key_and_is_indented_as_it_is() -> None:
    keys = {"data": {"events": [{"path": "a.csv", "user": "u"}], "items": {"path": "c.csv"}}}
    comments = {
        ("data",): ["Of all.", "Again."],
        ("data", "events", 0, "user"): ["Of u."],
        ("data", "items", "path"): ["Of c."],
    }
    assert to_yaml(keys, comments) == (
        "\n# Of all.\n# Again.\n"
        "data:\n"
        "  events:\n"
        "    - path: a.csv\n"
        "      # Of u.\n"
        "      user: u\n"
        "  items:\n"
        "    # Of c.\n"
        "    path: c.csv\n"
    )


def test_a_long_comment_goes_on_in_the_next_line() -> None:
    first, second, key = to_yaml({"a": 1}, {("a",): ["word " * 30]}).splitlines()[1:]
    assert first.startswith("# word")
    assert len(first) <= WIDTH < len(first) + len(" word")
    assert second.startswith("#   word")
    assert key == "a: 1"
