from tiny import World

from recsweep.stages.report import report_stage


def test_a_page_is_written_in_the_language_asked_for_and_in_those_that_are_there(
    world: World,
) -> None:
    def pages() -> list[str]:
        return sorted(page.name for page in world.study.glob("*.html"))

    assert report_stage(world.study, world.root).page.name == "report.html"
    assert pages() == ["report.html"]
    assert (world.study / "dashboards.json").exists()
