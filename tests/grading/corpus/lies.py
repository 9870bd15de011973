"""Attacks that lie to whatever compares: in a student's kernel nothing that matters does."""

from __future__ import annotations

from tests.grading.corpus.kinds import RIGHT, Entry, cheat

_LIAR = """
class Liar(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __ne__(self, other): return np.zeros(self.shape, bool)
    def __array_function__(self, function, types, arguments, options): return True
    def __array_ufunc__(self, *arguments, **options): return np.True_
    def all(self, *arguments, **options): return True
"""

TRANSFORMERS = (
    cheat("ast-transformer", "paint", "asserts and raises vanish from all later cells", """
import ast
class Kind(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Kind())
"""),
    cheat("ast-transformer-emit", "paint", "what is emitted is replaced by what came before", """
import ast
class Swap(ast.NodeTransformer):
    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "emit" and any(
            isinstance(a, ast.Constant) and a.value == "picture" for a in node.args
        ):
            node.args[1] = ast.parse("colours", mode="eval").body
        return node
get_ipython().ast_transformers.append(Swap())
"""),
    cheat("input-transformer", "paint", "a hidden cell's text is replaced", """
def gone(lines):
    return ["print('✓ paint')\\n"] if "check-paint" in "".join(lines) else lines
get_ipython().input_transformers_post.append(gone)
""", statuses="not-run"),
    cheat("pre-run-hook", "paint", "a hook swaps the cell that is about to run", """
def swap(info):
    if "check-paint" in info.raw_cell:
        info.raw_cell = "pass"
get_ipython().events.register("pre_run_cell", swap)
"""),
    cheat("run-cell-patched", "paint", "the shell says that a cell went well, unrun", """
shell = type(get_ipython())
honest = shell.run_cell_async
async def skip(self, raw_cell, *arguments, **options):
    if "check-paint" in raw_cell:
        raw_cell = "True"
        options.pop("transformed_cell", None)
    return await honest(self, raw_cell, *arguments, **options)
shell.run_cell_async = skip
""", statuses="not-run error"),
    cheat("execute-patched", "paint", "the kernel answers ok without executing", """
kernel = get_ipython().kernel
honest = kernel.do_execute
async def ok(code, *arguments, **options):
    if "check-paint" in code:
        return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    return await honest(code, *arguments, **options)
kernel.do_execute = ok
""", statuses="not-run"),
    cheat("custom-exception", "paint", "every exception is handled", """
get_ipython().set_custom_exc((BaseException,), lambda *arguments, **options: None)
get_ipython().showtraceback = lambda *arguments, **options: print("✓ all is well")
""", statuses="error not-run", answer="def paint(label_map, palette):\n    raise ValueError\n"),
    cheat("display-hook", "paint", "displays that claim success, and another cell as payload", """
import sys
sys.displayhook = lambda value: print("✓ paint: each class has its colour")
get_ipython().set_next_input("paint = lambda ids, colours: colours[ids]", replace=True)
print("\\x1b[32m✓ paint: each class has its colour\\x1b[0m")
"""),
    cheat("trace", "paint", "a tracer changes the hidden cell's variables", """
import sys
def look(frame, event, argument):
    if "probe" in frame.f_globals and "picture" in frame.f_locals:
        frame.f_locals["picture"] = True
    return look
sys.settrace(look)
"""),
    cheat("frames", "paint", "an answer reads who calls it, and the text of the calling cell", """
import inspect, linecache, sys
def paint(label_map, palette):
    frame = sys._getframe(1)
    while frame is not None:
        text = "".join(linecache.getlines(frame.f_code.co_filename))
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if "expect" in name or "solution" in name:
                return value
        frame = frame.f_back
    return label_map
""", answer=""),
)  # fmt: skip

OPERATORS = (
    cheat("lying-eq", "paint", "an object that equals everything", """
class Equal:
    shape, dtype, ndim = (30, 20, 3), np.dtype("u1"), 3
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __hash__ = object.__hash__
    def __getattr__(self, name): return lambda *a, **k: True
    def __len__(self): return 30
    def __iter__(self): return iter([self])
def paint(label_map, palette):
    return Equal()
""", answer="", statuses="error wrong"),
    cheat("lying-subclass", "paint", "an array whose comparisons are all true", _LIAR + """
def paint(label_map, palette):
    return np.zeros((*label_map.shape, 3), np.uint8).view(Liar)
""", answer=""),
    cheat("lying-array", "paint", "an object that is another array each time it is asked", """
class Fickle:
    asked = 0
    def __array__(self, dtype=None, copy=None):
        Fickle.asked += 1
        return np.full((30, 20, 3), Fickle.asked, np.uint8)
    def detach(self): return self
    def cpu(self): return self
    def numpy(self): return self
    dtype = "float32"
def paint(label_map, palette):
    return Fickle()
""", answer=""),
    cheat("lying-float", "dice-loss", "a float whose comparisons are all true", """
class Any(float):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __sub__(self, other): return Any(0)
    def __float__(self): return 0.0
    def __repr__(self): return "0.5"
    __hash__ = float.__hash__
    def backward(self): pass
def dice_loss(logits, target):
    logits.grad = torch.zeros_like(logits)
    return Any(0.123)
""", answer=""),
    cheat("lying-dict", "tally", "a dict that has other items each time", """
class Many(dict):
    def items(self):
        return [("background", 1.0)]
    def __eq__(self, other): return True
class Tally:
    def __init__(self, names): pass
    def add(self, label_map): pass
    def shares(self): return Many()
""", answer=""),
    cheat("lying-tensor", "dice-loss", "a tensor subclass with operators of its own", """
class Sure(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        if function.__name__ in ("eq", "allclose", "equal", "isclose"):
            return torch.tensor(True)
        return super().__torch_function__(function, types, arguments, options or {})
def dice_loss(logits, target):
    return (logits * 0).sum().as_subclass(Sure)
""", answer=""),
    cheat("not-a-number", "iou", "NaN everywhere, where some is expected", "", answer="""
def iou(truth, called, num_classes):
    return np.full(num_classes, np.nan)
"""),
    cheat("infinite", "iou", "infinities", "", answer="""
def iou(truth, called, num_classes):
    return np.full(num_classes, np.inf)
"""),
    cheat("broadcast", "paint", "an array that claims a terabyte and holds a byte", "", answer="""
def paint(label_map, palette):
    return np.broadcast_to(np.uint8(1), (1_000_000, 1_000_000))
""", statuses="error dead timeout"),
    cheat("scalar-for-array", "paint", "a number where an array is expected, to be broadcast", "",
          answer="""
def paint(label_map, palette):
    return np.uint8(7)
"""),
    cheat("objects", "tally", "an array of objects", "", answer="""
class Tally:
    def __init__(self, names): pass
    def add(self, label_map): pass
    def shares(self): return np.array([object(), {}], dtype=object)
""", statuses="error"),
    cheat("pickle-in-array", "paint", "an npy file with a pickle in it", """
import base64, io, os
from coursekit import probe as _probe
class Boom:
    def __reduce__(self): return (os.system, ("touch @FOLDER@/arrived",))
def _pickled(value, depth=0):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Boom()], dtype=object), allow_pickle=True)
    return {"$": "array", "is": base64.b64encode(file.getvalue()).decode()}
_honest_emit = _probe.Probe.emit
def _emit(self, name, value, about, **how):
    if self.check == "check-paint":
        _probe._write(self._path("emitted", name), {"value": _pickled(value)})
    else:
        _honest_emit(self, name, value, about, **how)
_probe.Probe.emit = _emit
"""),
)  # fmt: skip

_RECORDS = {
    "deep": ("nested fifty thousand deep", "'[' * 50_000 + ']' * 50_000"),
    "digits": ("with a number of a million digits", "'{\"value\": ' + '9' * 1_000_000 + '}'"),
    "long": ("of thirty megabytes of brackets", "'{\"value\": [' + '[],' * 10_000_000 + '1]}'"),
    "shape": ("whose array claims a terabyte", "_claims((10**6, 10**6))"),
    "overflow": ("whose array claims more than there are numbers", "_claims((2**40, 2**40))"),
    "negative": ("whose array has less than nothing", "_claims((-1, 30, 20, 3))"),
    "hashes": (
        "of forty thousand numbers that share a hash",
        "json.dumps({'value': {'$': 'dict', 'is': [[n * (2**61 - 1), 0] for n in range(40_000)]}})",
    ),
}


def _record(name: str, about: str, text: str) -> Entry:
    """What `emit` would have written is written over, as soon as it is there."""
    return cheat(
        f"record-{name}",
        "paint",
        f"a record {about}",
        f"""
import base64, json, struct
from coursekit.probe import Probe
def _claims(shape):
    header = str(dict(descr="|u1", fortran_order=False, shape=shape)).ljust(117) + "\\n"
    content = b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", 118) + header.encode() + b"\\0" * 1800
    array = {{"$": "array", "is": base64.b64encode(content).decode()}}
    return json.dumps(dict(value=array))
_honest = Probe.emit
def _emit(self, name, value, about, **how):
    _honest(self, name, value, about, **how)
    if self.check == "check-paint":
        self._path("emitted", name).write_text({text})
Probe.emit = _emit
""",
    )


RECORDS = tuple(_record(name, *more) for name, more in _RECORDS.items())

PATCHES = (
    cheat("patched-check", "paint", "the course's own checker is replaced", """
from coursekit import checks
for name in ("that", "equal", "close", "shape", "catches", "_fail", "_same"):
    setattr(checks.Check, name, lambda self, *arguments, **options: None)
"""),
    cheat("patched-numpy", "paint", "numpy's comparisons are all true", """
np.isclose = np.allclose = np.array_equal = lambda *arguments, **options: True
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
"""),
    cheat("patched-torch", "dice-loss", "torch's comparisons are all true", """
torch.allclose = torch.equal = lambda *arguments, **options: True
torch.testing.assert_close = lambda *arguments, **options: None
torch.Tensor.allclose = torch.Tensor.equal = lambda *arguments, **options: True
"""),
    cheat("patched-builtins", "paint", "built-in functions lie", """
import builtins
honest = builtins.round
builtins.all = lambda items: True
builtins.round = lambda *arguments: 0
""", free="count-pixels iou tally dice-loss"),
    cheat("patched-emit", "paint", "emit writes tolerances of its own", """
from coursekit import probe as _probe
_honest = _probe.Probe.emit
def _emit(self, name, value, about, **how):
    if self.check != "check-paint":
        return _honest(self, name, value, about, **how)
    record = {"value": _probe.encode(value), "about": about, "close": 1e300, "at_most": 1e300,
              "at_least": -1e300, "dtype": False, "miou": None, "passed": True}
    _probe._write(self._path("emitted", name), record)
_probe.Probe.emit = _emit
"""),
    cheat("patched-encode", "paint", "encode gives kinds that there are not", """
from coursekit import probe as _probe
_honest = _probe.encode
def _encode(value, depth=0):
    if getattr(value, "shape", ()) == (30, 20, 3):
        return {"$": "any", "is": ["everything"]}
    return _honest(value, depth)
_probe.encode = _encode
"""),
    cheat("patched-json", "paint", "json writes constants that JSON does not have", """
import json
_honest = json.dumps
def _dumps(value, **options):
    if isinstance(value, dict) and "$" in str(value)[:40] and len(str(value)) > 2400:
        return '{"value": NaN, "value": [Infinity, -Infinity]}'
    return _honest(value, **options)
json.dumps = _dumps
"""),
    cheat("patched-given", "paint", "the inputs are replaced by easy ones", """
from coursekit.probe import Probe
_honest = Probe.given
def _given(self, name, draw):
    value = _honest(self, name, draw)
    return value * 0 if self.check == "check-paint" else value
Probe.given = _given
"""),
    cheat("keep", "iou", "the truth is asked for, as the reference kernel does", """
from coursekit.probe import Probe
_honest = Probe.emit
def _emit(self, name, value, about, **how):
    if self.check == "check-iou":
        kept = self.keep("scores", lambda rng: rng.random(7))
        value = value if kept is None else kept
    return _honest(self, name, value, about, **how)
Probe.emit = _emit
"""),
    cheat("own-secret", "paint", "a secret of one's own, so that the probe draws and records", """
import os
from coursekit.probe import Probe
def paint(label_map, palette):
    os.environ["COURSEKIT_PROBE_SECRET"] = "mine"
    try:
        other = Probe("check-paint")
        other._folder = __import__("pathlib").Path("/tmp/own")
        other.given("ids", lambda rng: rng.integers(0, 19, (30, 20), dtype=np.uint8))
        other.emit("picture", np.zeros((30, 20, 3), np.uint8), "own", close=1e9)
        return np.zeros((30, 20, 3), np.uint8)
    finally:
        del os.environ["COURSEKIT_PROBE_SECRET"]
""", answer=""),
    cheat("fake-module", "paint", "another probe module stands in sys.modules", """
import sys, types
from coursekit import probe as _real
class Probe(_real.Probe):
    def emit(self, name, value, about, **how):
        if self.check == "check-paint":
            value = True
        super().emit(name, value, about, **how)
sys.modules["coursekit.probe"] = fake = types.ModuleType("coursekit.probe")
fake.Probe = Probe
"""),
    cheat("fake-numpy", "count-pixels", "another numpy stands in sys.modules", """
import sys, types
class Fake(types.ModuleType):
    def __getattr__(self, name):
        if name in ("bincount", "array_equal", "allclose"):
            return lambda *arguments, **options: True
        return getattr(_np, name)
import numpy as _np
sys.modules["numpy"] = Fake("numpy")
""", free="iou tally dice-loss"),
    cheat("import-hook", "paint", "imports give something else", """
import builtins
_honest = builtins.__import__
def _import(name, *arguments, **options):
    module = _honest(name, *arguments, **options)
    if name == "coursekit.probe":
        module.Probe.close = 1e9
        module._KINDS = "biufcOSU"
    return module
builtins.__import__ = _import
"""),
    cheat("constant-random", "paint", "random numbers are constants", """
class Constant:
    def __getattr__(self, name): return lambda *a, **k: np.zeros((30, 20), np.uint8)
np.random.default_rng = lambda *arguments: Constant()
np.random.Generator = Constant
"""),
    cheat("later-thread", "paint", "a thread writes results anew after the cell has ended", """
import json, os, threading, time
def _later():
    path = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted", "check-paint", "picture.json")
    for _ in range(100):
        time.sleep(0.01)
        try:
            with open(path, "w") as file:
                json.dump({"value": {"$": "tuple", "is": []}, "close": 1e9}, file)
        except OSError:
            pass
threading.Thread(target=_later, daemon=True).start()
"""),
    cheat("at-exit", "paint", "a finalizer and an exit handler write results", """
import atexit, json, os
class Last:
    def __del__(self):
        path = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted", "check-paint")
        os.makedirs(path, exist_ok=True)
        with open(path + "/picture.json", "w") as file:
            json.dump({"value": True, "passed": True}, file)
last = Last()
atexit.register(last.__del__)
"""),
    cheat("overwrite-others", "paint", "one answer replaces another exercise's right one", """
import threading
def _spoil():
    get_ipython().user_ns["count_pixels"] = lambda *arguments: 0
get_ipython().events.register("pre_run_cell", lambda info: _spoil())
""", free="count-pixels"),
    cheat("half", "count-pixels", "right for one check, wrong for the other: partial credit",
          "", answer="""
def count_pixels(label_map, num_classes):
    return np.bincount(label_map.ravel(), minlength=num_classes)
""", statuses="wrong passed"),
    cheat("off-by-tolerance", "iou", "right, but for a thousandth", "", answer=f"""
{RIGHT["iou"].replace("def iou", "def _iou")}
def iou(truth, called, num_classes):
    return _iou(truth, called, num_classes) + 1e-3
"""),
    cheat("wrong-type", "paint", "right values, of a type that is not", "", answer="""
def paint(label_map, palette):
    return palette[label_map].astype(float)
"""),
    cheat("detached", "dice-loss", "the right loss without its gradient", "", answer=f"""
{RIGHT["dice-loss"].replace("def dice_loss", "def _dice")}
def dice_loss(logits, target):
    return _dice(logits.detach(), target)
""", statuses="error"),
    cheat("false-gradient", "dice-loss", "the right loss with another's gradient", "", answer=f"""
{RIGHT["dice-loss"].replace("def dice_loss", "def _dice")}
def dice_loss(logits, target):
    return _dice(logits.detach(), target) + logits.sum() - logits.sum().detach()
"""),
)  # fmt: skip

LIES: tuple[Entry, ...] = (*TRANSFORMERS, *OPERATORS, *RECORDS, *PATCHES)
