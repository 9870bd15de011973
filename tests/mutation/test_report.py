"""What trying answers finds about good checks and bad ones, on a lesson of one line."""

from __future__ import annotations

import json
import os
import resource
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from coursekit.checks.borrowing import BORROWED
from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.mutation import trial
from coursekit.mutation.answers import Answers
from coursekit.mutation.forked import MEMORY, Ending, run_forked
from coursekit.mutation.report import Tally, _judge_right, as_text, examine, score
from coursekit.mutation.trial import Trial, Tried, try_answers

if TYPE_CHECKING:
    from collections.abc import Callable

LESSON = """\
# %%
from dataclasses import dataclass
from coursekit.checks import Check

# %% tags=["slow"]
raise RuntimeError("a slow cell was run")

# %% twice points=1
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %%
@dataclass
class Pair:
    value: int = 2

# %% check-twice
check = Check("twice")
check.catches(25, twice(5), "that is the square")
check.equal(twice(5), 10, "twice 5 is 10")
check.passed("doubled")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-twice")
number = probe.given("number", lambda rng: rng.integers(10, 99))
probe.emit("twice", twice(number) if Pair().value == 2 else 0, "another number")
### END HIDDEN TESTS
"""
HIDDEN = "### BEGIN HIDDEN TESTS"
SQUARE, THRICE, NOTHING = (f"def twice(x):\n    return {v}\n" for v in ("x * x", "3 * x", "None"))
SUM = "def twice(x):\n    return x + x\n"
GOOD = [(SQUARE, "Square"), (THRICE, "twice 5"), (THRICE.replace("3", "4"), "expected: 10")]


def read(folder: Path, text: str = LESSON) -> Lesson:
    (folder / "source").mkdir(exist_ok=True)
    path = folder / "source" / "09_test.py"
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)


def look(
    lesson: Lesson,
    wrong: list[tuple[str, str]] = GOOD,
    right: list[str] | None = None,
    equivalent: list[tuple[str, str, str]] | None = None,
    hidden_only: list[tuple[str, str, str]] | None = None,
    mutants: bool = False,
) -> Tally:
    answers = Answers(
        {"twice": wrong}, {"twice": [SUM] if right is None else right}, {"twice": equivalent or []},
        {"twice": hidden_only or []},
    )  # fmt: skip
    (tally,) = examine(lesson, answers, mutants=mutants, workers=2)
    return tally


def test_good_checks_notice_everything(tmp_path: Path) -> None:
    tally = look(read(tmp_path), mutants=True)
    assert tally.problems == [] and tally.survivors == []
    assert tally.mutants == tally.public == tally.hidden > 5
    assert score([tally], "hidden") == 1.0
    alike = LESSON.replace("return 2 * x", "return 1 * x + 1 * x")  # two bugs of each name
    assert look(read(tmp_path, alike), mutants=True).problems == []


def test_a_weak_half_is_told(tmp_path: Path) -> None:
    text = LESSON.replace('check.equal(twice(5), 10, "twice 5 is 10")', "twice(5)")
    text = text.replace("twice(number) if", "2 * number + twice(number) % 2 if")
    tally = look(read(tmp_path, text), GOOD[:1] * 3, mutants=True)
    assert "public: [off by one] return 2 * x: 2 → 3" in tally.survivors
    assert "public and hidden: [operand dropped] return 2 * x: 2 * x → 2" in tally.survivors
    assert tally.public < tally.mutants and tally.hidden < tally.mutants
    assert f"~ twice, not noticed by {tally.survivors[0]}" in as_text("09_test", [tally])


def test_everything_that_is_wrong_is_told(tmp_path: Path) -> None:
    wrong = [*GOOD, (SUM, "sum"), (THRICE, "square"), ("def twice():\n    1\n", "")]
    found = look(read(tmp_path), wrong, [SUM, SQUARE]).problems
    assert found[:4] == [
        "twice: right answer 2 gives CheckFailed: that is the square",
        "twice: right answer 2 fails the hidden half: another number: wrong values",
        "twice: wrong answer 4 gives no error",
        "twice: the hidden half lets wrong answer 4 pass",
    ]
    assert found[4].startswith("twice: wrong answer 5: 'square' is not in 'twice 5 is 10")
    assert found[5].startswith("twice: wrong answer 6 gives TypeError")
    assert len(found) == 6


def test_a_check_under_another_name_and_gaps_are_told(tmp_path: Path) -> None:
    lesson = read(tmp_path, LESSON.replace('Check("twice")', 'Check("double")'))
    found = look(lesson, GOOD[:2], []).problems
    assert [problem.split(": ")[1] for problem in found] == [
        "wrong answer 1 fails double", "wrong answer 2 fails double",
        "2 wrong answers; plant 3", "0 other right answers; give 1",
    ]  # fmt: skip


def test_checks_that_pass_on_the_stub_are_told(tmp_path: Path) -> None:
    text = LESSON.replace(LESSON[LESSON.index("check.catches") : LESSON.index(HIDDEN)], "")
    text = text.replace("twice(number) if", "2 * number if")
    found = look(read(tmp_path, text)).problems
    assert "twice: the stub gives no error, not 'not written yet: '" in found
    assert "twice: the hidden half lets the stub pass" in found
    assert len(found) == 2 + 2 * len(GOOD)


def test_equivalent_bugs_are_listed_by_hand_and_tried(tmp_path: Path) -> None:
    text = LESSON.replace("return 2 * x", "y = 2 * x\n    return abs(y)")
    listed = [
        ("return abs(y)", "abs(y) → y", "nothing is negative here"),
        ("y = 2 * x", "* → /", "wrong"),
        ("y = 2 * x", "* → %", "not planted"),
    ]
    tally = look(read(tmp_path, text), equivalent=listed, mutants=True)
    assert tally.equivalent == 2 and not tally.survivors
    stale, public, hidden = tally.problems
    assert "no planted bug is y = 2 * x: * → %; take it off" in stale
    assert "listed as equivalent: [arithmetic] y = 2 * x: * → / gives CheckFailed" in public
    assert "* → / fails the hidden half: another number: wrong values" in hidden


def test_what_comes_between_the_halves_is_told_or_listed(tmp_path: Path) -> None:
    lesson = read(tmp_path, LESSON.replace("check.equal(twice(5), 10, ", "check.that(twice(5), "))
    tally = look(lesson, [*GOOD[:2], (SUM.replace("+ x", "+ x - 1"), "")], mutants=True)
    assert "[off by one] return 2 * x: 2 → 3" in tally.between
    assert "wrong answer 3" in tally.between and tally.hidden_only == 0
    listed = [("return 2 * x", change, "-") for change in ("2 → 3", "2 → 1", "2 → 9")]
    tally = look(lesson, hidden_only=listed, mutants=True)
    assert not any("off by one" in line for line in tally.between) and tally.hidden_only == 2
    assert any("is return 2 * x: 2 → 9; take it off HIDDEN_ONLY" in p for p in tally.problems)
    tally = look(read(tmp_path), hidden_only=listed[:1], mutants=True)
    (problem,) = tally.problems
    assert problem.endswith("is not between the halves: [off by one] return 2 * x: 2 → 3")


def test_two_bugs_of_one_name_are_not_taken_for_listed_ones(tmp_path: Path) -> None:
    text = LESSON.replace("return 2 * x", "return 2 + x + x - 2")
    tally = look(read(tmp_path, text), mutants=True)
    assert tally.problems == [] and tally.hidden_only == 0


def test_the_hidden_half_begins_where_the_public_one_began(tmp_path: Path) -> None:
    """One fork runs both; what the first leaves behind must not reach the second."""
    head = "import os, random, torch\nimport numpy as np\nrng = np.random.default_rng(0)"
    text = LESSON.replace("# %%\nfrom", f"# %%\n{head}\nfrom", 1)
    drawn = (
        "[random.random(), float(torch.rand(1)), torch.get_default_dtype() == torch.float32, "
        "rng.random(), np.geterr()['over'], os.environ.get('LEFT'), os.path.exists('left')]"
    )
    spoil = (
        f"torch.set_default_dtype(torch.float64)\nleft = {drawn}\nnp.seterr(over='ignore')\n"
        "os.environ['LEFT'] = '1'\nopen('left', 'w').close()\n"
    )
    text = text.replace("check = Check", spoil + "check = Check")
    state = f"probe.emit('state', ['left' in globals(), {drawn}], '-')\n"
    assert look(read(tmp_path, text.replace("probe.emit(", state + "probe.emit("))).problems == []


def test_answers_share_a_fork(tmp_path: Path) -> None:
    note = f"import os\nwith open({str(tmp_path / 'processes')!r}, 'a') as file:\n"
    note += "    file.write(f'{os.getpid()} ')\n"
    wrong = [(note + code, words) for code, words in GOOD * 10]
    assert look(read(tmp_path), wrong, [note + SUM] * 4).problems == []
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 2 * 34 and len(set(processes)) == 3  # at most 16 in each


@pytest.mark.parametrize(
    "left",
    [
        "Check.equal = lambda *_, **__: None",  # all that follow it pass the public half
        "Check.catches = lambda *_: Check('twice').that(False, 'the square, twice 5 is 10')",
        "import os\nos.fork = os.getpid\nos._exit = Check\nos.kill(os.getpid(), 9)",
    ],
)
def test_what_an_answer_leaves_behind_spoils_no_other(tmp_path: Path, left: str) -> None:
    """With two workers the first, the third and the last share a fork."""
    first = (f"{left}\nraise AssertionError\n", "")
    wrong = [first, GOOD[0], (SUM, "that"), GOOD[1], GOOD[2]]  # the stub is tried before them
    problems = look(read(tmp_path), wrong).problems
    assert problems[0].startswith("twice: wrong answer 1 gives ")
    assert problems[1:] == [
        "twice: wrong answer 3 gives no error", "twice: the hidden half lets wrong answer 3 pass",
    ]  # fmt: skip


def test_numbers_of_the_lesson_that_an_answer_changes_spoil_no_other(tmp_path: Path) -> None:
    """The second answer looks right for the lesson's numbers, not for what the first makes them."""
    data = "# %%\nimport numpy as np\nDATA = np.array([2.0])\nfrom"
    asks = "import numpy as np\ncheck.equal(float(twice(DATA)[0]), 2 * float(DATA[0]), 'twice')\n"
    asks += "check.catches(25"
    text = LESSON.replace("# %%\nfrom", data, 1).replace("check.catches(25", asks, 1)
    spoils = "def twice(x):\n    DATA[:] = 3\n    return x\n"
    odd = "def twice(x):\n    return x * x if np.ndim(x) else 10 * (x == 5)\n"
    lesson = read(tmp_path, text)
    trials = [Trial("twice", code, right=False) for code in (spoils, odd)]
    alone = dict(try_answers(lesson, [Trial("twice", odd)], 1))[0]
    together = dict(try_answers(lesson, trials, 1))[1]
    assert (alone.public.message, alone.reasons) == (together.public.message, together.reasons)
    assert alone.public.kind == "passed" and alone.reasons


def test_settings_of_who_tries_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_SIZES", "{}")
    trial._forget()  # the next process begins with them
    asks = "# %%\nimport os\nassert 'COURSEKIT_SIZES' not in os.environ\nfrom"
    assert look(read(tmp_path, LESSON.replace("# %%\nfrom", asks))).problems == []


def test_a_half_that_ended_the_process_spoils_no_other(tmp_path: Path) -> None:
    text = LESSON.replace('check.passed("doubled")', "import os\nos._exit(0)")
    (how,) = (how for _, how in try_answers(read(tmp_path, text), [Trial("twice", SUM)], 1))
    assert how.public.kind == "dead" and how.passed_hidden


def test_the_hidden_half_ends_at_the_first_emission_that_is_wrong(tmp_path: Path) -> None:
    end, place = "### END HIDDEN", LESSON.index("# %% check-twice")
    text = LESSON.replace(end, f"assert twice(7) == 14\n{end}")
    second = LESSON[place:].replace("check-twice", "check-twice-2").replace("another", "one more")
    lesson = read(tmp_path, text + second)
    codes = ["def twice(x):\n    return 2 * x + (x > 5)\n", SUM]
    tried = dict(try_answers(lesson, [Trial("twice", code) for code in codes], 1))
    assert tried[0].passed_public and tried[0].reasons == ("another number: wrong values",)
    assert tried[0].hidden.kind == "passed" and tried[1].passed_hidden


def test_the_hidden_half_knows_what_is_forbidden(tmp_path: Path) -> None:
    rule = (
        "check.forbids('sum', because='add them yourself')\ncheck.catches(25, check.call(twice, 5)"
    )
    text = LESSON.replace("check.catches(25, twice(5)", rule)
    cheat = "def twice(x):\n    return sum([x, x])\n"
    wrong = [*GOOD, (cheat, "uses `sum`, which this exercise forbids: add them yourself")]
    assert look(read(tmp_path, text), wrong).problems == []
    (how,) = (how for _, how in try_answers(read(tmp_path, text), [Trial("twice", cheat)], 1))
    assert how.reasons == (
        "your answer uses `sum`, which this exercise forbids: add them yourself",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (LESSON[LESSON.index(HIDDEN) :], "", "check-twice has no hidden half"),
        ('Probe("check-twice")', 'Probe("check-thrice")', "check-twice: its hidden half emitted"),
        ("twice(number) if", "twice(7) if", "can be made up"),
        ("twice(number) if", "thrice(number) if", "ends with NameError on the solution"),
        ('another number")', '-", at_most=999)', "can be made up"),
        ("# %%\nfrom", "# %%\n1 / 0\nfrom", "cell lesson-09-1 fails .ZeroDivisionError"),
        ("# %%\nfrom", "# %%\nimport os\nos._exit(3)\nfrom", "ended the process"),
    ],
)
def test_a_lesson_that_is_not_in_order_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in LESSON
    with pytest.raises(CourseError, match=words):
        look(read(tmp_path, LESSON.replace(old, new)))


def test_answers_that_never_end_or_end_the_process_end_nothing_else(tmp_path: Path) -> None:
    codes = [
        "def twice(x):\n    while True:\n        try:\n            x = 1\n        except: pass\n",
        "def twice(x):\n    import os\n    os._exit(0)\n",
        "def twice(x):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "def twice(x):\n    raise SystemExit(0)\n",
        "def twice(x):\n    print('x' * 10**7)\n    return 2 * x\n",
        SUM,
    ]
    tried = dict(try_answers(read(tmp_path), [Trial("twice", c) for c in codes], 2, seconds=1))
    kinds = [(tried[i].public.kind, tried[i].hidden.kind) for i in range(len(codes))]
    assert set(kinds[0]) <= {"dead", "timeout"}  # whichever limit comes first
    assert kinds[1:] == [
        ("dead", "dead"), ("dead", "dead"), ("SystemExit", "SystemExit"),
        ("passed", "passed"), ("passed", "passed"),
    ]  # fmt: skip
    assert not any(tried[i].passed_public or tried[i].passed_hidden for i in range(4))


class TestForks:
    def run(self, *tasks: list[Callable[[], object]], seconds: float = 5) -> list[list[str]]:
        ended = sorted(run_forked(tasks, 2, seconds))
        return [[ending.kind for ending in endings] for _, endings in ended]

    def test_each_has_its_folder_and_names(self, tmp_path: Path) -> None:
        home = Path.cwd()

        def call(place: str) -> None:
            Path("file").write_text("x")
            seen.append(place)
            (tmp_path / place).write_text(" ".join(seen))
            assert Path.cwd() != home

        seen: list[str] = []
        ends = self.run(*([partial(call, place)] for place in "abc"))
        assert ends == [["passed"]] * 3
        assert [(tmp_path / place).read_text() for place in "abc"] == ["a", "b", "c"]
        assert not seen and Path.cwd() == home

    def test_memory_has_a_limit(self) -> None:
        assert self.run([lambda: bytearray(2 * MEMORY)]) == [["MemoryError"]]

    def test_sleeping_has_a_limit(self) -> None:
        ended = self.run([lambda: time.sleep(600)], [lambda: None], seconds=0.2)
        assert ended == [["timeout"], ["passed"]]

    def test_acts_follow_each_other_whatever_became_of_the_first(self) -> None:
        def leave(folder: str = "/") -> None:
            os.chdir(folder)
            raise SystemExit(3)

        home = Path.cwd
        acts = [leave, lambda: home().joinpath("x").write_text("x"), lambda: os._exit(0)]
        assert self.run(acts, [lambda: os._exit(0), leave]) == [
            ["SystemExit", "passed", "dead"], ["dead"],
        ]  # fmt: skip

    def test_each_act_has_the_whole_of_the_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def note() -> None:
            with (tmp_path / "limits").open("a") as file:
                file.write(f"{resource.getrlimit(resource.RLIMIT_CPU)[0]} ")
            used.ru_utime = 5

        used = SimpleNamespace(ru_utime=0, ru_stime=1)
        monkeypatch.setattr(resource, "getrusage", lambda who: used)
        assert self.run([note] * 3, seconds=10) == [["passed"] * 3]
        assert (tmp_path / "limits").read_text() == "12 16 16 "


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(tmp_path)
    arguments = ["build", "--mutate", "--notebooks", str(tmp_path)]
    assert main(arguments) == 2
    assert "answers/09_test.py: is missing" in capsys.readouterr().err
    (tmp_path / "source" / "answers").mkdir()
    path = tmp_path / "source" / "answers" / "09_test.py"
    path.write_text(f"WRONG = {{'twice': {GOOD!r}}}\nRIGHT = {{'twice': [{SUM!r}]}}\n")
    data = tmp_path / "found.json"
    assert main([*arguments, "--json", str(data)]) == 0
    out = capsys.readouterr().out
    assert (
        "hidden halves: 100.0%, by the public ones: 100.0%; 0 between the halves; 0 problems" in out
    )
    found = json.loads(data.read_text())
    assert found["hidden"] == 1.0 and found["lessons"]["09_test"][0]["exercise"] == "twice"
    path.write_text(f"WRONG = {{'twice': {GOOD!r}}}\nRIGHT = {{'twice': [{THRICE!r}]}}\n")
    assert main(arguments) == 1
    assert "! twice: right answer 1 gives CheckFailed" in capsys.readouterr().out
    lesson = LESSON.replace('check.equal(twice(5), 10, "twice 5 is 10")', "twice(5)")
    read(tmp_path, lesson)
    assert main([*arguments, "--json", str(data)]) == 1
    assert "between the halves: [off by one] return 2 * x: 2 → 3; let" in capsys.readouterr().out
    assert json.loads(data.read_text())["between"] > 0
    assert not list(tmp_path.glob("*.ipynb"))


@pytest.mark.parametrize(
    ("reasons", "problems"), [((BORROWED,), 0), ((BORROWED, "wrong values"), 1), ((), 0)]
)
def test_a_right_answer_may_call_the_package_s_own(reasons: tuple[str, ...], problems: int) -> None:
    tally, passed = Tally("cosine"), Ending("passed")
    _judge_right(tally, "right answer 1", Tried(passed, passed, reasons))
    assert len(tally.problems) == problems
