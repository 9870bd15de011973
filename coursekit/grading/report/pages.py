"""Templates, and the policy that all pages keep: no scripts, nothing from outside."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from coursekit.files import write_text
from coursekit.grading.report.book import said
from coursekit.grading.report.status import look
from coursekit.grading.report.text import one_line, plain, visible

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

#: What a browser may load for a page; even a mistake in a template could not run a script.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def write_page(path: Path, template: str, **context: Any) -> Path:
    """Fill a template and write it.

    Args:
        path: of the page.
        template: its name in `templates/`.
        context: what the template uses; text in it is escaped there.
    """
    text = _environment().get_template(template).render(policy=POLICY, **context)
    write_text(path, text)
    return path


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("coursekit.grading.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain, "line": one_line, "look": look, "number": number, "said": said,
    }  # fmt: skip
    return environment


def _shown(value: object) -> object:
    """Whatever a template writes: text that no filter cleaned is cleaned here, then escaped."""
    return visible(value) if type(value) is str else value  # Markup is made by us


def number(value: float, digits: int = 1) -> str:
    """A number for reading: without digits after the point where they are zeros."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
