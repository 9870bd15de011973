"""Where a check that knows no more tells a student to look: found by trying, and nothing stays."""

from __future__ import annotations

import ast
import linecache
import random
import re
import signal
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from coursekit.checks import CheckFailed, nearest
from coursekit.checks.apart import OutOfTime, apart
from coursekit.checks.edits.mends import Edit, mends
from coursekit.checks.edits.trees import number
from coursekit.probe import FOLDER

SOLUTION = """# exercise: mean-iou
def mean_iou(table):
    hit = table.diagonal()
    union = table.sum(0) + table.sum(1) - hit
    total, there = 0.0, 0
    for a, b in zip(hit, union):
        if b == 0:
            continue
        total += float(a / b)
        there += 1
    return total / there
"""
CHECK = """
from coursekit.checks import Check
check = Check("mean-iou")
got = check.call(mean_iou, tables[0])
check.close(got, rights[0], "expected: the mean over what occurs")
check.close(check.call(mean_iou, tables[1]), rights[1], "expected: the same of another table")
check.passed("absent classes are left out")
"""
SECONDS = 100.0  # of a busy machine; it ends with the first change that passes


def lesson() -> dict[str, Any]:
    first = torch.tensor([[5, 0, 1, 3], [0, 0, 0, 0], [2, 0, 7, 0], [4, 0, 6, 9]])
    tables = [first, torch.tensor([[3, 1], [4, 2]])]
    return {
        "__name__": "__main__", "torch": torch, "np": np, "tables": tables,
        "rights": [(5 / 15 + 7 / 16 + 9 / 22) / 3, (3 / 8 + 2 / 7) / 2],
    }  # fmt: skip


def run(names: dict[str, Any], name: str, text: str) -> None:
    file = f"<cell {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), names)


def failure(answer: str, names: dict[str, Any], check: str = CHECK) -> CheckFailed:
    run(names, "mean-iou", answer)
    with pytest.raises(CheckFailed) as caught:
        run(names, "check-mean-iou", check)
    return caught.value


def where(answer: str, check: str = CHECK, seconds: float = SECONDS) -> str:
    names = lesson()
    return nearest.place(failure(answer, names, check), "mean-iou", seconds)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        ("table.sum(1)", "table.sum(0)", 4, "another number"),
        ("- hit", "+ hit", 4, "another operator"),
        ("b == 0", "b != 0", 7, "another comparison|condition"),
        ("continue", "break", 8, "with `continue`"),
        ("float(a / b)", "float(b / a)", 9, "two sides in the other order"),
        ("there += 1", "there = 1", 10, r"`\+=`"),
        ("there += 1", "there += 2", 10, "another number"),
        ("table.sum(1)", "torch.sum(1, table)", 4, "first two arguments in the other order"),
        ("    return", "        return", 11, "after the block"),
        ("there = 0.0, 0", "there = 0.0, 1", 5, "another number"),
        ("total += float", "total += int", 9, "another function"),
        ("table.diagonal()", "table.diagonal", 3, r"`\(\)` after it"),
        ("a / b", "a // b", 9, "another operator"),
    ],
)
def test_the_line_and_the_kind_of_change_are_told(
    right: str, wrong: str, line: int, words: str
) -> None:
    answer = SOLUTION.replace(right, wrong)
    assert answer != SOLUTION
    said = where(answer)
    assert said.startswith(f"Where to look: line {line}, `")
    assert said.endswith(", this check passes.")
    assert re.search(words, said, re.IGNORECASE)


@pytest.mark.parametrize(
    "answer",
    [
        "def mean_iou(table):\n    return (table.diagonal() / table.sum(0)).mean()",
        "def mean_iou(table):\n    return 0.3",
        "import random\ndef mean_iou(table):\n    return random.random()",
        "mean_iou = lambda table: table.sum() + 0.5",
    ],
)
def test_where_no_one_change_is_enough_nothing_is_said(answer: str) -> None:
    assert where(f"# exercise: mean-iou\n{answer}\n") == ""


def test_what_would_run_for_ever_is_stopped() -> None:
    """Without its last line the answer loops; that is one of the changes that are tried."""
    answer = "def mean_iou(table):\n    at = 9\n    while at:\n        at = at - 3\n    return at\n"
    assert where(f"# exercise: mean-iou\n{answer}", seconds=0.5) == ""


CHANGED = """
from coursekit.checks import Check
check = Check("mean-iou")
check.that(check.call(mean_iou, 4) == 5, "expected: 5")
"""


@pytest.mark.parametrize(
    "answer",
    [
        # One change of a number makes these go on and on, where no loop of the answer's is.
        "def mean_iou(n):\n    return len([i for i in range(10**9 * (n - 4))]) + 7 * n\n",
        "import time\ndef mean_iou(n):\n    time.sleep(1000 * (n - 4))\n    return 7 * n\n",
    ],
)
def test_what_takes_long_without_a_loop_is_stopped(answer: str) -> None:
    names = lesson()
    error = failure(f"# exercise: mean-iou\n{answer}", names, CHANGED)
    assert nearest.place(error, "mean-iou", 0.5) == ""
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells what is in use")
def test_what_wants_too_much_memory_does_not_get_it() -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_DATA)
    with apart(time.monotonic() + SECONDS):
        with pytest.raises(MemoryError):
            np.ones(2**30)
        with pytest.raises(RuntimeError, match="memory"):
            torch.ones(2**30)
        assert np.ones(2**20).sum() == 2**20
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


@pytest.mark.parametrize(
    "act",
    [
        "open('stray', 'w').write('x')",
        "open(4, 'w')",
        "os.chdir('..')",
        "os.remove('kept')",
        "os.rename('kept', 'stray')",
        "os.mkdir('stray')",
        "shutil.rmtree('.')",
        "input()",
        "subprocess.run(['true'])",
        "Path('kept').write_text('other')",
        "Path('kept').unlink()",
        "breakpoint()",
    ],
)
def test_what_reaches_out_of_the_process_is_refused(
    act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept").write_text("as it was")
    names = lesson()
    lines = "import os, shutil, subprocess\nfrom pathlib import Path\ndef mean_iou(n):\n"
    error = failure(f"{lines}    if n != 4:\n        {act}\n    return 4\n", names, CHANGED)
    assert "`4` in `return 4`" in nearest.place(error, "mean-iou", SECONDS)
    assert Path.cwd() == tmp_path
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("kept", "as it was")]


def test_temporary_files_may_be_written_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lines = "import tempfile\nfrom pathlib import Path\ndef mean_iou(n):\n"
    write = "    at = Path(tempfile.mkdtemp()) / 'x'\n    at.write_text('four')\n"
    with_one = "    with tempfile.TemporaryDirectory():\n        return len(at.read_text()) + 2\n"
    error = failure(f"{lines}{write}{with_one}", lesson(), CHANGED)
    there = [*tmp_path.iterdir()]
    assert nearest.place(error, "mean-iou", SECONDS)
    assert [*tmp_path.iterdir()] == there


def test_gradients_collections_and_numbers_that_are_drawn_stay() -> None:
    names = lesson() | {
        "leaf": torch.ones(2, requires_grad=True), "bag": {1}, "turns": deque([1]),
        "drawn": torch.Generator().manual_seed(0), "dice": random.Random(0),
    }  # fmt: skip
    names["grown"] = names["leaf"] * 2
    answer = """def mean_iou(n):
    bag.add(len(bag)), turns.append(1), dice.random(), torch.rand(1, generator=drawn)
    leaf.sum().backward(), (grown * leaf).sum().backward(retain_graph=True)
    return 4
"""
    error = failure(answer, names, CHANGED)
    held = [*map(str, (names["leaf"].grad, names["bag"], names["turns"], names["dice"].getstate()))]
    state = names["drawn"].get_state()
    assert "`4` in `return 4`" in nearest.place(error, "mean-iou", SECONDS)
    now = names["leaf"].grad, names["bag"], names["turns"], names["dice"].getstate()
    assert [*map(str, now)] == held
    assert torch.equal(names["drawn"].get_state(), state)


def test_open_figures_are_out_of_reach() -> None:
    figure, axes = plt.subplots()
    answer = "def mean_iou(n):\n    if n != 4:\n        plt.close('all')\n    plt.plot([1, n])\n"
    error = failure(f"{answer}    return 4\n", lesson() | {"plt": plt}, CHANGED)
    drawn, style = len(axes.lines), dict(plt.rcParams)
    assert "`4` in `return 4`" in nearest.place(error, "mean-iou", SECONDS)
    assert plt.get_fignums() == [figure.number]
    assert len(axes.lines) == drawn
    assert dict(plt.rcParams) == style
    plt.close("all")


def test_no_text_that_was_tried_is_left_to_be_read() -> None:
    assert where(SOLUTION.replace("- hit", "+ hit"))
    assert not [file for file in linecache.cache if "one change" in file]


def test_a_line_that_was_found_is_told_where_time_ends_before_a_smaller_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lines(tree: ast.Module, *args: object) -> list[Edit]:
        return [Edit(tree.body[0], "with another line", lambda: ast.parse(SOLUTION))]

    def late(*args: object) -> None:
        raise OutOfTime

    monkeypatch.setattr(nearest.own_part, "lines", lines)
    monkeypatch.setattr(nearest, "mends", late)
    assert "With another line" in where(SOLUTION.replace("- hit", "+ hit"))


def test_what_is_done_to_each_piece_is_made_only_where_it_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a long answer that takes a quarter of the time that there is."""
    monkeypatch.setattr(nearest.own_part, "wrapped", None)
    assert "line 4, `" in where(SOLUTION.replace("- hit", "+ hit"))


def test_a_hidden_half_is_not_run_on_what_is_tried() -> None:
    check = f"{CHECK}# from coursekit.probe import Probe\n"
    assert where(SOLUTION.replace("- hit", "+ hit"), check) == ""


def drawn_from() -> list[str]:
    """The state of all that random numbers come from."""
    states = random.getstate(), np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002
    return [str(list(state)) for state in states]


def test_nothing_that_is_tried_stays(capsys: pytest.CaptureFixture[str]) -> None:
    names = lesson()
    answer = SOLUTION.replace("- hit", "+ hit").replace(
        "    total, there", "    print('tried'); plt.figure(); notes.append(random.random())\n"
        "    np.random.rand(), torch.rand(1); kept.add_(1)\n    total, there"
    )  # fmt: skip
    names |= {"plt": plt, "random": random, "notes": [], "kept": torch.zeros(3)}
    error = failure(answer, names)
    held = dict(names), [*names["notes"]], names["kept"].clone()
    states = drawn_from()
    figures = plt.get_fignums()
    capsys.readouterr()
    assert "line 4, `" in nearest.place(error, "mean-iou", SECONDS)
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == figures
    assert drawn_from() == states
    assert names == held[0]
    assert names["notes"] == held[1]
    assert torch.equal(names["kept"], held[2])
    plt.close("all")


def test_what_names_a_misconception_is_left_as_it_is() -> None:
    known = "check.catches(float(got), got, 'this is it')\n"
    check = CHECK.replace("check.close(got", f"{known}check.close(got")
    error = failure(SOLUTION.replace("- hit", "+ hit"), lesson(), check)
    nearest.say_where(error)
    assert error.message == "this is it"


def test_no_list_of_slips_is_made_for_what_is_tried() -> None:
    made: list[str] = []

    def known() -> list[tuple[float, str]]:
        made.append("a list")
        return [(5.0, "this is it")]

    names = lesson() | {"known": known}
    check = CHECK.replace("check.close(got", "check.slips(got, rights[0], known)\ncheck.close(got")
    error = failure(SOLUTION.replace("- hit", "+ hit"), names, check)
    assert "another operator" in nearest.place(error, "mean-iou", SECONDS)
    assert len(made) == 2, "as it is, and once more to see that what is tried was run"


def test_who_grades_does_not_wait_for_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, "anywhere")
    assert where(SOLUTION.replace("- hit", "+ hit")) == ""


def test_a_notebook_shows_it_below_the_message() -> None:
    shell = InteractiveShell.instance(colors="nocolor")
    with capture_output() as shown:
        shell.run_cell("import torch, numpy as np\nfrom coursekit.checks import soften; soften()")
        shell.user_ns.update({k: v for k, v in lesson().items() if k in ("tables", "rights")})
        shell.run_cell(SOLUTION.replace("- hit", "+ hit"))
        shell.run_cell(CHECK)
    assert "expected: the mean over what occurs" in shown.stdout
    assert (
        "\nWhere to look: line 4, `table.sum(0) + table.sum(1) + hit`. With another" in shown.stdout
    )
    assert "Traceback" not in shown.stdout
    InteractiveShell.clear_instance()


def test_an_answer_that_ends_its_own_check_is_told_of_it() -> None:
    """A check may call an answer by itself."""
    names = lesson()
    check = CHECK.replace("check.call(mean_iou, tables[0])", "mean_iou(tables[0])")
    run(names, "mean-iou", SOLUTION.replace("- hit", "- hits"))
    with pytest.raises(NameError) as caught:
        run(names, "check-mean-iou", check)
    words = nearest.in_its_check(caught.value, "mean-iou")
    assert words.startswith("nothing is called `hits` here: is `hit` meant?")
    assert "Where to look: line 4, `hits` in `table" in words
    assert nearest.in_its_check(caught.value, "unet") == ""


def test_who_interrupts_it_gets_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    names = lesson()
    error = failure(SOLUTION.replace("- hit", "+ hit"), names)

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nearest, "mends", interrupt)
    nearest.say_where(error)
    assert error.message.startswith("expected: the mean over what occurs")


@pytest.mark.parametrize("answer", ["x = n // 32", "x = n % 4", "x //= 32"])
def test_no_size_becomes_a_large_one(answer: str) -> None:
    tree = ast.parse(answer)
    number(tree)
    made = [ast.unparse(ast.fix_missing_locations(e.make())) for e in mends(tree, {"n"})]
    assert made
    assert not any("n *" in text or "x *=" in text for text in made)
