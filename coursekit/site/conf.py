"""Settings of Sphinx for `coursekit site`, which runs it in the repository's folder.

https://www.sphinx-doc.org/en/master/usage/configuration.html says what they are.
"""

import gc
import importlib
import re
import shutil
from pathlib import Path
from typing import Any

from coursekit import __version__
from coursekit.site.addresses import theme_options
from coursekit.site.reference import SECTIONS

# Most of what Sphinx makes lives to the end: looking for garbage takes a third of its time. It
# needs less than 1 GB without.
gc.disable()

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
add_module_names = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of dataclasses are members already

html_theme = "sphinx_book_theme"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_domain_indices = False
html_theme_options = {
    "footer_content_items": [],
    "max_navbar_depth": 1,
    "navbar_persistent": [],  # the search stands beside the contents already
    "use_download_button": False,
    "use_fullscreen_button": False,
    **theme_options(Path("pyproject.toml")),
}


#: The theme's fonts of icons, each with the words that a page names it by.
_FONTS = {
    "fa-solid-900": ("fa-solid", "fas"),
    "fa-regular-400": ("fa-regular", "far"),
    "fa-brands-400": ("fa-brands", "fab"),
}


def _lighten(app: Any, error: Exception | None) -> None:
    """What no page needs goes: fonts without an icon, a script that draws them again, maps."""
    if error:
        return
    out = Path(app.outdir)
    static = out / "_static"
    (static / "scripts" / "fontawesome.js").write_text("", encoding="utf-8")  # 1.5 MB
    shutil.rmtree(static / "locales")
    for file in (*static.glob("*webpack-macros.html"), *static.rglob("*.map")):
        file.unlink()
    pages = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*.html"))
    style = static / "styles" / "pydata-sphinx-theme.css"
    rules = style.read_text(encoding="utf-8")
    for font, names in _FONTS.items():
        if not re.search(rf'class="[^"]*\b({"|".join(names)})\b', pages):
            rules = re.sub(rf"@font-face\{{[^}}]*{font}[^}}]*\}}", "", rules)
            next(static.rglob(f"{font}.woff2")).unlink()
    style.write_text(rules, encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    # Before Sphinx divides into processes, each of which would import torch.
    for names in SECTIONS.values():
        for name in names:
            importlib.import_module(f"coursekit.{name}")
    app.connect("build-finished", _lighten)
