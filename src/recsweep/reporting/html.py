"""Templates, style sheet and content policy of every page."""

import base64
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

PACKAGE = "recsweep.reporting"


def template(name: str, package: str = PACKAGE) -> jinja2.Template:
    """A template of the package's folder `templates`; a name that it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def asset(name: str) -> Markup:
    """A style sheet or script, as it stands."""
    return Markup(resources.files(PACKAGE).joinpath("templates", name).read_text("utf-8"))


def policy(style: str, script: str | None = None, *, connect: str = "'none'") -> str:
    """A content security policy: nothing may be fetched, no style or script but these may act."""
    scripts = f"'{_digest(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src {scripts}; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
