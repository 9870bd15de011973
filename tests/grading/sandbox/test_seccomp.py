"""System calls under the filter: what no lesson needs fails, what libraries do works."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from typing import Any

import pytest

from coursekit.grading.sandbox import seccomp

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in seccomp._MACHINES,
    reason="there is no filter for this machine",
)

_TRY = """
import ctypes, errno, fcntl, json, mmap, os, shutil, socket, sqlite3, sys, tempfile
from coursekit.grading.sandbox import seccomp
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
filtered = seccomp.refuse_system_calls()
def call(number, *arguments):
    return "done" if libc.syscall(number, *arguments) >= 0 else errno.errorcode[ctypes.get_errno()]
def attempt(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
shared = open(os.__file__, "rb")  # as the files of the system are to kernels
piece = mmap.mmap(-1, 1 << 16, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
pair = socket.socketpair()
own = tempfile.TemporaryDirectory()
with open(f"{own.name}/a", "wb") as file:
    file.write(b"x" * 100_000)
def sqlite():
    base = sqlite3.connect(f"{own.name}/b")
    with base:
        base.execute("create table t (x)")
        base.execute("insert into t values (1)")
    assert base.execute("select x from t").fetchall() == [(1,)]
    base.close()
place = seccomp._MACHINES[os.uname().machine][0]
tables = {"refused": seccomp._REFUSED, "unknown": seccomp._UNKNOWN, "ignored": seccomp._IGNORED}
said = {name: {c: call(n[place], *[0] * 6) for c, n in table.items()}
        for name, table in tables.items()}
said |= {
    "filtered": filtered,
    "old": [call(n, 0, 0, 0) for n in seccomp._OLD.values()] if place == 0 else ["EPERM"],
    "newer": [call(n, 0) for n in (seccomp._NEWER, 500, 0x40000000 | 39)],
    "in memory": attempt(os.preadv, shared.fileno(), [bytearray(4)], 0, os.RWF_NOWAIT),
    "advice": attempt(os.posix_fadvise, shared.fileno(), 0, 0, os.POSIX_FADV_DONTNEED),
    "fcntl": {c: attempt(fcntl.fcntl, shared, c, bytes(64)) for c in (
        5, 36, 1024, 1025, 1026, 1035, 1036, 1037, 1038)},
    "key": attempt(fcntl.ioctl, shared, 0xC0506617, bytes(80)),
    "counted": [attempt(pair[0].getsockopt, socket.SOL_SOCKET, o, 8) for o in (57, 77)],
    "pages": [attempt(piece.madvise, advice) for advice in (12, 20, 21)],
    "works": {
        "read": attempt(os.preadv, shared.fileno(), [bytearray(4)], 0),
        "flags": attempt(fcntl.fcntl, shared, fcntl.F_GETFL),
        "duplicate": attempt(fcntl.fcntl, shared, fcntl.F_DUPFD_CLOEXEC, 40),
        "flock": attempt(fcntl.flock, shared, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "lock": attempt(fcntl.lockf, shared, fcntl.LOCK_SH | fcntl.LOCK_NB),
        "pages": attempt(piece.madvise, mmap.MADV_DONTNEED),
        "copy": attempt(shutil.copy, f"{own.name}/a", f"{own.name}/c"),
        "sqlite": attempt(sqlite),
        "option": attempt(pair[0].getsockopt, socket.SOL_SOCKET, socket.SO_TYPE),
        "waiting": attempt(fcntl.ioctl, shared, 0x541B, bytes(4)),
    },
}
own.cleanup()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    if not found["filtered"]:
        pytest.skip("this machine's Linux has no filters of system calls")
    return found


@pytest.mark.parametrize(
    ("table", "answer"), [("refused", "EPERM"), ("unknown", "ENOSYS"), ("ignored", "done")]
)
def test_calls_that_no_lesson_needs_get_the_answer_that_libraries_bear(
    said: dict[str, Any], table: str, answer: str
) -> None:
    assert set(said[table].values()) == {answer}, said[table]
    assert set(said["old"]) == {"EPERM"} and set(said["newer"]) == {"ENOSYS"}


def test_nothing_is_left_at_a_shared_file_nor_found_there(said: dict[str, Any]) -> None:
    assert said["in memory"] in ("EOPNOTSUPP", "ENOTSUP") and said["advice"] == "done"
    assert set(said["fcntl"].values()) == {"EINVAL"}, said["fcntl"]
    assert said["key"] == "ENOTTY" and said["pages"] == ["EINVAL"] * 3
    assert said["counted"] == ["ENOPROTOOPT"] * 2


def test_honest_calls_work(said: dict[str, Any]) -> None:
    assert set(said["works"].values()) == {"done"}, said["works"]


def test_each_call_is_named_once() -> None:
    pairs = [n for t in (seccomp._REFUSED, seccomp._UNKNOWN, seccomp._IGNORED) for n in t.values()]
    assert len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs}) == len(pairs)
