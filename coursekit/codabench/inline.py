"""One Python file out of parts of a package: the source that a name needs, and no more.

`solution/run.py` must stand alone. A second copy of each network, kept beside the first, would
drift from it; so the file is put together from the modules' own sources.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from coursekit import names

if TYPE_CHECKING:
    from collections.abc import Collection

_PACKAGE = __name__.partition(".")[0]


@dataclass
class _Module:
    """A module's source, its top-level statements by the names that they define, and what is used.

    Attributes:
        lines: of the source.
        defined: name → the statement that defines it.
        imported: name → the import that brings it.
        needed: the statements to keep, in the order in which they were found.
        before: modules of the package whose source must come first.
    """

    lines: list[str]
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, ast.Import | ast.ImportFrom] = field(default_factory=dict)
    needed: dict[int, ast.stmt] = field(default_factory=dict)
    before: dict[str, None] = field(default_factory=dict)


class Inliner:
    """Gathers names from modules of the package, with everything that they use.

    Annotations are not followed: under `from __future__ import annotations` nobody evaluates them,
    so a package that only annotates (jaxtyping) is not needed in the one file.
    """

    def __init__(self) -> None:
        self._modules: dict[str, _Module] = {}
        self._imports: dict[str, str] = {}
        self._owner: dict[str, str] = {}

    def need(self, module_name: str, name: str) -> None:
        """Take `name` of a module, and what it uses.

        Raises:
            ValueError: when the source does something that cannot be put into one file.
        """
        module = self._module(module_name)
        if name in module.imported:
            self._need_import(module_name, module, name)
            return
        if name not in module.defined:
            return  # a builtin, or a local name
        statement = module.defined[name]
        if statement.lineno in module.needed:
            return
        owner = self._owner.setdefault(name, module_name)
        if owner != module_name:
            raise ValueError(f"{name} is defined in {owner} and in {module_name}; rename one")
        module.needed[statement.lineno] = statement
        for used in sorted(_used_names(statement)):
            self.need(module_name, used)

    def _need_import(self, module_name: str, module: _Module, name: str) -> None:
        statement = module.imported[name]
        alias = next(a for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
        source = statement.module if isinstance(statement, ast.ImportFrom) else None
        if (source or alias.name).split(".")[0] == _PACKAGE:
            if source is None or alias.asname:
                raise ValueError(f"{module_name}: import {name} by `from module import name`")
            module.before[source] = None
            self.need(source, alias.name)
            return
        text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
        self.add_import(name, f"from {source} {text}" if source else text)

    def add_import(self, name: str, text: str) -> None:
        """Take an import statement that brings `name`.

        Raises:
            ValueError: when the name is imported from elsewhere already.
        """
        if self._imports.setdefault(name, text) != text:
            raise ValueError(f"{name} is imported in two ways: {self._imports[name]!r}, {text!r}")

    def source(self) -> str:
        """Imports, then each module's part under its path, what is used before what uses it."""
        parts = [_format_imports(self._imports.values())]
        done: set[str] = set()
        for name in list(self._modules):
            self._emit(name, done, parts)
        return "\n\n\n".join(parts) + "\n"

    def modules(self) -> set[str]:
        """Top-level modules that are imported, the standard library's included."""
        return {_top(text) for text in self._imports.values()}

    def _emit(self, name: str, done: set[str], parts: list[str]) -> None:
        if name in done:
            return
        done.add(name)
        module = self._modules[name]
        for other in module.before:
            self._emit(other, done, parts)
        if not module.needed:
            return
        path = name.replace(".", "/") + ".py"
        title = f"# --- from {path} ".ljust(100, "-")
        bodies = [_text(module.lines, s) for _, s in sorted(module.needed.items())]
        parts.append("\n\n\n".join([title, *bodies]))

    def _module(self, name: str) -> _Module:
        if name in self._modules:
            return self._modules[name]
        source = inspect.getsource(import_module(name))
        module = self._modules[name] = _Module(source.splitlines())
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for alias in statement.names:
                    module.imported[alias.asname or alias.name.split(".")[0]] = statement
                if isinstance(statement, ast.ImportFrom) and statement.level:
                    raise ValueError(f"{name}: relative imports cannot be inlined")
            elif isinstance(statement, (*names.DEFINITIONS, ast.Assign, ast.AnnAssign)):
                module.defined |= dict.fromkeys(names.bound(statement), statement)
        return module


def _used_names(statement: ast.stmt) -> set[str]:
    """Names that a statement reads when it runs, annotations left out."""
    used: set[str] = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            used.add(node.id)
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or node.names[0].name
            if module.split(".")[0] == _PACKAGE:
                raise ValueError(f"line {node.lineno}: an import inside a function: {module}")
        for field_name, value in ast.iter_fields(node):
            if field_name in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            stack.extend(child for child in children if isinstance(child, ast.AST))
    return used


def _text(lines: list[str], statement: ast.stmt) -> str:
    """A statement as it is written, with its decorators and the comment above it."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return "\n".join(lines[first - 1 : statement.end_lineno])


def _top(text: str) -> str:
    """The top-level module of an import statement."""
    return text.split()[1].split(".")[0]


def _format_imports(imports: Collection[str]) -> str:
    """Imports in two blocks: the standard library, then the rest."""
    blocks: tuple[list[str], list[str]] = ([], [])
    for text in sorted(set(imports), key=lambda t: (t.startswith("from"), t.lower())):
        blocks[_top(text) not in sys.stdlib_module_names].append(text)
    return "\n\n".join("\n".join(block) for block in blocks if block)
