import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recsweep.dashboard.optuna_app import start_optuna
from recsweep.dashboard.server import Watch, look_at, serve
from recsweep.dashboard.state import Places
from recsweep.reporting.words import DASHBOARD_WORDS


@pytest.fixture
def address(tmp_path: Path, sweep: Callable[[], Any]) -> Iterator[str]:
    """The page of a study with one trial, as soon as it was read."""
    sweep().finish(0.25)
    (tmp_path / "report.html").write_text("<p>the report</p>")
    places = Places(tmp_path, "recsweep", "wandb")
    watch = Watch(look_at(places, tensorboard=True), places)
    server = serve(watch, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(200):
        if watch.state is not None:
            break
        threading.Event().wait(0.05)
    yield f"http://127.0.0.1:{server.server_port}"
    watch.stop()
    server.shutdown()
    server.server_close()


def get(address: str, **headers: str) -> tuple[int, str, Any]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, "", error.headers


def test_the_live_part_is_sent_again_only_when_it_changed(address: str) -> None:
    status, live, headers = get(f"{address}/live")
    assert status == 200
    assert "a-0000" in live
    assert "0.2500" in live
    again, nothing, _ = get(f"{address}/live", **{"If-None-Match": headers["ETag"]})
    assert (again, nothing) == (304, "")
    assert "<h2" in get(f"{address}/live?lang=zh")[1]
    assert "最近结束" in get(f"{address}/live?lang=zh")[1]


def test_only_pages_that_are_made_to_be_read_are_served(address: str) -> None:
    assert get(f"{address}/report.html")[1] == "<p>the report</p>"
    for path in ("optuna.log", "sweep.json", "report.zh.html", "../report.html", "live/x"):
        assert get(f"{address}/{path}")[0] == 404, path


def test_another_sites_name_and_writing_are_refused(address: str) -> None:
    assert get(f"{address}/live", Host="evil.example")[0] == 403
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(f"{address}/live", data=b"x", timeout=5)


def test_trials_that_ended_are_event_files_where_they_were_asked_for(
    address: str, tmp_path: Path
) -> None:
    assert list((tmp_path / "tensorboard" / "a-0000").glob("events.*"))


def test_a_port_that_is_taken_is_passed_over(address: str, tmp_path: Path) -> None:
    port = int(address.rpartition(":")[2])
    watch = Watch(look_at(Places(tmp_path, "", ""), tensorboard=False), Places(tmp_path, "", ""))
    server = serve(watch, port)
    assert server.server_port > port
    watch.stop()
    server.server_close()


def test_a_study_that_cannot_be_read_says_so_and_the_page_lives_on(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("{")
    places = Places(tmp_path, "recsweep", "wandb")
    watch = Watch(look_at(places, tensorboard=False), places)
    for _ in range(200):
        if watch.trouble:
            break
        threading.Event().wait(0.05)
    watch.stop()
    assert "trials.parquet" in watch.show("en")


def test_optunas_dashboard_shows_the_journal_and_cannot_change_it(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    from recsweep.search.storage import open_storage

    sweep().finish(0.25)
    base = start_optuna(open_storage(tmp_path)).removesuffix("/dashboard/")
    assert '"study_name":"a"' in get(f"{base}/api/studies")[1].replace(" ", "")
    request = urllib.request.Request(f"{base}/api/studies/0", method="DELETE")
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request, timeout=5)
    page, script = get(f"{base}/dashboard")[1], get(f"{base}/static/bundle.js")[1]
    for button in ("rename study", "delete study", "AddBox", "Edit", "StopCircle"):
        assert button in page  # hidden
        assert f'"{button}"' in script  # under the name that the dashboard has for it


def test_optunas_dashboard_names_the_metric_and_has_attributes_for_people(
    tmp_path: Path, sweep: Callable[[], Any]
) -> None:
    from recsweep.search.storage import open_storage

    sweep().finish(0.25)
    journal = (tmp_path / "optuna.log").read_bytes()
    base = start_optuna(open_storage(tmp_path)).removesuffix("/dashboard/")
    study = json.loads(get(f"{base}/api/studies/0")[1])
    assert study["objective_names"] == ["NDCG@10"]
    (trial,) = study["trials"]
    attributes = {a["key"]: a["value"] for a in trial["user_attrs"]}
    assert attributes.keys() == {"trial", "seed", "epochs", "best epoch", "training seconds"}
    assert attributes["trial"] == "a-0000"
    assert (tmp_path / "optuna.log").read_bytes() == journal


def test_both_languages_have_the_same_words_and_blanks() -> None:
    blanks = [
        {key: set(re.findall(r"{(\w+)}", text)) for key, text in words.items()}
        for words in DASHBOARD_WORDS.values()
    ]
    assert blanks[0] == blanks[1]
