"""Settings of Sphinx for `coursekit site`, which runs it in the repository's folder.

https://www.sphinx-doc.org/en/master/usage/configuration.html says what they are.
"""

from pathlib import Path
from typing import Any

from coursekit import __version__
from coursekit.site.addresses import theme_options

project = "coursekit"
release = __version__
html_title = "coursekit"
language = "en_GB"

extensions = [
    "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon",
    "coursekit.site.docstrings", "coursekit.site.formulas",
]  # fmt: skip

# Lessons are shown as they were executed.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# A broken link is a warning, and the build takes warnings for errors. Other libraries' names
# cannot be looked up without a network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!coursekit\b).*")]

default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of dataclasses are members already

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_domain_indices = False
html_theme_options = {
    "footer_content_items": [],
    "navigation_depth": 2,
    "navbar_persistent": [],  # the search stands beside the contents already
    "use_download_button": False,
    "use_fullscreen_button": False,
    **theme_options(Path("pyproject.toml")),
}


def _lighten(app: Any, error: Exception | None) -> None:
    """Icons come from the style sheet's fonts; the theme's script of 1.5 MB draws them again."""
    static = Path(app.outdir) / "_static"
    if not error:
        (static / "scripts" / "fontawesome.js").write_text("", encoding="utf-8")
        for template in static.glob("*webpack-macros.html"):
            template.unlink()


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", _lighten)
