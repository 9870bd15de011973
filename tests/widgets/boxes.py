"""What is in a widget's box, found by name."""

from __future__ import annotations

from typing import Any


def parts(box: Any) -> dict[str, Any]:
    """All widgets of a box, by description or kind."""
    found: dict[str, Any] = {}
    for child in getattr(box, "children", ()):
        found |= parts(child)
        kind = next(iter(getattr(child, "_dom_classes", ())), type(child).__name__)
        found[getattr(child, "description", "").partition(";")[0] or kind] = child
    return found


def note(box: Any) -> str:
    """The line of text below the controls."""
    return str(parts(box)["coursekit-note"].value)
