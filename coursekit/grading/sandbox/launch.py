"""Starts the fork server, isolated as well as this machine can."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.files import socket_folder
from coursekit.grading.sandbox import machine
from coursekit.grading.sandbox.client import KernelHandle
from coursekit.grading.sandbox.limits import KernelLimits
from coursekit.temporary import TemporaryFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

#: From the strongest; "none" is used only when somebody asks for it by name.
ISOLATIONS = ("bubblewrap", "unshare", "none")

_START = 180.0  # seconds for the fork server's imports, on a slow machine
#: User ids that kernels get when the grader runs as root.
_FIRST_ID, _IDS = 60_000, 4_000


class Sandbox:
    """A fork server, and folders for its kernels. A context manager.

    Args:
        isolation: one of `ISOLATIONS`, or "auto" for the strongest that works here.
        preload: import statements that the fork server runs.

    Attributes:
        isolation: what was reached.
        socket: of the fork server; a provisioner asks there.

    Raises:
        CourseError: when none, or not the one asked for, works here.
    """

    def __init__(self, isolation: str = "auto", preload: Sequence[str] = ()) -> None:
        self.preload = tuple(preload)
        self._numbers = itertools.count(1)
        self._place = TemporaryFolder(socket_folder())
        self._run = self._place.path
        self._run.chmod(0o711)
        self._forkserver: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        try:
            self.isolation = self._choose(isolation)
        except BaseException:
            self.close()
            raise

    @property
    def socket(self) -> str:
        """Where the fork server listens."""
        return str(self._run / "forkserver.sock")

    def new_folder(self) -> Path:
        """A folder for one kernel, with `given/` and `emitted/` in it."""
        folder = self._run / f"k{next(self._numbers)}"
        for path in (folder, folder / "given", folder / "emitted"):
            path.mkdir(mode=0o755)
        folder.chmod(0o700)
        return folder

    def identity(self, folder: Path) -> int | None:
        """The user that a kernel runs as, when it can be another one than the grader's."""
        if os.geteuid() != 0 or self.isolation == "none":
            return None
        return _FIRST_ID + int(folder.name[1:]) % _IDS

    def request(
        self,
        folder: Path,
        limits: KernelLimits,
        environment: dict[str, str],
        core: int | None = None,
    ) -> dict[str, Any]:
        """What the supervisor of a kernel needs to know; `core` is the only one that it may use."""
        return {
            "folder": str(folder),
            "limits": limits.to_json(),
            "environment": environment,
            "identity": self.identity(folder),
            "core": core,
        }

    def import_more(self, modules: Iterable[str]) -> None:
        """Have the fork server import modules, so that no later kernel has to; it may lack some."""
        statements = tuple(f"import {name}" for name in modules)
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(_START)
            connection.connect(self.socket)
            connection.sendall(json.dumps({"preload": statements}).encode() + b"\n")
            if connection.recv(1):  # and not lost over it
                self.preload += statements  # for a fork server that has to be started again

    def revive(self) -> None:
        """Start the fork server again if it was lost (the system may kill it when memory is short).

        Raises:
            CourseError: when it does not start any more.
        """
        with self._lock:
            if self._forkserver is not None and self._forkserver.poll() is not None:
                self._stop()
                reason = self._start(self.isolation)
                if reason:
                    raise CourseError(f"the sandbox was lost and does not start again: {reason}")

    def close(self) -> None:
        """End the fork server and every kernel, and remove their folders."""
        self._stop()
        self._place.remove()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _stop(self) -> None:
        if self._forkserver is not None:
            self._forkserver.kill()
            self._forkserver.communicate()
            self._forkserver = None
            Path(self.socket).unlink(missing_ok=True)

    def _choose(self, wanted: str) -> str:
        if wanted not in (*ISOLATIONS, "auto"):
            raise CourseError(f"--sandbox {wanted}: choose auto, {', '.join(ISOLATIONS)}")
        reasons = []
        for isolation in ISOLATIONS[:2] if wanted == "auto" else (wanted,):
            self.isolation = isolation
            reason = self._start(isolation)
            if not reason:
                return isolation
            self._stop()
            reasons.append(f"{isolation}: {reason}")
        raise CourseError(
            f"no sandbox works here, and students' code does not run without one: "
            f"{'; '.join(reasons)}. Install bubblewrap and allow user namespaces, or use a Linux "
            'machine: notebooks/INSTRUCTORS.md, "The sandbox"'
        )

    def _start(self, isolation: str) -> str:
        """Start the fork server so isolated, and try it out; "" or why it does not work."""
        if sys.platform != "linux" and isolation != "none":
            return "needs Linux"
        if isolation == "bubblewrap" and not shutil.which("bwrap"):
            return "bwrap is not installed"
        new_root, looks = self._run / "new", self._run / "machine"
        new_root.mkdir(exist_ok=True)
        machine.copy(looks)
        place = {
            "socket": self.socket,
            "preload": self.preload,
            "readable": _readable(),
            "new_root": str(new_root),
            "machine": str(looks),
            "isolate": isolation != "none",
        }
        config = self._run / "forkserver.json"
        config.write_text(json.dumps(place))
        command = [sys.executable, "-I", "-m", "coursekit.grading.sandbox.forkserver", str(config)]
        environment = _ENVIRONMENT
        if isolation == "bubblewrap":
            command = [*_bubblewrap(self._run), *command]
        else:  # it has the machine's /tmp
            environment = _ENVIRONMENT | dict.fromkeys(("HOME", "MPLCONFIGDIR"), str(new_root))
        with (self._run / "forkserver.log").open("wb") as log:
            self._forkserver = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, cwd="/"
            )
        return self._await()

    def _await(self) -> str:
        assert self._forkserver is not None
        deadline = time.monotonic() + _START
        while not Path(self.socket).exists():
            if self._forkserver.poll() is not None or time.monotonic() > deadline:
                said = (self._run / "forkserver.log").read_text(errors="replace").strip()
                return said.splitlines()[-1][:300] if said else "it did not start"
            time.sleep(0.01)
        return _try_out(self)


#: Of the fork server. One thread for each kernel: as many kernels run as there are cores.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "HOME": "/tmp",  # noqa: S108
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    "COURSEKIT_TIER": "quick",
    "PYTHONHASHSEED": "0",
    "PIP_RETRIES": "0",  # there is no network: a student's `pip install` is soon over
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def kernel_environment(folder: Path, isolation: str) -> dict[str, str]:
    """All that a student's kernel finds in its environment."""
    # A sandbox has a /tmp of its own; without one nothing may be left in that of the machine.
    place = str(folder) if isolation == "none" else "/tmp"  # noqa: S108
    return _ENVIRONMENT | {
        "COURSEKIT_PROBE": str(folder),
        "HOME": f"{place}/home",
        "COURSEKIT_CACHE": f"{place}/cache",
        "IPYTHONDIR": f"{place}/ipython",
        "MPLCONFIGDIR": f"{place}/matplotlib",
    }


def _readable() -> list[str]:
    """What a kernel may read: the system's libraries, Python, its packages, and this package.

    Not the course: `notebooks/` holds the solutions. Not /etc, /home, /root, /var.
    """
    import coursekit

    wanted = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache"]
    wanted += ["/nix/store", "/opt/conda"]
    wanted += [sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)]
    package = Path(coursekit.__file__).resolve().parent
    isolated = [sys.executable, "-I", "-c", "import json, sys; print(json.dumps(sys.path))"]
    for path in json.loads(subprocess.run(isolated, capture_output=True, check=True).stdout):
        # Where this package was installed for editing, the course lies beside it.
        wanted.append(str(package) if Path(path).resolve() == package.parent else path)
    wanted.append(str(package))
    found: list[str] = []
    for path in map(os.path.abspath, wanted):
        inside = any(path == f or path.startswith(f + "/") for f in found)
        if os.path.lexists(path) and not inside and path != "/":
            found.append(path)
    return found


def _bubblewrap(run: Path) -> list[str]:
    """The command that puts the fork server behind a first wall."""
    command = ["bwrap", "--die-with-parent", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    command += ["--new-session", "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        command += ["--setenv", name, value]
    # Not a /proc of bubblewrap's making, which hides a part: then no kernel could have its own.
    command += ["--bind", "/proc", "/proc"]
    if os.geteuid() != 0:  # as root each kernel gets a user of its own, which this would forbid
        command += ["--unshare-user"]
    command += ["--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108
    shown = [*_readable(), "/sys/devices/system/cpu"]
    made: set[str] = set()
    for path in (*shown, str(run)):
        for parent in reversed(Path(path).parents[:-1]):
            if str(parent) not in made and not parent.is_symlink():
                made.add(str(parent))
                command += ["--perms", "0755", "--dir", str(parent)]
    for path in shown:
        if Path(path).is_symlink():
            command += ["--symlink", str(Path(path).readlink()), path]
        else:
            command += ["--ro-bind", path, path]
    return [*command, "--bind", str(run), str(run)]


def _try_out(sandbox: Sandbox) -> str:
    """Start a kernel and end it; "" or why it does not work."""
    from jupyter_client.connect import write_connection_file

    folder = sandbox.new_folder()
    write_connection_file(
        str(folder / "kernel.json"), ip=str(folder / "s"), transport="ipc", key=b"try"
    )
    (folder / "kernel.json").chmod(0o644)
    environment = kernel_environment(folder, sandbox.isolation)
    request = sandbox.request(folder, KernelLimits(), environment)
    kernel = KernelHandle(sandbox.socket, request)
    if kernel.end is not None:
        return kernel.end.reason
    kernel.say("kill")
    ended = kernel.has_ended(10)
    kernel.close()
    return "" if ended else "a kernel that was killed did not end"
