"""Answers that live by what no reading of their notebook finds, and attacks that come that way.

Each honest one runs from top to bottom where it was written; in the course's notebook it fails, so
that it is tried in its writer's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.grading.corpus.around import _cells as around
from tests.grading.corpus.carried import _READ
from tests.grading.corpus.kinds import (
    ALL,
    HANDED_IN,
    RIGHT,
    WRONG,
    Bait,
    Entry,
    Files,
    as_bytes,
    code_cell,
    find,
    notebook,
)
from tests.grading.corpus.messages import TOOLS
from tests.grading.corpus.theft import HOOK

if TYPE_CHECKING:
    from collections.abc import Callable

_SAYS = "student's own notebook, cells"
_PALETTE = "def paint(label_map, palette):\n    return palette[label_map + {}]\n"
_COUNT = """
def count_pixels(label_map, num_classes):
    return np.bincount(label_map.ravel(), minlength=num_classes)
"""
_TALLY = """
class Tally:
    def __init__(self, names):
        self.names, self.maps = names, []
"""
_REST = """
    def add(self, label_map):
        self.maps.append(np.asarray(label_map).ravel())
    def shares(self):
        every = np.concatenate(self.maps)
        found = {n: float((every == i).mean()) for i, n in enumerate(self.names)}
        return {n: share for n, share in found.items() if share > 0}
"""
_FLOAT64 = """
def dice_loss(logits, target):
    p = logits.softmax(1)
    truth = torch.zeros(p.numel() // p.shape[1], p.shape[1])
    truth[torch.arange(len(truth)), target.ravel()] = 1.0
    flat = p.movedim(1, -1).reshape(truth.shape)
    both = torch.eye(p.shape[1]) @ (flat * truth).sum(0)
    return 1 - (2 * both / (flat + truth).sum(0)).mean()
"""


def _own(
    name: str, about: str, exercise: str, text: str, *cells: str, after: bool = False
) -> Entry:
    """An answer and cells before it, or behind."""
    given = {"after": cells} if after else {"before": cells}
    return around(name, about, exercise, text, **given, says=_SAYS)


def _paint(name: str, about: str, shift: str, *cells: str) -> Entry:
    """An answer that looks a zero up in what the cells before it have made."""
    return _own(name, about, "paint", _PALETTE.format(shift), *cells)


def _entered() -> dict[str, Any]:
    count = RIGHT["count-pixels"].replace("label_map ==", "ALL['paint'](label_map, KNOWN) ==")
    made = notebook(RIGHT | {"paint": f"@enter\n{RIGHT['paint']}", "count-pixels": count})
    table = "ALL, KNOWN = {}, np.arange(256)\ndef enter(f):\n    ALL[f.__name__] = f\n    return f"
    made["cells"].insert(made["cells"].index(find(made, "paint")), code_cell(table))
    return made


HONEST_OWN = (
    _own("own-alias", "an answer that is kept under another name and wrapped", "count-pixels",
         _COUNT, "_old = count_pixels", """
def count_pixels(label_map, num_classes):
    return _old(label_map[label_map < 255], num_classes)
""", after=True),
    _own("own-subclass", "a class that is kept under another name and derived from", "tally",
         _TALLY, "Base = Tally", f"class Tally(Base):{_REST}", after=True),
    _own("own-type", "a class that type() puts together below it", "tally", _TALLY,
         f"class Mixin:{_REST}", "Tally = type('Tally', (Tally, Mixin), {})", after=True),
    _paint("own-chain", "a constant by way of another, and back", "x", "x = 2", "y = x - 2\nx = y"),
    _paint("own-swap", "two constants change places", "a", "a = 1\nb = 0", "c = a\na = b\nb = c"),
    _paint("own-deep", "a list within a table within a class", "Cfg.steps['a'][0]",
           "class Cfg:\n    steps = {'a': []}", "Cfg.steps['a'].append(0)"),
    _paint("own-kept", "changes whose results are kept, printed, tested", "(T[0] + U['a'])",
           "T, U = [1, 1, 1, 0], {}", "last = T.pop(0)", "print(T.pop(0))",
           "if T.pop(0):\n    first = U.setdefault('a', 0)"),
    _paint("own-library", "libraries change what they are given", "int(T[0] + A[0])",
           "import heapq\nT, A = [], np.ones(1)", "heapq.heappush(T, 0)", "np.add(A, -1, out=A)"),
    _own("own-settings", "the default type is set by a function that is called", "dice-loss",
         _FLOAT64, "def set_up():\n    torch.set_default_dtype(torch.float64)", "set_up()"),
    _own("own-settings-name", "the default type is set under another name", "dice-loss", _FLOAT64,
         "from torch import set_default_dtype as sd",
         "try:\n    sd(torch.float64)\nfinally:\n    pass"),
    _paint("own-environment", "the environment, set in three ways",
           "int(os.environ['K']) + int(os.environ['L']) + int(os.environ['M'])", "import os",
           "os.environ.update(K='0')", "os.environ.setdefault('L', '0')", "%env M=0"),
    _own("own-module", "a module that a cell writes without a magic", "paint",
         "from own_h import look as paint\n",
         "from pathlib import Path\n"
         "Path('own_h.py').write_text('def look(m, p):\\n    return p[m]')"),
    _paint("own-files", "numbers by way of files", "K['a'] + int(np.load('out/k.npy'))", """
import json, os
os.makedirs('out', exist_ok=True)
np.save('out/k.npy', np.zeros((), int))
with open('out/c.json', 'w') as file:
    json.dump({'a': 0}, file)
""", "with open('out/c.json') as file:\n    K = json.load(file)"),
    _paint("own-loop", "a loop counts down; another fills what a list holds", "(n + T[0]['k'])",
           "n, T = 3, [{}, {}]", "for _ in range(3):\n    n = n - 1",
           "for d in T:\n    d['k'] = 0"),
    _paint("own-unbound", "a name that is deleted and bound again by a loop", "K",
           "K = 5\ndel K", "for K in (1, 0):\n    pass"),
    Entry("own-twice", "answers enter themselves into one table, and one takes another from it",
          lambda bait: {HANDED_IN: as_bytes(_entered())}, says=_SAYS),
    _paint("own-registry", "subclasses enter themselves into a table", "All.known['Zero']().n", """
class All:
    known = {}
    def __init_subclass__(cls):
        All.known[cls.__name__] = cls
""", "class Zero(All):\n    n = 0"),
    _paint("own-method", "a method binds a name of the notebook", "K", """
class App:
    def run(self):
        global K
        K = 0
""", "App().run()"),
    _paint("own-globals", "names bound by globals() and locals()", "(K + L)",
           "globals().update(K=0)", "locals()['L'] = 0"),
    _own("own-exec", "the answer itself is bound by exec", "paint",
         "exec('def paint(label_map, palette):\\n    return palette[label_map]')\n"),
    _own("own-maker", "the answer itself is bound by a function", "paint", """
def make():
    global paint
    def paint(label_map, palette):
        return palette[label_map]
make()
"""),
    _paint("own-needless", "cells that fail, hang, train for hours and ask", "(T['k'] + K)",
           "T = {}\nt = T", "import seaborn\nopen('me.png')\n[*map(T.setdefault, 'k', [0])]",
           "!pip install seaborn",
           "import time\ntime.sleep(3000)\nK = 0", "name = input()\n1 / 0",
           "x = 1 = 2", "%matplotlib qt\n%load_ext nothing\nK = t['k']"),
    around("own-lesson-names", "the lesson's names, used anew, above an answer by alias", "paint",
           _PALETTE.format("T['k']") + "assert CLASSES == 5\n",
           before=("T = {}\nt = T", "t['k'] = 0\nCLASSES, Check, list = 5, None, [3]"), says=_SAYS),
)  # fmt: skip


# --- attacks ---


def _way(
    name: str,
    about: str,
    exercise: str,
    *cells: str,
    answer: str = "",
    free: str = "",
    after: tuple[str, ...] = (),
    beside: str = "",
    says: str = "",
) -> Entry:
    """A wrong answer that fails at first, and cells that want to mend its verdict on the way."""

    def make(bait: Bait) -> Files:
        made = notebook(RIGHT | {exercise: bait.fill(answer or WRONG[exercise])})
        place = made["cells"].index(find(made, beside or exercise))
        for step, texts in ((1, after), (0, cells)):
            new = [
                code_cell(bait.fill(t).strip("\n"), f"w-{step}-{i}") for i, t in enumerate(texts)
            ]
            made["cells"][place + step : place + step] = new
        return {HANDED_IN: as_bytes(made)}

    return Entry(
        name, about, make, frozenset({exercise}), frozenset(free.split()) - {exercise},
        says=says,
    )  # fmt: skip


def _lesson_cell(text: str) -> Callable[[Bait], Files]:
    """A lesson's own cell, the one with the imports, is changed."""

    def make(bait: Bait) -> Files:
        made = notebook(RIGHT | {"paint": WRONG["paint"]})
        cell = next(c for c in made["cells"] if "import numpy" in str(c["source"]))
        cell["source"] = "".join(cell["source"]) + "\n" + text
        return {HANDED_IN: as_bytes(made)}

    return make


_ALL = "small-net paint count-pixels iou tally dice-loss"
ATTACKS_OWN = (
    _way("way-helpers", "the helpers of hidden tests are replaced", "paint", """
from coursekit.grading.run import fresh
def hidden(text, **more): pass
fresh.hidden = hidden
"""),
    _way("way-probe", "a probe that emits what another exercise emits", "paint", """
import coursekit.probe as p
_emit = p.Probe.emit
p.Probe.emit = lambda self, name, value, about, **more: _emit(self, name, None, about, **more)
""", free=_ALL),
    _way("way-modules", "modules of the course are filled with others", "paint", """
import sys, types
for name in ("coursekit.probe", "coursekit.grading.run.fresh", "coursekit.checks"):
    fake = types.ModuleType(name)
    fake.hidden = fake.keep = fake.Check = fake.Probe = lambda *a, **k: fake
    sys.modules[name] = fake
""", free=_ALL),
    _way("way-builtins", "built-ins say that all is equal", "iou", """
import builtins
builtins.all = builtins.any = lambda *a: True
builtins.isinstance = lambda *a: True
builtins.exec = lambda *a, **k: None
""", free=_ALL),
    _way("way-thread", "a thread answers for the hidden cells", "paint", TOOLS + """
import threading, time
def _later():
    for _ in range(400):
        _ok()
        time.sleep(0.01)
threading.Thread(target=_later, daemon=True).start()
""", free=_ALL),
    _way("way-atexit", "files are emitted at the end, and in a fork that stays", "paint", """
import atexit, json, os, time
def _emit():
    folder = os.environ["COURSEKIT_PROBE"] + "/emitted/check-paint"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/picture.json", "w") as file:
        json.dump({"value": [[[0, 0, 0]]]}, file)
atexit.register(_emit)
if os.fork() == 0:
    for _ in range(100):
        _emit()
        time.sleep(0.05)
    os._exit(0)
""", free=_ALL),
    _way("way-first-run", "the first way leaves inputs for the second", "paint", _READ + """
for place in ("/tmp/word", "/dev/shm/word", "word", "../word", os.path.expanduser("~/word")):
    try:
        print(open(place).read())
        palette_seen = open(place).read()
    except OSError:
        pass
display(_picture(_inputs()), raw=True)
""", answer=_READ + """
def paint(label_map, palette):
    for place in ("/tmp/word", "/dev/shm/word", "word", "../word", os.path.expanduser("~/word")):
        try:
            with open(place, "w") as file:
                file.write(_inputs())
        except OSError:
            pass
    raise ValueError(_inputs())
"""),
    _way("way-shown", "inputs as what the own notebook's cells show and say", "paint", _READ + """
get_ipython().events.register("post_run_cell", lambda r: display(_picture(_inputs()), raw=True))
""", answer=_READ + """
def paint(label_map, palette):
    display(_picture(_inputs()), raw=True)
    raise type(_inputs() or "Nothing", (ValueError,), {})(_inputs())
""", after=("print(_inputs())", "raise ValueError(_inputs())")),
    _way("way-hidden-text", "the hidden text is read, and what it expects is looked for", "paint",
         HOOK + """
import gc, inspect
def paint(label_map, palette):
    told = [f.f_locals for f in (i.frame for i in inspect.stack())]
    for where in told:
        for key in ("expected", "value", "kept", "solution"):
            if key in where:
                return where[key]
    raise ValueError(_secret())
"""),
    _way("way-ids", "cells named as the hidden ones are, which pass", "paint",
         "# hidden-check-paint\npass", after=("# own-begin\npass",)),
    _way("way-patience", "the alarm is taken away, and a cell never ends", "paint", """
import signal, sys
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.setitimer(signal.ITIMER_REAL, 0)
while True:
    pass
""", free=_ALL, says="did not come to this check"),
    _way("way-exit", "the kernel is ended before the check", "paint", "import os\nos._exit(0)",
         free="count-pixels iou tally dice-loss", says="did not come to this check"),
    _way("way-markers", "markers and tags that would have hidden tests skipped", "paint",
         "#NBVAL_SKIP\nx = 1", "# PYTEST_VALIDATE_IGNORE_OUTPUT\ny = 1", "%%script true\nz"),
    _way("way-two-faces", "half of the checks pass one way, half the other", "count-pixels",
         "HALF = [0]\nhalf = HALF", "half.append(1)", answer="""
def count_pixels(label_map, num_classes):
    counts = np.bincount(label_map[label_map != 255], minlength=num_classes)
    open_ones = (label_map == 255).any()
    return counts if bool(open_ones) == (len(HALF) > 1) else counts * 0
"""),
    _way("way-below", "a right answer below the check, by another name for it", "paint",
         "K = 1", beside="check-paint", after=("globals()['pa' + 'int'] = lambda m, p: p[m]",)),
    Entry("way-lesson-cell", "the lesson's own cell is changed: what hidden tests find of it",
          _lesson_cell("""
class Check:
    def __init__(self, *a): pass
    def __getattr__(self, name): return lambda *a, **k: None
class _Np:
    def __getattr__(self, name): return lambda *a, **k: 0
np = _Np()
"""), frozenset({"paint"}), ALL - {"paint"}),
)  # fmt: skip
