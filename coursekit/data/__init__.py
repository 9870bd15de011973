"""Face data in any of the course's layouts: reading, augmenting, counting, auditing, making.

Names are loaded when they are first used; only `TrainingView` needs torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursekit.data.auditing import Report as Report
    from coursekit.data.auditing import audit as audit
    from coursekit.data.cache import Arrays as Arrays
    from coursekit.data.findings import Finding as Finding
    from coursekit.data.making import Recipe as Recipe
    from coursekit.data.making import make as make
    from coursekit.data.reading import FolderDataset as FolderDataset
    from coursekit.data.reading import find_layout as find_layout
    from coursekit.data.reading import open_dataset as open_dataset
    from coursekit.data.sample import FaceDataset as FaceDataset
    from coursekit.data.sample import Sample as Sample
    from coursekit.data.statistics import class_counts as class_counts
    from coursekit.data.statistics import whitening as whitening
    from coursekit.data.synthetic import SynthDataset as SynthDataset
    from coursekit.data.transforms import Augmentation as Augmentation
    from coursekit.data.transforms import Whitening as Whitening
    from coursekit.data.transforms import mirror as mirror
    from coursekit.data.view import TrainingView as TrainingView

_MODULES = {
    "Arrays": "cache",
    "Augmentation": "transforms",
    "FaceDataset": "sample",
    "Finding": "findings",
    "FolderDataset": "reading",
    "Recipe": "making",
    "Report": "auditing",
    "Sample": "sample",
    "SynthDataset": "synthetic",
    "TrainingView": "view",
    "Whitening": "transforms",
    "audit": "auditing",
    "class_counts": "statistics",
    "find_layout": "reading",
    "make": "making",
    "mirror": "transforms",
    "open_dataset": "reading",
    "whitening": "statistics",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
