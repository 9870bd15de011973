"""`coursekit validate`: would this zip be accepted, and would it be scored as it was meant?"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from coursekit import terminal
from coursekit.codabench import limits
from coursekit.codabench.archive import Archive
from coursekit.codabench.formats import find_format, list_images
from coursekit.codabench.layout import find_layout
from coursekit.codabench.masks import check_mask
from coursekit.codabench.problems import Findings
from coursekit.codabench.solution_files import check_solution

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection

    import numpy as np
    from numpy.typing import NDArray

    from coursekit.codabench.layout import Layout
    from coursekit.codabench.problems import Problem


def validate(
    zip_path: str | os.PathLike[str],
    images_dir: str | os.PathLike[str],
    format: str,
    *,
    final: bool | None = None,
) -> list[Problem]:
    """Everything that is wrong with a submission.

    The zip is taken for hostile: nothing of it is unpacked to disk, nothing of it is run, and time
    and memory are bounded whatever it holds, by `coursekit.codabench.limits`.

    Args:
        zip_path: the submission.
        images_dir: the folder of the images that were to be predicted.
        format: "flat" or "codabench".
        final: True when the final phase's `solution/` must be there, False when it must not be,
            None when it may be, and is checked if it is.

    Returns:
        Errors first, then warnings; one item for each kind of problem. The zip is valid when no
        item is an error (`is_valid`).

    Raises:
        CourseError: when the zip or the folder is not there, or the format is unknown.
    """
    stems = list_images(images_dir)
    return examine(zip_path, stems, format, final=final)


def examine(
    zip_path: str | os.PathLike[str],
    stems: Collection[str],
    format: str,
    *,
    final: bool | None = None,
    on_mask: Callable[[str, NDArray[np.uint8]], None] | None = None,
) -> list[Problem]:
    """As `validate`, for known stems; each good mask is handed to `on_mask` as it is decoded.

    `on_mask` takes the stem and the (512, 512) uint8 ids. It is called while problems may yet be
    found: what it gathered counts only when the returned list has no error.
    """
    form = find_format(format)
    findings = Findings()
    with Archive(zip_path, findings) as archive:
        if archive.usable:
            layout = find_layout(archive.entries, stems, form, findings, final=final)
            _check_masks(archive, layout, findings, on_mask)
            if layout.solution:
                check_solution(archive, layout, form.limit, findings)
    return findings.problems()


def _check_masks(
    archive: Archive,
    layout: Layout,
    findings: Findings,
    on_mask: Callable[[str, NDArray[np.uint8]], None] | None,
) -> None:
    contents: set[bytes] = set()
    decoded = 0
    for stem, entry in terminal.bar(layout.masks.items(), "masks", unit="mask"):
        data = archive.read(entry, limits.LARGEST_MASK)
        if data is None:
            continue
        report = check_mask(data)
        for kind, detail in report.problems:
            findings.add(kind, entry.name, detail)
        if report.label_map is None:
            continue
        decoded += 1
        if not report.label_map.any():
            findings.add("all-background", entry.name)
        contents.add(blake2b(report.label_map.tobytes(), digest_size=16).digest())
        if on_mask is not None:
            on_mask(stem, report.label_map)
    if decoded > 1 and len(contents) == 1:
        findings.add("identical-masks", "", f"{decoded} of them")
