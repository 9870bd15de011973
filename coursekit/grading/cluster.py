"""The same tasks on dask.distributed: one machine or a hundred, SLURM or Kubernetes.

A worker prepares an assignment once and keeps it. When a worker is lost, dask gives its task to
another; when that happens several times with one task, the task is at fault and gets no points.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.grading import digest
from coursekit.grading.grader import Grader, grade_task
from coursekit.grading.records import Grade, from_json, to_json, ungraded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.grading.task import Conditions, Task

#: How long a scheduler may take to answer.
PATIENCE = "20s"

_graders: dict[str, Grader] = {}
_lock = threading.Lock()


def grade_on_cluster(
    address: str, todo: Sequence[Task], secret: str, conditions: Conditions
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
    told = (secret, conditions, digest.of_sources())
    with client:
        tasks = {
            client.submit(_grade_remotely, task, *told, pure=False, retries=1): task
            for task in todo
        }
        for future in as_completed(tasks, loop=client.loop):
            task = tasks[future]
            try:
                yield from_json(future.result())
            except KilledWorker:
                problem = "several workers were lost while they graded this"
                yield ungraded(task.submission, task.assignment, problem)


def _grade_remotely(
    task: Task, secret: str, conditions: Conditions, sources: str
) -> dict[str, Any]:
    """On a worker. The grader stays for the next task."""
    if digest.of_sources() != sources:
        raise CourseError(
            "a worker has another coursekit than the one that grades here: install the same on all"
        )
    key = hashlib.sha256(repr((task.assignment, secret, conditions)).encode()).hexdigest()
    with _lock:
        if key not in _graders:
            _graders[key] = Grader([task.assignment], secret, conditions)
    return to_json(grade_task(_graders[key], task))
