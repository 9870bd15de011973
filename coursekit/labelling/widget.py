"""The labelling tool in a notebook: the page's own module, its calls as messages of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget

from coursekit.errors import CourseError
from coursekit.labelling.page import _HERE, bundle
from coursekit.labelling.records import Conflict

if TYPE_CHECKING:
    from coursekit.labelling.sessions import Session


class Widget(anywidget.AnyWidget):
    """What a cell shows; it needs a running kernel and nothing else.

    Args:
        session: on a folder of photographs.
    """

    _esm = bundle()
    _css = (_HERE / "style.css").read_text("utf-8")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.on_msg(_answer)

    def close(self) -> None:
        """End what still runs."""
        self.session.close()
        super().close()


def _answer(widget: Widget, said: Any, _buffers: Any) -> None:
    """Do what a message asks for, and send what came of it under its number."""
    if not isinstance(said, dict) or "id" not in said:
        return
    try:
        found = widget.session.call(str(said.get("method")), said.get("said") or {})
    except (CourseError, OSError) as error:
        kind = "conflict" if isinstance(error, Conflict) else "course"
        widget.send({"id": said["id"], "error": str(error), "kind": kind})
        return
    if isinstance(found, bytes):
        widget.send({"id": said["id"]}, [found])
    else:
        widget.send({"id": said["id"], "found": found})
