"""Runs notebooks: a sandbox to run in, a worker that has nbval, and folders in between."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.grading.run.protocol import PROGRESS, Ended, Inputs, Request
from coursekit.grading.sandbox import cores
from coursekit.grading.sandbox.launch import Sandbox, kernel_environment
from coursekit.grading.sandbox.limits import KernelLimits
from coursekit.grading.sandbox.provisioner import write_kernel_spec
from coursekit.lessons.notebook import to_bytes
from coursekit.probe import FOLDER, SECRET
from coursekit.temporary import remove_tree, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType


@dataclass(frozen=True)
class Run:
    """How a notebook went.

    Attributes:
        cells: how each cell that was reached ended: "passed", "failed", "skipped", "xfail",
            "ended" (the run stopped there).
        ended: why it stopped half-way; None when it did not.
        probe: the folder with what the kernel emitted.
        outputs: of each cell, when they were asked for.
    """

    cells: dict[str, str]
    ended: Ended | None
    probe: Path
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeouts:
    """How long things may take.

    Attributes:
        cell: seconds for one cell.
        notebook: seconds for one run of a notebook.
        submission: seconds for all runs of one submission.
    """

    cell: float = 30.0
    notebook: float = 90.0
    submission: float = 180.0


class Worker:
    """The process that has nbval: it starts at once, and is waited for when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = self._start()
        self._ready = False

    def ask(self, request: Request) -> dict[str, Any]:
        """Have a notebook run: `ran`, and the `reason` if it was not.

        Raises:
            CourseError: when nbval cannot be imported.
        """
        with self._lock:
            if self._process.poll() is not None:
                self.close()
                self._process, self._ready = self._start(), False
            assert self._process.stdin is not None and self._process.stdout is not None
            if not self._ready and not self._process.stdout.readline():
                raise CourseError(
                    "nbval could not be started: does `python -c 'import nbval'` work?"
                )
            self._ready = True
            try:
                self._process.stdin.write(json.dumps(asdict(request)) + "\n")
                self._process.stdin.flush()
                answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            except (OSError, ValueError):
                self.close()
                return {"ran": False, "reason": "nbval's process ended"}
            return answer

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "coursekit.grading.run.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


class Executor:
    """Runs one notebook at a time in a kernel of a sandbox. A context manager.

    Args:
        sandbox: kernels come from there; several executors may share it.
        timeouts: how long things may take.
        limits: of each kernel; its `seconds` are those of the timeouts.
        cold: whether each kernel gets a sandbox of its own that has imported nothing: slower, and
            there to show that forking from one that has makes no difference.
        worker: when it has been started already; the executor ends it.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        timeouts: Timeouts,
        limits: KernelLimits,
        *,
        cold: bool = False,
        worker: Worker | None = None,
    ) -> None:
        self.timeouts, self.isolation = timeouts, sandbox.isolation
        self._warm, self._cold = sandbox, cold
        self._limits = KernelLimits(**{**asdict(limits), "seconds": timeouts.notebook + 30})
        self._worker = worker or Worker()

    def run(
        self,
        notebook: dict[str, Any],
        target: Path,
        *,
        given: tuple[Path, str] | None = None,
        secret: str | None = None,
        keep_outputs: bool = False,
        seconds: float | None = None,
    ) -> Run:
        """Run a notebook.

        Args:
            notebook: as `assemble` makes it.
            target: a folder that does not exist; it becomes a probe folder, with `emitted/`.
            given: a folder with inputs of hidden checks, which the kernel can only read, and the
                cell before which it gets them: what is shown earlier can hold none.
            secret: for the reference kernel alone: inputs are drawn from it, and `target` gets
                `given/` and `kept/`, too.
            keep_outputs: whether to keep what the cells showed.
            seconds: that it may take, when it is less than the notebook's.
        """
        most = min(self.timeouts.notebook, seconds or self.timeouts.notebook)
        with (
            self._sandbox() as sandbox,
            temporary_folder() as scratch,
            cores.lent() as core,
        ):
            folder = sandbox.new_folder()
            inputs = Inputs(str(given[0]), str(folder / "given"), given[1]) if given else None
            variables = kernel_environment(folder, self.isolation)
            if secret is not None:
                variables |= {FOLDER: str(folder / "emitted"), SECRET: secret}
            request = sandbox.request(folder, self._limits, variables, core)
            write_kernel_spec(scratch, sandbox.socket, request)
            (scratch / "run.ipynb").write_bytes(to_bytes(notebook))
            answer = self._worker.ask(
                Request(str(scratch), most, self.timeouts.cell, keep_outputs, inputs)
            )
            try:
                result = (
                    _read_result(scratch) if answer["ran"] else _broken(scratch, answer["reason"])
                )
                if secret is None:
                    target.mkdir(parents=True)
                    shutil.move(folder / "emitted", target / "emitted")
                else:
                    shutil.move(folder / "emitted", target)
            finally:
                remove_tree(folder)
        return Run(
            {name: cell["outcome"] for name, cell in result["cells"].items()},
            Ended(**result["ended"]) if result["ended"] else None,
            target,
            {name: cell.get("outputs", []) for name, cell in result["cells"].items()},
        )

    @contextlib.contextmanager
    def _sandbox(self) -> Iterator[Sandbox]:
        if not self._cold:
            yield self._warm
            return
        with Sandbox(self.isolation) as sandbox:
            yield sandbox

    def import_more(self, modules: Iterable[str]) -> None:
        """Have kernels come with these modules, unless they come with nothing."""
        if not self._cold:
            self._warm.import_more(modules)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _read_result(scratch: Path) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads((scratch / "result.json").read_text())
    except (OSError, ValueError, RecursionError) as error:
        return _broken(scratch, type(error).__name__)
    return result


def _broken(scratch: Path, reason: str) -> dict[str, Any]:
    """What is known of a run whose nbval was lost."""
    cells: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(OSError):
        for line in (scratch / PROGRESS).read_text().splitlines():
            name, outcome = line.split()
            cells[name] = {"outcome": outcome}
    return {"cells": cells, "ended": asdict(Ended("broken", reason, ours=True))}
