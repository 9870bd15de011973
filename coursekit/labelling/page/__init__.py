"""The front end: plain modules, joined to the one that a page and a notebook load.

Nothing is compiled, and nothing comes from elsewhere: imports between the modules are taken out and
the modules follow one another, since a notebook's widget is a single module.
"""

from __future__ import annotations

import re
from pathlib import Path

#: In an order in which each uses only those before it.
MODULES = ("geometry", "state", "saver", "stage", "keys", "layout", "panel", "transport", "tool")

_HERE = Path(__file__).parent
_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def bundle() -> str:
    """The modules as one."""
    texts = ((_HERE / f"{name}.js").read_text("utf-8") for name in MODULES)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
