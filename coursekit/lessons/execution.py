"""Executing a notebook on the quick tier, in a kernel and a folder of its own."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.files import socket_folder
from coursekit.lessons.notebook import to_bytes
from coursekit.lessons.outline import Cost
from coursekit.lessons.outputs import complaints, normalise
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds that one cell may take before the build gives up on it.
CELL_TIMEOUT = 300

#: Seconds of processor time that a lesson may cost in all, each time that it is built or replayed.
MOST_SECONDS = 30

#: Shown by the kernel in the end: processor seconds of its own and of its children; the most bytes
#: of memory that it held (0 where the system does not tell). Linux keeps what a parent held in
#: getrusage, and /proc of this process alone.
_SPENT = """
def _spent():
    import os
    try:
        lines = open("/proc/self/status", encoding="ascii").readlines()
        most = [1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")][0]
    except (OSError, IndexError, ValueError):
        try:
            import resource, sys
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            most *= 1 if sys.platform == "darwin" else 1024
        except ImportError:
            most = 0
    return [sum(os.times()[:4]), most]
_spent()
"""

#: For processes that share the cores. One thread computes the same on every machine, and OpenCV's
#: others wait by spinning: with two of them a small face costs twice the processor time to draw,
#: and not a millisecond less.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)


def quick_environment(scratch: str) -> dict[str, str]:
    """The environment of a kernel on the quick tier, whatever the user's own settings are.

    Args:
        scratch: a folder for what lessons cache; it is made.
    """
    shell = os.path.join(scratch, "ipython")  # noqa: PTH118
    os.makedirs(shell, exist_ok=True)  # noqa: PTH103  (where its parent is missing, IPython warns)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COURSEKIT_")}
    return kept | {
        "COURSEKIT_TIER": "quick",
        "COURSEKIT_CACHE": scratch,
        # A home that is full would end the kernel, and the user's start-up files change it.
        "IPYTHONDIR": shell,
        # Waiting threads sleep: on a busy machine spinning makes training several times slower.
        "OMP_WAIT_POLICY": "PASSIVE",
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",
    }


def execute(
    notebook: dict[str, Any],
    name: str,
    timeout: float = CELL_TIMEOUT,
    most: float = MOST_SECONDS,
) -> tuple[dict[str, Any], Cost]:
    """Run all cells in a temporary folder and keep their outputs, normalised.

    Args:
        notebook: as `make_notebook` gives it; it stays as it is.
        name: of the lesson, for messages.
        timeout: seconds for each cell.
        most: seconds of processor time for all of them, with the imports.

    Returns:
        The executed notebook, and the processor time and memory that it took.

    Raises:
        CourseError: naming the cell that failed, took too long, killed its kernel, or shows what
            an executed notebook must not (see `coursekit.lessons.outputs`); and when all of them
            cost more than `most`.
    """
    import nbformat

    node = nbformat.reads(to_bytes(notebook), as_version=4)
    with temporary_folder() as scratch:
        spent = _run(node, name, scratch, timeout)
    if spent.seconds > most:
        raise CourseError(
            f"{name}: its replay took {spent.seconds:.0f} s of processor time; at most {most:g}: "
            "fewer faces, fewer epochs, smaller pictures on the quick tier"
        )
    cells = []
    for before, after in zip(notebook["cells"], node.cells, strict=False):
        cell = dict(before)
        if cell["cell_type"] == "code":
            cell["execution_count"] = after.execution_count
            cell["outputs"] = [dict(output) for output in after.outputs]
            where = f"{name}: cell {cell['id']}"
            normalise(cell, where)
            for complaint in complaints(cell):
                raise CourseError(f"{where} {complaint}")
        cells.append(cell)
    return {**notebook, "cells": cells}, spent


def _run(node: Any, name: str, scratch: Path, timeout: float) -> Cost:
    """Execute the cells where they stand; how much processor time and memory the kernel took."""
    with kernel_for(node, scratch, timeout) as client:
        for index, cell in enumerate(node.cells):
            where = f"{name}: cell {cell.id}"
            end = execute_cell(client, cell, index)
            if end.kind == "timeout":
                raise CourseError(f"{where} took longer than {timeout:g} s")
            if end.kind == "dead":
                raise CourseError(f"{where} killed its kernel; out of memory?")
            if end.kind == "failed":
                raise CourseError(f"{where} failed\n{end.traceback}")
        return cost_of(client, node)


def cost_of(client: Any, node: Any) -> Cost:
    """What the kernel of a client took until now.

    Args:
        client: of `kernel_for`.
        node: the notebook that it was made for; it stays as it is.
    """
    import nbformat

    cell = nbformat.v4.new_code_cell(_SPENT)
    node.cells.append(cell)
    try:
        last = client.execute_cell(cell, len(node.cells) - 1, store_history=False)
    finally:
        node.cells.remove(cell)
    # A value, not a print: a lesson may have made `print` its own, or left a thread printing.
    said = [o for o in last.outputs if o.output_type == "execute_result"]
    seconds, most = json.loads(said[0].data["text/plain"])
    return Cost(seconds, most / 1e6)


@dataclass(frozen=True)
class CellEnd:
    """How a cell ended.

    Attributes:
        kind: "passed", "failed", "timeout" or "dead" (its kernel is).
        error: the class of the exception that it failed with.
        message: of the exception.
        traceback: with both, as a kernel tells it.
    """

    kind: str
    error: str = ""
    message: str = ""
    traceback: str = ""


def execute_cell(client: Any, cell: Any, index: int) -> CellEnd:
    """Run a cell of the notebook that a client of `kernel_for` was made for.

    Args:
        client: which keeps the cell's outputs in it.
        cell: of the notebook.
        index: its place among the cells.
    """
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        client.execute_cell(cell, index)
    except CellTimeoutError:
        return CellEnd("timeout")
    except DeadKernelError:
        return CellEnd("dead")
    except CellExecutionError as error:
        return CellEnd("failed", str(error.ename), str(error.evalue), str(error.traceback))
    return CellEnd("passed")


@contextmanager
def kernel_for(
    node: Any,
    scratch: Path,
    timeout: float,
    environment: Callable[[str], dict[str, str]] = quick_environment,
) -> Iterator[Any]:
    """A client with a fresh kernel, on the quick tier by default, for the cells of one notebook.

    Args:
        node: the notebook, as nbformat reads it.
        scratch: an empty folder; the kernel works and caches in it.
        timeout: seconds for each cell; below 0 for no limit.
        environment: gives the kernel's, from a folder for what lessons cache.
    """
    from nbclient import NotebookClient

    folder, cache = scratch / "work", scratch / "cache"
    folder.mkdir()
    with (
        temporary_folder(socket_folder()) as sockets,
        ExitStack() as stack,
    ):
        client = NotebookClient(
            node,
            km=_kernel(sockets),
            timeout=timeout,
            record_timing=False,
            store_widget_state=False,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            stack.enter_context(client.setup_kernel(cleanup_kc=True, env=environment(str(cache))))
        except RuntimeError as error:  # "Kernel died before replying to kernel_info"
            raise CourseError(
                f"no notebook kernel can be started here ({error}): is a disk or memory full? "
                "`coursekit doctor` says what this machine has"
            ) from error
        yield client


def _kernel(folder: Path) -> Any:
    """Starts a kernel with the Python that runs now, whichever kernels the user has installed."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(**get_kernel_dict())

    return AsyncKernelManager(
        kernel_spec_manager=ThisPython(),
        connection_file=str(folder / "kernel.json"),
        # Files that only this user can open, rather than ports that everyone on the machine can.
        transport="tcp" if os.name == "nt" else "ipc",
    )
