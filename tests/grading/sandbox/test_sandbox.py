"""What a sandbox promises, tried from within its kernels, however isolated this machine can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import coursekit
from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.grading.run.executor import Executor, Run, Timeouts
from coursekit.grading.run.protocol import CELL, NOTEBOOK, Ended
from coursekit.grading.sandbox import cores, machine
from coursekit.grading.sandbox.launch import Sandbox
from coursekit.grading.sandbox.limits import MEBI, KernelLimits
from tests.grading.corpus.kinds import code_cell

REPOSITORY = Path(__file__).parents[3]
LIMITS = KernelLimits(memory=700 * MEBI, file_size=24 * MEBI, scratch=96 * MEBI, processes=40)
TIMEOUTS = Timeouts(cell=30.0, notebook=90.0)

_LOOK = """
import glob, json, os, resource, socket, struct, sys
def attempt(call, *arguments):
    try:
        return str(call(*arguments))
    except Exception as error:
        return type(error).__name__
def show(value):
    print(json.dumps(value))
"""
#: What a kernel says of itself, by the name of what is looked at.
LOOKS = {
    "who": "show([os.getuid(), os.geteuid(), os.getgid(), os.getpid(), os.getgroups() != [0]])",
    "status": """
lines = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
show({k: lines[k].strip() for k in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")})
""",
    "processes": "show([int(n) for n in os.listdir('/proc') if n.isdigit()])",
    "interfaces": "show([name for _, name in socket.if_nameindex()])",
    "network": "show(attempt(socket.create_connection, ('127.0.0.1', @port@), 1))",
    "written": """
places = ["/", "/usr", "/etc", "/dev", "/proc/sys/kernel", sys.prefix, @package@,
          os.environ["COURSEKIT_PROBE"], os.environ["COURSEKIT_PROBE"] + "/given"]
show([p for p in places if not attempt(open, p + "/arrived", "w").endswith("Error")])
""",
    "read": """
import numpy
shown = [sys.prefix, sys.base_prefix, @package@, numpy.__path__[0].rsplit("/", 1)[0]]
places = [@course@, "/etc", "/home", "/root", "/var", "/run", "/mnt", "/srv", "/opt"]
show([f"{path}/{name}" for place in places for path, folders, files in os.walk(place)
      for name in files if not any((path + "/").startswith(s + "/") for s in shown)][:9])
""",
    "tmp": "show([sorted(os.listdir('/tmp')), os.path.dirname(os.environ['COURSEKIT_PROBE'])])",
    "beside": "show(os.listdir(os.path.dirname(os.environ['COURSEKIT_PROBE'])))",
    "environment": "show(sorted(os.environ))",
    "files": """
show([t for n in range(3, 256) if not (t := attempt(os.readlink, f"/proc/self/fd/{n}")).endswith(
    "Error") and t.startswith("/")])
""",
    "limits": """
show({n: resource.getrlimit(getattr(resource, n)) for n in (
    "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_NOFILE")})
""",
    "raised": "show(attempt(resource.setrlimit, resource.RLIMIT_NPROC, (500, 500)))",
    "memory": "show(attempt(bytearray, 4 << 30))",
    "large file": """
with open("/tmp/large", "wb") as file:
    show(attempt(lambda: [file.write(b"x" * (1 << 20)) for _ in range(40)]))
os.unlink("/tmp/large")
""",
    "no namespaces": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
show([libc.unshare(0x10000000), libc.unshare(0x20000), libc.mount(b"a", b"/tmp", b"tmpfs", 0, 0)])
""",
    "setuid": "show(attempt(os.setuid, 0))",
    "machine": """
import psutil, threading, time
def text(path):
    with open(path) as file:
        return file.read()
tops = [f"/proc/{n}" for n in os.listdir("/proc") if not n.isdigit()]
tops = [p for p in tops if not os.path.islink(p)]
found = [p for p in tops if os.path.isfile(p)]
found += [f"{path}/{n}" for top in tops for path, _, names in os.walk(top) for n in names]
before = {p: text(p) for p in found}
threads = [threading.Thread(target=sum, args=(range(10**5),)) for _ in range(20)]
[t.start() for t in threads], [t.join() for t in threads]
bytearray(30 << 20)
show([sorted(p for p in found if before[p] != text(p)),
      sorted(p.rsplit("/", 1)[1] for p in found if before[p]),
      sorted(os.listdir("/sys/devices/system/cpu")), os.cpu_count(), psutil.cpu_count(),
      psutil.virtual_memory().total > 0, attempt(open, "/proc/stat", "w")])
""",
    "cores": """
os.sched_setaffinity(0, range(64))
show(len(os.sched_getaffinity(0)))
""",
    "sockets": """
pairs = [attempt(lambda: socket.socketpair(kind)[0].family) for kind in (1, 40)]
show([pairs, {n: attempt(lambda: socket.socket(n, t).family) for n, t in (
    (1, 1), (2, 1), (10, 1), (16, 3), (17, 3), (38, 5), (40, 1), (44, 3))}])
""",
    "memory of nobody": """
import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
anonymous = [mmap.MAP_SHARED, mmap.MAP_SHARED | 2, mmap.MAP_PRIVATE]
show([[attempt(lambda: len(mmap.mmap(-1, 4096, how | mmap.MAP_ANONYMOUS))) for how in anonymous],
      [libc.shmget(0, 4096, 0o1600), libc.msgget(0, 0o1600), libc.mq_open(b"/a", 0o101, 0o600, 0)],
      os.path.exists("/dev/zero")])
""",
}


def notebook(*cells: str) -> dict[str, Any]:
    made = [code_cell(source, f"c{i}") for i, source in enumerate(cells)]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def printed(run: Run, cell: str) -> str:
    return "".join(o.get("text", "") for o in run.outputs[cell])


def died(run: Run) -> bool:
    """Whether its kernel ended, and not by a fault of the grader's."""
    return run.ended is not None and run.ended.kind == "dead" and not run.ended.ours


@pytest.fixture(scope="module", params=["bubblewrap", "unshare"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    os.environ["GRADERS_OWN"] = "token"
    try:
        made = Sandbox(request.param)
    except CourseError as error:
        pytest.skip(f"this machine has no {request.param}: {str(error).splitlines()[1]}")
    finally:
        del os.environ["GRADERS_OWN"]
    with made:
        yield made


@pytest.fixture(scope="module")
def executor(sandbox: Sandbox) -> Iterator[Executor]:
    with Executor(sandbox, TIMEOUTS, LIMITS) as made:
        yield made


@pytest.fixture(scope="module")
def seen(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a kernel sees, and what became of a call from it to this machine's loopback."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        places = {"port": port, "course": str(REPOSITORY), "package": f"{REPOSITORY}/coursekit"}
        cells = [_LOOK]
        for text in LOOKS.values():
            for name, value in places.items():
                text = text.replace(f"@{name}@", repr(value))
            cells.append(text)
        run = executor.run(notebook(*cells), tmp_path_factory.mktemp("s") / "p", keep_outputs=True)
        assert set(run.cells.values()) == {"passed"} and len(run.cells) == len(cells), run
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    return {n: json.loads(printed(run, f"c{i}")) for i, n in enumerate(LOOKS, 1)}


def test_a_kernel_is_nobody(seen: dict[str, Any]) -> None:
    uid, effective, group, process, no_root_group = seen["who"]
    assert uid == effective == group == 1000 and process == 1 and no_root_group
    status = seen["status"]
    assert {int(status[k], 16) for k in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert seen["setuid"].endswith("Error") and seen["no namespaces"] == [-1, -1, -1]


def test_a_kernel_sees_itself_alone(seen: dict[str, Any]) -> None:
    assert seen["processes"] == [1]
    assert set(seen["interfaces"]) <= {"lo"}
    assert seen["network"].endswith("Error")
    names, own = seen["tmp"]
    # Python and the package are shown where they lie, which may be below /tmp itself.
    shown = [sys.prefix, sys.base_prefix, coursekit.__file__]
    below = {Path(p).parts[2] for p in shown if Path(p).parts[1] == "tmp"}
    assert set(names) - {"home", "work", "ipython", "matplotlib"} - below == {Path(own).name}
    assert len(seen["beside"]) == 1  # no other kernel's folder, and not the fork server's socket
    assert [n for n in seen["files"] if n != "/dev/null"] == []


def test_a_kernel_sees_the_machine_as_it_was(seen: dict[str, Any]) -> None:
    moved, told, cpus, count, known, memory, opened = seen["machine"]
    assert moved == [] and opened.endswith("Error")
    assert set(told) <= set(machine._OF_PROC) and {"cpuinfo", "meminfo", "stat"} <= set(told)
    names = {n for n in cpus if not n.removeprefix("cpu").isdigit()}
    assert names <= {"kernel_max", "online", "possible", "present"}
    assert count == known == os.cpu_count() and memory


def test_a_kernel_reads_nothing_of_the_course(seen: dict[str, Any]) -> None:
    assert seen["read"] == ["/etc/ld.so.cache"]
    assert not {"COURSEKIT_PROBE_SECRET", "GRADERS_OWN"} & set(seen["environment"])


def test_a_kernel_writes_to_its_own_places_only(seen: dict[str, Any]) -> None:
    assert seen["written"] == []
    assert seen["large file"] == "OSError"


def test_a_kernel_has_limits(seen: dict[str, Any]) -> None:
    wanted = {"RLIMIT_NPROC": LIMITS.processes, "RLIMIT_FSIZE": LIMITS.file_size,
              "RLIMIT_CPU": LIMITS.cpu_seconds, "RLIMIT_CORE": 0,
              "RLIMIT_NOFILE": LIMITS.open_files}  # fmt: skip
    assert seen["limits"] == {name: [value, value] for name, value in wanted.items()}
    assert seen["raised"] == "ValueError" and seen["memory"] == "MemoryError"


def test_a_kernel_has_one_core_and_few_kinds_of_sockets(seen: dict[str, Any]) -> None:
    assert seen["cores"] == 1
    pairs, kinds = seen["sockets"]
    assert [p.endswith("Error") for p in pairs] == [False, True]
    assert [k for k, said in kinds.items() if not said.endswith("Error")] == ["1", "2", "10", "16"]


def test_no_kernel_and_none_of_its_processes_has_another_s_core(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where nobody else takes cores
    look = (
        "import os, time\nif os.fork() == 0:\n    os.sched_setaffinity(0, {@0@})\n"
        "    print(sorted(os.sched_getaffinity(0)), flush=True)\n    os._exit(0)\n"
        "os.wait()\nprint(sorted(os.sched_getaffinity(0)))"
    )
    with cores.lent() as taken:
        look = look.replace("@0@", str(taken or 0))  # where there is but one core, nobody takes it
        run = run_cells(executor, tmp_path / "p", look)
    (own,) = {tuple(json.loads(line)) for line in printed(run, "c0").splitlines()}
    assert len(own) == 1 and taken not in own


def test_no_memory_is_nobodys(seen: dict[str, Any]) -> None:
    anonymous, segments, zero = seen["memory of nobody"]
    assert anonymous == ["PermissionError", "PermissionError", "4096"]
    assert segments == [-1, -1, -1] and not zero


def run_cells(executor: Executor, target: Path, *cells: str) -> Run:
    return executor.run(notebook(*cells), target, keep_outputs=True)


@pytest.mark.parametrize(
    "ending",
    [
        "import os; os._exit(3)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.closerange(0, 4096); os._exit(0)",
        "import os; os.kill(os.getpid(), 9); os.abort()",
    ],
)
def test_a_dead_kernel_is_seen(executor: Executor, tmp_path: Path, ending: str) -> None:
    run = run_cells(executor, tmp_path / "p", "1", ending, "2")
    # Not "timeout": it was not the clock of the cell that saw it.
    assert died(run) and run.cells == {"c0": "passed", "c1": "ended"}


def test_a_kernel_that_died_between_cells_is_not_the_next_cells_fault(
    executor: Executor, tmp_path: Path
) -> None:
    late = "import os, threading; threading.Timer(0.3, os._exit, (0,)).start()"
    run = run_cells(executor, tmp_path / "p", late, "import time; time.sleep(2)", "3")
    assert died(run) and "c2" not in run.cells


def test_a_lost_sandbox_is_the_graders_fault(sandbox: Sandbox, tmp_path: Path) -> None:
    with Sandbox(sandbox.isolation) as own, Executor(own, TIMEOUTS, LIMITS) as executor:
        server = own._forkserver
        assert server is not None
        server.kill()
        server.wait()
        run = run_cells(executor, tmp_path / "p", "1")
        assert run.ended is not None and run.ended.kind == "broken" and run.ended.ours
        own.revive()
        assert run_cells(executor, tmp_path / "q", "1").ended is None


def test_clocks_and_floods_end_a_run(sandbox: Sandbox, tmp_path: Path) -> None:
    with Executor(sandbox, Timeouts(cell=3.0, notebook=8.0), LIMITS) as executor:
        deaf = (
            "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "while True: time.sleep(0.1)"
        )
        run = run_cells(executor, tmp_path / "deaf", "1", deaf, "2")
        assert run.ended == Ended("timeout", CELL) and run.cells == {"c0": "passed", "c1": "ended"}
        run = run_cells(executor, tmp_path / "slow", *["import time; time.sleep(1)"] * 12)
        assert run.ended == Ended("timeout", NOTEBOOK)
        run = run_cells(executor, tmp_path / "flood", "print('x' * 20_000_000)", "2")
        assert run.ended == Ended("flooded") and run.cells == {"c0": "ended"}


def test_what_processes_share_is_counted_once(executor: Executor, tmp_path: Path) -> None:
    held = "import os, time\nheld = bytearray(b'x' * (150 << 20))\n"
    wait = (
        "for n in range(8):\n    if os.fork() == 0:\n        {}time.sleep(20)\n"
        "        os._exit(0)\n"
    )
    run = run_cells(executor, tmp_path / "shared", held + wait.format("") + "time.sleep(1)")
    assert run.ended is None  # 1.2 GB, if each had its own
    grown = wait.format("own = bytearray(b'x' * (150 << 20))\n        ")
    run = run_cells(executor, tmp_path / "own", held + grown + "time.sleep(9)")
    # The latter where memory comes slowly.
    assert run.ended in (Ended("dead", "memory"), Ended("timeout", CELL))


def test_results_are_brought_out_within_bounds(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "given" / "check-a").mkdir(parents=True)
    (tmp_path / "given" / "check-a" / "x.json").write_text('{"value": 7}')
    code = """
import json, os
probe = os.environ["COURSEKIT_PROBE"]
print(json.load(open(probe + "/given/check-a/x.json"))["value"])
for name in ("check-a", "check-b/deep/deeper/deepest"):
    os.makedirs(f"{probe}/emitted/{name}")
    open(f"{probe}/emitted/{name}/x.json", "w").write("1")
os.chdir(probe + "/emitted/check-a")
os.symlink("/etc/passwd", "link.json")
os.symlink("..", "folder")
os.mkfifo("pipe.json")
open("other.txt", "w").write("x")
for number in range(12):
    with open(f"hole-{number}.json", "w") as file:
        file.truncate(20 << 20)
"""
    run = executor.run(
        notebook(code), tmp_path / "p", given=(tmp_path / "given", "c0"), keep_outputs=True
    )
    assert run.cells == {"c0": "passed"} and printed(run, "c0") == "7\n"
    out = tmp_path / "p" / "emitted"
    names = {str(p.relative_to(out)) for p in out.rglob("*") if not p.is_dir()}
    holes = {n for n in names if "hole" in n}
    assert names - holes == {"check-a/x.json"} and 1 <= len(holes) <= 3
    assert not any(p.is_symlink() for p in out.rglob("*"))


def test_inputs_come_when_they_may_and_not_before(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "given" / "check-a").mkdir(parents=True)
    (tmp_path / "given" / "check-a" / "x.json").write_text('{"value": 7}')
    code = """
import glob, os
print(glob.glob(os.environ["COURSEKIT_PROBE"] + "/given/**/*.json", recursive=True) != [])
"""
    given = (tmp_path / "given", "c1")
    cells = notebook(code, code, code)
    run = executor.run(cells, tmp_path / "p", given=given, keep_outputs=True)
    assert [printed(run, f"c{n}") for n in range(3)] == ["False\n", "True\n", "True\n"]
    gone = (tmp_path / "gone", "c1")
    run = executor.run(cells, tmp_path / "q", given=gone)
    assert run.cells == {"c0": "passed", "c1": "ended"}
    assert run.ended is not None and run.ended.ours


def test_nothing_stays_for_the_next_kernel(executor: Executor, tmp_path: Path) -> None:
    leave = """
import os, time
for place in ("/tmp/note", "/dev/shm/note", os.path.expanduser("~/note")):
    open(place, "w").write("note")
if os.fork() == 0:
    os.setsid()
    time.sleep(30)
    os._exit(0)
"""
    find = """
import os
places = ("/tmp/note", "/dev/shm/note", os.path.expanduser("~/note"))
print([p for p in places if os.path.exists(p)], sum(name.isdigit() for name in os.listdir("/proc")))
"""
    assert run_cells(executor, tmp_path / "1", leave).cells == {"c0": "passed"}
    run = run_cells(executor, tmp_path / "2", find)
    assert printed(run, "c0") == "[] 1\n"


def test_kernels_end_when_the_grader_is_killed(sandbox: Sandbox, tmp_path: Path) -> None:
    code = f"""
import sys, threading
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
from coursekit.grading.run.executor import Executor, Timeouts
from coursekit.grading.sandbox.launch import Sandbox
from tests.grading.sandbox.test_sandbox import LIMITS, notebook
timeouts = Timeouts(cell=10.0, notebook=900.0)  # an orphaned nbval lets go when the cell is over
hide = "import ctypes; c = ctypes.CDLL(None); c.prctl(1, 0, 0, 0, 0); c.prctl(15, b'hid')"
with Sandbox({sandbox.isolation!r}) as sandbox, Executor(sandbox, timeouts, LIMITS) as executor:
    sleep = "import time; time.sleep(900)"
    begin = lambda: executor.run(notebook(hide, sleep), Path({str(tmp_path)!r}, "p"))
    threading.Thread(target=begin, daemon=True).start()
    print(Path(sandbox.socket).parent, flush=True)
    threading.Event().wait(900)
"""
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None
    folder = grader.stdout.readline().strip()
    assert folder
    wait_until(lambda: "hid" in processes_of(folder))
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    grader.stdout.close()
    wait_until(lambda: not processes_of(folder))
    subprocess.run(["rm", "-rf", folder], check=True)  # nobody was left to do it


def processes_of(folder: str) -> list[str]:
    """What the processes of a sandbox call themselves: forks have their server's command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().decode(errors="replace")
            name = (path.parent / "comm").read_text().strip()
        except OSError:
            continue
        if folder in text and "forkserver" in text:
            found.append(name)
    return found


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.1)


def test_a_filter_knows_this_processor() -> None:
    code = "from coursekit.grading.sandbox.seccomp import refuse_system_calls as r; print(r())"
    lines = [
        "import ctypes", "libc = ctypes.CDLL(None, use_errno=True)",
        "libc.prctl(38, 1, 0, 0, 0)", code,
        "print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno(), libc.prctl(1, 9))",
    ]  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert ran.stdout.splitlines()[:2] == ["True", "-1 1 0"]


def test_without_bubblewrap_there_is_unshare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(CourseError, match="bwrap is not installed"):
        Sandbox("bubblewrap")
    try:
        made = Sandbox("auto")
    except CourseError as error:
        pytest.skip(f"this machine has no unshare: {str(error).splitlines()[2]}")
    with made:
        assert made.isolation == "unshare"


def test_without_a_sandbox_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = []
    monkeypatch.setattr(Sandbox, "_start", lambda self, how: tried.append(how) or "not here")
    lesson = REPOSITORY / "notebooks" / "00_welcome.ipynb"
    with pytest.raises(CourseError, match="no sandbox works here"):
        Sandbox("auto")
    command = ["grade", str(lesson), "--out", str(tmp_path / "out"), "--assignment", "00_welcome",
               "--notebooks", str(REPOSITORY / "notebooks"),
               "--secret", str(tmp_path / "secret")]  # fmt: skip
    assert main(command) != 0
    assert "no sandbox works here" in capsys.readouterr().err
    assert tried == ["bubblewrap", "unshare"] * 2  # "none" is for those who ask for it


def test_no_sandbox_for_those_who_ask_for_it(tmp_path: Path) -> None:
    with Sandbox("none") as sandbox, Executor(sandbox, TIMEOUTS, LIMITS) as executor:
        assert executor.isolation == "none"
        run = run_cells(executor, tmp_path / "p", "1", "2")
        assert run.cells == {"c0": "passed", "c1": "passed"}
    with pytest.raises(CourseError, match="choose auto, bubblewrap, unshare, none"):
        Sandbox("docker")
