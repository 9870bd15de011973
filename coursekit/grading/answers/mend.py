"""A student's cell as Python that a kernel without its editor can run, or the reason why not.

Text only: nothing here executes anything. `parse` is `ast.parse` with bounds, for text that wants
to exhaust the parser; `mend` takes out what only an editor understands.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NamedTuple

from coursekit.names import DEFINITIONS, root, without_warnings

#: Characters of one answer, and of all code of a notebook that is parsed at all.
LONGEST, MOST_CODE = 200_000, 400_000
#: Top-level statements of one cell, and of a notebook.
_MOST_STATEMENTS, _MOST_OF_ALL = 1_000, 3_000
_A_PARSE = 100  # what parsing costs whatever the length, in characters
_TOO_MUCH = "there is more code in the notebook than a lesson can need"
_MOST_DOTS = 100  # in one import: the parser's memory grows with the square

_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_NOTHING = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad\ufeff]")
_STRING_OR_COMMENT = re.compile(
    r"#[^\n]*"
    r"|'''(?:[^\\']|\\(?:.|\Z)|'(?!''))*+(?:'''|\Z)"
    r'|"""(?:[^\\"]|\\(?:.|\Z)|"(?!""))*+(?:"""|\Z)'
    r"|'(?:[^\\'\n]|\\.)*+'?"
    r'|"(?:[^\\"\n]|\\.)*+"?',
    re.DOTALL,
)
_MAGIC = re.compile(
    r"""[%!?]                                   # %timeit f(x)   !pip install x   ?help
    |[\w.*\[\]]+\s*\?{1,2}\s*$                  # help?
    |[\w.,\s]+=\s*(?:!|%[a-zA-Z])               # files = !ls
    |(?:pip3?|conda|mamba|cd|ls|cat|mkdir|rm|mv|cp|wget|curl|git)\s+[^=\s(.,:\[+*/%<>&|]
    """,
    re.VERBOSE,
)
_WRAPPERS = {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "python", "python3"}
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*")
#: What consoles write before a line of code, and before the first of a statement.
_PROMPT = re.compile(r"[ \t]*(?:(?:>>>|\.\.\.)(?: |$)|In \[\d+\]: ?|\.{3,}: ?)")
_FIRST_PROMPT = re.compile(r"[ \t]*(?:>>>(?: |$)|In \[\d+\]:)")
#: What `%magic` and `!command` are in a notebook that was a script in between.
_AS_CALLS = {"system", "getoutput", "run_line_magic", "run_cell_magic", "magic"}
_SEPARATOR = re.compile(r"\s*#+\s*%%")


class Parsed(NamedTuple):
    """A tree, or what is wrong."""

    tree: ast.Module | None
    problem: str


@dataclass(frozen=True)
class Mended:
    """A cell's text, ready to be run by any kernel.

    Attributes:
        source: with as many lines as the text had.
        tree: its syntax tree; None when it is no Python.
        problem: where and why it is no Python.
        notes: what was taken out or replaced, one sentence each.
        magic: of a cell whose magic makes something else of it than Python to run now.
    """

    source: str
    tree: ast.Module | None
    problem: str = ""
    notes: tuple[str, ...] = ()
    magic: str = ""


class Budget:
    """How much code of one notebook may still be parsed and looked at."""

    def __init__(self) -> None:
        self._characters, self._statements = MOST_CODE, _MOST_OF_ALL

    def spend(self, characters: int = 0, statements: int = 0) -> bool:
        """Take so many; False when there are not enough left."""
        self._characters -= characters
        self._statements -= statements
        return self._characters >= 0 and self._statements >= 0


def parse(text: str, budget: Budget) -> Parsed:
    """A syntax tree, within bounds of time and memory.

    The parser itself bounds brackets (200), indentation (100) and recursion (6,000), so what is
    left to bound is length, and the names in imports.
    """
    if len(text) > LONGEST:
        return Parsed(None, f"it is longer than {LONGEST:,} characters")
    if not budget.spend(_A_PARSE + len(text)):
        return Parsed(None, _TOO_MUCH)
    if any(part.count(".") > _MOST_DOTS for part in _imports(text)):
        return Parsed(None, "an import names a module within a hundred others")
    try:
        with without_warnings():  # "\d" is a warning, and no reason to refuse
            tree = ast.parse(text)
    except SyntaxError as error:
        return Parsed(None, f"line {error.lineno or 1}: {printable(error.msg)}")
    except (ValueError, OverflowError) as error:
        return Parsed(None, printable(str(error)))
    except (RecursionError, MemoryError):
        return Parsed(None, "it is nested too deeply")
    if len(tree.body) > _MOST_STATEMENTS:
        return Parsed(None, f"it has more than {_MOST_STATEMENTS:,} statements")
    if not budget.spend(statements=len(tree.body)):
        return Parsed(None, _TOO_MUCH)
    return Parsed(tree, "")


def mend(text: str, budget: Budget) -> Mended:
    """Take out what is no Python, line by line, and what would steer the tool that runs it.

    Args:
        text: of a cell.
        budget: what may be parsed.
    """
    if len(text) > LONGEST:
        return Mended(text, *parse(text, budget))
    notes: list[str] = []
    text = _without_prompts(text, notes, budget)
    text, magic = _without_cell_magic(text, notes)
    text = without_markers(text, notes)
    tree, problem = parse(text, budget)
    if tree is None and problem.startswith("line"):
        for step in (_with_plain_spaces, _without_magics, _with_spaces_for_tabs):
            changed = step(text, notes)
            if changed == text:
                continue
            text = changed
            tree, later = parse(text, budget)
            if tree is not None:
                problem = ""
                break
            problem = later
    if tree is not None and ("get_ipython" in text or "install" in text):
        body = _in_a_cell_magic(tree)
        if body:
            return mend(body, budget)
        text = _without_called_magics(text, tree, notes)
        tree = parse(text, budget).tree
    return Mended(text, tree, problem, tuple(notes) if tree is not None else (), magic)


def _imports(text: str) -> list[str]:
    joined = text.replace("\\\n", "")
    lines = [line for line in joined.split("\n") if "import" in line]
    return [part for line in lines for part in re.split("[;,#]", line)]


def printable(text: str) -> str:
    """A text for a note: not too long, and all of it can be seen."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:200])


def _without_cell_magic(text: str, notes: list[str]) -> tuple[str, str]:
    """Without a first line such as `%%time`; and the magic, if it does not run the cell here."""
    found = _CELL_MAGIC.match(text)
    if not found:
        return text, ""
    name = found[1]
    notes.append(f"The line %%{name} was left out.")
    return text[found.end() :], "" if name in _WRAPPERS else name


def _without_prompts(text: str, notes: list[str], budget: Budget) -> str:
    """Without the prompts of a console, as IPython reads it; what the console showed goes last."""
    lines = text.split("\n")
    code = (line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not _FIRST_PROMPT.match(next(code, "")):
        return text
    notes.append("The prompts of a console (>>>, In [1]:) were left out.")
    bare = "\n".join(_PROMPT.sub("", line, count=1) for line in lines)
    if parse(bare, budget).tree is not None:
        return bare
    shown = [not _PROMPT.match(line) and line.lstrip()[:1] not in ("", "#") for line in lines]
    pairs = zip(lines, shown, strict=True)
    return "\n".join(f"# {x}" if out else _PROMPT.sub("", x, count=1) for x, out in pairs)


def _in_a_cell_magic(tree: ast.Module) -> str:
    """The cell that `get_ipython().run_cell_magic("time", "", "…")` stands for; else ""."""
    call = _magic_call(tree.body[0]) if len(tree.body) == 1 else None
    given = [a.value for a in call.args if isinstance(a, ast.Constant)] if call else []
    words = [value for value in given if isinstance(value, str)]
    return f"%%{words[0]} {words[1]}\n{words[2]}" if len(words) == 3 else ""


def _without_called_magics(text: str, tree: ast.Module, notes: list[str]) -> str:
    """With `pass` for each line that calls a magic or the shell, or that installs something."""
    lines = text.split("\n")
    statements = [tree.body]
    for body in statements:  # which grows
        for node in body:
            if not isinstance(node, DEFINITIONS):
                inner = (getattr(node, name, []) for name in ("body", "orelse", "finalbody"))
                statements += [block for block in inner if isinstance(block, list)]
            first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
            alone = not lines[first][: node.col_offset].strip() and not lines[last].encode()[
                node.end_col_offset :
            ].strip(b" ;")
            if alone and (_magic_call(node) or _installs(node)):
                shown = printable(lines[first].strip())[:60]
                notes.append(f"The line “{shown}” cannot run here and was left out.")
                lines[first] = f"{lines[first][: node.col_offset]}pass  # {shown}"
                lines[first + 1 : last + 1] = [""] * (last - first)
    return "\n".join(lines)


def _magic_call(node: ast.stmt) -> ast.Call | None:
    call = node.value if isinstance(node, ast.Expr) else None
    called = call.func if isinstance(call, ast.Call) else None
    if not isinstance(called, ast.Attribute) or called.attr not in _AS_CALLS:
        return None
    shell = called.value.func if isinstance(called.value, ast.Call) else None
    named = isinstance(shell, ast.Name) and shell.id == "get_ipython"
    return call if named and isinstance(call, ast.Call) else None


def _installs(node: ast.stmt) -> bool:
    """Whether a statement is `os.system("pip install …")` or its like: there is no network."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or root(call.func) not in ("os", "subprocess"):
        return False
    given = (n.value for n in ast.walk(call) if isinstance(n, ast.Constant))
    said = " ".join(value for value in given if isinstance(value, str))
    return bool(re.search(r"\b(?:pip3?|conda|mamba)\b[^\n]{0,80}\binstall\b", said))


def without_markers(text: str, notes: list[str]) -> str:
    """Without comments that tell nbval how to judge, wherever nbval would find one."""
    lines = text.splitlines(keepends=True)  # nbval's lines, which are more than Python's
    changed = False
    for i, line in enumerate(lines):
        stripped = line.strip()
        if not stripped.startswith("#"):
            continue
        word = stripped.lstrip("#").strip()
        if word.startswith(("NBVAL_", "PYTEST_VALIDATE_")):
            notes.append(f"The marker {printable(word)[:40]} was left out.")
        elif not _SEPARATOR.match(stripped):
            continue
        end = line[len(line.rstrip()) :]
        lines[i] = line[: len(line) - len(line.lstrip())] + "#" + end
        changed = True
    return "".join(lines) if changed else text


def _with_plain_spaces(text: str, notes: list[str]) -> str:
    """With ordinary spaces for a web page's, and without invisible characters, in code."""
    parts, end = [], 0
    for found in _STRING_OR_COMMENT.finditer(text):
        parts += [_NOTHING.sub("", _SPACES.sub(" ", text[end : found.start()])), found[0]]
        end = found.end()
    parts.append(_NOTHING.sub("", _SPACES.sub(" ", text[end:])))
    changed = "".join(parts)
    if changed != text:
        notes.append("Unusual spaces or invisible characters in the code were made plain.")
    return changed


def _without_magics(text: str, notes: list[str]) -> str:
    """With `pass` for each line that is IPython's or the shell's."""
    inside = _lines_inside(text)
    lines = text.split("\n")
    goes_on = False
    for i, line in enumerate(lines):
        stripped = line.lstrip()
        shown = printable(stripped)[:60].rstrip("\\ ")
        if goes_on:
            goes_on = line.endswith("\\")
            lines[i] = f"# {shown}"
        elif i not in inside and _MAGIC.match(stripped):
            goes_on = line.endswith("\\")
            lines[i] = f"{line[: len(line) - len(stripped)]}pass  # {shown}"
            notes.append(f"The line “{shown}” is no Python and was left out.")
    return "\n".join(lines)


def _lines_inside(text: str) -> set[int]:
    """Lines (from 0) that begin inside a string, a bracket or a statement that goes on."""
    inside: set[int] = set()
    depth = line = end = 0

    def walk(code: str) -> None:
        nonlocal depth, line
        for i, character in enumerate(code):
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth = max(depth - 1, 0)
            elif character == "\n":
                line += 1
                if depth or (i and code[i - 1] == "\\"):
                    inside.add(line)

    for found in _STRING_OR_COMMENT.finditer(text):
        walk(text[end : found.start()])
        for _ in range(found[0].count("\n")):
            line += 1
            inside.add(line)
        end = found.end()
    walk(text[end:])
    return inside


def _with_spaces_for_tabs(text: str, notes: list[str]) -> str:
    """With spaces for tabs, if it does not matter how many a tab is worth."""
    if "\t" not in text:
        return text
    changed, other = text.expandtabs(4), text.expandtabs(8)
    trees = [parse(t, Budget()).tree for t in (changed, other)]
    if None in trees or len({ast.dump(t) for t in trees if t}) != 1:
        return text
    notes.append("Tabs in the indentation were made spaces.")
    return changed
