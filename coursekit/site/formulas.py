"""A Sphinx extension: formulas become MathML while the pages are made.

A browser draws MathML by itself, with no script and nothing to fetch, and reads it to who cannot
see it. A formula that is no LaTeX is a warning, which ends the build.
"""

from __future__ import annotations

import re
from typing import Any

import math_core
from docutils import nodes
from sphinx.util import logging

_TAG = re.compile(r"\\tag\{([^{}]*)\}")
#: More room below a row of cases: MathML has its own.
_ROOM = re.compile(r"\\\\\[[^\]]*\]")
_CONVERT = math_core.LatexToMathML(fancy_error=False)
_LOG = logging.getLogger(__name__)


def mathml(latex: str, *, display: bool) -> str:
    """A formula as MathML; its `\\tag` stands beside it.

    Raises:
        math_core.LatexError: for what is no LaTeX.
    """
    tags = _TAG.findall(latex)
    bare = _ROOM.sub(lambda _: r"\\", _TAG.sub("", latex)).strip()
    made = str(_CONVERT.convert_with_local_state(bare, displaystyle=display))
    numbers = "".join(f'<span class="tag">({tag})</span>' for tag in tags)
    # One that is wider than a telephone scrolls, by keys as well.
    return f'<div class="formula" tabindex="0">{made}{numbers}</div>' if display else made


def _visit(translator: Any, node: nodes.Element, *, display: bool) -> None:
    try:
        translator.body.append(mathml(node.astext(), display=display))
    except math_core.LatexError as error:
        _LOG.warning("no formula: %s (%s)", node.astext(), error, location=node)
    raise nodes.SkipNode


def _inline(translator: Any, node: nodes.Element) -> None:
    _visit(translator, node, display=False)


def _block(translator: Any, node: nodes.Element) -> None:
    _visit(translator, node, display=True)


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
