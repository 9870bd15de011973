"""Where the files of a submission lie, and what each of them is meant to be."""

from __future__ import annotations

import posixpath
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from coursekit.codabench.formats import SOLUTION_FILES

if TYPE_CHECKING:
    from collections.abc import Collection

    from coursekit.codabench.archive import ZipEntry
    from coursekit.codabench.formats import Format
    from coursekit.codabench.problems import Findings

_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_OTHER_IMAGES = (".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".npy", ".npz", ".jpe")

#: Letters of other alphabets that are drawn like Latin ones, and what NFKC does not turn into one.
_LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕԁԛԝһкмтвнӏАВЕКМНОРСТХαοερνκτιІЅЈ" + "‐‑‒–—−﹣－" + "٠۰⁰",
    "aeopcyxijsdqwhkmtbhlABEKMHOPCTXaoepvktiISJ" + "--------" + "000",
)


@dataclass
class Layout:
    """What the entries of a zip turned out to be.

    Attributes:
        masks: an entry for each image that has one, by stem, in the order of the images.
        solution: the three files of `solution/` that the rules name, by name.
        beside: what else lies in `solution/`, by its path from there.
    """

    masks: dict[str, ZipEntry] = field(default_factory=dict)
    solution: dict[str, ZipEntry] = field(default_factory=dict)
    beside: dict[str, ZipEntry] = field(default_factory=dict)


class _Stems:
    """The images' stems, and what a mask's stem may be meant to be."""

    def __init__(self, stems: Collection[str]) -> None:
        self.all = dict.fromkeys(stems)
        self._by_case = {stem.casefold(): stem for stem in stems}
        self._by_number = {stem.lstrip("0"): stem for stem in stems if stem.isdecimal()}

    def find(self, stem: str, entry: ZipEntry, findings: Findings) -> str:
        """The image's stem that `stem` is or is meant to be, or "" when there is none."""
        if stem in self.all:
            return stem
        if stem.casefold() in self._by_case:
            meant, kind = self._by_case[stem.casefold()], "stem-case"
        elif stem.isdecimal() and stem.lstrip("0") in self._by_number:
            meant, kind = self._by_number[stem.lstrip("0")], "padded-stem"
        else:
            meant, kind = "", "extra-mask"
        findings.add(kind, entry.name, f"the image is {meant}" if meant else "")
        return meant


def find_layout(
    entries: Collection[ZipEntry],
    stems: Collection[str],
    form: Format,
    findings: Findings,
    *,
    final: bool | None,
) -> Layout:
    """Sort a zip's entries into masks and solution files, noting whatever is out of place.

    A file in a wrong place is still taken for what it is meant to be, so that one slip (a folder
    too many) does not hide the others.

    Args:
        entries: the files of the zip.
        stems: of the images; each needs a mask.
        form: the format that the zip should have.
        findings: where what is wrong is noted.
        final: True when `solution/` must be there, False when it must not, None when it may.
    """
    layout = Layout()
    known = _Stems(stems)
    kept = [entry for entry in entries if not _is_junk(entry.name, findings)]
    prefix = _common_folder([entry.name for entry in kept], form, findings)
    for entry in kept:
        path = entry.name.removeprefix(prefix)
        path = _as_expected(path, known.all, form, entry.name, findings)
        first, _, rest = path.partition("/")
        if not rest and first.lower() in ("metadata", "metadata.yaml", "metadata.yml"):
            findings.add("metadata", entry.name)
        elif path.lower().endswith(_ARCHIVES):
            findings.add("nested-zip", entry.name)
        elif rest and first.lower() == "solution":
            _place_solution(first, rest, entry, form, findings, layout)
        else:
            _place_mask(path, entry, known, form, findings, layout)
    _note_missing(stems, layout, form, findings)
    _check_solution(layout, form, findings, final=final)
    order = [stem for stem in stems if stem in layout.masks]
    layout.masks = {stem: layout.masks[stem] for stem in order}
    return layout


def _is_junk(name: str, findings: Findings) -> bool:
    """What operating systems add to a zip without being asked."""
    parts = PurePosixPath(name).parts
    base = parts[-1].lower() if parts else ""
    if "__MACOSX" in parts:
        findings.add("macosx", name)
    elif base == ".ds_store" or base.startswith("._"):
        findings.add("ds-store", name)
    elif base in ("thumbs.db", "desktop.ini", "ehthumbs.db"):
        findings.add("thumbs-db", name)
    else:
        return False
    return True


def _common_folder(names: list[str], form: Format, findings: Findings) -> str:
    """The folder that was zipped with its contents, as a prefix ending in a slash, or ""."""
    folders = [
        str(PurePosixPath(name).parent)
        for name in names
        if name.lower().endswith(".png") and not name.lower().startswith("solution/")
    ]
    common = posixpath.commonpath(folders) if folders else "."
    parts = [] if common in ("", ".") else common.split("/")
    if not parts:
        return ""
    if form.folder:
        if fold(parts[0]).lower() == "masks":
            return ""
        if fold(parts[-1]).lower() == "masks":
            parts = parts[:-1]
        findings.add("wrapped-folder", "/".join(parts) + "/")
        return "/".join(parts) + "/"
    if parts[-1].lower() == "masks":
        findings.add("masks-folder-in-flat", "/".join(parts) + "/")
    if parts[:-1] or parts[-1].lower() != "masks":
        findings.add("wrapped-folder", "/".join(parts) + "/")
    return "/".join(parts) + "/"


def fold(text: str) -> str:
    """Text with letters of other alphabets replaced by the Latin ones that they are drawn like."""
    return unicodedata.normalize("NFKC", text.translate(_LOOK_ALIKE)).translate(_LOOK_ALIKE)


def _as_expected(
    path: str, stems: Collection[str], form: Format, name: str, findings: Findings
) -> str:
    """The path itself, or the one that it only looks like (noted)."""
    if path.isascii():
        return path
    folder, _, base = path.rpartition("/")
    expected = {form.folder.rstrip("/"), "solution"}
    plain_folder = folder if folder in expected or fold(folder) not in expected else fold(folder)
    stem, dot, ending = base.rpartition(".")
    if stem not in stems:
        composed = [unicodedata.normalize(form, stem) for form in ("NFC", "NFD")]
        stem = next((s for s in (*composed, fold(stem)) if s in stems), stem)
    if folder == "solution" and fold(base) in SOLUTION_FILES:
        plain = f"solution/{fold(base)}"
    else:
        ending = ending if ending == "png" or fold(ending) != "png" else "png"
        plain = f"{plain_folder}/{stem}{dot}{ending}".lstrip("/")
    if plain != path:
        odd = [c for c, d in zip(path, f"{plain:{len(path)}}", strict=False) if c != d]
        letter = unicodedata.name(odd[0], "an unnamed letter").lower() if odd else "its form"
        findings.add("look-alike", name, f"it has {letter}; {plain} was expected")
    return plain


def _place_solution(
    folder: str, rest: str, entry: ZipEntry, form: Format, findings: Findings, layout: Layout
) -> None:
    if not form.has_solution:
        findings.add("solution-in-flat", entry.name)
        return
    if folder != "solution":
        findings.add("solution-case", entry.name)
    if rest in SOLUTION_FILES:
        layout.solution[rest] = entry
    else:
        layout.beside[rest] = entry
        findings.add("solution-extra-file", entry.name)


def _place_mask(
    path: str,
    entry: ZipEntry,
    stems: _Stems,
    form: Format,
    findings: Findings,
    layout: Layout,
) -> None:
    pure = PurePosixPath(path)
    ending = pure.suffix
    if ending.lower() != ".png":
        wrong = ending.lower() in _OTHER_IMAGES
        findings.add("wrong-extension" if wrong else "unexpected-file", entry.name)
        # Its stem is there, if in the wrong form: saying that it is missing as well would mislead.
        if wrong and pure.stem in stems.all:
            layout.masks.setdefault(pure.stem, _unread(entry))
        return
    folder = "" if str(pure.parent) == "." else str(pure.parent) + "/"
    if folder != form.folder:
        _note_folder(folder, entry, form, findings)
    if ending != ".png":
        findings.add("extension-case", entry.name)
    stem = stems.find(pure.stem, entry, findings)
    if stem in layout.masks:
        findings.add("duplicate", entry.name, f"the mask of {stem} is there already")
    elif stem:
        layout.masks[stem] = entry


def _note_folder(folder: str, entry: ZipEntry, form: Format, findings: Findings) -> None:
    if not folder:
        findings.add("masks-at-root", entry.name)
    elif folder.lower() == form.folder:
        findings.add("masks-folder-case", entry.name)
    else:
        findings.add("nested-folder", entry.name)


def _unread(entry: ZipEntry) -> ZipEntry:
    return type(entry)(entry.name, entry.info, readable=False)


def _note_missing(stems: Collection[str], layout: Layout, form: Format, findings: Findings) -> None:
    if not layout.masks:
        findings.add("no-masks", "", f"{len(stems)} are needed, such as {_example(stems, form)}")
        return
    for stem in stems:
        if stem not in layout.masks:
            findings.add("missing-mask", form.mask_name(stem))


def _example(stems: Collection[str], form: Format) -> str:
    return form.mask_name(next(iter(stems)))


def _check_solution(
    layout: Layout, form: Format, findings: Findings, *, final: bool | None
) -> None:
    if not form.has_solution:
        return
    if final is False:
        for entry in layout.solution.values():
            findings.add("solution-too-early", entry.name)
    elif final or layout.solution:
        for name in SOLUTION_FILES:
            if name not in layout.solution:
                findings.add("solution-missing-file", f"solution/{name}")
