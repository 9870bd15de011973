"""The course's own part in place of an answer, by ways that no text shows; and honest look-alikes.

Exercises here are called as those of the first lesson, so that they have the same parts.
"""

from __future__ import annotations

from tests.grading.corpus.around import _cells as around
from tests.grading.corpus.kinds import RIGHT, WRONG, Entry, cheat, hand_in
from tests.grading.corpus.own import _way

_WRAPPED = """
import coursekit.probe as P, coursekit.parts.welcome as W
_emit = P.Probe.emit
def emit(self, name, value, about, **more):
    if self.check == "check-paint":
        value = W.paint(self.given("ids", None), self.given("colours", None))
    return _emit(self, name, value, about, **more)
P.Probe.emit = emit
"""
_BY_NAME = """
import importlib
def paint(label_map, palette):
    return getattr(importlib.import_module("coursekit.parts.welcome"), "pa" + "int")({})
""".format("label_map, palette")


def _lends(
    name: str, about: str, answer: str, exercise: str = "paint", *, says: str = "borrowed"
) -> Entry:
    return cheat(f"borrow-{name}", exercise, about, "", answer=answer, statuses=says)


_IN_ANSWERS = (
    _lends("import-module", "a module that is imported by a text",
           "import importlib\npaint = importlib.import_module('coursekit.parts.welcome').paint\n"),
    _lends("getattr", "a name that is put together",
           "import coursekit.parts.welcome as w\npaint = getattr(w, 'pa' + 'int')\n"),
    _lends("removed", "it is kept, and its module has it no more", """
import coursekit.parts.welcome as w
name = "pa" + "int"
kept = getattr(w, name)
delattr(w, name)
def paint(label_map, palette):
    return kept(label_map, palette)
"""),
    _lends("vars", "a module's names, looked through", """
import coursekit.parts.welcome as w
def count_pixels(label_map, num_classes):
    (found,) = [v for k, v in vars(w).items() if k.startswith("count_p")]
    return found(label_map, num_classes)
""", "count-pixels"),
    _lends("within", "it is looked up when it is called", _BY_NAME),
    _lends("eval", "text that is evaluated", """
def paint(label_map, palette):
    part = eval("__import__('coursekit.parts.welcome', fromlist=['x']).paint")
    return part(label_map, palette)
"""),
    _lends("pickle", "a pickle that names it",
           "import pickle\npaint = pickle.loads(b'ccoursekit.parts.welcome\\npaint\\n.')\n"),
    _lends("caught", "what it raises is caught, and something else is given",
           _BY_NAME.replace("    return", "    try:\n        return")
           + "    except BaseException:\n        return palette[label_map]\n"),
    _lends("probe", "a probe that computes by it what it emits", WRONG["paint"] + _WRAPPED),
    Entry("borrow-other-answer", "the same from within another answer",
          hand_in({"paint": WRONG["paint"], "small-net": RIGHT["small-net"] + _WRAPPED}),
          frozenset({"paint"}), statuses=frozenset({"borrowed"})),
)  # fmt: skip

_IN_CELLS = (
    _way("borrow-written", "a file of the student's own imports it", "paint",
         "%%writefile hh.py\nfrom coursekit.parts.welcome import paint\n",
         answer="from hh import paint\n"),
    _way("borrow-helper", "a cell before imports the module", "paint",
         "import coursekit.parts.welcome as W",
         answer="def paint(m, p):\n    return getattr(W, 'paint')(m, p)\n"),
    _way("borrow-globals", "a cell below a wrong answer binds it, in the own notebook", "paint",
         after=("import coursekit.parts.welcome as W\nglobals().update(paint=W.paint)",),
         says="there the course's own part stands in place of an answer"),
    _way("borrow-stub", "setattr fills a stub with it", "paint",
         answer="def paint(label_map, palette):\n    ...\n", after=("""
from coursekit.parts import welcome
setattr(__import__("__main__"), "paint", welcome.paint)
""",)),
    _way("borrow-run", "a program of the student's binds it", "paint",
         "%%writefile b.py\nfrom coursekit.parts.welcome import paint\n", after=("%run b.py",)),
    _way("borrow-alias", "a module under another name, and text that imports it", "paint",
         "import sys, coursekit.parts.welcome as W\nsys.modules['mine'] = W",
         after=("exec('from mine import paint')",)),
    _way("borrow-unmarked", "the word that it was called is removed, again and again", "paint", """
import os, shutil, threading, time
def _remove():
    for _ in range(300):
        shutil.rmtree(os.environ["COURSEKIT_PROBE"] + "/emitted/borrowed", ignore_errors=True)
        time.sleep(0.01)
threading.Thread(target=_remove, daemon=True).start()
""", answer=_BY_NAME),
)  # fmt: skip

BORROWED_PARTS: tuple[Entry, ...] = (*_IN_ANSWERS, *_IN_CELLS)

HONEST_BORROWED: tuple[Entry, ...] = (
    around("borrow-compared", "an answer of one's own, compared with the course's below it",
           "paint", RIGHT["paint"], after=("""
import importlib
theirs = importlib.import_module("coursekit.parts.welcome").paint
ids = np.array([[1, 0]])
assert (theirs(ids, np.eye(3)) == paint(ids, np.eye(3))).all()
""",)),
    around("borrow-beside", "the course's part of another exercise is used in an answer",
           "count-pixels", RIGHT["count-pixels"] + """
from coursekit.parts.welcome import mirror
def turned(image, label_map):
    return mirror(image, label_map, [])
"""),
    around("borrow-imported", "the module is imported, and nothing of it is called", "paint",
           RIGHT["paint"], before=("import coursekit.parts.welcome as W\nnames = dir(W)",)),
    around("borrow-restored", "it can be called again when the answer has been tried", "iou",
           RIGHT["iou"], before=("""
from coursekit.parts import welcome
def table(ids):
    return welcome.paint(ids, np.eye(3))
""",), after=("table(np.array([[1]]))",)),
)  # fmt: skip
