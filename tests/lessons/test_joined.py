"""What the builder writes into lessons and pages: cards, links, the map, terms, a syllabus."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from coursekit import plots
from coursekit.errors import CourseError
from coursekit.lessons.build import build, stale
from coursekit.lessons.joined import MAP_SEPARATOR, course_map, joined
from coursekit.lessons.outline import (
    LIST,
    RECORD,
    Cost,
    Outline,
    hours,
    keep_record,
    read_outline,
)
from coursekit.lessons.pages import glossary_page, spread, syllabus_page, terms
from tests.lessons.test_quiz import TEXT
from tests.lessons.test_source import EXERCISE

ROOT = Path(__file__).parents[2] / "notebooks"

HEAD = """\
# %% [markdown]
# # 1 · Twice
#
# | your time | {{your-time}} |
# | memory | {{memory}}, {{computing}} |
#
# A <dfn title="sum">Sum</dfn> is a number.
#
# {{links}}
#
# {{papers}}
#
# ## Exercise 1: doubled
#
# ## Exercise 2: none yet

"""
QUIZ_CELL = "\n# %% quiz [markdown]\n" + "\n".join(
    f"# {line}".rstrip() for line in TEXT.split("\n")
)
FIRST = HEAD + EXERCISE.split("\n\n", 1)[1].replace(
    "twice points=3", 'twice minutes=30 difficulty="hard"'
)
LIST_TEXT = """\
[[lesson]]
name = "01_twice"
short = "Twice"
place = [0, 1]
papers = [{ title = "On Two", by = "Ann, 2001", url = "https://doi.org/10.1/2" }]

[[lesson]]
name = "02_all"
short = "All"
builds = "the rest"
after = ["01"]
place = [1, 0]
research = true
"""
LAST = """\
# %% [markdown]
# # 2 · All
#
# {{links}}
#
# {{lessons}}

# %% map
print(*\"\"\"
{{map}}
\"\"\".split("---"))
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "01_twice.py").write_text(FIRST + QUIZ_CELL, encoding="utf-8")
    (tmp_path / "source" / "02_all.py").write_text(LAST, encoding="utf-8")
    (tmp_path / LIST).write_text(LIST_TEXT, encoding="utf-8")
    return tmp_path


def made(course: Path, name: str, **links: str) -> list[str]:
    outline = read_outline(course)
    lesson = outline.lessons[name]
    return [cell.source for cell in joined(lesson.student(), lesson, outline, links)]


def test_a_card_says_what_a_lesson_takes(course: Path) -> None:
    card = made(course, "01_twice")[0]
    time = "about ½ hour: 0 minutes of reading, one exercise of 30 minutes"
    assert f"| your time | {time} |" in card
    assert "not measured yet, not measured yet" in card
    assert "## Exercise 1: doubled (30 minutes, hard)\n" in card
    assert card.endswith("## Exercise 2: none yet")
    (course / RECORD).write_text('{"01_twice": {"seconds": 20, "megabytes": 1300}}', "utf-8")
    assert "| memory | 1.3 GB, about 20 seconds of one CPU core |" in made(course, "01_twice")[0]


def test_links_go_where_there_is_something(course: Path) -> None:
    card = made(course, "01_twice")[0]
    assert "02 · All →" in card and "](02" not in card and "←" not in card
    assert "Paper: [On Two](https://doi.org/10.1/2) (Ann, 2001)" in card
    other, _ = made(course, "02_all", **{"01_twice": "week-1.ipynb", "GLOSSARY": "G.md"})
    assert "← [01 · Twice](week-1.ipynb) · [glossary](G.md)" in other
    assert "| 02 · All | the rest | ¼ hour |" in other


def test_what_was_measured_is_written_as_lines_of_json(course: Path) -> None:
    with (course / "source" / "02_all.py").open("a", encoding="utf-8") as source:
        source.write('\n# %%\n"""\n{{records annotation_loop rounds}}\n"""\n')
        source.write('\n# %%\n"""\n{{records nothing rounds}}\n"""\n')
    *_, rounds, nothing = made(course, "02_all")
    folder = ROOT.parent / "benchmarks" / "records" / "annotation_loop"
    kept = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    said = [json.loads(line) for line in rounds.strip('"\n').splitlines()]
    assert said == [r["settings"] | {"rounds": r["figures"]["rounds"]} for r in kept] != []
    assert nothing.strip('"\n') == ""


def test_the_map_can_be_drawn(course: Path) -> None:
    rows, _, arrows = course_map(read_outline(course)).partition(MAP_SEPARATOR)
    drawn = plots.diagram(rows, arrows, marked="research")
    assert "01 Twice → 02 All" in drawn.alt and "Dashed, research: 02 All" in drawn.alt


def test_a_quiz_becomes_text_and_a_widget(course: Path) -> None:
    words, call = made(course, "01_twice")[-2:]
    assert "Two questions" in words and words.count("<details>") == words.count("</details>") == 5
    shown = {}
    exec(call.replace("quiz(", "shown['quiz'] = quiz("), {"shown": shown})
    assert len(shown["quiz"].children) == 2


@pytest.mark.parametrize(
    ("questions", "choices", "said"), [(1, 2, "One question that"), (12, 9, "12 questions that")]
)
def test_a_quiz_may_be_short_or_long(course: Path, questions: int, choices: int, said: str) -> None:
    wrong = "- [ ] No\n  It is.\n" * (choices - 1)
    text = f"### Is it?\n\n{wrong}- [x] Yes\n  So it is.\n\n" * questions
    cell = "# %% quiz [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
    source = course / "source" / "01_twice.py"
    source.write_text(HEAD.partition("## Exercise")[0] + "\n" + cell + "\n", "utf-8")
    card, words, call = made(course, "01_twice")
    assert said in words and "0 minutes of reading |" in card, "and a lesson without exercises"
    shown = {}
    exec(call.replace("quiz(", "shown['quiz'] = quiz("), {"shown": shown})
    first = shown["quiz"].children[0].children
    assert len(first) == 1 + choices + 1, "heading, choices, verdict"


def test_pages_are_made_and_go_stale(course: Path) -> None:
    build(course, execute=False)
    names = {path.name for path in course.iterdir()}
    assert {"GLOSSARY.md", "SYLLABUS.md", "01_twice.ipynb"} <= names
    glossary = (course / "GLOSSARY.md").read_text(encoding="utf-8")
    assert "- **sum**: A Sum is a number. ([01 · Twice](01_twice.ipynb))" in glossary
    reasons = {path.name: reason for path, reason in stale(course)}
    assert "GLOSSARY.md" not in reasons and "SYLLABUS.md" not in reasons
    (course / "SYLLABUS.md").write_text("mine", encoding="utf-8")
    assert "SYLLABUS.md" in {path.name for path, _ in stale(course)}


def test_building_twice_gives_the_same_bytes_and_another_quiz_runs_nothing(course: Path) -> None:
    build(course)
    assert stale(course) == []
    first = {p: p.read_bytes() for p in course.rglob("*") if p.is_file()}
    build(course)
    assert {p: p.read_bytes() for p in course.rglob("*") if p.is_file()} == first
    solved = json.loads((course / "solved" / "01_twice.ipynb").read_bytes())
    assert solved["cells"][-1]["outputs"] == []  # a widget leaves nothing behind
    source = course / "source" / "01_twice.py"
    source.write_text(source.read_text("utf-8").replace("One is less", "It is so"), "utf-8")
    build(course, execute=False)
    assert stale(course) == []


def test_a_record_changes_when_a_figure_moves_by_more_than_a_step(tmp_path: Path) -> None:
    def kept(seconds: float, megabytes: float) -> tuple[bool, Cost]:
        changed = keep_record(tmp_path, "a", Cost(seconds, megabytes))
        row = json.loads((tmp_path / RECORD).read_text("utf-8"))["a"]
        return changed, Cost(row["seconds"], row["megabytes"])

    assert kept(12.3, 1210.0) == (True, Cost(20, 1300))
    for seconds, megabytes in ((29.9, 1399.0), (1.0, 1101.0), (20.0, 1300.0)):
        assert kept(seconds, megabytes) == (False, Cost(20, 1300))
    assert kept(30.1, 1250.0) == (True, Cost(40, 1300))
    assert kept(30.1, 1050.0) == (True, Cost(40, 1100))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "02_all"', 'name = "02_other"', "02_all, 02_other: stands in the list or"),
        ('after = ["01"]', 'after = ["03"]', "02_all comes after 03"),
        ("https://", "ftp://", "is no address"),
        ("short =", "long =", "is no list of lessons"),
        ("[[lesson]]", "[[lessons]]", "is no list of lessons"),
        ("research = true", "reserch = true", "unknown: reserch"),
    ],
)
def test_a_list_that_is_not_in_order(course: Path, old: str, new: str, words: str) -> None:
    path = course / LIST
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(CourseError, match=words):
        read_outline(course)


def test_a_record_that_is_damaged(course: Path) -> None:
    (course / RECORD).write_text('{"01_twice": 20}', encoding="utf-8")
    with pytest.raises(CourseError, match=r"delete it and run `make build`"):
        read_outline(course)


def test_a_term_is_defined_once(course: Path) -> None:
    source = course / "source" / "02_all.py"
    source.write_text(LAST.replace("# {{lessons}}", "# The <dfn>sum</dfn> is all."), "utf-8")
    with pytest.raises(CourseError, match="02_all: defines 'sum', which 01_twice has defined"):
        glossary_page(read_outline(course), {})


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1, "¼ hour"), (44, "¾ hour"), (55, "1 hour"), (80, "1½ hours"), (185, "3 hours")],
)
def test_hours(minutes: float, said: str) -> None:
    assert hours(minutes) == said


@pytest.fixture(scope="module")
def whole() -> Outline:
    return read_outline(ROOT)


#: Words of the field: each that lessons use is defined in one of them. In brackets: other forms.
FIELD = """
ablation; active learning; adjacency matrix; annotator; ASPP; attention; augmentation; batch
normalisation; bootstrap; bilinear interpolation (bilinear); confusion matrix; cross-entropy;
decoder; depthwise convolution; Dice loss (Dice); dilated convolution (dilated); distillation;
encoder; face parsing; focal loss; GELU; IoU; label map; landmark; layer normalisation (LayerNorm);
learning rate; logits; long tail; Lovász extension (Lovász); mean IoU; momentum; normalised mean
error (NME); output stride; palette; patience; pointwise convolution (pointwise); position code;
pyramid pooling; receptive field; selection bias; skip; standard pose; student; teacher; token;
warm-up; weight decay; whitening (whitened)
"""


def test_the_words_of_the_field_are_defined_once(whole: Outline) -> None:
    defined = [term.name.lower() for term in terms(whole)]
    prose = " ".join(
        cell.source for lesson in whole.lessons.values() for cell in lesson.cells
        if cell.kind == "markdown"
    )  # fmt: skip
    for entry in FIELD.replace("\n", " ").split(";"):
        name, *others = (word.strip(" )") for word in entry.split("("))
        forms = "|".join(map(re.escape, (name, *others)))
        assert re.search(rf"\b({forms})", prose, re.IGNORECASE), f"no lesson says {name}"
        assert defined.count(name.lower()) == 1, f"{name}: mark where it is defined, <dfn>"


def test_terms_stand_in_sentences_of_their_own(whole: Outline) -> None:
    for term in terms(whole):
        assert "<" not in term.sentence.replace("$", "") or "$" in term.sentence, term
        assert 4 <= len(term.sentence.split()) <= 70, term
        assert term.name == term.name.strip("*`_ "), term


def test_the_course_has_a_syllabus_and_hours(whole: Outline) -> None:
    page = syllabus_page(whole, {})
    for weeks in (6, 12):
        rows = page.partition(f"## {weeks} weeks")[2].partition("\n## ")[0]
        assert f"\n| {weeks} | " in rows and f"\n| {weeks + 1} | " not in rows
    assert all(sum(whole.minutes(e.name)) <= 210 for e in whole.entries)
    for weeks in (6, 12, 99):
        parts = spread(whole, whole.entries, weeks)
        assert [e for part in parts for e in part] == list(whole.entries)
