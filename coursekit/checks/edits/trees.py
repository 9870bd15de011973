"""A syntax tree with one piece in another's place."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Scene:
    """Where a node stands.

    Attributes:
        parent: the node around it.
        function: the innermost function around it; None outside of any.
        torch: whether values are tensors rather than arrays.
    """

    parent: ast.AST | None
    function: ast.FunctionDef | None
    torch: bool


def number(tree: ast.Module) -> None:
    """Give each node a number, by which `put` finds it in a copy."""
    for place, node in enumerate(ast.walk(tree)):
        node._place = place  # type: ignore[attr-defined]


def nodes(node: ast.AST, scene: Scene) -> Iterator[tuple[ast.AST, Scene]]:
    """All nodes whose code runs, each with where it stands; not annotations, names of keywords."""
    function = node if isinstance(node, ast.FunctionDef) else scene.function
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "ctx", "exc"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                below = Scene(node, function, scene.torch)
                yield child, below
                yield from nodes(child, below)


def put(
    tree: ast.Module, node: ast.AST, replacement: ast.AST | list[ast.stmt], *, last: bool = False
) -> ast.Module:
    """A copy of the tree with something else in a node's place (the last of them)."""
    place = node._place  # type: ignore[attr-defined]

    class Put(ast.NodeTransformer):
        left = sum(getattr(n, "_place", -1) == place for n in ast.walk(tree)) if last else 1

        def visit(self, at: ast.AST) -> ast.AST | list[ast.stmt]:
            if getattr(at, "_place", -1) != place:
                return self.generic_visit(at)
            self.left -= 1
            return at if self.left else copy.deepcopy(replacement)

    edited = Put().visit(copy.deepcopy(tree))
    assert isinstance(edited, ast.Module)
    return edited
