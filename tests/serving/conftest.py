"""Bundles of both tasks, as they are served."""

from pathlib import Path

import pytest

from recsweep.models.registry import families
from recsweep.serving import served
from recsweep.testing import cases_of
from recsweep.testing.bundles import bundle_of


@pytest.fixture(scope="module")
def bundles() -> dict[str, served.ServedBundle]:
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for task in ("next_item", "purchase"):
            bundle = bundle_of(next(cases_of(families()["gru"], task)))
            patch.setattr(served, "load_bundle", lambda _, bundle=bundle: bundle)
            found[task] = served.ServedBundle(Path("m"))
    return found
