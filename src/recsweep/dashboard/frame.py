"""The document around the live part. Loads nothing heavy, so that the page is up at once."""

from typing import Any

from markupsafe import Markup

from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.words import DASHBOARD_WORDS


def frame(name: str, lang: str, title: str) -> str:
    """The document; its live part is asked for by its script."""
    style = Markup(asset("page.css") + asset("dashboard.css"))
    script = asset("dashboard.js")
    return template("dashboard.html.j2").render(
        say=say_in(lang),
        name=name,
        title=title,
        style=style,
        script=script,
        policy=policy(style, script, connect="'self'"),
    )


def reading(lang: str) -> str:
    """The live part before the study was looked at."""
    return str(Markup('<div class="status"><p>{}</p></div>').format(say_in(lang)("phase_reading")))


def say_in(lang: str) -> Any:
    """A sentence or label by its key."""
    words = DASHBOARD_WORDS[lang]
    return lambda key, **values: words[key].format(**values)
