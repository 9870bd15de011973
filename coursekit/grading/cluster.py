"""The same tasks on dask.distributed: one machine or a hundred, SLURM or Kubernetes.

A worker prepares an assignment once and keeps it. When a worker is lost, dask gives its task to
another; when that happens several times with one task, the task is at fault and gets no points.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.grading.grader import Workplace, ungraded
from coursekit.grading.records import Grade, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.grading.batch import Options, Task

#: How long a scheduler may take to answer.
PATIENCE = "20s"

_places: dict[str, Workplace] = {}
_lock = threading.Lock()


def grade_on_cluster(
    address: str, todo: Sequence[Task], secret: str, options: Options
) -> Iterator[Grade]:
    """Each grade as soon as a worker has it.

    Raises:
        CourseError: when the scheduler does not answer, or an assignment is not in order.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise CourseError("--scheduler needs dask: pip install 'coursekit[cluster]'") from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(f"--scheduler {address}: no scheduler answers there ({error})") from error
    with client:
        tasks = {
            client.submit(_grade_remotely, task, secret, options, pure=False, retries=1): task
            for task in todo
        }
        for future in as_completed(tasks, loop=client.loop):
            task = tasks[future]
            try:
                yield from_json(future.result())
            except KilledWorker:
                problem = "several workers were lost while they graded this"
                yield ungraded(task.submission, task.assignment, problem)


def _grade_remotely(task: Task, secret: str, options: Options) -> dict[str, Any]:
    """On a worker. The place that it grades in stays for the next task."""
    from coursekit.grading.batch import grade_task

    parts = (task.assignment, secret, options.tier, options.pace, options.limits, options.cold)
    key = hashlib.sha256(repr(parts).encode()).hexdigest()
    with _lock:
        if key not in _places:
            _places[key] = Workplace(
                [task.assignment], secret, tier=options.tier, pace=options.pace,
                limits=options.limits, cold=options.cold,
            )  # fmt: skip
    return to_json(grade_task(_places[key], task))
