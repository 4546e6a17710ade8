"""For the site: a link out of `docs/` becomes its text and the path in the repository."""

import re
from typing import Any


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs with every page."""
    return re.sub(r"\[([^\]]+)\]\(\.\./([^)\s]*)\)", _named, markdown)


def _named(link: "re.Match[str]") -> str:
    text, path = link[1], link[2].partition("#")[0]
    return f"`{path}`" if path.rstrip("/") in text else f"{text} (`{path or 'README.md'}`)"
