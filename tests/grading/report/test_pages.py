"""The pages: what they show, and what no input can make of them."""

import dataclasses
import html
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.records import STATUSES, Answer, CheckResult, Grade, PublicResult
from coursekit.grading.report import feedback, write_all
from coursekit.grading.report.exercises import describe, lesson_title
from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.regions import HIDDEN, Cell
from coursekit.lessons.source import Lesson
from tests.grading.report.made_class import (
    SOURCES,
    UNUSUAL,
    assignment,
    grade_of,
    honest_class,
    mixed_class,
    png,
)
from tests.growth import grows_linearly

VOID = {"meta", "img", "br", "hr"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section",
    "article", "div", "p", "span", "b", "i", "em", "strong", "code", "pre", "bdi", "a", "img", "ul",
    "ol", "li", "h1", "h2", "h3", "small", "details", "summary", "table", "thead", "tbody", "tr",
    "th", "td", "svg", "rect", "text", "line",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "src", "alt", "dir",
    "title", "open", "role", "tabindex", "aria-hidden", "aria-label", "style", "viewbox", "x", "y",
    "width", "height", "x1", "x2", "y1", "y2",
}  # fmt: skip
HREF = re.compile(r"#[a-z]+|feedback/[a-z0-9-]+\.html|(grades|checks|nbgrader|canvas)\.csv")
SRC = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
STYLE = re.compile(r"width: [0-9.]+%")


class Strict(HTMLParser):
    """Refuses every tag and attribute that our templates do not have, and unbalanced ones."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        values = dict(attrs)
        assert len(values) == len(attrs) and values.keys() <= ATTRIBUTES, attrs
        for name, shape in (("href", HREF), ("src", SRC), ("style", STYLE)):
            if name in values:
                assert shape.fullmatch(values[name] or ""), values[name]
        if tag == "meta" and "http-equiv" in values:
            assert values["http-equiv"] == "Content-Security-Policy" and not self.text_so_far()
            self.policy = values["content"] or ""
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            assert not re.search(r"url\(|@import|expression|//", data)
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def text_so_far(self) -> str:
        return "".join(self.text).strip()


def strict(path: Path) -> Strict:
    page = Strict(path.read_text(encoding="utf-8"))
    assert (
        page.policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
        and "'unsafe-eval'" not in page.policy
    )
    return page


def pages(grades: list[Grade], out: Path, given: list[Assignment] | None = None) -> list[Path]:
    written = write_all(grades, given or [assignment()], out)
    return [written.index, *written.feedback.values()]


NASTY = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>", "</pre></article><iframe src=//example.org>",
    "javascript:alert(1)", "http://example.org/x.js", "{{ 7 * 7 }}{% include 'style.css' %}",
    "<!-- ", "<![CDATA[", "&lt;script&gt;", "&#60;script>", "\x1b]8;;http://example.org\x07x",
    "../../etc/passwd", "CON", "x" * 300, "\u202e<b>", "e" + "\u0301" * 300, "\ud800", "a\nb", "",
    "<svg/onload=alert(1)>", "<base href=//example.org>", "\x00<script\x00>",
    "<scr\x00ipt>alert(1)</scr\u200bipt>", "[x](javascript:alert(1)) ![y](http://example.org)",
]  # fmt: skip


def nasty_grade(nasty: str) -> Grade:
    """This text wherever a grade has text."""
    grade = grade_of(f"student {nasty}", {})
    checks = tuple(
        dataclasses.replace(c, status=status, reasons=(nasty, nasty))
        for c, status in zip(grade.checks, ("wrong", "error", nasty), strict=True)
    )
    answers = tuple(
        Answer(e.name, f"# {nasty}\n{UNUSUAL}", nasty, "found", (nasty,))
        for e in assignment().exercises
    )
    public = tuple(
        PublicResult(e.name, nasty, nasty * 3, (nasty, png(1), "AAAA"))
        for e in assignment().exercises
    )
    return dataclasses.replace(
        grade, submission=nasty, isolation=nasty, checks=checks, answers=answers, public=public,
        problem=nasty, notes=(nasty,),
    )  # fmt: skip


def test_no_input_makes_a_script_or_a_link(tmp_path: Path) -> None:
    made = pages([nasty_grade(nasty) for nasty in NASTY], tmp_path)
    assert len(set(made)) == len(NASTY) + 1
    for path in made:
        assert path.resolve().is_relative_to(tmp_path)
        strict(path)
        raw = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", raw)
    template = "{{ 7 * 7 }}{% include 'style.css' %}"
    braces = tmp_path / "feedback" / feedback.file_name(f"student {template}")
    assert template in strict(braces).text_so_far()
    assert {p.name for p in tmp_path.iterdir()} == {
        "index.html", "feedback", "grades.csv", "checks.csv", "nbgrader.csv", "canvas.csv",
    }  # fmt: skip


def page_of(grades: list[Grade], given: Sequence[Assignment], out: Path) -> Path:
    return feedback.write(grades, feedback.read_lessons(given), out)


def test_every_status_is_shown_in_words(tmp_path: Path) -> None:
    for status, meaning in STATUSES.items():
        grade = grade_of("student-001", {}, dict.fromkeys(assignment().points, status))
        text = strict(page_of([grade], [assignment()], tmp_path)).text_so_far()
        assert "4 of 4" in text if status == "passed" else "0 of 4" in text
        assert meaning in text
        assert ("Hint 1" in text) == (status != "passed")


def test_a_page_of_feedback(tmp_path: Path) -> None:
    grade = grade_of("student-001", {}, {"check-mirror": "wrong"})
    checks = tuple(
        dataclasses.replace(c, reasons=("with no pairs at all",) if c.status == "wrong" else ())
        for c in grade.checks
    )
    answers = (Answer("mirror", "x", "definition", "found", ("the cell had lost its id",)),)
    said = PublicResult("mirror", "failed", "\x1b[31m✗ mirror\x1b[0m: it is on its head", (png(2),))
    grade = dataclasses.replace(
        grade, checks=checks, answers=answers, public=(said,), notes=("for the instructor",)
    )
    path = page_of([grade], [assignment()], tmp_path)
    page, raw = strict(path), path.read_text(encoding="utf-8")
    text = " ".join(page.text_so_far().split())
    for part in (
        "student-001", "2 of 4", "50 %", "0 · Welcome: a name for every pixel",
        "Exercise 3: mirror a face", "wrong result", "check-mirror", "with no pairs at all",
        "the cell had lost its id", "✗ mirror: it is on its head", "Hint 3",
    ):  # fmt: skip
        assert part in text, part
    assert raw.count("data:image/png") == 1 and raw.count("<details>") == 3
    assert "for the instructor" not in text and text.count("Exercise") == 3


def test_feedback_shows_the_students_own_code(tmp_path: Path) -> None:
    mine = 'def mirror(image, label_map, pairs):\n    return image, "<b>" + label_map\n'
    grade = grade_of("student-001", {"mirror": mine, "paint": "def paint(): ..."},
                     {"check-mirror": "wrong"})  # fmt: skip
    checks = tuple(
        dataclasses.replace(c, reasons=("with other pairs: wrong values",) * (c.status == "wrong"))
        for c in grade.checks
    )
    page = strict(
        page_of([dataclasses.replace(grade, checks=checks)], [assignment()], tmp_path)
    ).text_so_far()
    assert mine.strip() in page and "def paint" not in page  # what passed needs no reading
    assert page.index("not right with all") < page.index("with other pairs") < page.index(mine[:20])


def test_a_page_says_once_why_there_are_no_points(tmp_path: Path) -> None:
    stray = Grade("bob", "bob.zip", "", "", "", problem="bob.zip is no zip")
    text = strict(page_of([stray], [assignment()], tmp_path)).text_so_far()
    assert text.count("bob.zip is no zip") == text.count("bob.zip") == 1
    assert "nothing that could be graded was handed in" in text and "0 of 4" in text


def test_pictures_are_few_and_made_new(tmp_path: Path) -> None:
    shown = (png(1), "no picture", png(2), png(3), png(4), png(5))
    grade = grade_of("student-001", {}, {"check-paint": "wrong"})
    grade = dataclasses.replace(grade, public=(PublicResult("paint", "failed", "", shown),))
    path = page_of([grade], [assignment()], tmp_path)
    page, raw = strict(path), path.read_text(encoding="utf-8")
    assert raw.count("<img") == 3 and "3 more pictures are not shown" in page.text_so_far()


def test_one_page_holds_all_assignments_of_a_student(tmp_path: Path) -> None:
    given = read_assignments(SOURCES, ["00_welcome", "01_data"])
    first = grade_of("student-001", {})
    second = dataclasses.replace(first, assignment="01_data", checks=tuple(
        CheckResult(c.id, e.name, given[1].points[c.id], "wrong")
        for e in given[1].exercises for c in e.checks
    ))  # fmt: skip
    text = strict(page_of([second, first], given, tmp_path)).text_so_far()
    assert text.index("0 · Welcome") < text.index("1 · The data")
    assert f"4 of {4 + given[1].total}" in text
    alone = strict(page_of([first], given, tmp_path)).text_so_far()
    assert f"4 of {4 + given[1].total}" in alone and "nothing was handed in" in alone
    with pytest.raises(ValueError, match="2 students"):
        feedback.write(
            [first, dataclasses.replace(second, student="other")],
            feedback.read_lessons(given),
            tmp_path,
        )
    with pytest.raises(CourseError, match="two submissions"):
        page_of([first, first], given, tmp_path)


def hidden_lines(lesson: Lesson) -> set[str]:
    """Lines of hidden tests that stand nowhere else in the lesson."""
    inside: set[str] = set()
    for cell in lesson.cells:
        parts = cell.source.split(HIDDEN[0])[1:]
        lines = [line for part in parts for line in part.split(HIDDEN[1])[0].splitlines()]
        inside.update(line.strip() for line in lines if len(line.strip()) > 24)
    seen = "\n".join(cell.source for cell in lesson.student())
    return {line for line in inside if line not in seen}


def test_no_page_has_a_line_of_a_hidden_test_or_a_solution(tmp_path: Path) -> None:
    given = read_assignments(SOURCES)
    grades = [
        Grade(
            "student-001", "x.ipynb", a.name, "", "bubblewrap",
            checks=tuple(
                CheckResult(c.id, e.name, a.points[c.id], "wrong")
                for e in a.exercises for c in e.checks
            ),
        )
        for a in given
    ]  # fmt: skip
    assert sum(len(hidden_lines(a.lesson)) for a in given) > 50
    for path in pages(grades, tmp_path, given):
        raw = path.read_text(encoding="utf-8")
        for text in (raw, html.unescape(raw)):
            assert not any(line in text for a in given for line in hidden_lines(a.lesson))
            assert "HIDDEN" not in text and "SOLUTION" not in text


def test_the_page_of_a_class(tmp_path: Path) -> None:
    grades = mixed_class(40)
    for i in (3, 11):
        others = tuple(a for a in grades[i].answers if a.exercise != "mirror")
        mine = (*others, Answer("mirror", UNUSUAL, "id", "found"))
        grades[i] = dataclasses.replace(grades[i], answers=mine)
    borrowed = Answer("paint", "from coursekit.labels import colourise as paint", "id", "found")
    grades[5] = dataclasses.replace(grades[5], answers=(borrowed,))
    written = write_all(grades, [assignment()], tmp_path)
    page = strict(written.index)
    text = " ".join(page.text_so_far().split())
    mean = 100 * sum(g.earned for g in grades) / (4 * len(grades))
    for part in (
        "The class", f"{mean:.1f} %", "students40", "check-mirror", "bubblewrap", "student-040",
        "proves nothing", "the same text, character for character", "keep_for_reading",
        "coursekit.labels.colourise",
    ):  # fmt: skip
        assert part in text, part
    links = [link for link in page.links if link.startswith("feedback/")]
    assert {tmp_path / link for link in links} == set(written.feedback.values())
    assert all(path.is_file() for path in written.feedback.values())
    alike = text.index("Answers that are alike")
    assert alike < text.index("student-004, student-012") < text.index("The run Sandbox")


def test_after_week_one_of_many_the_page_speaks_of_that_week(tmp_path: Path) -> None:
    given = read_assignments(SOURCES)
    grades = [grade_of("ann", {}), Grade("bob", "bob.zip", "", "", "", problem="is no zip")]
    written = write_all(grades, given, tmp_path)
    assert [a.name for a in written.assignments] == ["00_welcome"]
    page = strict(written.index)
    text = " ".join(page.text_so_far().split())
    assert "mean50 %" in text and "all points1" in text and "could not be graded1" in text
    assert "01_data" not in text and "1 of 2" in text and "could not be graded0" in text
    assert text.index("To look at Not graded at all 1") < text.index("Scores 1")
    assert {path.name for path in written.tables} <= set(page.links)
    own = strict(written.feedback["ann"]).text_so_far()
    assert "4 of 4" in own and "100 %" in own and "1 · The data" not in own


def test_files_beside_graded_ones_and_early_work_are_named(tmp_path: Path) -> None:
    given = read_assignments(SOURCES, ["00_welcome", "01_data"])
    grades = honest_class(30)
    early = dataclasses.replace(grades[0], assignment="01_data", checks=())
    stray = Grade("student-002", "x.ipynb", "", "", "", problem="the file is empty")
    text = strict(write_all([*grades, early, stray], given, tmp_path).index).text_so_far()
    text = " ".join(text.split())
    assert "Files left aside 1" in text and "the file is empty" in text
    assert "1 of 30 students handed it in" in text and "Not graded at all" not in text


def test_an_empty_class_has_a_page(tmp_path: Path) -> None:
    written = write_all([], [assignment()], tmp_path)
    assert "Nothing was handed in" in strict(written.index).text_so_far()
    assert written.feedback == {}


def test_the_same_grades_give_the_same_pages(tmp_path: Path) -> None:
    grades = mixed_class(25)
    first = [p.read_bytes() for p in pages(grades, tmp_path / "a")]
    assert first == [p.read_bytes() for p in pages(grades[::-1], tmp_path / "b")]


def test_pages_of_five_hundred_students(tmp_path: Path) -> None:
    grades = mixed_class(500)
    assert grows_linearly(lambda n: pages(grades[:n], tmp_path / str(n)), 500)
    made = sorted((tmp_path / "500").rglob("*.html"), key=lambda path: len(path.parts))
    assert len(made) == 501 and made[0].stat().st_size < 2_000_000


def lesson(*cells: tuple[str, str, str]) -> Lesson:
    made = tuple(Cell(name, kind, text, 1) for name, kind, text in cells)
    return Lesson(Path("07_made.py"), made)


SOLVED = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"


def test_titles_and_hints_stand_before_the_answer() -> None:
    made = lesson(
        ("a", "markdown", "# 7 · Made\n\n## Exercise 1: `f` of *x*\n```\n# no heading\n```"),
        ("b", "code", "helper = 1"),
        ("c", "markdown", "<details><summary>Hint 1</summary>\n\nUse `a < b`.\n</details>"),
        ("d", "markdown", "<details><summary>Hint <b>2</b></summary>[x](http://a.org)</details>"),
        ("first", "code", SOLVED),
        ("second", "code", SOLVED),
    )  # fmt: skip
    about = describe(made)
    assert lesson_title(made) == "7 · Made"
    assert about["first"].title == "Exercise 1: <code>f</code> of <em>x</em>"
    assert [h.label for h in about["first"].hints] == ["Hint 1", "Hint &lt;b&gt;2&lt;/b&gt;"]
    assert about["first"].hints[0].text == "<p>Use <code>a &lt; b</code>.</p>\n"
    assert "<a" not in about["first"].hints[1].text
    assert about["second"].title == "second" and about["second"].hints == ()


def test_every_exercise_of_the_course_has_a_title_and_hints() -> None:
    for given in read_assignments(SOURCES):
        assert len(describe(given.lesson)) == len(given.lesson.exercises)
        for number, about in enumerate(describe(given.lesson).values(), 1):
            assert about.title.startswith(f"Exercise {number}: ") and len(about.hints) >= 2


def test_what_is_not_proved_stands_on_the_class_page_alone(tmp_path: Path) -> None:
    grade = grade_of("student-001", {}, {"check-mirror": "wrong"})
    said = ("the largest <tensor>", "its type")
    checks = tuple(
        dataclasses.replace(c, unproved=said) if c.check == "check-mirror" else c
        for c in grade.checks
    )
    written = write_all([dataclasses.replace(grade, checks=checks)], [assignment()], tmp_path)
    text = " ".join(strict(written.index).text_so_far().split())
    place = text.index("What points do not prove")
    assert "the largest <tensor>; its type" in text[place:]
    for page in written.feedback.values():
        assert "largest" not in page.read_text()
    written = write_all([grade], [assignment()], tmp_path / "proved")
    assert "do not prove" not in written.index.read_text()
