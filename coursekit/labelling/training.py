"""The landmark network trained again on what was saved, in a process of its own.

The process says where it is in lines of JSON, and ends with this one, however this one ends: its
standard input closes then.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from coursekit.labelling.photos import Photos

#: Fewer faces teach nothing that the rendered ones do not.
FEWEST = 3
# Seconds until a process that was asked to end is ended.
_PATIENCE = 10


class Training:
    """At most one process at a time.

    Args:
        photos: whose saved points it learns from.
        done: called when a network was written.

    Attributes:
        call: the command of the process.
    """

    def __init__(self, photos: Photos, done: Callable[[], None]) -> None:
        self.photos, self._done = photos, done
        # -P: photographs may lie beside a file that is named as a module is.
        self.call = (sys.executable, "-P", "-m", "coursekit.labelling.learn", str(photos.root))
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._said: dict[str, Any] = {"state": "idle"}
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """Where it is: "state" idle, running, done, cancelled or failed, and what it said."""
        return dict(self._said)

    def start(self, names: Sequence[str], network: Path | None) -> None:
        """Begin.

        Args:
            names: of the pictures that are saved.
            network: whose weights it begins with; None for fresh ones.

        Raises:
            CourseError: when it runs already, or there are too few pictures.
        """
        with self._lock:
            if self._process is not None:
                raise CourseError("the network is being trained already; wait, or cancel it")
            if len(names) < FEWEST:
                raise CourseError(
                    f"{len(names)} pictures are saved; save {FEWEST} or more before you train"
                )
            self._said = {"state": "running", "epoch": 0, "of": 0, "pictures": len(names)}
            errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            # In sight of its standard input, which closes when this process ends.
            self._process = subprocess.Popen(
                self.call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                encoding="utf-8",
            )  # fmt: skip
            work = {"names": list(names), "network": None if network is None else str(network)}
            assert self._process.stdin is not None
            with suppress(OSError):
                self._process.stdin.write(json.dumps(work) + "\n")
                self._process.stdin.flush()
            self._reader = threading.Thread(
                target=self._listen, args=(self._process, errors), daemon=True
            )
            self._reader.start()

    def cancel(self) -> None:
        """End it; the network that was there stays."""
        with self._lock:
            process = self._process
            if process is None:
                return
            self._said = {**self._said, "state": "cancelled"}
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        self.wait()

    def wait(self) -> None:
        """Until it has ended."""
        if self._reader is not None:
            self._reader.join()

    def _listen(self, process: subprocess.Popen[str], errors: Any) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        for line in process.stdout:
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and self._said["state"] == "running":
                    self._said = {**self._said, **said}
        code = process.wait()
        with suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        with self._lock, errors:
            self._process = None
            if self._said["state"] != "running":
                return
            if code == 0:
                self._done()
                self._said = {**self._said, "state": "done"}
            else:
                errors.seek(0)
                lines = errors.read().strip().splitlines()
                reason = self._said.get("error") or (
                    lines[-1] if lines else f"it ended with {code}"
                )
                self._said = {"state": "failed", "error": str(reason)}
