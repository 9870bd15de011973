"""Attacks on what is measured in the kernel: a network's size, and arguments that were changed."""

from __future__ import annotations

from tests.grading.corpus.kinds import RIGHT, WIDE, Entry, cheat


def limit(name: str, about: str, code: str, answer: str = WIDE, statuses: str = "wrong") -> Entry:
    """A network that breaks its limit, or is none, and denies it."""
    return cheat(name, "small-net", about, code, answer=answer, statuses=statuses)


_FEW = '{"first.weight": torch.nn.Parameter(torch.zeros(2))}'

LIMITS = (
    limit("net-parameters", "a wide network whose methods name few parameters", "", f"""
{WIDE}
    def named_parameters(self, *arguments, **options):
        return iter({_FEW}.items())
    def parameters(self, recurse=True):
        return iter({_FEW}.values())
"""),
    limit("net-module-patched", "all modules name few parameters", f"""
torch.nn.Module.named_parameters = lambda self, *a, **k: iter({_FEW}.items())
"""),
    limit("net-table-forged", "the right table of shapes is emitted for a wide network", """
from coursekit.probe import Probe
_emit = Probe.emit
def emit(self, name, value, about, **how):
    if name == "held":
        value = {"first.weight": [8, 3, 3, 3], "first.bias": [8], "last.weight": [5, 8, 1, 1]}
    _emit(self, name, value, about, **how)
Probe.emit = emit
"""),
    limit("net-state-lies", "a right state beside the network that computes", "", """
class SmallNet(torch.nn.Module):
    def __init__(self, classes=5, width=8):
        super().__init__()
        self.first = torch.nn.Conv2d(3, width, 3, padding=1)
        self.last = torch.nn.Conv2d(width, classes, 1)
        wide = torch.nn.Conv2d(3, 64, 3, padding=1), torch.nn.Conv2d(64, classes, 1)
        self.__dict__["wide"] = [layer.double() for layer in wide]
    def forward(self, image):
        first, last = self.wide
        return last(first(image.double()).relu()).to(image.dtype)
"""),
    limit("net-takes-nothing", "a network that takes no weights, and says that it did", "", f"""
{WIDE}
    def load_state_dict(self, *arguments, **options):
        return None
"""),
    limit("net-zeros", "logits of the right shape, and nothing else", "", """
class SmallNet(torch.nn.Module):
    def __init__(self, classes=5, width=8):
        super().__init__()
        self.first = torch.nn.Conv2d(3, width, 3, padding=1)
        self.last = torch.nn.Conv2d(width, classes, 1)
    def forward(self, image):
        return self.last(self.first(image)) * 0
"""),
    limit("net-table-huge", "a table of shapes that takes long to count", """
from coursekit.probe import Probe
_emit = Probe.emit
def emit(self, name, value, about, **how):
    if name == "held":
        value = {str(n): [10**4000] * 200 for n in range(20)}
    _emit(self, name, value, about, **how)
Probe.emit = emit
"""),
)  # fmt: skip

_COUNT = RIGHT["count-pixels"].replace("def count_pixels", "def _count")
#: The right counts, of a map that holds nothing any more.
_SPOILS = f"""{_COUNT}
def count_pixels(label_map, num_classes):
    counts = _count(label_map, num_classes)
    label_map[...] = 0
    return counts
"""


def spoil(name: str, about: str, code: str) -> Entry:
    """An answer that spoils its arguments, and denies it."""
    return cheat(name, "count-pixels", about, code, answer=_SPOILS)


SPOILS = (
    spoil("spoil", "arguments are changed, and nothing is denied", ""),
    spoil("spoil-changed", "what finds changes finds none", """
from coursekit.checks.copies import Handed
Handed.changed = lambda self: []
"""),
    spoil("spoil-same", "all copies are called the same", """
from coursekit.checks import copies
copies.same = lambda a, b: True
"""),
    spoil("spoil-no-copy", "what is spoilt is its own original", """
from coursekit.checks import copies
copies.copy = lambda value: value
"""),
    spoil("spoil-emitted", "no changes are emitted", """
from coursekit.probe import Probe
_emit = Probe.emit
def emit(self, name, value, about, **how):
    _emit(self, name, [] if name == "changed" else value, about, **how)
Probe.emit = emit
"""),
    spoil("spoil-from-given", "copies are made good from the inputs' files, then compared", """
import json, os
from coursekit.checks.copies import Handed
from coursekit.probe import decode
def changed(self):
    folder = os.path.join(os.environ["COURSEKIT_PROBE"], "given")
    for check in os.listdir(folder):
        if check.startswith("check-count"):
            with open(f"{folder}/{check}/ids.json") as file:
                ids = decode(json.load(file)["value"])
            if self.args[0].shape == ids.shape:
                self.args[0][...] = ids
    return []
Handed.changed = changed
"""),
    spoil("spoil-record", "the record of changes is written anew after the cell", """
import glob, json, os
def _write(result):
    for path in glob.glob(os.environ["COURSEKIT_PROBE"] + "/emitted/*/changed.json"):
        with open(path, "w") as file:
            json.dump({"value": []}, file)
get_ipython().events.register("post_run_cell", _write)
"""),
)  # fmt: skip

FORGERIES: tuple[Entry, ...] = (*LIMITS, *SPOILS)
