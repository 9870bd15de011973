"""`audit`: look at every file of a data set once, and collect all that is wrong with it."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coursekit.data import checks
from coursekit.data.duplicates import Pair, near_duplicates
from coursekit.data.findings import SEVERITIES, Finding
from coursekit.data.folders import natural_key
from coursekit.data.images import resize_label_map
from coursekit.data.inspection import Facts, inspect
from coursekit.data.layouts import SPLITS, Entry, Layout, relative
from coursekit.data.progress import threaded
from coursekit.data.reading import find_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Files of a finding that the report names; its JSON names all.
_SHOWN = 6


@dataclass(frozen=True)
class Report:
    """What an audit found.

    Attributes:
        root: the folder.
        layout: the key of its layout.
        samples: how many complete samples each split has.
        findings: the worst first.
    """

    root: str
    layout: str
    samples: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes do not count."""
        return not any(finding.severity == "error" for finding in self.findings)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON can hold it."""
        return {
            "root": self.root,
            "layout": self.layout,
            "ok": self.ok,
            "samples": self.samples,
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def as_json(self) -> str:
        """The report as indented JSON."""
        return json.dumps(self.as_dict(), indent=2)

    def as_text(self) -> str:
        """The report for people, with the first few files of each finding."""
        held = ", ".join(f"{n} {split}" for split, n in self.samples.items()) or "no split"
        lines = [f"{self.root}: {self.layout}, {held}"]
        for finding in self.findings:
            where = f" [{finding.split}]" if finding.split else ""
            lines.append(
                f"\n{finding.severity}: {finding.kind}{where} × {max(len(finding.names), 1)}"
            )
            lines.append(f"  {finding.message}")
            shown = finding.details or finding.names
            lines += [f"    {line}" for line in shown[:_SHOWN]]
            if len(shown) > _SHOWN:
                lines.append(f"    … and {len(shown) - _SHOWN} more")
            lines.append(f"  → {finding.mend}")
        counts = Counter(finding.severity for finding in self.findings)
        total = ", ".join(f"{counts[s]} {s}{'s' if counts[s] != 1 else ''}" for s in SEVERITIES)
        lines.append(f"\n{total if self.findings else 'nothing to report'}")
        return "\n".join(lines)


def audit(root: str | os.PathLike[str]) -> Report:
    """Look at every photo, mask and landmark file of a data set.

    It never stops at a broken file; it names all of them.

    Args:
        root: the folder of a data set in any known layout.

    Returns:
        Everything that was found, the worst first.

    Raises:
        CourseError: when the folder is missing or has no known layout.
    """
    folder, layout = find_layout(root)
    findings: list[Finding] = []
    facts: list[Facts] = []
    entries: dict[int, Entry] = {}
    samples: dict[str, int] = {}
    present = layout.splits(folder)
    for split in SPLITS:
        if split not in present:
            findings.append(_missing_split(folder, layout, split))
            continue
        listing = layout.listing(folder, split)
        findings += [f for f in listing.findings if f not in findings]
        samples[split] = len(listing.entries)
        seen = list(
            threaded(partial(inspect, layout, folder, split), listing.entries, f"audit of {split}")
        )
        entries |= {id(f): e for f, e in zip(seen, listing.entries, strict=True)}
        findings += _grouped(x for f in seen for x in f.findings)
        findings += checks.check_masks(seen, split, layout.labels)
        findings += checks.sizes(seen, split)
        findings += _without_landmarks(listing.entries, folder, split)
        facts += seen
    findings += checks.styles(facts, layout.labels)
    findings += checks.class_order(facts, layout.labels)
    findings += _duplicates(facts, entries, layout)
    findings = [_relative(f, folder) for f in findings]
    findings.sort(key=lambda f: SEVERITIES.index(f.severity))
    return Report(str(folder), layout.key, samples, tuple(findings))


def _missing_split(folder: Path, layout: Layout, split: str) -> Finding:
    return Finding(
        "missing-split", "note", split, (),
        f"{folder}: has no {split} split ({layout.title}: {layout.tree})",
        "nothing, if it is not needed",
    )  # fmt: skip


def _relative(finding: Finding, folder: Path) -> Finding:
    """A finding with the data set's folder taken out of its text."""
    prefix = f"{folder}{os.sep}"
    details = tuple(line.replace(prefix, "") for line in finding.details)
    return replace(finding, message=finding.message.replace(prefix, ""), details=details)


def _grouped(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each kind, with all of its files."""
    kinds: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        kinds[finding.kind, finding.split].append(finding)
    merged = []
    for group in kinds.values():
        names = tuple(sorted({n for f in group for n in f.names}, key=natural_key))
        details = tuple(line for f in group for line in (f.details or (f.message,)))
        message = group[0].message if len(group) == 1 else f"{len(group)} files are so, each alone"
        merged.append(replace(group[0], names=names, message=message, details=details))
    return merged


def _without_landmarks(entries: Sequence[Entry], folder: Path, split: str) -> list[Finding]:
    lacking = [e for e in entries if e.landmarks is None]
    if not lacking or len(lacking) == len(entries):
        return []
    return [
        Finding(
            "no-landmarks", "warning", split,
            tuple(relative(e.image, folder) for e in lacking),
            f"{len(lacking)} of {len(entries)} photos have no landmark file",
            "copy the missing files, or leave these out of landmark training",
        )
    ]  # fmt: skip


def _duplicates(facts: Sequence[Facts], entries: dict[int, Entry], layout: Layout) -> list[Finding]:
    """Near-duplicate photos, for each pair of splits, and how far their masks disagree."""
    places: dict[str, list[Pair]] = defaultdict(list)
    for pair in near_duplicates(facts):
        places["+".join(dict.fromkeys((pair.first.split, pair.second.split)))].append(pair)
    findings = []
    for place, pairs in places.items():
        agreements = [_agreement(pair, entries, layout) for pair in pairs]
        findings.append(_copies(place, pairs, agreements))
        unlike = [(p, a) for p, a in zip(pairs, agreements, strict=True) if a is not None and a < 1]
        if unlike:
            findings.append(_disagreement(place, unlike))
    return findings


def _copies(place: str, pairs: Sequence[Pair], agreements: Sequence[float | None]) -> Finding:
    leak = "+" in place
    count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} of photos all but the same"
    return Finding(
        "leak" if leak else "near-duplicates", "warning" if leak else "note", place,
        tuple(dict.fromkeys(n for p in pairs for n in (p.first.image, p.second.image))),
        f"{count}, on both sides of a split: a score there is partly remembered" if leak else count,
        "take one of each pair out" + (", best from the training side" if leak else ""),
        tuple(_describe(p, a) for p, a in zip(pairs, agreements, strict=True)),
    )  # fmt: skip


def _disagreement(place: str, pairs: Sequence[tuple[Pair, float]]) -> Finding:
    shares = [share for _, share in pairs]
    upto = f" to {max(shares):.1%}" if len(shares) > 1 else ""
    return Finding(
        "duplicate-masks-disagree", "note", place,
        tuple(dict.fromkeys(n for p, _ in pairs for n in (p.first.label, p.second.label))),
        f"masks of near-duplicate photos agree on {min(shares):.1%}{upto} of pixels: no model can "
        "be expected to agree better with such masks",
        "take it as the noise of the annotation",
        tuple(f"{p.first.label} and {p.second.label}: {share:.1%}" for p, share in pairs),
    )  # fmt: skip


def _agreement(pair: Pair, entries: dict[int, Entry], layout: Layout) -> float | None:
    """The share of equal pixels of two masks; None when one is missing or the photo mirrored."""
    first, second = pair.first, pair.second
    if pair.mirrored or first.counts is None or second.counts is None:
        return None
    a = layout.read_label_map(entries[id(first)])
    b = layout.read_label_map(entries[id(second)])
    return float(np.mean(a == resize_label_map(b, *a.shape)))


def _describe(pair: Pair, agreement: float | None) -> str:
    mirrored = ", mirrored" if pair.mirrored else ""
    masks = "" if agreement is None else f", masks agree on {agreement:.1%}"
    return (
        f"{pair.first.image} and {pair.second.image} (alike {pair.likeness:.2f}{mirrored}{masks})"
    )
