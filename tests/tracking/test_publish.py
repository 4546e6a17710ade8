"""Publishing drives the real client against a server on loopback."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from boards import BOARD
from wandb_server import ENTITY, KEY, WandbServer

from recsweep.config.schema import Tracking
from recsweep.errors import BadInput, WorkFailed
from recsweep.tracking.alongside import publish_along
from recsweep.tracking.boards import view_name, workspace_of
from recsweep.tracking.publish import publish
from recsweep.tracking.wandb_mode import _trouble

SECTIONS = ["Families", "Training loss", "Parameters of gru", "Folds", "Budget", "Cost"]


@pytest.fixture(autouse=True)
def server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wandb_server: WandbServer
) -> WandbServer:
    monkeypatch.setenv("WANDB_BASE_URL", wandb_server.address)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    _trouble.cache_clear()
    import wandb

    wandb.teardown()
    wandb_server.projects = {"recsweep"}
    return wandb_server


def of_type(server: WandbServer, kind: str) -> dict[str, Any]:
    (view,) = [view for view in server.views.values() if view["type"] == kind]
    return view


def test_the_workspace_shows_the_studys_trials_by_family_with_a_section_for_each_grid(
    server: WandbServer,
) -> None:
    published = publish(BOARD)
    assert not published.updated
    assert ENTITY in published.workspace
    view = of_type(server, "project-view")
    assert (view["name"], view["displayName"]) == (view_name(BOARD), BOARD.title)
    section = json.loads(view["spec"])["section"]
    (runs,) = section["runSets"]
    filters = {f["key"]["name"]: f["value"] for f in runs["filters"]["filters"]}
    assert filters == {"group": "mine", "jobType": "trial"}
    assert runs["grouping"] == [{"section": "config", "name": "family.value"}]
    bank = section["panelBankConfig"]["sections"]
    assert [s["name"] for s in bank] == ["Answer", *SECTIONS]
    answer = bank.pop(0)["panels"][0]
    assert answer["viewType"] == "Markdown Panel"
    for words in ("### Does gru beat markov?", "**gru beats markov.**", "| gru | 0.2 |"):
        assert words in answer["config"]["value"]
    kinds = [[panel["viewType"] for panel in s["panels"]] for s in bank]
    curve, bar, scatter = "Run History Line Plot", "Bar Chart", "Scatter Plot"
    assert kinds == [
        [bar, curve, curve],
        [curve, curve],
        ["Parallel Coordinates Plot", "Parameter Importance"],
        [curve, curve],
        [scatter, bar],
        [scatter, curve, curve, bar],
    ]
    losses, folds = ([p["config"]["metrics"] for p in bank[n]["panels"]] for n in (1, 3))
    assert losses == [["loss/bpr"], ["loss/cross_entropy"]]
    assert folds == [["fold/0/ndcg@10"], ["fold/1/ndcg@10"]]
    best_so_far = bank[4]["panels"][0]["config"]
    assert best_so_far["showMaxYAxisLine"]
    assert not best_so_far.get("showMinYAxisLine")
    parallel = bank[2]["panels"][0]["config"]["columns"]
    assert [column["accessor"] for column in parallel] == [
        "config:hidden_size.value",
        "summary:best_value",
    ]


def test_the_report_says_the_verdict_and_each_familys_grid_has_its_own_runs(
    server: WandbServer,
) -> None:
    publish(BOARD)
    view = of_type(server, "runs")
    text = view["spec"]
    assert view["displayName"] == BOARD.title
    for words in (
        "Does gru beat markov?",
        "gru beats markov.",
        "Opened once.",
        "| gru | 0.2 |",
        "the same budget.",
    ):
        assert words in json.dumps(json.loads(text), ensure_ascii=False)
    grids = [b for b in json.loads(text)["blocks"] if b["type"] == "panel-grid"]
    assert len(grids) == 1 + len(SECTIONS)
    compared, of_gru = (json.dumps(grids[n]["metadata"]["runSets"][0]["filters"]) for n in (0, 3))
    assert "selected" in compared
    assert "wide_deep" in compared
    assert '"gru"' in of_gru
    assert "wide_deep" not in of_gru


def test_publishing_twice_updates_and_never_duplicates(server: WandbServer) -> None:
    publish(BOARD)
    before = set(server.views)
    changed = BOARD.model_copy(update={"verdict": ("no difference is shown.",)})
    published = publish(changed)
    assert published.updated
    assert set(server.views) == before
    assert len(before) == 2
    assert "no difference is shown." in of_type(server, "runs")["spec"]


def test_two_studies_of_one_project_have_a_workspace_and_a_report_each(
    server: WandbServer,
) -> None:
    publish(BOARD)
    publish(BOARD.model_copy(update={"study": "other", "title": "other: compared"}))
    assert len(server.views) == 4


def test_a_workspace_is_there_before_the_first_run_of_a_new_project(server: WandbServer) -> None:
    server.projects = set()
    publish(BOARD)
    assert server.projects == {"recsweep"}
    assert len(server.views) == 2


def test_beside_a_sweep_publishing_holds_nobody_up_and_a_failure_is_a_warning(
    server: WandbServer, caplog: pytest.LogCaptureFixture
) -> None:
    publish_along(BOARD, Tracking(), wait=True)
    assert len(server.views) == 2
    publish_along(BOARD, Tracking(wandb="offline"), wait=True)
    server.answers = 0
    began = time.monotonic()
    publish_along(BOARD, Tracking(close_seconds=1), wait=True)
    assert time.monotonic() - began < 20  # W&B itself goes on for longer


def test_what_the_server_refuses_is_one_line_that_says_how_to_go_on(server: WandbServer) -> None:
    server.broken = True
    with pytest.raises(WorkFailed, match="recsweep sync tries again") as failed:
        publish(BOARD)
    assert "\n" not in str(failed.value)


def test_without_a_login_or_with_a_refused_key_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, server: WandbServer
) -> None:
    server.keys = ()
    with pytest.raises(BadInput, match="refuses the key"):
        publish(BOARD)
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(BadInput, match="nobody is logged in"):
        publish(BOARD)
    assert server.views == {}


def test_the_librarys_own_check_takes_the_workspace_and_gives_it_back() -> None:
    from wandb_workspaces.workspaces import Workspace

    built = workspace_of(BOARD, ENTITY)
    again = Workspace._from_model(built._to_model())
    assert [section.name for section in again.sections] == ["Answer", *SECTIONS]
    assert again.runset_settings.filters == (
        "Metric(\"Group\") == 'mine' and Metric(\"JobType\") == 'trial'"
    )
