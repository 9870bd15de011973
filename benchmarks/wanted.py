"""Rows that RESULTS.md should have, by the command that fills them, the most wanted first.

What has no record is listed there as open.
"""

from __future__ import annotations

from collections.abc import Iterator

from records import Row

MODELS = ("unet", "deeplabv3plus", "fastscnn", "segformer")
#: Images in a step on a GPU, by size.
BATCHES = {512: 8, 256: 32, 128: 64}
PEERS = {
    "unet": ("naive", "smp"),
    "deeplabv3plus": ("naive", "smp"),
    "fastscnn": ("naive",),
    "segformer": ("naive", "matrix", "smp", "smp, our sizes"),
}
ABN_PEERS = ("plain", "package")
FEATURES = ("none", "shading", "textures", "colour", "background", "pose", "shape", "hair", "worn",
             "camera")  # fmt: skip


def step(device: str, model: str, size: int, batch: int, precision: str, peer: str) -> Row:
    """A training step against a peer's."""
    return Row("models", {"device": device, "model": model, "size": size, "batch": batch,
                          "precision": precision, "peer": peer})  # fmt: skip


def lovasz(device: str, size: int, batch: int) -> Row:
    """The Lovász loss, forward and backward, against smp's."""
    return Row("lovasz", {"device": device, "size": size, "batch": batch, "peer": "smp"})


def abn(device: str, size: int, batch: int, precision: str, peer: str) -> Row:
    """A training step of the encoder with our activated normalisation, against a peer's."""
    return Row("abn", {"device": device, "size": size, "batch": batch, "precision": precision,
                       "peer": peer})  # fmt: skip


def waiting(
    device: str, model: str, size: int, batch: int, precision: str, workers: int
) -> Row:  # fmt: skip
    """The share of a step that waits for data."""
    return Row("waiting", {"device": device, "model": model, "size": size, "batch": batch,
                           "precision": precision, "workers": workers})  # fmt: skip


def gpu_rows(device: str = "cuda", batches: dict[int, int] = BATCHES) -> Iterator[Row]:
    """Every row that needs a GPU."""
    for size, batch in batches.items():
        for first in (True, False):  # each network once, before it meets its other peers
            for model in MODELS:
                for precision in ("fp32", "bf16"):
                    for peer in PEERS[model][:1] if first else PEERS[model][1:]:
                        yield step(device, model, size, batch, precision, peer)
            if first:
                yield lovasz(device, size, batch)
                for model in ("fastscnn", "unet"):
                    yield waiting(device, model, size, batch, "bf16", 8)

        if size == 512:  # the paper's 473² comes next; the package has no bfloat16
            for precision, peer in (("fp32", "plain"), ("bf16", "plain"), ("fp32", "package")):
                yield abn(device, 473, 8, precision, peer)


def transfer(
    ablate: str, images: int = 1500, epochs: int = 4, size: int = 128, seed: int = 0
) -> Row:
    """FastSCNN that saw rendered faces alone, scored on photographs."""
    return Row("transfer", {"ablate": ablate, "images": images, "epochs": epochs, "size": size,
                            "seed": seed})  # fmt: skip


def recipe(model: str, size: int, epochs: int, name: str, without: str = "nothing") -> Row:
    """A recipe, with an ingredient left out or not."""
    return Row("recipes", {"model": model, "size": size, "epochs": epochs, "recipe": name,
                           "without": without})  # fmt: skip


def wanted() -> dict[str, list[Row]]:
    """Rows by command."""
    rows = {"make gpu": list(gpu_rows())}
    for model in MODELS:
        command = "python benchmarks/recipes.py --data ROOT --out RUNS --size 512 --epochs 120"
        rows[f"{command} --workers 8 --seeds 0 --model {model}"] = [
            recipe(model, 512, 120, name) for name in ("report_table1", "house")
        ]
    for name in FEATURES:
        rows[f"python benchmarks/transfer.py --data ROOT --ablate {name} --threads 1"] = [
            transfer(name)
        ]
    for size in (129, 473):
        rows[f"python benchmarks/abn.py --size {size}"] = [
            abn("cpu", size, 2, "fp32", peer) for peer in ABN_PEERS
        ]
    rows["python benchmarks/metrics.py"] = [Row("metrics", {"size": s}) for s in (128, 256, 512)]
    return rows
