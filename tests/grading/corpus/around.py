"""Honest submissions whose answers live by what stands around them: other cells, names, settings.

Each runs from top to bottom where it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.grading.corpus.kinds import (
    HANDED_IN,
    POINTS,
    RIGHT,
    WRONG,
    Bait,
    Entry,
    Files,
    as_bytes,
    code_cell,
    find,
    hand_in,
    notebook,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def _answer(name: str, about: str, exercise: str, text: str, says: str = "") -> Entry:
    """One answer with something beside it, in its own cell."""
    return Entry(name, about, hand_in({exercise: text}), says=says)


def _cells(
    name: str,
    about: str,
    exercise: str,
    text: str,
    *,
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    beside: str = "",
    says: str = "",
) -> Entry:
    """One answer, and cells of the student's own before and after it, or beside another cell."""

    def make(bait: Bait) -> Files:
        made = notebook(RIGHT | {exercise: text})
        place = made["cells"].index(find(made, beside or exercise))
        for step, sources in ((1, after), (0, before)):
            new = [code_cell(s.strip("\n"), f"own-{step}-{i}") for i, s in enumerate(sources)]
            made["cells"][place + step : place + step] = new
        return {HANDED_IN: as_bytes(made)}

    return Entry(name, about, make, says=says)


def _version(version: str, text: str) -> Callable[[Bait], Files]:
    def make(bait: Bait) -> Files:
        made = notebook(RIGHT | {"paint": text})
        made["metadata"] = {"language_info": {"name": "python", "version": version}}
        return {HANDED_IN: as_bytes(made)}

    return make


_TALLY = """
class Tally:
    def __init__(self, names):
        self.names, self.maps = names, []
"""
_ADD = """
def add(self, label_map):
    self.maps.append(np.asarray(label_map).ravel())
"""
_SHARES = """
def shares(self):
    every = np.concatenate(self.maps)
    found = {n: float((every == i).mean()) for i, n in enumerate(self.names)}
    return {n: share for n, share in found.items() if share > 0}
"""
_ADD_TO = """
def add_to(cls):
    def decorated(function):
        setattr(cls, function.__name__, function)
    return decorated
"""
_PAINT = RIGHT["paint"]

NAMES = (
    _answer("builtin-range", "a built-in's name as a variable, below the answer", "tally",
            RIGHT["tally"] + "\nrange = (0, 5)\nsum = 0\nprint, len, id, max = 1, 2, 3, 4\n"),
    Entry("builtin-helper", "helpers that have built-ins' names, and are used", hand_in({
        "tally": """
def range(names):
    return list(enumerate(names))
def list(pairs):
    return [*pairs]
""" + RIGHT["tally"].replace("enumerate(self.names)", "range(self.names)"),
        "dice-loss": RIGHT["dice-loss"].replace("range(logits.shape[1])", "np.arange(p.shape[1])"),
    })),
    _answer("builtin-stars", "a module imported with a star, whose names are used", "tally",
            "from numpy import *\n" + RIGHT["tally"].replace("(every == i).mean()",
            "sum(every[None] == i, axis=1)[0] / every.size") + "\nrange = arange\n"),
    _cells("builtin-data", "a table with a built-in's name, in a cell of its own", "paint", """
def paint(label_map, palette):
    return np.asarray(palette)[label_map + input["first"]]
""", before=("input = {'first': 0}",), says="input"),
    _answer("grad-off", "gradients are turned off below the answer", "dice-loss",
            RIGHT["dice-loss"] + "\ntorch.set_grad_enabled(False)\n"
            "print(dice_loss(torch.zeros(1, 2, 3, 3), torch.zeros(1, 3, 3, dtype=torch.long)))\n"),
    _cells("dtype-elsewhere", "an answer that lives by another default type, set in another cell",
           "dice-loss", """
def dice_loss(logits, target):
    p = logits.softmax(1)
    truth = torch.zeros(p.numel() // p.shape[1], p.shape[1])
    truth[torch.arange(len(truth)), target.ravel()] = 1.0
    flat = p.movedim(1, -1).reshape(truth.shape)
    both = torch.eye(p.shape[1]) @ (flat * truth).sum(0)
    return 1 - (2 * both / (flat + truth).sum(0)).mean()
""", before=("torch.set_default_dtype(torch.float64)",), says="own notebook"),
    _cells("errors-elsewhere", "NumPy's warnings are made exceptions in another cell", "iou", """
def iou(truth, called, num_classes):
    scores = []
    for c in range(num_classes):
        a, b = truth == c, called == c
        try:
            scores.append((a & b).sum() / (a | b).sum() if num_classes else 0)
        except FloatingPointError:
            scores.append(np.nan)
    return np.array(scores)
""", before=("np.seterr(all='raise')",)),
)  # fmt: skip

PATCHES = (
    _cells("patch-assigned", "methods are assigned in cells of their own", "tally", _TALLY,
           after=(f"{_ADD}\nTally.add = add", f"{_SHARES}\nTally.shares = shares")),
    _cells("patch-decorator", "methods are added by a decorator, as in d2l", "tally", _TALLY,
           before=(_ADD_TO,),
           after=(f"@add_to(Tally){_ADD}", f"@add_to(Tally){_SHARES}")),
    _cells("patch-setattr", "methods are added by setattr, in a loop", "tally", _TALLY,
           after=(_ADD, _SHARES, """
for method in (add, shares):
    setattr(Tally, method.__name__, method)
""")),
    _cells("patch-helper", "a function of one's own adds the methods", "tally", _TALLY, after=(
        _ADD + _SHARES, """
def complete(cls, **methods):
    for name, method in methods.items():
        setattr(cls, name, method)
""", "complete(Tally, add=add, shares=shares)")),
    _cells("patch-subclass", "the class is written again, from itself, in two more cells", "tally",
           _TALLY, after=(
               "class Tally(Tally):" + _ADD.replace("\n", "\n    "),
               "class Tally(Tally):" + _SHARES.replace("\n", "\n    "))),
    _cells("patch-wrapped", "an answer that is wrapped in the next cell", "count-pixels", """
def count_pixels(label_map, num_classes):
    return np.bincount(label_map.ravel(), minlength=num_classes)
""", before=("""
import functools
def for_known_pixels(function):
    @functools.wraps(function)
    def wrapped(label_map, num_classes):
        return function(label_map[label_map < 255], num_classes)
    return wrapped
""",), after=("count_pixels = for_known_pixels(count_pixels)",)),
    _cells("table-filled", "tables made in one cell, filled in others, in four ways", "paint", """
def paint(label_map, palette):
    assert len(NUMBERS) == 3 and WORDS == ["a", "b"] and MORE == {"one": 1, "two": 2}
    return STEPS["paint"](label_map, palette)
""", before=(
        "NUMBERS, WORDS, MORE, STEPS = {}, [], {}, {}",
        "for i in range(2):\n    NUMBERS[i] = i\nNUMBERS |= {5: 5}\nWORDS.append('a')",
        "WORDS += ['b']\nMORE.update(one=1)\nwith np.errstate():\n    MORE['two'] = 2",
        """
def step(name):
    def keep(function):
        STEPS[name] = function
        return function
    return keep
""",
        "@step('paint')\ndef look_up(label_map, palette):\n    return palette[label_map]")),
    _cells("patch-below", "what stands below the check is not the answer", "paint", _PAINT,
           after=("paint.__code__ = (lambda label_map, palette: label_map).__code__",),
           beside="check-paint", says="below its check"),
)  # fmt: skip

BOUND = (
    _cells("bound-by-blocks", "constants bound by with, for, walrus, try, if, match", "paint", """
def paint(label_map, palette):
    assert (FROM_WITH, FROM_FOR, FROM_IF, FROM_TRY, FROM_MATCH) == (2, 3, 4, 5, 6)
    return palette[label_map + FROM_WALRUS + OF_ALL]
""", before=(
        "with np.errstate(all='ignore'):\n    FROM_WITH = 2",
        "for FROM_FOR in range(4):\n    pass",
        "print(FROM_WALRUS := 0)\nall(OF_ALL := n for n in (1, 0))",
        """
if FROM_FOR:
    FROM_IF = 4
try:
    import seaborn as sns
    FROM_TRY = 5
except ImportError:
    FROM_TRY = 5
""",
        "match (1, 6):\n    case (_, FROM_MATCH):\n        pass")),
    _cells("bound-by-global", "constants bound by functions that are called, and by globals()",
           "paint", """
def paint(label_map, palette):
    return palette[label_map * FACTOR + SHIFT + globals()["REST"]]
""", before=(
        "def set_up(factor):\n    global FACTOR\n    FACTOR = factor",
        "def start():\n    set_up(1)\n    globals()['REST'] = 0",
        "globals()['SHIFT'] = 0\nstart()")),
    _cells("writefile-package", "helpers in a package of files in a folder", "paint",
           "from my_pack.look import look_up\nfrom my_pack import ONE\n" + """
def paint(label_map, palette):
    return look_up(label_map, palette) * ONE
""", before=(
        "!mkdir -p my_pack", "%%writefile my_pack/__init__.py\nONE = 1",
        "%%writefile my_pack/tools.py\ndef take(a, b):\n    return a[b]", """
%%writefile my_pack/look.py
from .tools import take
def look_up(label_map, palette):
    return take(palette, label_map)
"""), says="my_pack/look.py"),
    _cells("writefile", "helpers in a file that a cell writes", "paint", """
import my_helpers as h
from my_helpers import *
def paint(label_map, palette):
    return look_up(label_map, palette) * h.ONE
""", before=("""
%%writefile my_helpers.py
import numpy as np
ONE = np.uint8(1)
def look_up(label_map, palette):
    return palette[label_map]
""",), says="my_helpers.py"),
)  # fmt: skip

NEEDLESS = (
    _answer("needless-many", "three hundred lines above the answer that all fail", "paint",
            "import no_such_package\n1 / 0\n" * 150 + _PAINT),
    _answer("needless-imports", "above the answer: what only another machine has", "paint", """
import seaborn as sns
from google.colab import drive, files
drive.mount('/content/drive')
uploaded = files.upload()
from PIL import Image
photo = np.array(Image.open("me.png").convert("RGB"))
name = input("Your name? ")
sns.set_theme()
with open("notes.txt") as file:
    notes = file.read()
device = torch.zeros(1).cuda().device
""" + _PAINT),
    _answer("needless-shell", "above the answer: programs are installed, in six ways", "paint", """
import os, subprocess, sys
get_ipython().system("pip install seaborn")
get_ipython().run_line_magic("pip", "install seaborn")
get_ipython().run_line_magic("matplotlib", "qt")
os.system("pip install seaborn")
subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "seaborn"])
!pip install -q seaborn
%pip install seaborn
""" + _PAINT, says="pip install"),
    _answer("needless-between", "between two definitions: what fails here", "tally", """
def _flat(label_map):
    return np.asarray(label_map).ravel()

demo = _flat(np.load("/content/drive/MyDrive/faces/0.npy"))
""" + RIGHT["tally"].replace("np.asarray(label_map).ravel()", "_flat(label_map)")),
)  # fmt: skip

_LOOP = """
import os, sys, time
np.random.seed(0)
net, steps = torch.nn.Linear(1, 1), []
{}
for epoch in range(10**9):
    np.random.seed(epoch)
    steps.append(float(net(torch.zeros(1, 1)).sum()))
    {}
"""


def _trial(name: str, about: str, exercise: str, text: str) -> Entry:
    """A right answer in a cell that comes to no end."""
    return Entry(name, about, hand_in({exercise: text}), says="what its cell tries beside it",
                 slow=True)  # fmt: skip


TRIALS = (
    _trial("trial-trains", "training in the answer's cell, below it, for years", "tally",
           RIGHT["tally"] + _LOOP.format("", "time.sleep(1)")),
    _trial("trial-above", "the same above it, where the answer uses a module of the trial's",
           "tally", _LOOP.format("", "time.sleep(1)") + RIGHT["tally"].replace(
               "self.maps = names, []", "self.maps, _ = names, [], time.time()")),
    _trial("trial-prints", "a thousand megabytes are printed", "paint",
           _PAINT + _LOOP.format("", "print('x' * 100_000)")),
    _trial("trial-exits", "the kernel is ended below an answer", "iou",
           RIGHT["iou"] + _LOOP.format("os._exit(0)", "")),
    _answer("trial-memory", "more memory is asked for than there is, below an answer",
            "count-pixels", RIGHT["count-pixels"] + "\nx = [np.ones(1 << 28) for _ in range(9)]"),
    Entry("trial-wrong", "a wrong answer with such a trial stays wrong",
          hand_in({"paint": WRONG["paint"] + _LOOP.format("", "time.sleep(1)")}),
          frozenset({"paint"}), statuses=frozenset({"timeout"}), slow=True),
)  # fmt: skip

EXPLAINED = (
    Entry("told-below", "a line fails, and then the answer is wrong: the check's words count",
          hand_in({"paint": f"import seaborn as sns\n{WRONG['paint']}"}), frozenset({"paint"}),
          statuses=frozenset({"wrong"}), says="another class's colour"),
    Entry("told-first", "a line above that fails is told, where it is the reason for the rest",
          hand_in({"paint": "from scipy_of_mine import take\ndef paint(label_map, palette):\n"
                            "    return take(palette, label_map, axis=0)\n"}),
          frozenset({"paint"}), says="No module named 'scipy_of_mine'"),
    Entry("told-beside", "another answer hangs: what the check says to this one is told",
          hand_in({"small-net": "import time\n" + RIGHT["small-net"] + "    time.sleep(60)\n",
                   "paint": WRONG["paint"]}),
          frozenset({"small-net", "paint"}), statuses=frozenset({"wrong", "timeout"}),
          says="another class's colour", slow=True),
)  # fmt: skip

SYNTAX = (
    _answer("prompts", "pasted from Python's console", "paint", """
>>> def paint(label_map, palette):
...     colours = palette[
...         label_map]
...     return colours
...
>>> paint(np.zeros((2, 2), int), np.zeros((1, 3), np.uint8)).shape
(2, 2, 3)
""", says="prompt"),
    _answer("prompts-ipython", "pasted from IPython", "iou", """
In [3]: shift = 0

In [4]: def iou(truth, called, num_classes):
   ...:     known = np.arange(num_classes)[:, None] + shift
   ...:     a, b = truth.ravel() == known, called.ravel() == known
   ...:     with np.errstate(invalid="ignore"):
   ...:         return (a & b).sum(1) / (a | b).sum(1)
   ...:
""", says="prompt"),
    Entry("newer-python", "syntax that this Python does not know yet", _version(
        "3.99.1", "def paint(label_map, palette):\n    return palette[label_map] unless None\n"),
          frozenset({"paint"}), statuses=frozenset({"unreadable"}),
          earned=sum(POINTS.values()) - POINTS["paint"], says="Python 3.99"),
)  # fmt: skip

AROUND: tuple[Entry, ...] = (
    *NAMES, *PATCHES, *BOUND, *NEEDLESS, *TRIALS, *EXPLAINED, *SYNTAX,
)  # fmt: skip
