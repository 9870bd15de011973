"""Everything that a person sees, in a real browser: `make browser`, or with groups browser and site
`python -m tests.browser OUT`. Pictures go into OUT; the last lines are what axe-core finds."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from coursekit.demo import DemoConfig, run_demo
from coursekit.grading.records import STATUSES, Grade
from coursekit.grading.report import write_all
from coursekit.site.build import build_site
from tests.browser.annotate import look_at_annotating
from tests.browser.annotate_keys import look_at_keys
from tests.browser.chromium import GRAVE, browser, look, too_wide
from tests.browser.lab import look_at_lesson
from tests.browser.site import look_at_site
from tests.browser.widgets import look_at_widgets
from tests.grading.report.made_class import assignment, grade_of, mixed_class, png


def pages(out: Path) -> dict[str, Path]:
    """The demo's page, a class's, and students' with every end that a check can have."""
    run_demo(out / "demo", DemoConfig(train=8, val=8, test=3, size=64, epochs=2), say=lambda _: 0)
    grades = mixed_class(40)
    checks = tuple(assignment().points)
    for number, status in enumerate(STATUSES):
        ends = dict.fromkeys(checks, status) | {checks[0]: "passed"}
        grades.append(grade_of(f"ended {number} {status}", {}, ends))
    grades.append(Grade("lost", "lost.zip", "", "", "", problem="lost.zip is no zip"))
    grades[0] = dataclasses.replace(
        grades[0],
        public=tuple(dataclasses.replace(p, pictures=(png(1), png(2))) for p in grades[0].public),
    )
    written = write_all(grades, [assignment()], out / "grades")
    kept = {name: path for name, path in written.feedback.items() if not name.startswith("student")}
    first = {name: written.feedback[name] for name in ("student-001", "student-002")}
    return {"demo": out / "demo" / "report.html", "grades": written.index, **kept, **first}


def site_pages(out: Path) -> dict[str, Path]:
    """One page of each kind of the course's site, and its heaviest."""
    build_site(Path(__file__).parents[2], out / "site")
    names = ("index", "notebooks/00_welcome", "notebooks/13_annotation", "benchmarks/RESULTS",
             "notebooks/GLOSSARY", "reference/models", "gallery", "search")  # fmt: skip
    return {f"site {Path(name).name}": out / "site" / f"{name}.html" for name in names}


def main(out: Path) -> int:
    """Look at all of it; 1 where something shuts people out."""
    out.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with browser() as chromium:
        for name, path in {**pages(out), **site_pages(out)}.items():
            print(f"looking at {name}", flush=True)
            wrong += look(chromium, path.resolve().as_uri(), out / name.replace(" ", "-"))
        wrong += too_wide(chromium, out / "site")
        wrong += look_at_site(chromium, out / "site")
        wrong += look_at_annotating(chromium, out)
        wrong += look_at_keys(chromium)
        print("looking at the first lesson", flush=True)
        wrong += look_at_lesson(chromium, out)
        print("looking at the widgets", flush=True)
        wrong += look_at_widgets(chromium, out)
    print(*(wrong or ["axe-core finds nothing"]), sep="\n")
    print(f"pictures are in {out}")
    return int(any(line.startswith(GRAVE) for line in wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
