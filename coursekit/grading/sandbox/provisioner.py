"""How Jupyter's clients (nbval, nbclient) start a kernel in the sandbox: as any other kernel.

A kernel spec whose metadata name the provisioner "coursekit-sandbox" is all that they need; see
`write_kernel_spec`.
"""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Unicode

from coursekit.grading.sandbox.client import KernelHandle

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

KERNEL_NAME = "coursekit-sandbox"


class SandboxProvisioner(KernelProvisionerBase):
    """Asks a fork server for the kernel, in place of starting a program."""

    forkserver = Unicode(config=True, help="The fork server's socket.")
    request = Dict(config=True, help="What the kernel's supervisor needs to know.")

    kernel: KernelHandle | None = None

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
        """Have the fork server fork it."""
        self.kernel = await asyncio.get_running_loop().run_in_executor(
            None, KernelHandle, self.forkserver, self.request
        )
        if self.kernel.end is not None:
            raise RuntimeError(f"the kernel did not start ({self.kernel.end.reason})")
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


def write_kernel_spec(folder: Path, forkserver: str, request: dict[str, Any]) -> None:
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
                "config": {"forkserver": forkserver, "request": request},
            }
        },
    }
    (place / "kernel.json").write_text(json.dumps(spec))
