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

#: Data and lengths of the runs of `dml_csr.py`.
SETTINGS = ("standard", "clean", "noisier", "regions", "regions still", "clean still", "longer",
            "clean longer", "larger")  # fmt: skip
#: Its variants, in the order in which tables show them.
VARIANTS = (
    "baseline", "ddgcn", "ddgcn, graphs off", "b", "b+ba", "c", "c+ca", "b+c", "all",
    "ba+ca, no heads", "all on baseline",
    "psp", "psp_no_pooling", "dgcnet", "dgcnet_no_pooling",
    "cycles", "cycles, no teacher", "cycles, neither", "cycles, lovasz of teacher",
    "cycles, rate 1e-5", "cycles, rate 4e-4", "cycles, rate 1e-2", "cycles, from the teacher",
    "cycles, one late", "sgd", "sgd, cycles", "sgd, cycles, no teacher",
    "ddgcn, rate x10", "ddgcn, rate x100", "ddgcn, start at 1", "ddgcn, eq 1",
    "ddgcn, eq 1, graphs off",
    "fastscnn", "fastscnn, all", "fastscnn, cycles", "fastscnn, cycles, no teacher",
)  # fmt: skip
#: Rows of the paper's Table 4.
TABLE_4 = ("Baseline", "+DDGCN", "+DDGCN+DML", "+DDGCN+DML+CSR")
#: Rows of the LaPa paper's tables.
BSPNET_TABLES = {2: ("A", "B", "C"), 3: ("BSPNet", "BSPNet+LaPa")}
_SELF_REGULATION = ("all", "cycles", "cycles, no teacher")
#: Variants of `bspnet.py`: the paper's Table 2, and what tells its causes apart.
BSPNET_VARIANTS = ("A", "B", "C", "A, weighted", "B, no boundary loss", "C, alpha 20",
                   "A, stride 8", "C, stride 8")  # fmt: skip
#: Queues, the most wanted first: their variants.
BSPNET = {"table2": BSPNET_VARIANTS[:3], "controls": BSPNET_VARIANTS[3:]}
#: Queues, the most wanted first: settings, and their variants.
DML_CSR = {
    "tasks": {"standard": VARIANTS[:11]},
    "cycles": {"standard": VARIANTS[15:18], "clean": ("all",)},
    "contexts": {"standard": VARIANTS[11:15]},
    "regulation": {
        "standard": VARIANTS[18:27],
        "noisier": _SELF_REGULATION,
        "regions": _SELF_REGULATION,
        "regions still": _SELF_REGULATION,
        "clean still": ("all",),
        "longer": _SELF_REGULATION,
        "clean longer": ("all",),
    },
    "graphs": {
        "standard": VARIANTS[27:32],
        "longer": ("ddgcn", "ddgcn, graphs off"),
        "larger": ("ddgcn", "ddgcn, graphs off"),
    },
    "fastscnn": {"larger": VARIANTS[32:]},
}


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


#: How an image may be run; compiling takes longer than `make gpu` waits.
GPU_MODES = ("eager fp32", "channels last, half", "CUDA graph")
CPU_MODES = ("eager fp32", "channels last", "channels last, half")


def latency(device: str, model: str, size: int, batch: int, mode: str) -> Row:
    """A pass of DML-CSR in a mode against EAGRNet's in its public form."""
    return Row("latency", {"device": device, "model": model, "size": size, "batch": batch,
                           "mode": mode})  # fmt: skip


def tasks(device: str, model: str, size: int, batch: int, precision: str) -> Row:
    """A training step of DML-CSR's three tasks against plain batch normalisation."""
    return Row("tasks", {"device": device, "model": model, "size": size, "batch": batch,
                         "precision": precision, "peer": "plain"})  # fmt: skip


def dml_csr_rows(device: str = "cuda") -> Iterator[Row]:
    """DML-CSR at the paper's size."""
    for mode in GPU_MODES:
        yield latency(device, "dml_csr", 473, 1, mode)
    for precision in ("fp32", "bf16"):
        yield tasks(device, "dml_csr", 473, 8, precision)


def gpu_rows(device: str = "cuda", batches: dict[int, int] = BATCHES) -> Iterator[Row]:
    """Every row that needs a GPU."""
    yield from dml_csr_rows(device)
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
        if size == 512:
            yield lovasz(device, 473, batch=4)  # DML-CSR's size

        if size == 512:  # the paper's 473² comes next; the package has no bfloat16
            for precision, peer in (("fp32", "plain"), ("bf16", "plain"), ("fp32", "package")):
                yield abn(device, 473, 8, precision, peer)


def transfer(
    ablate: str, images: int = 1500, epochs: int = 4, size: int = 128, seed: int = 0
) -> Row:
    """FastSCNN that saw rendered faces alone, scored on photographs."""
    return Row("transfer", {"ablate": ablate, "images": images, "epochs": epochs, "size": size,
                            "seed": seed})  # fmt: skip


def annotation_loop(size: int = 64, seed: int = 0) -> Row:
    """Rounds of labelling and retraining on rendered faces."""
    return Row("annotation_loop", {"size": size, "seed": seed})


def photo_landmarks(images: int = 1600, epochs: int = 10, size: int = 64, seed: int = 0) -> Row:
    """An hourglass that saw rendered faces alone, against a face mesh's points on photographs."""
    return Row("photo_landmarks", {"images": images, "epochs": epochs, "size": size, "seed": seed})


def recipe(model: str, size: int, epochs: int, name: str, without: str = "nothing") -> Row:
    """A recipe, with an ingredient left out or not."""
    return Row("recipes", {"model": model, "size": size, "epochs": epochs, "recipe": name,
                           "without": without})  # fmt: skip


def dml_csr(setting: str, variant: str, seed: int) -> Row:
    """A variant of DML-CSR, trained on noisy rendered faces."""
    return Row("dml_csr", {"setting": setting, "variant": variant, "seed": seed})


def dml_csr_rates() -> Row:
    """The baseline of `dml_csr.py` at several rates."""
    return Row("search", {"recipe": "dml_csr"})


def dml_csr_queue(name: str) -> list[Row]:
    """Rows of a queue, or of "all", one seed after the other: pairs are complete early."""
    queues = list(DML_CSR) if name == "all" else [name]
    return [
        dml_csr(setting, variant, seed)
        for queue in queues
        for seed in range(5)
        for setting, variants in DML_CSR[queue].items()
        for variant in variants
    ]


def paper_table(
    data: str, table: int, row: str, size: int, epochs: int, seed: int, *, small: bool,
    paper: str = "dml_csr",
) -> Row:  # fmt: skip
    """A row of one of a paper's tables, trained on a data set of this name."""
    network = "small" if small else "full"
    kind = "paper" if paper == "dml_csr" else f"paper_{paper}"
    return Row(kind, {"data": data, "table": table, "size": size, "epochs": epochs,
                         "network": network, "row": row, "seed": seed})  # fmt: skip


#: Ways to draw parts from landmarks, by where they are measured.
SCHEMES = {
    "rendered": ("polygons", "fitted"),
    "photographs": (
        "polygons", "polygons, filled by OpenCV", "fitted", "polygons, habits", "fitted, habits",
    ),
}  # fmt: skip


def annotation(data: str, scheme: str) -> Row:
    """Parts drawn from landmarks, against masks."""
    return Row("annotation", {"data": data, "scheme": scheme})


def annotation_speed(size: int, maps: int) -> Row:
    """Processor time of label maps from landmarks."""
    return Row("annotation_speed", {"size": size, "maps": maps})


def bspnet(variant: str, seed: int) -> Row:
    """A variant of BSPNet, trained on rendered faces."""
    return Row("bspnet", {"variant": variant, "seed": seed})


def bspnet_queue(name: str) -> list[Row]:
    """Rows of a queue, or of "all", one seed after the other."""
    queues = list(BSPNET) if name == "all" else [name]
    return [bspnet(v, seed) for queue in queues for seed in range(3) for v in BSPNET[queue]]


def bspnet_command(row: Row) -> str:
    """What fills a row of `bspnet.py`."""
    queue = next(name for name, variants in BSPNET.items() if row.settings["variant"] in variants)
    return f"python benchmarks/bspnet.py --queue {queue}"


def dml_csr_command(row: Row) -> str:
    """What fills a row of `dml_csr.py`."""
    queue = next(q for q in DML_CSR if row.name in {r.name for r in dml_csr_queue(q)})
    return f"python benchmarks/dml_csr.py --queue {queue}"


def wanted() -> dict[str, list[Row]]:
    """Rows by command."""
    rows = {"make gpu": list(gpu_rows())}
    for mode in ("compiled",):
        rows[f"python benchmarks/latency.py --modes {mode}"] = [
            latency("cuda", "dml_csr", 473, 1, mode)
        ]
    for model in MODELS:
        command = "python benchmarks/recipes.py --data ROOT --out RUNS --size 512 --epochs 120"
        rows[f"{command} --workers 8 --seeds 0 --model {model}"] = [
            recipe(model, 512, 120, name) for name in ("report_table1", "house")
        ]
    for name in FEATURES:
        rows[f"python benchmarks/transfer.py --data ROOT --ablate {name} --threads 1"] = [
            transfer(name)
        ]
    rows["python benchmarks/losses.py"] = [lovasz("cpu", 473, batch=4)]  # DML-CSR's size
    for size in (129, 473):
        rows[f"python benchmarks/abn.py --size {size}"] = [
            abn("cpu", size, 2, "fp32", peer) for peer in ABN_PEERS
        ]
    for data, schemes in SCHEMES.items():
        command = "python benchmarks/annotation.py"
        command += " --data ROOT --points FOLDER" if data == "photographs" else ""
        rows[command] = [annotation(data, scheme) for scheme in schemes]
    rows["python benchmarks/annotation.py"].append(annotation_speed(512, 1000))
    rows["python benchmarks/metrics.py"] = [Row("metrics", {"size": s}) for s in (128, 256, 512)]
    rows["python benchmarks/dml_csr.py --rates 0.002 0.01 0.02"] = [dml_csr_rates()]
    command = "python benchmarks/paper_tables.py --table 4 --small --size 96 --epochs 20"
    command += " --data ROOT --out RUNS --split val --seeds 0 1"
    rows[f"{command} --record celebamask-hq-1000"] = [
        paper_table("celebamask-hq-1000", 4, row, 96, 20, seed, small=True)
        for seed in (0, 1) for row in TABLE_4
    ]  # fmt: skip
    for queue in DML_CSR:
        rows[f"python benchmarks/dml_csr.py --queue {queue}"] = dml_csr_queue(queue)
    command = "python benchmarks/paper_tables.py --paper bspnet"
    for table, names in ((2, "--data LAPA --out RUNS --record lapa"),
                         (3, "--data HELEN --lapa LAPA --out RUNS --record helen")):  # fmt: skip
        rows[f"{command} --table {table} {names}"] = [
            paper_table(names.split()[-1], table, row, 473, 150, 0, small=False, paper="bspnet")
            for row in BSPNET_TABLES[table]
        ]
    for queue in BSPNET:
        rows[f"python benchmarks/bspnet.py --queue {queue}"] = bspnet_queue(queue)
    rows["python benchmarks/annotation_loop.py"] = [annotation_loop()]
    rows["python benchmarks/photo_landmarks.py --data ROOT --points FOLDER --out RUNS"] = [
        photo_landmarks()
    ]
    return rows
