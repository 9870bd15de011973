"""A cell's text may be anything; what comes of it is Python, or a reason why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.answers.mend import LONGEST, Budget, mend, parse
from tests.growth import grows_linearly

BOMBS = {
    "minus": "-" * 100_000 + "1",
    "not": "not " * 40_000 + "1",
    "attributes": "x" + ".x" * 50_000,
    "calls": "x" + "()" * 50_000,
    "sums": "1" + "+1" * 50_000,
    "powers": "1" + "**1" * 50_000,
    "brackets": "(" * 100_000,
    "closed brackets": "[" * 90_000 + "]" * 90_000,
    "lambdas": "lambda:" * 20_000 + "1",
    "choices": "1 if 1 else " * 15_000 + "1",
    "elif": "if 1:\n pass\n" + "elif 1:\n pass\n" * 12_000,
    "indentation": "".join(" " * i + "if 1:\n" for i in range(500)),
    "long import": "import " + ".".join("x" * 50_000),
    "long import in lines": "from " + ".\\\n".join("x" * 20_000) + " import y",
    "digits": "x = " + "9" * 100_000,
    "comprehensions": "[x " + "for x in y " * 15_000 + "]",
    "f-strings": "f'{x:{y}}'" * 15_000,
    "nul": "x = 1\x00",
    "long": "x = 1\n" * 50_000,
    "strings": "'''" * 40_000 + "\\",
    "quotes": "\\'''" * 40_000 + "\\",
    "spaces": "\u00a0" * 190_000 + "(",
    "tabs": "if 1:\n\tx\n        y\n" * 5_000,
    "magics": "%x\n" * 50_000 + ")",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_for_the_parser(kind: str):
    def defuse(size: int) -> None:
        mended = mend(BOMBS[kind][:size], Budget())
        assert (mended.tree is None) == bool(mended.problem)

    assert grows_linearly(defuse, len(BOMBS[kind]))


def test_a_notebook_of_bombs_runs_into_the_budget():
    budget = Budget()
    problems = [mend('x = "' + "y" * (LONGEST - 10) + '"', budget).problem for _ in range(9)]
    assert problems[0] == "" and all("more code" in problem for problem in problems[2:])


def test_too_many_statements():
    assert "1,000 statements" in parse("x\n" * 1_001, Budget()).problem
    budget = Budget()
    assert [parse("x\n" * 900, budget).problem for _ in range(3)] == [""] * 3
    assert "more code" in parse("x\n" * 900, budget).problem


@pytest.mark.parametrize("text", ['"\\d"', "1if 2else 3", "x is 1", "# type: ignore[", "await x"])
def test_what_python_only_warns_of(text: str):
    assert parse(text, Budget()).tree is not None


@given(st.text())
def test_any_text(text: str):
    mended = mend(text, Budget())
    assert (mended.tree is None) == bool(mended.problem)


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("%%time\nx = 1", "\nx = 1", "%%time"),
        ("!pip install x\nx = 1", "pass  # !pip install x\nx = 1", "!pip install x"),
        ("x = 1\n%timeit f(x)", "x = 1\npass  # %timeit f(x)", "%timeit"),
        ("if x:\n    !ls\ny = 1", "if x:\n    pass  # !ls\ny = 1", "!ls"),
        ("pip install x\ny = 1", "pass  # pip install x\ny = 1", "pip install"),
        ("?f\nf?\nx = 1", "pass  # ?f\npass  # f?\nx = 1", "f?"),
        ("a = !ls\nx = 1", "pass  # a = !ls\nx = 1", "!ls"),
        ("!a \\\n  b\nx = 1", "pass  # !a\n# b\nx = 1", "!a"),
        ("x = (a\n% b)", "x = (a\n% b)", ""),
        ("s = '''\n%time\n'''\n%time x", "s = '''\n%time\n'''\npass  # %time x", "%time x"),
        ("# NBVAL_SKIP\nx = 1", "#\nx = 1", "NBVAL_SKIP"),
        ("x = 1\n  ## NBVAL_RAISES_EXCEPTION \n", "x = 1\n  # \n", "NBVAL_RAISES"),
        ("'''\n# NBVAL_SKIP\n'''", "'''\n#\n'''", "NBVAL_SKIP"),
        ("x = 1 #\u2028# NBVAL_SKIP", "x = 1 #\u2028#", "NBVAL_SKIP"),
        ("# %% up\nx = 1", "#\nx = 1", ""),
        ("def f():\n\u00a0\u00a0return 1", "def f():\n  return 1", "Unusual spaces"),
        ("x\u200b = 'a\u00a0\u200bb'", "x = 'a\u00a0\u200bb'", "invisible"),
        ("x = 'a\u00a0b'", "x = 'a\u00a0b'", ""),
        ("\ufeffx = 1", "x = 1", "invisible"),
        (">>> if x:\n...     y = 1\n...\n>>> y\n1", "if x:\n    y = 1\n\ny\n1", "prompts"),
        ("# mine\n>>> f\n<f at 0>", "# mine\nf\n# <f at 0>", "prompts"),
        (
            "In [3]: x = 1\n\nIn [4]: if x:\n   ...:     y = 1\nOut[4]: 2 3",
            "x = 1\n\nif x:\n    y = 1\n# Out[4]: 2 3",
            "prompts",
        ),
        ("In [1]: def f():\n    return 1", "def f():\n    return 1", "prompts"),
        (">>> %%time\n>>> x = 1", "\nx = 1", "%%time"),
        ("def f():\n    '''\n    >>> f()\n    '''", "def f():\n    '''\n    >>> f()\n    '''", ""),
        ("x = ...\n...\n", "x = ...\n...\n", ""),
        (
            "if x:\n    get_ipython().system('pip x')\ny = 1",
            "if x:\n    pass  # get_ipython().system('pip x')\ny = 1",
            "cannot run here",
        ),
        (
            "get_ipython().run_line_magic(\n'pip',\n'x')\ny = 1",
            "pass  # get_ipython().run_line_magic(\n\n\ny = 1",
            "cannot run here",
        ),
        ("def f():\n    get_ipython().system('x')", "def f():\n    get_ipython().system('x')", ""),
        (
            "subprocess.run([e, '-m', 'pip', 'install', 'x'])\ny = 1",
            "pass  # subprocess.run([e, '-m', 'pip', 'install', 'x'])\ny = 1",
            "cannot run here",
        ),
        ("os.system('ls install')", "os.system('ls install')", ""),
        ("x = 1; get_ipython().system('x')", "x = 1; get_ipython().system('x')", ""),
        ("get_ipython().run_cell_magic('time', '', 'x = 1\\n')", "\nx = 1\n", "%%time"),
        ("get_ipython().events.register('x', y)", "get_ipython().events.register('x', y)", ""),
        ("# -*- coding: latin-1 -*-\nx = 'ä'", "# -*- coding: latin-1 -*-\nx = 'ä'", ""),
    ],
)
def test_mending(text: str, expected: str, words: str):
    mended = mend(text, Budget())
    assert mended.source == expected and mended.tree is not None
    assert words in " ".join(mended.notes) and bool(mended.notes) == bool(words)


def test_tabs_are_mended_only_where_their_width_does_not_matter():
    safe = mend("def f():\n\tx = 1\n\tif x:\n\t    return x\n    \ty = 1", Budget())
    assert safe.tree is None  # the last line is another block with each width
    safe = mend("def f():\n\tif x:\n\t\treturn 1\n\telse:\n\t\treturn (2,\n    3)", Budget())
    assert safe.tree is not None


def test_another_languages_cell_is_no_python_to_run():
    mended = mend("%%writefile a.py\nx = 1", Budget())
    assert mended.magic == "writefile" and mended.tree is not None
