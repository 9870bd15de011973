"""How Jupyter's clients (nbval, nbclient) start a kernel in the sandbox: as any other kernel.

A kernel spec whose metadata name the provisioner "coursekit-sandbox" is all that they need; see
`write_kernel_spec`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Unicode

from coursekit.grading.sandbox.limits import Limits

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

    from coursekit.grading.sandbox.launch import Sandbox

KERNEL_NAME = "coursekit-sandbox"
_START = 90.0  # seconds until a kernel must have its sockets
_SAY = 5.0  # seconds to get a word across


class KeptKernel:
    """A kernel at the other end of the zygote's socket.

    Attributes:
        reason: why it ended ("" while it runs).
    """

    def __init__(self, zygote: str, request: dict[str, Any]) -> None:
        self.reason = ""
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(_START)
            self._socket.connect(zygote)
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            event = self._read(_START)
        except OSError as error:
            event = {"event": "ended", "reason": f"no answer from the zygote: {error}"}
        if event is None:
            event = {"event": "ended", "reason": "did not start in time"}
        if event["event"] != "started":
            self.reason = event["reason"]
            self.close()

    def has_ended(self, wait: float = 0.0) -> bool:
        """Whether it has, after waiting so many seconds for it."""
        if not self.reason:
            event = self._read(wait)
            if event is not None:
                self.reason = event.get("reason", "lost")
                self.close()
        return bool(self.reason)

    def close(self) -> None:
        """Let go; a kernel that still runs then ends."""
        self._socket.close()

    def say(self, word: str) -> None:
        """`interrupt` or `kill`."""
        if self.reason:
            return
        self._socket.settimeout(_SAY)
        with suppress(OSError):
            self._socket.sendall(word.encode())

    def _read(self, wait: float) -> dict[str, str] | None:
        """The next event, None when there is none in time."""
        deadline = time.monotonic() + wait
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.0) or 1e-6)
            try:
                part = self._socket.recv(4096)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                part = b""
            if not part:
                return {"event": "ended", "reason": "lost"}
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        event: dict[str, str] = json.loads(line)
        return event


class SandboxProvisioner(KernelProvisionerBase):
    """Asks a zygote for the kernel, in place of starting a program."""

    zygote = Unicode(config=True, help="The zygote's socket.")
    request = Dict(config=True, help="What the kernel's keeper needs to know.")

    kernel: KeptKernel | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started."""
        return self.kernel is not None

    async def poll(self) -> int | None:
        """None while the kernel runs."""
        return None if self.kernel is not None and not self.kernel.has_ended() else 1

    async def wait(self) -> int | None:
        """Until it has ended."""
        while await self.poll() is None:
            await asyncio.sleep(0.02)
        return 1

    async def send_signal(self, signum: int) -> None:
        """An interrupt, or the end."""
        if self.kernel is not None and signum != 0:
            self.kernel.say("interrupt" if signum == signal.SIGINT else "kill")

    async def kill(self, restart: bool = False) -> None:
        """End it at once."""
        if self.kernel is not None:
            self.kernel.say("kill")

    async def terminate(self, restart: bool = False) -> None:
        """The same: nothing in there is worth waiting for."""
        await self.kill(restart)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Have the zygote fork it."""
        self.kernel = await asyncio.get_running_loop().run_in_executor(
            None, KeptKernel, self.zygote, self.request
        )
        if self.kernel.reason:
            raise RuntimeError(f"the kernel did not start ({self.kernel.reason})")
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Nothing: who waits for the kernel's end lets go of it."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Say where the sockets are."""
        folder = Path(self.request["folder"])
        manager: Any = self.parent
        manager.transport = "ipc"
        manager.ip = str(folder / "s")
        manager.connection_file = str(folder / "kernel.json")
        manager.write_connection_file()
        (folder / "kernel.json").chmod(0o644)  # in a folder that is the kernel's alone
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=["in", "the", "sandbox"], **kwargs)


def write_kernel_spec(folder: Path, zygote: str, request: dict[str, Any]) -> None:
    """Write a kernel spec below `folder`, which then belongs into JUPYTER_PATH."""
    place = folder / "kernels" / KERNEL_NAME
    place.mkdir(parents=True)
    spec = {
        "argv": ["in", "the", "sandbox", "{connection_file}"],
        "display_name": "A sandboxed kernel",
        "language": "python",
        "metadata": {
            "kernel_provisioner": {
                "provisioner_name": KERNEL_NAME,
                "config": {"zygote": zygote, "request": request},
            }
        },
    }
    (place / "kernel.json").write_text(json.dumps(spec))


def try_out(sandbox: Sandbox) -> str:
    """Start a kernel and end it; "" or why it does not work."""
    from jupyter_client.connect import write_connection_file

    folder = sandbox.new_folder()
    write_connection_file(
        str(folder / "kernel.json"), ip=str(folder / "s"), transport="ipc", key=b"try"
    )
    (folder / "kernel.json").chmod(0o644)
    kept = KeptKernel(sandbox.socket, sandbox.request(folder, Limits(), {}))
    if kept.reason:
        return kept.reason
    kept.say("kill")
    ended = kept.has_ended(10)
    kept.close()
    return "" if ended else "a kernel that was killed did not end"
