"""Syntax trees reduced to what counts, and the names that they use.

Conventions: functions of plain ``ast`` nodes; no files, no live objects. Functions: ``normalise``, ``global_names``,
``names_used``, ``imports_in``.
"""

import ast
import copy
import symtable
from collections.abc import Iterator
from typing import Any

__all__ = ["global_names", "imports_in", "names_used", "normalise"]

_SILENT = ("ctx", "kind", "type_comment", "annotation", "returns")
"""Fields that change no result."""


def _is_docstring(statement: Any) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _joined(parts: list[Any]) -> list[Any]:
    """Merge the texts of an f-string and drop empty ones, which Python 3.12.1 began to add."""
    merged: list[Any] = []
    for part in parts:
        if isinstance(part, ast.Constant) and merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(str(merged[-1].value) + str(part.value))
        elif not isinstance(part, ast.Constant) or part.value:
            merged.append(part)
    return merged


def _constant(value: Any) -> str:
    # decimal digits of huge integers are refused, and what repr() escapes moves with Unicode
    return f"{type(value).__name__} {hex(value) if type(value) is int else ascii(value)}"


def normalise(node: Any, depth: int = 0) -> Iterator[str]:
    """Write a syntax tree line by line, in ASCII: node kinds and non-empty fields only, so that all Pythons agree."""
    if isinstance(node, list):
        for item in node:
            yield from normalise(item, depth)
        return
    if not isinstance(node, ast.AST):
        yield f"{depth} {_constant(node)}"
        return
    yield f"{depth} {type(node).__name__}"
    for field, value in ast.iter_fields(node):
        if value is None and not isinstance(node, (ast.Constant, ast.MatchSingleton)):
            continue
        if value == [] or field in _SILENT or (field == "name" and depth == 0):
            continue
        if field == "body" and isinstance(value, list):
            value = [statement for statement in value if not _is_docstring(statement)]
        if isinstance(node, ast.JoinedStr):
            value = _joined(value)
        yield f"{depth} .{field}"
        yield from normalise(value, depth + 1)


class _Bare(ast.NodeTransformer):
    """Leaves what binds and loads names: no annotations, and f-strings as tuples, which can always be written."""

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        node.returns = None
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        values = [part for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
        return ast.Tuple([self.visit(part.value) for part in values], ast.Load())


def global_names(node: ast.AST, free: tuple[str, ...]) -> frozenset[str]:
    """Return the module globals that a function loads, in nested functions and dead branches too.

    Args:
        node (ast.AST): a function.
        free (tuple[str, ...]): the names that it takes from enclosing functions.
    """
    inner: Any = _Bare().visit(copy.deepcopy(node))
    if isinstance(inner, ast.Lambda):
        inner = ast.Expr(inner)
    else:
        inner.decorator_list = []
    names: list[Any] = [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None), lineno=0) for name in free]
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    outer = ast.FunctionDef("outer", none, [*names, inner], [], lineno=0)
    text = ast.unparse(ast.fix_missing_locations(ast.Module([outer], [])))
    tables = list(symtable.symtable(text, "<source>", "exec").get_children()[0].get_children())
    found: set[str] = set()
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        for symbol in table.get_symbols():
            if symbol.is_declared_global() or (symbol.is_referenced() and symbol.is_global()):
                found.add(symbol.get_name())
    return frozenset(found)


def names_used(node: ast.AST) -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """Return the names that stand alone, and the dotted names as tuples."""
    bare: set[str] = set()
    chains: set[tuple[str, ...]] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        current = waiting.pop()
        path: list[str] = []
        while isinstance(current, ast.Attribute):
            path.append(current.attr)
            current = current.value
        if not isinstance(current, ast.Name):
            waiting.extend(ast.iter_child_nodes(current))
        elif path:
            chains.add((current.id, *reversed(path)))
        elif isinstance(current.ctx, ast.Load):
            bare.add(current.id)
    return frozenset(bare), frozenset(chains)


def imports_in(node: ast.AST) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """Return the import statements in a tree, as (level, module, names)."""
    found: set[tuple[int, str, tuple[str, ...]]] = set()
    for statement in ast.walk(node):
        if isinstance(statement, ast.Import):
            found.update((0, alias.name, ()) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            names = tuple(sorted(alias.name for alias in statement.names))
            found.add((statement.level, statement.module or "", names))
    return tuple(sorted(found))
