"""`coursekit train`."""

from __future__ import annotations

import argparse
import ast
import difflib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import terminal
from coursekit.commands import command, tell_left_out
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training import FitConfig

#: What a run goes on from.
_STATE = "state.safetensors"

#: How much larger than the photographs a working size is worth a word.
_ENLARGED = 1.5

#: Options that a recipe decides, by their names in the parsed arguments.
_DECIDED = ("batch_size", "patience", "lr", "mirror", "loss", "unweighted")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = command(
        subparsers,
        "train",
        "train a model on a folder of faces",
        "coursekit train unet --data faces --size 128 --epochs 20 --out runs/unet\n"
        "  coursekit train fastscnn --recipe house --data faces --size 96 --out runs/f",
        run,
        "Train a model on a folder of faces. A recipe is a file in coursekit/recipes that decides "
        "everything but size, epochs and seed, and says what it costs and what it scored: "
        "report_table1, the report's settings; house, ours; dml_csr and bspnet, their papers', and "
        "dml_csr_small and bspnet_small, for a laptop. Its run is scored at the end.\n\n"
        "A line an epoch says its number, phase and rate; loss, the mean of what was minimised in "
        "training; val, the loss on the validation images; scores; seconds; and what it led to:\n"
        "  improved      these weights are in use from now on: val is the lowest so\n"
        "                far (under a recipe whose latest weights count, such as house\n"
        "                and bspnet: always)\n"
        "  M in use      in a cycle of dml_csr: its average is in use from now on,\n"
        "                val lower or not\n"
        "  best student  in a cycle: val is the lowest so far, and the next average\n"
        "                will use it\n"
        "In cycles loss is against the teacher (Eq. 7), val against the masks as ever (Eq. 5): "
        "compare val with val, not loss with loss.",
    )
    parser.add_argument(
        "model", help="unet, deeplabv3plus, fastscnn, segformer, dml_csr, eagrnet or bspnet"
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="ROOT",
        help="the folder of a data set; `coursekit data --help` shows the layouts",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the run")
    parser.add_argument("--val-share", type=float, metavar="X",
                        help="hold this share of the training images back to validate on, drawn by "
                        "--seed and recorded in DIR/split.json; for data without a labelled val "
                        "split")  # fmt: skip
    parser.add_argument(
        "--recipe", metavar="NAME",
        help="report_table1, house, dml_csr, dml_csr_small, bspnet or bspnet_small",
    )  # fmt: skip
    parser.add_argument("--without", action="append", default=[], metavar="INGREDIENT",
                        help="leave an ingredient of the recipe out, such as self_regulation; may "
                        "be given several times; a wrong name lists all")  # fmt: skip
    parser.add_argument("--start", metavar="FILE",
                        help="begin with the weights of this checkpoint, of the same network and "
                        "classes, in place of fresh ones")  # fmt: skip
    parser.add_argument("--size", type=int, default=512, metavar="N",
                        help="working size: images are resized to N² pixels")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=120, metavar="N", help="at most so many")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--seed", type=int, default=42, metavar="N",
                        help="of the weights, the order and the augmentation")  # fmt: skip
    parser.add_argument("--batch-size", type=int, metavar="N", help="images in a step; default: 2")
    parser.add_argument("--patience", type=int, metavar="N",
                        help="epochs without a lower validation loss before a phase ends; "
                        "default: 12")  # fmt: skip
    parser.add_argument("--lr", type=float, metavar="X", help="Adam's first rate; default: 0.001")
    parser.add_argument("--mirror", type=float, metavar="P",
                        help="share of mirrored images, pairs swapped; default: 0")  # fmt: skip
    parser.add_argument("--loss", metavar="NAME",
                        help="cross_entropy (default), focal, dice, lovasz, or a sum such as "
                        "cross_entropy+lovasz")  # fmt: skip
    parser.add_argument("--unweighted", action="store_const", const=True,
                        help="no class weights: plain cross-entropy (Eq. 1)")  # fmt: skip
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32",
                        help="bf16 needs half the memory for activations")  # fmt: skip
    parser.add_argument("--workers", type=int, default=0, metavar="N",
                        help="processes that prepare batches")  # fmt: skip
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
                        help="a setting of the model, such as widths=(8,16,32,64,128); may "
                        "be given several times")  # fmt: skip
    # Without help it is not listed; no prefix, so that all words are the rest.
    moved = subparsers.add_parser("run", add_help=False, prefix_chars="\0", prog="coursekit run")
    moved.add_argument("rest", nargs=argparse.REMAINDER)
    moved.set_defaults(handler=_moved, prog=moved.prog)


def _moved(arguments: argparse.Namespace) -> int:
    """Say what `coursekit run RECIPE MODEL …` has become."""
    rest = list(arguments.rest)
    words = [rest.pop(0) if rest and not rest[0].startswith("-") else w for w in ("NAME", "MODEL")]
    line = shlex.join(["coursekit", "train", words[1], "--recipe", words[0], *rest])
    raise CourseError(f"is now part of `train`; write: {line}")


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["widths=(8,16)"]` → `{"widths": (8, 16)}`; values are Python literals or plain words."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip().isidentifier() or name.strip() == "name":
            raise CourseError(f"--set {pair}: write NAME=VALUE, such as --set dropout=0.2")
        try:
            settings[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            settings[name.strip()] = value.strip()
    return settings


def make_config(arguments: argparse.Namespace) -> FitConfig:
    """The `FitConfig` that the arguments ask for."""
    from dataclasses import replace

    given = {name: getattr(arguments, name) for name in _DECIDED}
    given = {name: value for name, value in given.items() if value is not None}
    make = _by_options if arguments.recipe is None else _by_recipe
    config = make(arguments, given)
    return replace(
        config, precision=arguments.precision, workers=arguments.workers, cpu=arguments.cpu
    )


def _by_recipe(arguments: argparse.Namespace, given: dict[str, Any]) -> FitConfig:
    from coursekit import recipes

    if given:
        listed = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise CourseError(
            f"{listed}: the recipe {arguments.recipe} decides this; leave it out, or train without "
            "--recipe"
        )
    return recipes.configure(
        arguments.recipe, arguments.model, arguments.size, arguments.epochs, arguments.seed,
        arguments.without,
    )  # fmt: skip


def _by_options(arguments: argparse.Namespace, given: dict[str, Any]) -> FitConfig:
    from coursekit.data import Augmentation
    from coursekit.optim import AdamToSGDConfig
    from coursekit.training import FitConfig, ParsingConfig

    if arguments.without:
        raise CourseError("--without leaves something out of a recipe: name one with --recipe")
    defaults = AdamToSGDConfig()
    return FitConfig(
        size=arguments.size,
        epochs=arguments.epochs,
        seed=arguments.seed,
        batch_size=given.get("batch_size", FitConfig.batch_size),
        objective=ParsingConfig(
            given.get("loss", ParsingConfig.loss), weighted=not given.get("unweighted", False)
        ),
        plan=AdamToSGDConfig(
            adam_lr=given.get("lr", defaults.adam_lr),
            patience=given.get("patience", defaults.patience),
        ),
        augmentation=Augmentation(mirror_probability=given.get("mirror", 0.0)),
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, print a line an epoch, and say where the result is."""
    import torch

    from coursekit import recipes
    from coursekit.data.splitting import open_pair
    from coursekit.models import count_parameters, create_model
    from coursekit.training import fit
    from coursekit.training.guards import check_unused, prepare_folder

    config, own = make_config(arguments), parse_settings(arguments.settings)
    recipe = arguments.recipe
    if recipe is not None:
        own = _own_settings(arguments, own)
    out = Path(arguments.out)
    (check_resumable if arguments.resume else check_unused)(out)
    train, val = open_pair(arguments.data, arguments.val_share, arguments.seed, out)
    tell_left_out(dict.fromkeys((*train.left_out, *val.left_out)))
    torch.manual_seed(config.seed)
    settings = {"num_classes": train.labels.num_classes, **own}
    model = create_model(arguments.model, **settings)
    prepare_folder(out)  # before what may take long, such as fetching weights
    print(f"{arguments.model}: {count_parameters(model):,} parameters; "
          f"{len(train)} training and {len(val)} validation images at {config.size}²")  # fmt: skip
    tell_enlarged(train, config.size)
    started = _start(arguments, model, train.labels.key)
    tell_untrained(model, config)
    try:
        result = fit(
            model, train, val, config, out, resume=arguments.resume, on_epoch=_printer(config),
            started=started,
        )  # fmt: skip
    except KeyboardInterrupt:
        print(f"\nstopped: whole epochs are kept in {out}; go on with --resume")
        raise
    best = result.history[result.best_epoch]
    of = f" (M of {best['phase']})" if _averages(config, best) else ""
    print(f"in use: epoch {result.best_epoch + 1}{of}, validation loss {best['val_loss']:.4f}, "
          f"{_scores(best)} at {config.size}²")  # fmt: skip
    written = ["model.safetensors", "history.jsonl"]
    if arguments.val_share is not None:
        written.append("split.json")
    if recipe is not None:
        scores = recipes.score(
            recipe, model, result, config, train, val, out, arguments.without, result.started
        )
        _tell_scores(arguments, scores)
        written.append("scores.json")
    print("wrote " + ", ".join(f"{out}/{name}" for name in written))
    return 0


def _start(arguments: argparse.Namespace, model: nn.Module, label_set: str) -> str | None:
    """Put the weights into a network that its run starts from, and say which; None for fresh ones.

    A resumed run has its own.
    """
    from coursekit import checkpoint, recipes

    started = None
    if arguments.resume:
        print(f"Goes on with the run in {arguments.out}.")
    elif arguments.start is not None:
        started = checkpoint.start_from(arguments.start, model, label_set)
    elif arguments.recipe is not None:
        started = recipes.start(arguments.recipe, model)
    if started is not None:
        print(started)
    return started


def _tell_scores(arguments: argparse.Namespace, scores: dict[str, Any]) -> None:
    """What a recipe's run came to."""
    left = f" without {', '.join(scores['without'])}" if scores["without"] else ""
    asked = f", --set {' '.join(arguments.settings)}" if arguments.settings else ""
    print(f"{arguments.recipe}{left}, {arguments.model}{asked}: "
          f"mean IoU {100 * scores['mean_iou']:.2f} % of {scores['images']} images at their "
          f"masks' size, after {scores['passes']:,} image passes; "
          f"{scores['rules']}")  # fmt: skip


def check_resumable(out: Path) -> None:
    """Raises `CourseError` when a folder holds no run to go on with."""
    if (out / _STATE).is_file():
        return
    beside = [path.parent.name for path in out.parent.glob(f"*/{_STATE}")]
    near = difflib.get_close_matches(out.name, beside, 1, cutoff=0) if out.name else []
    hint = f"did you mean {out.parent / near[0]}? " if near else ""
    raise CourseError(
        f"{out}: holds no run to go on with (a run has a state from its first whole epoch on); "
        f"{hint}Leave --resume out to begin one"
    )


def tell_enlarged(train: FaceDataset, size: int) -> None:
    """A working size far above that of the photographs costs time and shows nothing more."""
    height, width = train.image(0).shape[:2] if len(train) else (size, size)
    if size >= _ENLARGED * max(height, width):
        times = (size / max(height, width)) ** 2
        print(f"Photographs of {width}x{height} (the first one) are enlarged to {size}²: about "
              f"{times:.0f} times the work, and nothing more to see. --size {max(height, width)} "
              "suits them.", file=sys.stderr)  # fmt: skip


def _own_settings(arguments: argparse.Namespace, own: dict[str, Any]) -> dict[str, Any]:
    """The recipe's settings of the model, and those of --set before them.

    Raises:
        CourseError: when --set gives another value to what --without decides.
    """
    from coursekit import recipes

    whole = recipes.settings(arguments.recipe, arguments.model)
    left = recipes.settings(arguments.recipe, arguments.model, arguments.without)
    for name, value in own.items():
        if name in left and left[name] not in (whole.get(name), value):
            raise CourseError(
                f"--set {name}={value}: --without {' --without '.join(arguments.without)} makes it "
                f"{left[name]}; leave one of the two out"
            )
    return {**left, **own}


def _averages(config: FitConfig, entry: dict[str, Any]) -> bool:
    """Whether "improved" says of this epoch that a cycle's average is in use."""
    return entry["phase"].startswith("cycle") and getattr(config.plan, "aggregate", False)


def _printer(config: FitConfig) -> Callable[[dict[str, Any]], None]:
    """`print_epoch`, with a word where a teacher takes over, since `loss` then means another."""
    told = False

    def tell(entry: dict[str, Any]) -> None:
        nonlocal told
        if not told and entry["phase"].startswith("cycle"):
            told = True
            if getattr(config.plan, "distil", False):
                terminal.say(
                    "From here loss is against the teacher (Eq. 7); val is against the masks "
                    "(Eq. 5), as before."
                )
        print_epoch(entry, averages=_averages(config, entry))

    return tell


def tell_untrained(model: nn.Module, config: FitConfig) -> None:
    """Outputs for training that no loss reaches stay as they were drawn."""
    if getattr(getattr(model, "config", None), "branches", "") == "three":
        trained = getattr(config.objective, "others", ())
        idle = [name for name in ("semantic", "binary") if name not in trained]
        if idle:
            print(f"Not trained by this loss: the output{'s' * (len(idle) > 1)} "
                  f"{' and '.join(idle)}; a recipe such as bspnet trains both, and --set "
                  "branches=fusion leaves them out.")  # fmt: skip
        return
    heads = getattr(getattr(model, "config", None), "edge_heads", "none")
    drawn = ("binary", "category") if heads == "both" else (heads,)
    idle = [n for n in drawn if n != "none" and not getattr(config.objective, n, False)]
    if idle:
        print(f"Not trained by this loss: the {' and '.join(idle)} edge head"
              f"{'s' * (len(idle) > 1)}; a recipe such as dml_csr trains them, and --set "
              "edge_heads=none leaves them out.")  # fmt: skip


def print_epoch(entry: dict[str, Any], *, averages: bool = False) -> None:
    """One line of the history; of a cycle's average "improved" says that it is in use."""
    words = {"wait": "", "best": "best student"} | ({"improved": "M in use"} if averages else {})
    event = words.get(entry["event"], entry["event"])
    event = f"  {event}" if event else ""
    width = 14 if len(entry["phase"]) > 5 else 4  # "initialisation", "cycle 1 of 5"; "adam", "sgd"
    terminal.say(
        f"epoch {entry['epoch'] + 1:3d}  {entry['phase']:<{width}} {entry['rate']:<8.3g}  "
        f"loss {entry['train_loss']:.4f}  val {entry['val_loss']:.4f}  "
        f"{_scores(entry)}  {entry['seconds']:.1f} s{event}"
    )


def _scores(entry: dict[str, Any]) -> str:
    """What the objective's score said, whatever it counts."""
    told = {
        name: f"mean IoU {100 * value:5.2f} %" if name == "val_mean_iou" else f"{name} {value:.4f}"
        for name, value in entry.items()
        if name.startswith("val_") and name != "val_loss"
    }
    return "  ".join(told.values())
