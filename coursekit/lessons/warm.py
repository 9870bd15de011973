"""Kernels that begin with torch imported, so that sixteen lessons in a row do not wait for it.

Each is a fork of a process (multiprocessing's fork server) that has imported what most lessons do,
and nothing of the course. Jupyter's clients know it by a kernel spec, see `write_kernel_spec`. A
build measures cold kernels; these are for replaying alone, and need a system that forks safely.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from coursekit.files import socket_folder
from coursekit.temporary import TemporaryFolder

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    from jupyter_client.connect import KernelConnectionInfo

KERNEL_NAME = "coursekit-warm"
#: What is imported; the compiler is what torch's first optimiser imports. No pyplot: it looks for
#: the shell of a kernel when it is imported.
PRELOADED = (
    "ipykernel.kernelapp", "matplotlib.figure", "matplotlib.backends.backend_agg",
    "torch._dynamo", "segmentation_models_pytorch",
)  # fmt: skip
_INLINE = "module://matplotlib_inline.backend_inline"
_KILLED = -9


def is_possible() -> bool:
    """Whether forks of a process with these libraries are sound here: on Linux."""
    return sys.platform == "linux"


class WarmProvisioner(LocalProvisioner):
    """Forks a kernel, in place of starting a program."""

    process: Any
    _sockets: TemporaryFolder | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Say where its sockets are: files, since a port that was free may be another's by now."""
        if self._sockets is None:
            self._sockets = TemporaryFolder(socket_folder())
        manager: Any = self.parent
        manager.transport, manager.ip = "ipc", str(self._sockets.path / "s")
        return await super().pre_launch(**kwargs)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove them, unless it starts again."""
        await super().cleanup(restart)
        if self._sockets is not None and not restart:
            self._sockets.remove()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Have the fork server fork it; `cmd` ends with the connection file."""
        forked = _Forked(cmd[-1], kwargs["env"], kwargs.get("cwd"))
        self.process, self.pid = forked, forked.pid
        return self.connection_info


class _Forked:
    """A kernel's process, with the methods of `subprocess.Popen` that a provisioner calls."""

    stdin = stdout = stderr = None

    def __init__(self, connection_file: str, environment: dict[str, str], cwd: str | None) -> None:
        self._process = _forks().Process(target=serve, args=(connection_file, environment, cwd))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int:
        self._process.join()
        return _KILLED if self._process.exitcode is None else self._process.exitcode

    def send_signal(self, signum: int) -> None:
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED])
    return context


def serve(connection_file: str, environment: dict[str, str], cwd: str | None) -> None:
    """Become a kernel, in the fork; ends with it.

    Args:
        connection_file: what its client has written.
        environment: all of it.
        cwd: where it works.
    """
    import matplotlib
    from ipykernel.kernelapp import IPKernelApp

    gc.freeze()  # or looking for garbage copies the memory of all that is imported
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    if cwd is not None:
        os.chdir(cwd)
    # As matplotlib does where it is imported in a kernel.
    matplotlib.rcParams["backend"] = environment.get("MPLBACKEND") or _INLINE
    sys.argv = ["ipykernel_launcher.py", "-f", connection_file]
    sys.path.insert(0, "")
    IPKernelApp.launch_instance()


def write_kernel_spec(folder: Path) -> None:
    """Write a kernel spec below `folder`, which then belongs into JUPYTER_PATH."""
    place = folder / "kernels" / KERNEL_NAME
    place.mkdir(parents=True)
    spec = {
        "argv": ["fork", "{connection_file}"],
        "display_name": "A kernel that has imported torch",
        "language": "python",
        "metadata": {"kernel_provisioner": {"provisioner_name": KERNEL_NAME}},
    }
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
