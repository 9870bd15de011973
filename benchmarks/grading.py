"""Grading a class: `coursekit grade` against `nbgrader autograde`, the same work, in one run.

    uv run --group peers python benchmarks/grading.py --students 200 --peer 12

A made-up class answers five exercises of lesson 02: mostly right, some wrong in the ways that the
lesson knows, some not at all. Both graders run the same cells for each student: what the exercises
need of the lesson, the five answers, the public checks, the hidden checks. nbgrader is at its best:
one process for all students, no command line between them; it runs the first and the last
`--peer` / 2 students, before and after ours grades all of them, since it would take an hour for
all. Ours runs in its sandbox and also compares what hidden checks emitted, writes the gradebook and
every student's page.

`--poison N` then puts N submissions that loop, flood, fork, fill memory or kill their kernel among
the same class: nobody else's grade may change, and the time that it costs is compared with their
own limits.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from records import Recorder, Row, processor

from coursekit.grading.run.assemble import (
    hidden_notebook,
    public_notebook,
    solutions,
)
from coursekit.lessons.course import Assignment, whole_lesson
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import read_lesson
from coursekit.mutation.answers import read_answers

ROOT = Path(__file__).parents[1]
LESSON = "02_unet"
#: The lesson's sixth exercise, `unet`, has a check that trains a network: as much work as all the
#: others together, and the same in both graders. `--train` puts it in the place of the last.
EXERCISES = ("double-conv", "up", "layers", "cross-entropy", "mean-iou")

#: What each does, and its code.
POISON = {
    "a loop that swallows every exception": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        continue"
    ),
    "`os._exit`": "import os\nos._exit(1)",
    "takes memory, 50 MiB at a time": (
        "hoard = []\nfor _ in range(80):\n    hoard.append(bytearray(b'x' * (50 << 20)))"
    ),
    "150 forks, each of which sleeps": (
        "import os, time\nfor _ in range(150):\n    if os.fork() == 0:\n"
        "        time.sleep(20)\n        os._exit(0)"
    ),
    "prints without end": (
        "import time\nuntil = time.time() + 60\nwhile time.time() < until:\n    print('x' * 10_000)"
    ),
    "reads address 0": "import ctypes\nctypes.string_at(0)",
    "SIGSTOP and SIGKILL to itself: as first process of its sandbox it does not die of them": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    ),
    "`sleep(300)`": "import time\ntime.sleep(300)",
    "fills the disk": ("for i in range(40):\n    open(f'/tmp/{i}', 'wb').write(b'x' * (20 << 20))"),
    "300 threads": (
        "import threading, time\nfor _ in range(300):\n"
        "    threading.Thread(target=time.sleep, args=(30,)).start()"
    ),
}


def assignment(train: bool = False) -> Assignment:
    """Five exercises of the lesson."""
    whole = whole_lesson(read_lesson(ROOT / "notebooks" / "source" / f"{LESSON}.py"))
    names = (*EXERCISES[:-1], "unet") if train else EXERCISES
    kept = tuple(e for e in whole.exercises if e.name in names)
    points = {c.id: whole.points[c.id] for e in kept for c in e.checks}
    return replace(whole, exercises=kept, points=points)


def make_class(given: Assignment, students: int) -> list[dict[str, str]]:
    """Each student's answers."""
    known = read_answers(given.lesson)
    rng = random.Random(0)
    right = solutions(given)
    made = []
    for _ in range(students):
        answers = {}
        for exercise in given.exercises:
            luck = rng.random()
            if luck < 0.85:
                answers[exercise.name] = rng.choice(
                    [right[exercise.name], *known.right[exercise.name]]
                )
            elif luck < 0.95:
                answers[exercise.name] = rng.choice(known.wrong[exercise.name])[0]
        made.append(answers)
    return made


def handed_in(given: Assignment, answers: dict[str, str]) -> bytes:
    """The student's notebook with these answers in it."""
    cells = [
        replace(c, source=f"# exercise: {c.id}\n{answers[c.id]}") if c.id in answers else c
        for c in given.lesson.student()
    ]
    return to_bytes(make_notebook(cells))


class Memory:
    """The most memory that the machine has used since it began, in MiB."""

    def __enter__(self) -> Memory:
        self._before, self.most = self._available(), 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.most = max(self.most, self._before - self._available())

    @staticmethod
    def _available() -> float:
        line = Path("/proc/meminfo").read_text().splitlines()[2]
        return int(line.split()[1]) / 1024


def ours(folder: Path, out: Path, workers: int) -> float:
    """Seconds of `coursekit grade` for a whole folder, from start to end."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "coursekit", "grade", str(folder), "--out", str(out),
         "--notebooks", str(folder.parent / "course"), "--workers", str(workers)],
        check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start


class Peer:
    """nbgrader, with a course of the same cells.

    Args:
        root: an empty folder for its course.
        given: the assignment.
        probe: a folder with `given/`, so that the hidden checks' cells run as they do in ours.
    """

    def __init__(self, root: Path, given: Assignment, probe: Path) -> None:
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config

        os.environ["COURSEKIT_PROBE"] = str(probe)
        os.environ["OMP_NUM_THREADS"] = "1"
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # for alembic
        config = Config()
        config.CourseDirectory.root = str(root)
        config.ExecutePreprocessor.timeout = 60
        self._root, self._given = root, given
        place = root / "source" / "hw" / f"{LESSON}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(self._source()))
        self._api = NbGraderAPI(config=config)
        self._check(self._api.generate_assignment("hw"))

    def hand_in(self, student: str, answers: dict[str, str]) -> None:
        """Put a student's notebook where nbgrader looks for it."""
        released = json.loads((self._root / "release" / "hw" / f"{LESSON}.ipynb").read_text())
        for cell in released["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name in answers:
                cell["source"] = answers[name]
        place = self._root / "submitted" / student / "hw" / f"{LESSON}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(released))

    def grade(self, student: str) -> float:
        """Seconds of one student's autograde."""
        start = time.perf_counter()
        self._check(self._api.autograde("hw", student))
        return time.perf_counter() - start

    def _check(self, result: dict[str, Any]) -> None:
        if not result["success"]:
            raise SystemExit(f"nbgrader failed: {result.get('error')} {result.get('log')}")

    def _source(self) -> dict[str, Any]:
        """The instructor's notebook: answers to be written, and tests that are locked."""
        right = solutions(self._given)
        hidden = {
            c["id"].removeprefix("hidden-"): c for c in hidden_notebook(self._given, right)["cells"]
        }
        notebook = public_notebook(self._given, right)
        for cell in notebook["cells"]:
            name = cell["id"]
            facts = {"schema_version": 3, "grade_id": name, "task": False}
            if name in right:
                cell["source"] = f"### BEGIN SOLUTION\n{right[name]}\n### END SOLUTION"
                facts |= {"grade": False, "solution": True, "locked": False}
            elif name in self._given.points:
                cell["source"] = "".join(cell["source"]) + "\n" + "".join(hidden[name]["source"])
                facts |= {"grade": True, "solution": False, "locked": True,
                          "points": self._given.points[name]}  # fmt: skip
            else:
                facts |= {"grade": False, "solution": False, "locked": True}
            cell["metadata"] = {"nbgrader": facts}
        return notebook


def main() -> None:
    """Grade the class by both, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--peer", type=int, default=12, help="students that nbgrader grades")
    parser.add_argument("--train", action="store_true", help="with the check that trains")
    parser.add_argument("--poison", type=int, default=10)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="keep the class and its grades here")
    arguments = parser.parse_args()
    given = assignment(arguments.train)
    students = make_class(given, arguments.students)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) if arguments.keep is None else arguments.keep
        _measure(root, given, students, arguments)


def _measure(
    root: Path, given: Assignment, students: list[dict[str, str]], arguments: argparse.Namespace
) -> None:
    course = root / "course" / "source"
    course.mkdir(parents=True)
    shutil.copy(given.lesson.path, course)
    names = ", ".join(json.dumps(e.name) for e in given.exercises)
    (course.parent / "course.toml").write_text(
        f'[[assignment]]\nname = "{LESSON}"\nlesson = "{LESSON}"\nexercises = [{names}]\n'
    )
    folder = root / "class"
    for number, answers in enumerate(students):
        place = folder / f"student-{number:03}" / f"{LESSON}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_bytes(handed_in(given, answers))
    recorder = Recorder(processor(), arguments.workers)
    peer_times: list[float] = []
    half = arguments.peer // 2
    chosen = [*range(half), *range(len(students) - (arguments.peer - half), len(students))]
    if arguments.peer:
        peer = Peer(root / "nbgrader", given, _reference(root, given))
        for number in chosen:
            peer.hand_in(f"student-{number:03}", students[number])
        peer_times += [peer.grade(f"student-{n:03}") for n in chosen[:half]]
    with Memory() as memory:
        seconds = ours(folder, root / "grades", arguments.workers)
    figures = {"seconds": round(seconds, 1), "mebibytes": round(memory.most),
               "per_minute": round(60 * len(students) / seconds, 1)}  # fmt: skip
    if arguments.peer:
        peer_times += [peer.grade(f"student-{n:03}") for n in chosen[half:]]
        each = sum(peer_times) / len(peer_times)
        figures |= {
            "peer_seconds": round(each, 2), "peer_least": round(min(peer_times), 2),
            "peer_most": round(max(peer_times), 2), "peer_per_minute": round(60 / each, 1),
            "peer_students": len(peer_times),
        }  # fmt: skip
    figures["again_seconds"] = round(ours(folder, root / "grades", arguments.workers), 1)
    exercises = "one trains" if arguments.train else "none trains"
    recorder.keep(Row("grading", {"students": len(students), "exercises": exercises}), figures)
    if arguments.poison:
        row = Row("poison", {"students": len(students), "poisoned": arguments.poison})
        recorder.keep(row, _poisoned(root, given, students, arguments, figures["seconds"]))


def _reference(root: Path, given: Assignment) -> Path:
    """What the hidden checks' cells need to run: their inputs."""
    from coursekit.grading.grader import Grader
    from coursekit.grading.task import Conditions

    assert all(hidden_text(c) for e in given.exercises for c in e.checks)
    with Grader([given], "benchmark", Conditions()) as grader:
        reference = grader.prepare(given.name)
        shutil.copytree(reference.folder / "given", root / "probe" / "given")
    return root / "probe"


def _poisoned(
    root: Path,
    given: Assignment,
    students: list[dict[str, str]],
    arguments: argparse.Namespace,
    before: float,
) -> dict[str, Any]:
    """Figures of the same class with poisoned answers among them."""
    folder = root / "poisoned"
    shutil.copytree(root / "class", folder)
    step = len(students) // arguments.poison
    bad = {
        f"student-{n * step:03}": act
        for n, act in zip(range(arguments.poison), itertools.cycle(POISON), strict=False)
    }
    # The poison stands in front of a right answer: what defines nothing would never be run.
    first = given.exercises[0].name
    right = next(cell.source for cell in given.lesson.solved() if cell.id == first)
    for name, act in bad.items():
        answers = students[int(name[-3:])] | {first: f"{POISON[act]}\n\n\n{right}"}
        (folder / name / f"{LESSON}.ipynb").write_bytes(handed_in(given, answers))
    seconds = ours(folder, root / "poisoned-grades", arguments.workers)
    clean, dirty = (_points(root / place) for place in ("grades", "poisoned-grades"))
    changed = [n for n in clean if n not in bad and clean[n] != dirty[n]]
    grades = _grades(root / "poisoned-grades")
    acts = [
        {"what": act, "became": dirty[name][0][1], "seconds": round(grades[name]["seconds"], 1)}
        for name, act in bad.items()
    ]
    return {
        "seconds": round(seconds, 1), "before": before, "changed": len(changed),
        "acts": sorted(acts, key=lambda act: -act["seconds"]),
    }  # fmt: skip


def _grades(out: Path) -> dict[str, dict[str, Any]]:
    """What was written of each student."""
    read = [json.loads(path.read_text()) for path in sorted((out / "json").glob("*.json"))]
    return {grade["student"]: grade for grade in read}


def _points(out: Path) -> dict[str, list[Any]]:
    """Each student's checks."""
    return {
        student: [(c["check"], c["status"]) for c in grade["checks"]]
        for student, grade in _grades(out).items()
    }


if __name__ == "__main__":
    main()
