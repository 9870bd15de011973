"""The kernel's own process: it gives up what it may not keep, then serves as any kernel does."""

from __future__ import annotations

import ast
import os
import random
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.grading.sandbox import limits as _limits
from coursekit.grading.sandbox import machine, namespaces, seccomp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import CodeType

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from coursekit.grading.sandbox.limits import KernelLimits

#: The last line of a cell whose statements are run each by itself: one that fails stops none below.
EACH_BY_ITSELF = "# coursekit: each statement by itself"


def run(
    folder: str,
    environment: Mapping[str, str],
    limits: KernelLimits,
    isolated: bool,
    ready: int,
    go: int,
) -> None:
    """Become a kernel; returns when it is shut down.

    Args:
        folder: with kernel.json, the connection file; sockets go there, too.
        environment: all of it; HOME is made, and the kernel works beside it.
        limits: what it may use.
        isolated: whether this process is the first of new namespaces.
        ready: a pipe to write a byte to when the sockets are there.
        go: a pipe that gives a byte when messages may be read.
    """
    os.setsid()
    if isolated:
        namespaces.mount_proc("/proc")
        namespaces.forbid_more_namespaces()
        machine.cover()
    namespaces.drop_capabilities()
    namespaces.die_with_parent()
    _plain_files(keep=(ready, go))
    os.environ.clear()
    os.environ.update(environment)
    home = Path(environment["HOME"])
    for place in (home, home.with_name("work")):
        place.mkdir(exist_ok=True)
    os.chdir(home.with_name("work"))
    _limits.apply(limits)
    seccomp.refuse_system_calls()
    _serve(f"{folder}/kernel.json", ready, go)


def _plain_files(keep: tuple[int, ...]) -> None:
    """No open files but /dev/null and those to keep."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    last = 3
    for number in sorted(keep):
        os.closerange(last, number)
        last = number + 1
    os.closerange(last, 65536)


def _serve(connection_file: str, ready: int, go: int) -> None:
    import zmq
    from ipykernel.kernelapp import IPKernelApp
    from IPython.core.inputtransformer2 import TransformerManager

    class Transformers(TransformerManager):
        def do_token_transforms(self, lines: list[str]) -> list[str]:
            # Twice for each cell these look at every token for `!command`, `%magic` and
            # `name?`; what Python can read has none.
            with warnings.catch_warnings(), suppress(SyntaxError, ValueError, RecursionError):
                warnings.simplefilter("ignore")
                ast.parse("".join(lines))
                return lines
            transformed: list[str] = super().do_token_transforms(lines)
            return transformed

    class App(IPKernelApp):
        def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
            # A publisher drops what finds no room, the word that a cell has ended, too.
            context.setsockopt(zmq.SNDHWM, 0)
            super().init_iopub(context)

    # What was imported before the fork saw the fork server's files; these are the kernel's.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        file = open(os.devnull, mode)  # noqa: SIM115, PTH123
        setattr(sys, name, file)
        setattr(sys, f"__{name}__", file)
    sys.argv = ["ipykernel_launcher.py"]
    sys.path.insert(0, "")  # as everywhere: what a cell has written can be imported
    app = App.instance()
    app.initialize(["-f", connection_file, "--HistoryManager.enabled=False"])
    assert app.shell is not None
    app.shell.input_transformer_manager = Transformers()
    app.shell.run_code = each_by_itself(app.shell)
    with suppress(ImportError):
        import numpy as np

        np.random.seed()  # noqa: NPY002  (the fork server's state is in every kernel that it forks)
    random.seed()
    os.write(ready, b"1")
    os.read(go, 1)
    os.close(ready)
    os.close(go)
    app.start()


def each_by_itself(shell: InteractiveShell) -> Callable[..., Awaitable[bool]]:
    """How a shell runs a statement, of which it runs those of a cell one after the other.

    What fails in a student's cell beside the answer (a photograph of theirs is opened, a package is
    not there) fails their cell, and keeps no definition below it from being made. Only the first to
    fail in a cell is told of: a traceback takes longer than most statements.
    """
    run_code, show = shell.run_code, shell.showtraceback

    async def run(code: CodeType, result: ExecutionResult | None = None, **more: bool) -> bool:
        text = str(result.info.raw_cell) if result and result.info else ""
        if not text.endswith(EACH_BY_ITSELF):
            return bool(await run_code(code, result, **more))
        first = result.error_in_exec if result else None
        vars(shell)["showtraceback"] = show if first is None else _say_nothing
        try:
            await run_code(code, result, **more)
        finally:
            vars(shell).pop("showtraceback", None)
        if result and first is not None:
            result.error_in_exec = first
        return False

    return run


def _say_nothing(*arguments: Any, **more: Any) -> None:
    """A traceback that nobody reads."""
