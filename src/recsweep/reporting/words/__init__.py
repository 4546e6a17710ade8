"""Every word of the pages in English and in Chinese: one YAML file a page, `key: {en, zh}`."""

from collections.abc import Mapping
from pathlib import Path

from recsweep.config.files import read_yaml

Words = Mapping[str, Mapping[str, str]]
"""Language -> key -> text, with `{blanks}`."""


def load_words(*paths: Path) -> Words:
    """The words of these files together."""
    entries = [read_yaml(path) for path in paths]
    return {
        lang: {key: texts[lang] for file in entries for key, texts in file.items()}
        for lang in ("en", "zh")
    }


_HERE = Path(__file__).parent
_UNITS = _HERE / "units.yaml"
_PAGE = ("answer", "page", "charts", "portrait")
PAGE_WORDS = load_words(_UNITS, *(_HERE / f"{name}.yaml" for name in _PAGE))
COMPARE_WORDS = load_words(_UNITS, _HERE / "compare.yaml")
DASHBOARD_WORDS = load_words(_HERE / "dashboard.yaml")
MONITOR_WORDS = load_words(_HERE / "monitor.yaml")
BACKTEST_WORDS = load_words(_UNITS, _HERE / "backtest.yaml")
