"""Which bugs are planted, and that each is one change."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.mutation.answers import Answers, gaps, read_answers
from coursekit.mutation.mutants import Mutant, plant

HEAD = 'def f(a, b):\n    """Words: 1 + 2."""\n    start = 3\n    ### BEGIN SOLUTION\n'
TAIL = "\n    ### END SOLUTION\n\n# %% check-f\npass\n"


def lesson(folder: Path, body: str, head: str = HEAD) -> Lesson:
    path = folder / "09_test.py"
    indented = "\n".join("    " + line for line in body.splitlines())
    path.write_text(f"# %% f\n{head}{indented}{TAIL}", encoding="utf-8")
    return read_lesson(path)


def planted(folder: Path, body: str) -> list[Mutant]:
    return plant(lesson(folder, body).exercises[0])


def codes(folder: Path, body: str) -> set[str]:
    """The bodies with bugs, without what stands above them."""
    return {m.code.split("start = 3\n")[1].strip() for m in planted(folder, body)}


@pytest.mark.parametrize(
    ("body", "bug"),
    [
        ("return a[1]", "return a[2]"),
        ("return a[1]", "return a[0]"),
        ("return a[:, 0]", "return a[0, :]"),
        ("return a[:, ::-1]", "return a[::-1, :]"),
        ("return a[:, ::-1]", "return a[:, ::1]"),
        ("return a[::-1].copy()", "return a[::-1]"),
        ("return a.sum(axis=1)", "return a.mean(axis=1)"),
        ("return a.sum(axis=1)", "return a.sum(axis=2)"),
        ("return a.sum(axis=1)", "return a.sum()"),
        ("return a.sum(1)", "return a.sum(0)"),
        ("return max(a, b)", "return min(a, b)"),
        ("return f(a, b)", "return f(b, a)"),
        ("return (a, b)", "return (b, a)"),
        ("return [a, b]", "return [b, a]"),
        ("return -a", "return a"),
        ("return a * b", "return a / b"),
        ("return a + b", "return a - b"),
        ("return a + b", "return a"),
        ("a += b\nreturn a", "a -= b\n    return a"),
        ("a += b\nreturn a", "a = b\n    return a"),
        ("a += b\nreturn a", "pass\n    return a"),
        ("return a < b", "return a >= b"),
        ("return a < b", "return a <= b"),
        ("return a in b", "return a not in b"),
        ("return a[a != 255]", "return a[a != 0]"),
        ("known = a > 0\nreturn known", "known = a > 0\n    known[0] = False\n    return known"),
        ("return (a / b).mean()", "return a.sum() / b.sum()"),
        ("return a.sum() / b.sum()", "return (a / b).mean()"),
        ("return cv2.resize(a, b, interpolation=cv2.INTER_NEAREST)",
         "return cv2.resize(a, b, interpolation=cv2.INTER_LINEAR)"),
        ("return a.astype(np.uint8)", "return a.astype(np.int32)"),
        ("return a + b", "return a"),
        ("return a + b", "a + b"),
        ("return a + b", "return (a + b).swapaxes(0, 1)"),
        ("return nn.ReLU()(a)", "return nn.GELU()(a)"),
        ("return nn.Conv2d(a, b, 3, padding=1)", "return nn.Conv2d(a, b, 3)"),
        ("return nn.Conv2d(a, b, 3)", "return nn.Conv2d(a, b, 3, bias=False)"),
        ("return nn.Conv2d(a, b, 3, padding=1)", "return nn.Conv2d(b, a, 3, padding=1)"),
        ("return nn.Sequential(a, nn.ReLU(), b)", "return nn.Sequential(a, b)"),
        ("return nn.Sequential(a, nn.ReLU(), b)", "return nn.Sequential(a, nn.Identity(), b)"),
        ("x = torch.exp(a)\nreturn x", "x = torch.exp(a).detach()\n    return x"),
        ("x = torch.exp(a)\nreturn x", "x = torch.exp(a)\n    return x.detach()"),
        ("if a:\n    b = 1\nreturn b", "b = 1\n    return b"),
        ("if a:\n    b = 1\nreturn b", "if not a:\n        b = 1\n    return b"),
        ("for x in a:\n    b(x)\nreturn b", "for x in list(a)[1:]:\n        b(x)\n    return b"),
        ("return [x for x in a if x]", "return [x for x in a]"),
        ("return sorted(a)", "return a"),
        ("a()\nb()", "b()\n    a()"),
        ("for x in a:\n    b(x)\n    x()", "for x in a:\n        x()\n        b(x)"),
        ("return a == 'L'", "return a == 'Lx'"),
        ("return a in ('L', 'P')", "return a in ('P',)"),
    ],
)  # fmt: skip
def test_a_slip_is_planted(tmp_path: Path, body: str, bug: str) -> None:
    assert bug in codes(tmp_path, body)


def test_bugs_differ_and_are_python_and_leave_the_rest_alone(tmp_path: Path) -> None:
    body = "c = {'x': 1 + a}\nfor i in range(3):\n    c[i] = f(i, b)\nreturn c, f'{a} {b:>3}'"
    found = planted(tmp_path, body)
    assert len(found) > 20 and len({m.code for m in found}) == len(found)
    for mutant in found:
        tree = ast.parse(mutant.code)
        assert ast.unparse(tree) == mutant.code
        assert '"""Words: 1 + 2."""\n    start = 3' in mutant.code
        assert mutant.line in body and mutant.change and mutant.operator


def test_no_bug_is_planted_where_none_would_be_one(tmp_path: Path) -> None:
    assert not {c for c in codes(tmp_path, "return a in ('L', 'P')") if "('P', 'L')" in c}
    assert not {c for c in codes(tmp_path, "raise ValueError('one')") if "onex" in c}
    assert not {c for c in codes(tmp_path, "return a.copy()") if "detach" in c}


def test_a_change_is_told_in_short(tmp_path: Path) -> None:
    told = {m.change for m in planted(tmp_path, "return long_name(a) + other_name(b, dim=1)")}
    assert "+ → -" in told and "dim=1) → dim=2)" in told


def test_answers_stand_beside_a_lesson(tmp_path: Path) -> None:
    read = lesson(tmp_path, "return a")
    with pytest.raises(CourseError, match=r"answers/09_test\.py: is missing"):
        read_answers(read)
    (tmp_path / "answers").mkdir()
    path = tmp_path / "answers" / "09_test.py"
    path.write_text("WRONG = {}\n")
    with pytest.raises(CourseError, match="defines no RIGHT"):
        read_answers(read)
    path.write_text("WRONG = {'f': [('1', 'x')] * 3}\nRIGHT = {'g': []}\n")
    answers = read_answers(read)
    assert answers == Answers({"f": [("1", "x")] * 3}, {"g": []}, {})
    assert gaps(read, answers) == [
        "f: 0 other right answers; give 1", "g: no such exercise in 09_test",
    ]  # fmt: skip
    assert gaps(read, Answers({}, {"f": ["1"]})) == ["f: 0 wrong answers; plant 3"]
