"""`coursekit annotate`: photographs get their 106 points by hand, with a network's help.

photos       which pictures of a folder are labelled, and where their files lie
records      one JSON file a picture: points, hidden ones, what the hand did; never half written
checking     what a page sent, before it is believed
proposals    where points are before a hand moves them: a network, the mean face, the moved ones
drawing      the fitted label map as lines, for the page; as pixels, for the file
recent       photographs and proposals, kept while they are asked for
sessions     what a page can ask for
training     the network trained again on what was saved, in a process of its own
server       the page in a browser: this machine alone, with a token
widget       the same page in a notebook
page/        the front end, plain modules
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

__all__ = ["tool"]


def tool(folder: str | os.PathLike[str], **settings: Any) -> Any:
    """The labelling tool in a notebook, to be shown as the last line of a cell.

    Args:
        folder: photographs, as for `coursekit annotate`.
        settings: `checkpoint` and `parsing`, as for `coursekit annotate`.

    Raises:
        CourseError: when there is no photograph, or the folder cannot be written.
    """
    from coursekit.labelling.sessions import Session
    from coursekit.labelling.widget import Widget

    return Widget(Session.of(folder, **settings))
