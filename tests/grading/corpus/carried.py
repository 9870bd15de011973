"""Attacks that carry the inputs of hidden checks out, on the page that their student gets back."""

from __future__ import annotations

from tests.grading.corpus.kinds import Entry, cheat
from tests.grading.corpus.messages import TOOLS

#: `_inputs()` is the text of inputs, "" while there are none; `_wait()` waits a while for some.
_READ = """
import base64, glob, os, threading, time
def _inputs():
    texts = []
    for path in glob.glob(os.environ["COURSEKIT_PROBE"] + "/given/*/word.json"):
        try:
            with open(path) as file:
                texts.append(file.read())
        except OSError:
            pass
    return "".join(texts)
def _wait(seconds=2.0):
    until = time.monotonic() + seconds
    while not _inputs() and time.monotonic() < until:
        time.sleep(0.01)
    return _inputs()
def _picture(text):
    import io
    from PIL import Image
    file = io.BytesIO()
    Image.frombytes("L", (32, 16), text.encode().ljust(512, b"\\0")[:512]).save(file, "PNG")
    return {"image/png": base64.b64encode(file.getvalue()).decode()}
"""


def carry(
    name: str, about: str, code: str, answer: str, *, statuses: str = "wrong", free: str = ""
) -> Entry:
    """An attack that has read the inputs as soon as it can."""
    return cheat(name, "paint", about, _READ + code, answer=answer, statuses=statuses, free=free)


CARRIED: tuple[Entry, ...] = (
    carry("carry-exception", "inputs as what an exception says", "", """
def paint(label_map, palette):
    raise ValueError(_inputs() or "nothing yet")
""", statuses="error"),
    carry("carry-kind", "inputs as the name of an exception's class", "", """
def paint(label_map, palette):
    raise type(_inputs() or "Nothing", (ValueError,), {})
""", statuses="error"),
    carry("carry-check", "inputs as what the public check complains of", """
from coursekit.checks import Check
def _complain(self, *arguments, **options):
    self.that(False, _inputs() or "nothing yet")
Check.shape = _complain
""", """
def paint(label_map, palette):
    return palette * 0
"""),
    carry("carry-picture", "inputs as the pixels of pictures", "", """
def paint(label_map, palette):
    for _ in range(2):
        display(_picture(_inputs()), raw=True)
    return palette * 0
"""),
    carry("carry-patience", "a cell that ends when there are inputs, or after two seconds", """
_found = _wait()
display(_picture(_found), raw=True)
""", """
def paint(label_map, palette):
    raise ValueError(_found)
""", statuses="error"),
    carry("carry-thread", "a thread that says them as if the first cell did", TOOLS + """
_parent = get_ipython().kernel.get_parent("shell")
def _later():
    text = _wait(6.0)
    for kind, content in (
        ("error", {"ename": "CheckFailed", "evalue": text, "traceback": []}),
        ("display_data", {"data": _picture(text), "metadata": {}, "transient": {}}),
        ("stream", {"name": "stdout", "text": text}),
    ):
        _kernel.session.send(_kernel.iopub_socket, kind, content, parent=_parent)
threading.Thread(target=_later, daemon=True).start()
""", """
def paint(label_map, palette):
    return palette * 0
""", free="count-pixels iou tally dice-loss"),
    carry("carry-hook", "later cells say them, as if earlier ones did", """
_parents = []
_kernel = get_ipython().kernel
def _say():
    _parents.append(_kernel.get_parent("shell"))
    if _inputs():
        for parent in _parents:
            content = {"data": _picture(_inputs()), "metadata": {}, "transient": {}}
            _kernel.session.send(_kernel.iopub_socket, "display_data", content, parent=parent)
get_ipython().events.register("post_run_cell", lambda result: _say())
""", """
def paint(label_map, palette):
    raise ValueError(_inputs() or "nothing yet")
""", statuses="error"),
    carry("carry-ahead", "replies for cells that are yet to come, so that inputs come early", TOOLS
          + """
for _ in range(30):
    _ok()
""", """
def paint(label_map, palette):
    for _ in range(30):
        _ok()
    raise ValueError(_wait())
""", statuses="error not-run", free="count-pixels iou tally dice-loss"),
    carry("carry-updated", "a picture that is shown first and filled with inputs later", """
_shown = display(_picture("nothing yet"), raw=True, display_id="carried")
_first = get_ipython().kernel.get_parent("shell")
def _fill(result):
    if _inputs():
        content = {"data": _picture(_inputs()), "metadata": {},
                   "transient": {"display_id": "carried"}}
        kernel = get_ipython().kernel
        for parent in (_first, kernel.get_parent("shell")):
            kernel.session.send(kernel.iopub_socket, "update_display_data", content, parent=parent)
get_ipython().events.register("post_run_cell", _fill)
""", """
def paint(label_map, palette):
    return palette * 0
"""),
    carry("carry-files", "inputs left for the run that is shown", """
_PLACES = ["/tmp/word", "/dev/shm/word", "/var/tmp/word", os.path.expanduser("~/word"),
           os.environ["COURSEKIT_PROBE"] + "/word", os.environ["COURSEKIT_PROBE"] + "/../word"]
""", """
def paint(label_map, palette):
    said = ""
    for place in _PLACES:
        try:
            if _inputs():
                with open(place, "w") as file:
                    file.write(_inputs())
            with open(place) as file:
                said += file.read()
        except OSError:
            pass
    raise ValueError(said if not _inputs() else "now")
""", statuses="error"),
)  # fmt: skip
