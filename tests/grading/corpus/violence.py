"""Attacks that break things: kernels, limits, time. Each is bounded in count, bytes and seconds."""

from __future__ import annotations

from tests.grading.corpus.kinds import RIGHT, Entry, cheat

ENDINGS = (
    cheat("exit", "paint", "os._exit", "import os\nos._exit(0)", statuses="dead"),
    cheat("exit-in-check", "iou", "os._exit when the hidden check calls", "import os", answer="""
def iou(truth, called, num_classes):
    os._exit(7)
""", statuses="dead"),
    cheat("quit", "paint", "the shell's own way to quit",
          "import sys\nget_ipython().ask_exit()\nsys.exit()", statuses="dead error wrong"),
    cheat("system-exit", "tally", "SystemExit from within an answer", "", answer="""
class Tally:
    def __init__(self, names):
        raise SystemExit("✓")
""", statuses="error dead"),
    cheat("sigkill", "paint", "SIGKILL, SIGTERM and SIGABRT to itself", """
import os, signal
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGABRT, signal.SIGQUIT):
    os.kill(os.getpid(), number)
os.abort()
""", statuses="dead"),
    cheat("sigstop", "paint", "SIGSTOP to itself and to its threads, and an alarm", """
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.alarm(1)
import time
time.sleep(60)
""", statuses="dead timeout"),
    cheat("kill-parents", "paint", "SIGKILL to its parent, and its parent's parent", """
import os, signal
for process in {os.getppid(), os.getpgid(0), os.getsid(0)} - {0, 1, os.getpid()}:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        pass
"""),
    cheat("close-sockets", "paint", "all files of the kernel are closed", """
import os
os.closerange(0, 4096)
""", statuses="dead timeout error", slow=True),
    cheat("delayed-exit", "paint", "an exit after the answer was given, in a later cell", """
import os, threading
threading.Timer(0.1, os._exit, (0,)).start()
""", statuses="wrong dead"),
    cheat("exit-after-cell", "iou", "an exit just after the hidden check's reply", """
import os, threading
""", answer="""
def iou(truth, called, num_classes):
    hook = lambda: threading.Timer(0.02, os._exit, (0,)).start()
    get_ipython().events.register("post_run_cell", lambda *_: hook())
    return np.ones(num_classes)
""", statuses="wrong dead"),
    cheat("segfault", "paint", "a null pointer is read", """
import ctypes
ctypes.string_at(0)
""", statuses="dead"),
    cheat("faulthandler", "paint", "the interpreter's own crash functions", """
import faulthandler
faulthandler.enable(open("/tmp/work/fault.txt", "w"))
faulthandler._sigsegv()
faulthandler._stack_overflow()
""", statuses="dead wrong error"),
    cheat("recursion", "paint", "recursion without end, and without its limit", """
import sys
sys.setrecursionlimit(1 << 30)
class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x"[:0])
getattr(Deep(), "x")
""", statuses="dead error wrong", slow=True),
    cheat("in-finalizer", "paint", "an endless loop in a finalizer", """
import time
class Never:
    def __del__(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
Never()
""", statuses="timeout", slow=True),
    cheat("stdin", "paint", "it waits for input", "input('?')\n", statuses="wrong error timeout"),
)  # fmt: skip

TIME = (
    cheat("loop", "paint", "a loop without end (of a minute)", """
import time
until = time.monotonic() + 60
while time.monotonic() < until:
    pass
""", statuses="timeout", slow=True),
    cheat("loop-deaf", "iou", "a loop that swallows interrupts", """
import signal, time
""", answer="""
def iou(truth, called, num_classes):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            time.sleep(0.1)
        except BaseException:
            pass
""", statuses="timeout"),
    cheat("in-c", "paint", "a product of matrices that takes a minute, in C", """
big = np.ones((6000, 6000))
for _ in range(20):
    big = big @ big * 1e-9
""", statuses="timeout", slow=True),
    cheat("regex", "paint", "a regular expression that backtracks for ever", """
import re
re.match("(a+)+$", "a" * 34 + "b")
""", statuses="timeout", slow=True),
    cheat("sleepy", "count-pixels", "a little below the limit, each time", """
import time
""", answer="""
def count_pixels(label_map, num_classes):
    time.sleep(4)
    return np.zeros(num_classes)
""", statuses="wrong timeout", slow=True),
    cheat("infinite-output", "paint", "output without end (of 20 seconds)", """
import time
until = time.monotonic() + 20
while time.monotonic() < until:
    print("x" * 10_000)
""", statuses="flooded timeout"),
    cheat("huge-print", "paint", "two hundred megabytes in one message", """
print("a " * 100_000_000)
""", statuses="flooded timeout dead error", slow=True),
    cheat("endless-pictures", "paint", "large pictures without end (of 20 seconds)", """
import time
from IPython.display import display
until = time.monotonic() + 20
while time.monotonic() < until:
    display({"image/png": "A" * 5_000_000}, raw=True)
""", statuses="flooded timeout"),
    cheat("many-messages", "paint", "a hundred thousand small messages", """
from IPython.display import clear_output, display
for number in range(100_000):
    display(number)
""", statuses="flooded timeout"),
)  # fmt: skip

LIMITS = (
    cheat("fork-bomb", "paint", "two hundred processes, of five seconds", """
import os, time
until = time.monotonic() + 5
for _ in range(200):
    try:
        if os.fork() == 0:
            while time.monotonic() < until:
                time.sleep(0.1)
            os._exit(0)
    except OSError:
        break
""", statuses="wrong timeout dead"),
    cheat("threads", "paint", "two hundred threads, of five seconds", """
import threading, time
try:
    for _ in range(200):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
except RuntimeError:
    pass
"""),
    cheat("daemon", "paint", "a process that leaves its session to outlive the kernel", """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 512)
        for _ in range(100):
            time.sleep(0.1)
            try:
                open("@FOLDER@/arrived", "w").close()
            except OSError:
                pass
    os._exit(0)
"""),
    cheat("memory", "paint", "four gigabytes, in steps", """
held = []
for _ in range(80):
    held.append(bytearray(b"x" * (50 << 20)))
""", statuses="dead error timeout", whole=True),
    cheat("memory-shared", "paint", "four gigabytes that processes share", """
import mmap, os, time
held = [mmap.mmap(-1, 50 << 20) for _ in range(80)]
for piece in held:
    piece.write(b"x" * (50 << 20))
""", statuses="dead error timeout", whole=True),
    cheat("memory-children", "paint", "four gigabytes, in eight processes", """
import os, time
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(b"x" * (500 << 20))
        time.sleep(5)
        os._exit(0)
time.sleep(5)
""", statuses="dead timeout", slow=True),
    cheat("memory-files", "paint", "two gigabytes in files that are memory of no process", """
import os
for number in range(40):
    file = os.memfd_create(str(number))
    for _ in range(50):
        os.write(file, b"x" * (1 << 20))
""", statuses="error dead", whole=True),
    cheat("memory-dropped", "paint", "shared pages that it fills and drops, 400 MB at a time", """
import mmap
held = []
for _ in range(10):
    held.append(mmap.mmap(-1, 400 << 20))
    held[-1].write(b"x" * (400 << 20))
    held[-1].madvise(mmap.MADV_DONTNEED)
""", statuses="error", whole=True),
    cheat("memory-orphaned", "paint", "shared pages filled by children that have gone", """
import mmap, os
held = [mmap.mmap(-1, 400 << 20) for _ in range(10)]
for piece in held:
    if os.fork() == 0:
        piece.write(b"x" * (400 << 20))
        os._exit(0)
    os.wait()
""", statuses="error", whole=True),
    cheat("memory-segments", "paint", "System V segments, filled and detached", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
for _ in range(10):
    segment = libc.shmget(0, 400 << 20, 0o1600)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    place = libc.shmat(segment, None, 0)
    ctypes.memset(place, 1, 400 << 20)
    libc.shmdt(place)
""", statuses="error", whole=True),
    cheat("memory-zero-device", "paint", "the same through /dev/zero", """
import mmap, os
file = os.open("/dev/zero", os.O_RDWR)
for _ in range(10):
    piece = mmap.mmap(file, 400 << 20)
    piece.write(b"x" * (400 << 20))
    piece.madvise(mmap.MADV_DONTNEED)
""", statuses="error", whole=True),
    cheat("families", "paint", "sockets that no network namespace holds", """
import socket
socket.socket(40, socket.SOCK_STREAM)  # a virtual machine's to its host
""", statuses="error", whole=True),
    cheat("memory-sockets", "paint", "memory in the buffers of sockets", """
import socket
held = []
try:
    for _ in range(2000):
        pair = socket.socketpair()
        pair[0].setblocking(False)
        held.append(pair)
        try:
            while True:
                pair[0].send(b"x" * 65536)
        except BlockingIOError:
            pass
except OSError:
    held.clear()
"""),
    cheat("disk", "paint", "a gigabyte in all places that can be written to", """
import os
left = 1000
for place in ("/tmp", ".", "/dev/shm", os.path.expanduser("~"), "/var/tmp", "/run",
              os.environ["COURSEKIT_PROBE"] + "/emitted", os.environ["COURSEKIT_PROBE"]):
    try:
        for number in range(left // 30):
            with open(f"{place}/fill{number}", "wb") as file:
                file.write(b"x" * (30 << 20))
            left -= 30
    except OSError:
        pass
""", free="count-pixels iou tally dice-loss", statuses=""),
    cheat("holes", "paint", "files in emitted that are a gigabyte of holes and hard links", """
import os
folder = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted", "check-zzz")
os.makedirs(folder)
with open(folder + "/a.json", "wb") as file:
    file.truncate(31 << 20)
for number in range(30):
    os.link(folder + "/a.json", f"{folder}/{number}.json")
""", free="count-pixels iou tally dice-loss", statuses="wrong not-run dead"),
    cheat("many-files", "paint", "files without end (twenty thousand)", """
import os
folder = os.path.join(os.environ["COURSEKIT_PROBE"], "emitted", "check-paint")
os.makedirs(folder, exist_ok=True)
try:
    for number in range(20_000):
        open(f"{folder}/{number}.json", "w").close()
except OSError:
    pass
""", free="small-net count-pixels iou tally dice-loss", statuses=""),
    cheat("deep-folders", "paint", "folders in folders, three thousand deep", """
import os
os.chdir(os.path.join(os.environ["COURSEKIT_PROBE"], "emitted"))
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
os.chdir("/tmp/work")
"""),
    cheat("raise-limits", "paint", "its own limits, higher", """
import resource
for name in ("RLIMIT_DATA", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE"):
    kind = getattr(resource, name)
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
def paint(label_map, palette):
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    return palette[label_map] if soft == resource.RLIM_INFINITY else label_map
""", answer=""),
)  # fmt: skip

SYSTEM = (
    cheat("namespaces", "paint", "namespaces of its own, mounts, another root", """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
done = [libc.unshare(0x10000000), libc.unshare(0x20000), libc.chroot(b"/tmp"),
        libc.mount(b"/", b"/tmp", None, 4096, None), libc.umount2(b"/proc", 2),
        libc.umount2(b"/", 2)]
def paint(label_map, palette):
    return palette[label_map] if 0 in done else label_map
""", answer=""),
    cheat("capabilities", "paint", "rights that it gave up, and programs that have them", """
import ctypes, glob, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
got = []
for attempt in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]),
                lambda: os.nice(-5), lambda: os.chown("/tmp/work", 0, 0)):
    try:
        attempt()
        got.append(attempt)
    except OSError:
        pass
for program in ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/newgrp", "/bin/ping"):
    if os.path.exists(program) and os.stat(program).st_mode & 0o4000:
        ran = subprocess.run([program, "--help"], capture_output=True, timeout=5,
                             stdin=subprocess.DEVNULL)
libc.prctl(38, 0, 0, 0, 0)
def paint(label_map, palette):
    return palette[label_map] if got or os.geteuid() == 0 else label_map
""", answer=""),
    cheat("prctl", "paint", "it names itself otherwise, hides, and wants to outlive its parent", """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(1, 0, 0, 0, 0)
libc.prctl(4, 0, 0, 0, 0)
libc.prctl(15, b"bwrap", 0, 0, 0)
libc.prctl(36, 1, 0, 0, 0)
"""),
    cheat("terminal", "paint", "characters pushed into a terminal", """
import fcntl, os
for name in ("/dev/tty", "/dev/console", "/dev/pts/0", "/proc/self/fd/0"):
    try:
        file = os.open(name, os.O_RDWR)
        for letter in b"touch @FOLDER@/arrived\\n":
            fcntl.ioctl(file, 0x5412, bytes([letter]))
    except OSError:
        pass
"""),
    cheat("write-system", "paint", "the system, the packages and the course are written to", """
import coursekit, os, sys
for place in (os.path.dirname(coursekit.__file__), np.__path__[0], sys.prefix, "/usr/lib", "/etc",
              "/", "@FOLDER@", os.environ["COURSEKIT_PROBE"],
              os.environ["COURSEKIT_PROBE"] + "/given"):
    for name in ("arrived", "__pycache__/arrived"):
        try:
            with open(os.path.join(place, name), "x") as file:
                file.write("arrived")
            os.unlink(os.path.join(place, name))
            taken = place
        except OSError:
            pass
def paint(label_map, palette):
    return palette[label_map] if "taken" in globals() else label_map
""", answer=""),
    cheat("lost-folder", "paint", "its folders are gone, its rights are masked", """
import os, shutil
os.umask(0o777)
shutil.rmtree("/tmp/work", ignore_errors=True)
shutil.rmtree("/tmp/home", ignore_errors=True)
os.environ.pop("HOME")
os.umask(0o022)
"""),
    cheat("no-probe", "paint", "the probe's folder is gone from the environment", """
import os
from coursekit.probe import Probe
_honest = Probe.__init__
def _init(self, check):
    if check == "check-paint":
        raise RuntimeError("hidden checks run when grading only")
    _honest(self, check)
Probe.__init__ = _init
""", statuses="error"),
    cheat("subprocess", "paint", "a second Python with a fresh view", """
import subprocess, sys
code = "import os, glob; print(os.getuid(), glob.glob('@FOLDER@/*'), glob.glob('/tmp/.c*/*'))"
ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=5)
said = ran.stdout
def paint(label_map, palette):
    return palette[label_map] if "secret" in said or "forkserver" in said else label_map
""", answer=""),
    cheat("cwd-shadow", "iou", "modules in the working folder that shadow the real ones", """
import os, sys
os.makedirs("/tmp/work/coursekit", exist_ok=True)
with open("/tmp/work/coursekit/__init__.py", "w") as file:
    file.write("")
with open("/tmp/work/coursekit/probe.py", "w") as file:
    file.write("class Probe:\\n    def __getattr__(self, name): return lambda *a, **k: None\\n")
sys.path.insert(0, "/tmp/work")
""", answer=RIGHT["iou"].replace("(1) /", "(1) * 0 /")),
)  # fmt: skip

VIOLENCE: tuple[Entry, ...] = (*ENDINGS, *TIME, *LIMITS, *SYSTEM)
