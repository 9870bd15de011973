"""A process that runs notebooks by nbval, each in a fork of its own: `python -m … < REQUESTS`.

nbval and pytest are imported once. What a hostile kernel sends is parsed in the fork, which has
limits, a deadline, and nothing to lose. One JSON object a line comes in (a `protocol.Request`), one
goes out: `{"ran": true}`, or what happened to the fork. The result itself is a file.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from coursekit.grading.run.protocol import Inputs, Request
from coursekit.lessons.notebook import without_url_grammar

#: Seconds for pytest and the kernel's end, beside the notebook's own.
_GRACE = 30.0
#: Bytes that a fork may add to what this process holds.
_MEMORY = 1 << 30


def main() -> int:
    """Serve until stdin closes."""
    without_url_grammar()
    import IPython.core.interactiveshell  # noqa: F401
    import nbformat
    import nbval.plugin  # noqa: F401
    import pytest  # noqa: F401
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    from coursekit.grading.run import execute  # noqa: F401
    from coursekit.grading.sandbox import provisioner  # noqa: F401

    # Made at their first use, otherwise in every fork anew: nbformat's validator, and the list of
    # what can start kernels, for which every installed package is looked at.
    nbformat.validate(nbformat.v4.new_notebook())
    KernelProvisionerFactory.instance()
    gc.freeze()  # so that collecting garbage does not copy the pages that forks share
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        inputs = asked.pop("inputs")
        request = Request(**asked, inputs=Inputs(**inputs) if inputs else None)
        print(json.dumps(_run(request)), flush=True)
    return 0


def _run(request: Request) -> dict[str, Any]:
    process = os.fork()
    if process == 0:
        status = 70
        try:
            _in_fork(request)
            status = 0
        finally:
            os._exit(status)
    ended = _wait(process, request.seconds + _GRACE)
    if ended is None:
        return {"ran": False, "reason": "nbval did not end in time"}
    if ended != 0 or not Path(request.folder, "result.json").is_file():
        return {"ran": False, "reason": f"nbval ended with status {ended}"}
    return {"ran": True}


def _in_fork(request: Request) -> None:
    import resource

    os.setsid()  # Ctrl-C is for the command, which then ends this
    pages = int(Path("/proc/self/statm").read_text().split()[5]) if Path("/proc").is_dir() else 0
    most = pages * resource.getpagesize() + _MEMORY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    log = os.open(f"{request.folder}/log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)

    from coursekit.grading.run.execute import execute

    result = execute(request)
    Path(request.folder, "result.json").write_text(json.dumps(result))


def _wait(process: int, seconds: float) -> int | None:
    """Its exit status; None when it had to be killed."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.3, 0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


if __name__ == "__main__":
    sys.exit(main())
