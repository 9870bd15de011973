"""Honest submissions that a grader could get wrong: each must get what it earned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.grading.corpus.files import _zip
from tests.grading.corpus.kinds import (
    EXERCISES,
    HANDED_IN,
    LESSON,
    POINTS,
    RIGHT,
    WRONG,
    Entry,
    Files,
    as_bytes,
    assignment,
    code_cell,
    find,
    hand_in,
    notebook,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _answers(name: str, about: str, slow: bool = False, **answers: str) -> Entry:
    """Answers in another way; `__` in an exercise's name stands for its hyphen."""
    return Entry(name, about, hand_in({k.replace("__", "-"): v for k, v in answers.items()}),
                 slow=slow)  # fmt: skip


def _edited(name: str, about: str, change: Callable[[dict[str, Any]], object]) -> Entry:
    """Right answers, in a notebook that was edited in some way."""

    def make(bait: object) -> Files:
        made = notebook()
        changed = change(made)
        return {HANDED_IN: changed if isinstance(changed, bytes) else as_bytes(made)}

    return Entry(name, about, make)


def _before(code: str, exercise: str = "paint") -> Mapping[str, str]:
    return {exercise: f"{code.strip()}\n\n{RIGHT[exercise]}"}


ANSWERS = (
    _answers("plain", "right answers in a plain notebook"),
    Entry("the-solution", "the instructor's own answers", hand_in(
        {c.id: c.source for c in assignment().lesson.solved() if c.id in EXERCISES})),
    _answers("noise", "warnings, logging, progress bars, prints to both streams", **_before("""
import logging, sys, warnings
from tqdm import tqdm
logging.basicConfig(level=logging.DEBUG)
"""), iou="""
def iou(truth, called, num_classes):
    warnings.warn("absent classes")
    logging.getLogger("mine").error("so many classes")
    scores = []
    for c in tqdm(range(num_classes)):
        print(c, file=sys.stderr)
        print("class", c, flush=True)
        a, b = truth == c, called == c
        scores.append(np.sum(a & b) / np.sum(a | b))  # NaN, with numpy's own warning
    return np.array(scores)
"""),
    _answers("pictures", "pictures, widgets, displays, cleared and updated", **_before("""
import matplotlib.pyplot as plt
from IPython.display import HTML, Markdown, clear_output, display
import ipywidgets
handle = display("one", display_id=True)
handle.update("two")
plt.imshow(np.zeros((4, 4)))
plt.show()
clear_output()
display(HTML("<b>bold</b>"), Markdown("*x*"), ipywidgets.IntSlider())
"""), count__pixels="""
def count_pixels(label_map, num_classes):
    figure, axes = plt.subplots()
    axes.imshow(label_map)
    plt.show()
    return np.array([(label_map == c).sum() for c in range(num_classes)])
count_pixels(np.zeros((2, 2), np.uint8), 2);
"""),
    _answers("backend", "another back end, another folder, other variables", **_before("""
import os, tempfile
import matplotlib
matplotlib.use("Agg")
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MY_SETTING"] = "1"
os.chdir(tempfile.mkdtemp())
np.random.seed(0)
torch.manual_seed(0)
np.seterr(all="ignore")
np.set_printoptions(precision=2)
torch.set_printoptions(precision=2)
torch.set_num_threads(1)
""")),
    _answers("other-types", "lists, tensors, float32 and numbers in place of arrays", iou="""
def iou(truth, called, num_classes):
    a = torch.as_tensor(truth) == torch.arange(num_classes)[:, None, None]
    b = torch.as_tensor(called) == torch.arange(num_classes)[:, None, None]
    return ((a & b).sum((1, 2)).float() / (a | b).sum((1, 2)).float())
""", count__pixels="""
def count_pixels(label_map, num_classes):
    return [int((label_map == c).sum()) for c in range(num_classes)]
""", tally="""
class Tally:
    def __init__(self, names):
        self.names, self.sums, self.pixels = names, np.zeros(len(names)), 0
    def add(self, label_map):
        self.sums += np.bincount(label_map.ravel(), minlength=len(self.names))
        self.pixels += label_map.size
    def shares(self):
        shares = zip(self.names, self.sums / self.pixels)
        return {name: np.float64(share) for name, share in shares if share}
"""),
    _answers("views", "views, read-only and non-contiguous results, another byte order", paint="""
def paint(label_map, palette):
    big = np.zeros((*label_map.shape, 6), palette.dtype)
    big[..., ::2] = palette[label_map]
    view = big[..., ::2]
    view.flags.writeable = False
    return view
""", iou=RIGHT["iou"].replace("return (a", "return np.float64(1) * (a").replace(
        "(a | b).sum(1)", "(a | b).sum(1).astype('>f8')")),
    _answers("lambdas", "a lambda, a partial function and an object that can be called", **{
        "paint": "paint = lambda label_map, palette: palette[label_map]\n",
        "count-pixels": """
import functools
def _count(num_classes, label_map):
    return np.bincount(label_map[label_map < 255], minlength=num_classes)
count_pixels = lambda label_map, num_classes: functools.partial(_count, num_classes)(label_map)
""", "dice-loss": """
class Dice(torch.nn.Module):
    def forward(self, logits, target):
        p = logits.softmax(1)
        t = torch.nn.functional.one_hot(target, p.shape[1]).permute(0, 3, 1, 2).to(p)
        return 1 - (2 * (p * t).sum((0, 2, 3)) / (p + t).sum((0, 2, 3))).mean()
dice_loss = Dice()
"""}),
    _answers("recursive", "recursion in place of loops, and a cache", iou="""
import functools
@functools.lru_cache(maxsize=None)
def _number(n):
    return 0 if n == 0 else 1 + _number(n - 1)
def iou(truth, called, num_classes):
    if num_classes == 0:
        return np.zeros(0)
    c = _number(num_classes - 1)
    a, b = truth == c, called == c
    score = (a & b).sum() / (a | b).sum() if (a | b).any() else np.nan
    return np.append(iou(truth, called, num_classes - 1), score)
"""),
    _answers("typed", "type hints with shapes, dataclasses, generics, names in other scripts", **{
        "tally": """
from __future__ import annotations
from dataclasses import dataclass, field
from jaxtyping import Int
@dataclass
class Tally:
    \"\"\"Zählt.\"\"\"
    names: tuple[str, ...]
    größe: int = 0
    zähler: dict[int, int] = field(default_factory=dict)
    def add(self, label_map: Int[np.ndarray, "h w"]) -> None:
        for ν in label_map.flat:
            self.zähler[int(ν)] = self.zähler.get(int(ν), 0) + 1
            self.größe += 1
    def shares(self) -> dict[str, float]:
        return {self.names[i]: self.zähler[i] / self.größe for i in sorted(self.zähler)}
"""}),
    _answers("state", "helper functions and state at the notebook's top level", **_before("""
_calls = []
TABLE = {}
def _remember(function):
    def remembered(*arguments, **options):
        _calls.append(function.__name__)
        TABLE[len(_calls)] = function.__name__
        return function(*arguments, **options)
    return remembered
"""), count__pixels="@_remember\n" + RIGHT["count-pixels"], iou="@_remember\n" + RIGHT["iou"]),
    _answers("caught", "exceptions that are caught, a raise that is never reached", iou="""
def iou(truth, called, num_classes):
    scores = np.empty(num_classes)
    for c in range(num_classes):
        a, b = (truth == c).sum(), (called == c).sum()
        both = int(((truth == c) & (called == c)).sum())
        try:
            scores[c] = both / int(a + b - both)
        except ZeroDivisionError:
            scores[c] = float("nan")
    return scores
    raise AssertionError
"""),
    _answers("parallel", "threads and processes of its own", count__pixels="""
from concurrent.futures import ThreadPoolExecutor
def count_pixels(label_map, num_classes):
    with ThreadPoolExecutor(4) as pool:
        return np.array(list(pool.map(lambda c: (label_map == c).sum(), range(num_classes))))
""", iou="""
import multiprocessing
def _score(job):
    truth, called, c = job
    a, b = truth == c, called == c
    return (a & b).sum() / (a | b).sum() if (a | b).any() else np.nan
def iou(truth, called, num_classes):
    jobs = [(truth, called, c) for c in range(num_classes)]
    with multiprocessing.get_context("fork").Pool(4) as pool:
        return np.array(pool.map(_score, jobs))
"""),
    _answers("files", "temporary files and programs", paint="""
import os, subprocess, sys, tempfile
def paint(label_map, palette):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.npy")
        np.save(path, palette[label_map])
        said = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True)
        assert said.stdout.strip() == b"42"
        return np.load(path)
"""),
    _answers("hungry", "half a gigabyte, for a moment", paint="""
def paint(label_map, palette):
    big = np.ones((512, 1 << 20), np.uint8)
    return palette[label_map] * big[0, 0]
"""),
    _answers("slow", "three seconds of work", count__pixels="""
import time
def count_pixels(label_map, num_classes):
    time.sleep(1)
    return np.array([(label_map == c).sum() for c in range(num_classes)])
"""),
    _answers("trials", "trials below the answer, some of which fail where it is graded", paint="""
def paint(label_map, palette):
    return palette[label_map]

trial = paint(np.zeros((2, 2), int), np.zeros((1, 3), np.uint8))
assert trial.shape == (2, 2, 3)
photograph = open("my_holiday.png", "rb").read()
"""),
    _answers("magics", "magics and shell lines", paint="""
%matplotlib inline
!pip install numpy
%time x = 1
def paint(label_map, palette):
    return palette[label_map]
%timeit -n1 -r1 paint(np.zeros((2, 2), int), np.zeros((1, 3), np.uint8))
"""),
    _answers("cell-magic", "a cell magic around an answer, and waiting at the top level", paint="""
%%time
def paint(label_map, palette):
    return palette[label_map]
""", iou="import asyncio\nawait asyncio.sleep(0)\n" + RIGHT["iou"]),
    _answers("chatty", "three thousand lines, each sent at once", paint="""
def paint(label_map, palette):
    for number in range(3000):
        print("line", number, flush=True)
    return palette[label_map]
"""),
    _answers("large-pictures", "pictures of many megabytes are shown", **_before("""
from IPython.display import display
for _ in range(4):
    display({"image/png": "A" * 5_000_000, "text/plain": "a face"}, raw=True)
""")),
    _answers("settings", "other defaults for types, names of the lesson used anew", **_before("""
from math import *
torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
check, small, table, picture = 1, 2, 3, 4
if __name__ == "__main__":
    print("it runs")
""")),
    Entry("half-done", "two exercises right, one half, one wrong, one not written", lambda bait: {
        HANDED_IN: as_bytes(notebook({
            "small-net": RIGHT["small-net"],
            "paint": RIGHT["paint"], "dice-loss": RIGHT["dice-loss"], "iou": WRONG["iou"],
            "count-pixels": "def count_pixels(label_map, num_classes):\n"
                            "    return np.bincount(label_map.ravel(), minlength=num_classes)\n",
        }))}, frozenset({"count-pixels", "iou", "tally"}), earned=7),
)  # fmt: skip


# --- editors ---


def _without_ids(made: dict[str, Any], minor: int = 4) -> None:
    made["nbformat_minor"] = minor
    for cell in made["cells"]:
        del cell["id"]
        cell["metadata"] = {}


def _colab(made: dict[str, Any]) -> None:
    _without_ids(made, 0)
    for number, cell in enumerate(made["cells"]):
        cell["metadata"] = {"id": f"aB3{number:04}_x"}
        if cell["cell_type"] == "code":
            cell["source"] = "".join(cell["source"]).split("\n", 1)[-1] if number % 2 else (
                cell["source"])  # fmt: skip
    made["metadata"] = {"colab": {"provenance": []}, "accelerator": "GPU"}


def _version_3(made: dict[str, Any]) -> bytes:
    cells = []
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cells.append({"cell_type": "code", "input": cell["source"], "outputs": [],
                          "language": "python", "collapsed": False, "metadata": {}})  # fmt: skip
        else:
            cells.append({k: cell[k] for k in ("cell_type", "source", "metadata")})
    sheets = {"worksheets": [{"cells": cells, "metadata": {}}], "metadata": {"name": ""}}
    return json.dumps(sheets | {"nbformat": 3, "nbformat_minor": 0}).encode()


def _reordered(made: dict[str, Any]) -> None:
    checks = [c for c in made["cells"] if c["id"].startswith("check-")]
    others = [c for c in made["cells"] if c not in checks]
    made["cells"] = [*others[:3], *others[3:][::-1], *checks]


def _split(made: dict[str, Any]) -> None:
    cell = find(made, "tally")
    lines = cell["source"].split("\n")
    cell["source"] = "\n".join(lines[:1])
    place = made["cells"].index(cell)
    helper = "def _flat(label_map):\n    return np.asarray(label_map).ravel()"
    body = "\n".join(lines[1:]).replace("np.asarray(label_map).ravel()", "_flat(label_map)")
    made["cells"][place + 1 : place + 1] = [code_cell(helper, "h1"), code_cell(body, "h2")]


def _elsewhere(made: dict[str, Any]) -> None:
    stub = notebook({})
    for name in ("paint", "iou"):
        answer = find(made, name)["source"].split("\n", 1)[1]
        find(made, name)["source"] = find(stub, name)["source"]
        made["cells"].append(code_cell(answer, f"mine-{name}"))


def _duplicated(made: dict[str, Any]) -> None:
    cell = find(made, "iou")
    place = made["cells"].index(cell)
    made["cells"].insert(place, {**cell, "source": WRONG["iou"]})
    made["cells"].insert(place + 2, dict(find(made, "check-iou")))


def _helpers(made: dict[str, Any]) -> None:
    code = "import numpy as numpy_again\nFACTOR = 1\ndef _times(x):\n    return FACTOR * x"
    made["cells"].insert(2, code_cell(code))
    find(made, "paint")["source"] = (
        "def paint(label_map, palette):\n    return _times(numpy_again.asarray(palette))[label_map]"
        ".astype(palette.dtype)"
    )


def _outputs(made: dict[str, Any]) -> None:
    big = "x" * 15_000_000
    find(made, "check-paint")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": big},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": big}},
    ]
    made["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    find(made, "paint")["execution_count"] = 99


def _windows(made: dict[str, Any]) -> bytes:
    for name in ("paint", "tally"):
        cell = find(made, name)
        cell["source"] = cell["source"].replace("    ", "\t").replace("\n", "\r\n")
    return b"\xef\xbb\xbf" + json.dumps(made, indent=1).replace("\n", "\r\n").encode()


def _bad_utf8(made: dict[str, Any]) -> bytes:
    made["cells"][0]["source"] = "Stra@@e"
    return as_bytes(made).replace(b"@@", b"\xdf")


def _not_a_number(made: dict[str, Any]) -> bytes:
    find(made, "check-iou")["outputs"] = [{"output_type": "x", "data": {"n": "@@"}}]
    return as_bytes(made).replace(b'"@@"', b"NaN")


def _handed(name: str, about: str, files: Callable[[], Files]) -> Entry:
    return Entry(name, about, lambda bait: files())


EDITED = (
    _edited("no-ids", "no ids and no metadata (nbformat 4.4)", _without_ids),
    _edited("colab", "another's ids, some markers gone (nbformat 4.0)", _colab),
    _edited("version-3", "nbformat 3", _version_3),
    _edited("lines", "texts as lists of lines", lambda n: [
        c.update(source="".join(c["source"]).splitlines(keepends=True)) for c in n["cells"]] and
        None),
    _edited("reordered", "cells in another order, checks last", _reordered),
    _edited("split", "an answer in three cells", _split),
    _edited("elsewhere", "answers in cells of one's own, stubs left", _elsewhere),
    _edited("duplicated", "cells twice, the first one wrong", _duplicated),
    _edited("helpers", "imports, constants and helpers in another cell", _helpers),
    _edited("no-checks", "all check cells deleted", lambda n: n.update(
        cells=[c for c in n["cells"] if not c["id"].startswith("check-")])),
    _edited("outputs", "thirty megabytes of outputs, and state of widgets", _outputs),
    _edited("windows", "CRLF, tabs and a byte order mark", _windows),
    _edited("latin-1", "a letter in another encoding", _bad_utf8),
    _edited("nan", "NaN in stored outputs", _not_a_number),
    _handed("zip-mac", "a zip from a Mac", lambda: {"student.zip": _zip({
        f"homework/{LESSON}.ipynb": as_bytes(notebook()),
        f"__MACOSX/homework/._{LESSON}.ipynb": b"\0\5\26\7", "homework/.DS_Store": b"x",
        "homework/.ipynb_checkpoints/x-checkpoint.ipynb": b"{}"})}),
    _handed("moodle", "a folder with Moodle's name", lambda: {
        f"Ana Ng_123456_assignsubmission_file_/{LESSON}.ipynb": as_bytes(notebook())}),
    _handed("canvas", "a file with Canvas's name", lambda: {
        f"ngana_LATE_12345_678901_{LESSON}-1.ipynb": as_bytes(notebook())}),
    _handed("blackboard", "two attempts in files with Blackboard's names", lambda: {
        f"gradebook_FACE_W1_ang_attempt_2026-10-1{day}-11-22-33{rest}": content
        for day in (1, 2) for rest, content in (
            (f"_{LESSON}.ipynb", as_bytes(notebook())), (".txt", b"Name: Ana Ng (ang)"))}),
    _handed("brightspace", "two attempts in folders with Brightspace's names", lambda: {
        f"123-456 - Ana Ng - Oct {day}, 2026 1122 AM/{LESSON}.ipynb": as_bytes(notebook())
        for day in (1, 2)}),
    _handed("whole-folder", "a working folder with 5,200 pictures before the notebook", lambda: {
        "student.zip": _zip({f"data/{i}.jpg": b"\xff\xd8" for i in range(5200)}
                            | {f"notebooks/{LESSON}.ipynb": as_bytes(notebook())})}),
    _handed("copy", "a browser's name for the second download", lambda: {
        f"student/{LESSON} (1).ipynb": as_bytes(notebook())}),
)  # fmt: skip

HONEST: tuple[Entry, ...] = (*ANSWERS, *EDITED)
TOTAL = sum(POINTS.values())
