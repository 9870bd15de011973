"""A plugin of pytest that lets nbval start two seconds sooner, in xdist's processes, too.

    python -m pytest -p coursekit.lessons.replayed --nbval …

What `-p` names is loaded before nbval. In the processes of xdist nbval would come first.
"""

from __future__ import annotations

from typing import Any

from coursekit.lessons.notebook import without_url_grammar

without_url_grammar()


def pytest_configure_node(node: Any) -> None:
    """Spare a process of xdist the same, before pytest starts in it."""
    spare = f"from {__name__.rpartition('.')[0]} import notebook; notebook.without_url_grammar()"
    node.gateway.remote_exec(spare).waitclose()
