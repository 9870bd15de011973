"""`find_suspects`: every mask of a split beside what a network sees in its photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from coursekit import metrics
from coursekit.data import checks
from coursekit.data.images import resize_label_map
from coursekit.data.inspection import inspect
from coursekit.data.progress import threaded
from coursekit.data.reading import FolderDataset, find_layout, open_dataset
from coursekit.errors import CourseError
from coursekit.inference import predict_logits
from coursekit.suspects.evidence import Evidence, Verdict, compare, judge

if TYPE_CHECKING:
    import os

    from torch import Tensor, nn

    from coursekit.checkpoint import ModelInfo
    from coursekit.data.layouts import Layout
    from coursekit.data.sample import Sample
    from coursekit.labels import LabelSet


@dataclass(frozen=True)
class Suspect:
    """A mask and how the network contradicts it.

    Attributes:
        index: of the sample in `Found.dataset`.
        name: of the sample.
        verdict: the score and the classes.
        reason: the verdict in words.
    """

    index: int
    name: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        dataset: the split that was searched.
        suspects: all masks that could be judged, the most suspicious first.
        left_out: a sentence for each sample, or kind of sample, that could not be judged.
        mean_iou: of the network with these masks, in [0, 1]. One that hardly knows the classes, or
            all of the masks by heart, has nothing to say of them.
    """

    dataset: FolderDataset
    suspects: tuple[Suspect, ...]
    left_out: tuple[str, ...]
    mean_iou: float


def find_suspects(
    model: nn.Module, info: ModelInfo, root: str | os.PathLike[str], split: str = "train"
) -> Found:
    """Rank the masks of a split by how strongly a network contradicts them.

    The network may have been trained on these very masks, as long as it has not learnt each by
    heart: stop early, and augment. It compares at its own working size, the mask resized by nearest
    neighbour to the square that the network sees.

    Args:
        model: in evaluation mode, on the device where it is to run.
        info: its label set, working size and whitening.
        root: a data set in any layout.
        split: a labelled one.

    Raises:
        CourseError: when the split is missing, has no masks or those of another label set than the
            network's, or none of its samples can be read.
    """
    dataset, left_out = _open(root, split, info)
    labels = info.labels
    kept: list[int] = []
    every: list[Evidence] = []

    def read(index: int) -> Sample | str:
        try:
            return dataset.sample(index, landmarks=False)
        except CourseError as error:
            return str(error)

    samples = threaded(read, range(len(dataset)), f"suspects in {split}")
    for index, sample in enumerate(samples):
        if isinstance(sample, str):
            left_out.append(sample)
            continue
        kept.append(index)
        every.append(compare(*answer(model, info, sample)))
    if not kept:
        raise CourseError(
            f"{root}: none of the {len(dataset)} samples of {split} can be read; the first: "
            f"{left_out[0]}"
        )
    judged = sorted(zip(kept, judge(every, labels), every, strict=True), key=_by_score)
    suspects = (
        Suspect(index, dataset.names[index], verdict, in_words(verdict, evidence, labels))
        for index, verdict, evidence in judged
    )
    matrix = torch.from_numpy(np.sum([evidence.counts for evidence in every], axis=0))
    return Found(dataset, tuple(suspects), tuple(left_out), metrics.mean_iou(matrix))


def answer(model: nn.Module, info: ModelInfo, sample: Sample) -> tuple[Tensor, Tensor]:
    """The network's (C, S, S) logits and the (S, S) label map at its working size.

    Raises:
        CourseError: when the logits are no numbers.
    """
    side = info.size
    logits = predict_logits(model, sample.image, side, info.mean, info.std, (side, side))[0]
    if not bool(logits.isfinite().all()):
        raise CourseError(
            f"{sample.name}: the network puts out values that are no numbers; train it again"
        )
    assert sample.label_map is not None
    label_map = torch.from_numpy(resize_label_map(sample.label_map, side, side))
    return logits, label_map.long().to(logits.device)


def in_words(verdict: Verdict, evidence: Evidence, labels: LabelSet) -> str:
    """Why a mask is suspicious: swapped sides, or the classes that contradict each other."""
    parts = []
    counts = evidence.counts
    for left, right in verdict.swapped:
        crossed = counts[left, right] + counts[right, left]
        straight = counts[left, left] + counts[right, right]
        both = f"{labels.titles[left]} and {labels.titles[right]}"
        parts.append(
            f"{both} swapped: exchanged, {int(crossed)} pixels agree, as labelled {int(straight)}"
        )
    for true, called in verdict.named[2 * len(verdict.swapped) :]:
        of_label = true == verdict.worst
        whole = int(counts[true].sum() if of_label else counts[:, called].sum())
        whose = "of the label's" if of_label else "of the network's"
        parts.append(
            f"labelled {labels.titles[true]}, the network sees {labels.titles[called]} "
            f"({counts[true, called] / max(whole, 1):.0%} {whose} {labels.titles[verdict.worst]})"
        )
    return "; ".join(parts) or "no contradiction beyond the boundaries"


def audited(found: Found, suspect: Suspect, layout: Layout) -> tuple[str, ...]:
    """What the audit's own rules say of a suspect's mask, by the findings' kinds."""
    entry, split = found.dataset.entries[suspect.index], found.dataset.split
    facts = inspect(layout, found.dataset.root, split, entry)
    masks = checks.check_masks([facts], split, layout.labels)
    kinds = [f.kind for f in (*facts.findings, *masks) if f.kind != "absent-class"]
    return tuple(dict.fromkeys(kinds))


def _open(
    root: str | os.PathLike[str], split: str, info: ModelInfo
) -> tuple[FolderDataset, list[str]]:
    """The samples of a split that are complete, and a sentence for each kind that is not."""
    folder, layout = find_layout(root)
    if split not in layout.splits(folder):
        open_dataset(root, split)  # which says what is missing
    listing = layout.listing(folder, split)
    if layout.labels.key != info.label_set:
        raise CourseError(
            f"the network was trained on {info.label_set} and {root} is {layout.labels.key}; name "
            f"a checkpoint that was trained on {layout.labels.key}"
        )
    errors = [finding for finding in listing.findings if finding.severity == "error"]
    if not listing.entries:
        if errors:
            raise errors[0].error()
        raise CourseError(f"{root}: the {split} split is empty; name another one with --split")
    if any(entry.label is None for entry in listing.entries):
        raise CourseError(
            f"{root}: the {split} split has no masks to suspect; name a labelled split with --split"
        )
    left_out = [*(e.message for e in errors), *listing.left_out]
    return FolderDataset(folder, split, layout, listing.entries), left_out


def _by_score(judged: tuple[int, Verdict, Evidence]) -> tuple[float, int]:
    index, verdict, _ = judged
    return -verdict.score, index
