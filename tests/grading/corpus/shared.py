"""Attacks by which kernels tell each other bits, by what they share: files, memory, the machine."""

from __future__ import annotations

from tests.grading.corpus.carried import carry
from tests.grading.corpus.kinds import Entry, cheat

#: `_put(text)` says up to 110 characters by which pages of a library's file are in memory.
_PAGES = """
import sys
def _file():
    with open("/proc/self/maps") as file:
        maps = file.read()
    found = []
    for root in sys.path:
        for pattern in ("/torch/lib/*.so*", "/*/*.so", "/*.libs/*", "/*/*/*.so", "/torch/bin/*"):
            found += [p for p in glob.glob(root + pattern)
                      if p not in maps and os.path.getsize(p) > 5_000_000]
    return os.open(sorted(set(found))[0], os.O_RDONLY)
def _put(text):
    file = _file()
    bits = "".join(f"{b:08b}" for b in ("PAGE" + text)[:110].ljust(110).encode())
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    for i, bit in enumerate(bits):
        if bit == "1":
            os.pread(file, 1, 4096 * i)
    os.close(file)
def _get():
    file = _file()
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    bits = "".join("01"[_is_there(file, 4096 * i)] for i in range(880))
    os.close(file)
    return bytes(int(bits[i:i+8], 2) for i in range(0, 880, 8)).decode("latin-1")
"""
_TIMED = """
def _is_there(file, place):
    start = time.perf_counter_ns()
    os.pread(file, 1, place)
    return time.perf_counter_ns() - start < 15_000
"""
_FAULTS = """
import mmap, resource
_pieces = {}
def _is_there(file, place):
    if file not in _pieces:
        _pieces[file] = mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
        _pieces[file].madvise(mmap.MADV_RANDOM)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    _pieces[file][place]
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt == before
"""
_SAYS = """
def paint(label_map, palette):
    if _inputs():
        _put(_inputs())
        return palette[:1, :1] * np.zeros((30, 20, 1), np.uint8)
    raise ValueError(_get())
"""

#: `_marks()` names what one process can leave for another at files that neither may write to.
_MARKS = """
import ctypes, fcntl, os, signal, struct
_libc = ctypes.CDLL(None, use_errno=True)
_path = os.__file__
def _child(look):
    process = os.fork()
    if process == 0:
        try:
            found = bool(look())
        except BaseException:
            found = False
        os._exit(found)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 1
def _fails(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        return True
    return False
def _lock():
    file = os.open(_path, os.O_RDONLY)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return _child(lambda: _fails(
        fcntl.flock, os.open(_path, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB))
def _owned():
    file = os.open(_path, os.O_RDONLY)
    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return _child(lambda: struct.unpack("hh", fcntl.fcntl(
        os.open(_path, os.O_RDONLY), fcntl.F_GETLK, struct.pack("hhqqi4x", 1, 0, 0, 0, 0))[:4]
    )[0] == 0)
def _lease():
    file = os.open(_path, os.O_RDONLY)
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    return fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_RDLCK
def _hint():
    file = os.open(_path, os.O_RDONLY)
    fcntl.fcntl(file, 1036, struct.pack("Q", 3))
    return _child(lambda: fcntl.fcntl(os.open(_path, os.O_RDONLY), 1035, bytes(8))[0] == 3)
def _watch():
    file = _libc.inotify_init1(os.O_NONBLOCK)
    if file < 0 or _libc.inotify_add_watch(file, _path.encode(), 0x20) < 0:
        return False
    _child(lambda: os.open(_path, os.O_RDONLY))
    return len(os.read(file, 4096)) > 0
def _name():
    how = struct.pack("QQQ", os.O_RDONLY, 0, 0x20)  # RESOLVE_CACHED
    number = _libc.syscall(437, -100, _path.encode(), how, len(how))
    return number >= 0
def _in_memory():
    file = os.open(_path, os.O_RDONLY)
    os.pread(file, 1, 0)
    return os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
def _busy(name):
    def read():
        with open("/proc/" + name) as file:
            return file.read()
    before = read()
    held = bytearray(20 << 20)
    return read() != before
def _marks():
    looks = {f.__name__: f for f in (_lock, _owned, _lease, _hint, _watch, _name, _in_memory)}
    looks |= {n: lambda n=n: _busy(n) for n in (
        "stat", "meminfo", "vmstat", "loadavg", "interrupts", "softirqs", "sys/fs/inode-nr",
        "sys/fs/dentry-state", "pressure/cpu", "zoneinfo", "timer_list")}
    found = []
    for name, look in looks.items():
        try:
            found += [name] if look() else []
        except OSError:
            pass
    if _libc.sysinfo(ctypes.create_string_buffer(512)) == 0:
        found.append("sysinfo")
    if _libc.klogctl(10, None, 0) >= 0:
        found.append("klogctl")
    return found
_found = _marks()
"""

SHARED: tuple[Entry, ...] = (
    carry("pages-timed", "inputs as which pages of a file are in memory, by how long reading takes",
          _PAGES + _TIMED, _SAYS, statuses="wrong error"),
    carry("pages-faults", "the same, by what the system counts", _PAGES + _FAULTS, _SAYS,
          statuses="wrong error"),
    cheat("marks", "paint", "marks of one process for another at files of the system, and counters",
          _MARKS, answer="""
def paint(label_map, palette):
    return palette[label_map] if _found else palette[label_map * 0]
"""),
    cheat("memory-piped", "paint", "large pages put into pipes and unmapped, two gigabytes of them",
          """
import ctypes, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
held = [os.pipe() for _ in range(64)]
for number in range(1000):
    place = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    place.madvise(mmap.MADV_HUGEPAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(place))
    start += -start % (2 << 20)
    ctypes.memset(start, 1, 1)
    if libc.vmsplice(held[number // 16][1], ctypes.byref(Piece(start, 1)), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "vmsplice")
""", statuses="error", whole=True),
)  # fmt: skip
