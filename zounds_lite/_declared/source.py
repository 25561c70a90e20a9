"""What the source of a function says, independent of layout, process and Python version.

Goal: find the syntax of a function, make sure that it is what runs, and reduce it to what counts. Conventions:
comments, docstrings, annotations and layout do not count; a function's own name neither. A file that was edited after
its import would describe new text for old instructions: it is compiled again and compared, and refused where it
differs. Each function is read once per process. Functions: ``syntax_of``, ``class_body``, ``module_code``.
"""

import __future__

import ast
import functools
import linecache
import symtable
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from zounds_lite._declared.library import name_of
from zounds_lite._declared.syntax import global_names, imports_in, names_used, normalise
from zounds_lite._declared.values import digest_bytes
from zounds_lite.errors import LineageError

__all__ = ["Syntax", "class_body", "module_code", "read_lines", "syntax_of"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_FUTURES = functools.reduce(
    int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_NAMES = ("co_name", "co_names", "co_varnames", "co_freevars", "co_cellvars")
_COUNTS = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount")


@dataclass(frozen=True)
class Syntax:
    """What the text of one function says.

    Attributes:
        code (str): hash of the normalised syntax.
        shown (str): the beginning of the source, for people.
        names (frozenset[str]): module globals that it loads.
        bare (frozenset[str]): names that are used otherwise than as ``name.attribute``.
        chains (frozenset[tuple[str, ...]]): dotted names, longest first part only: ``("module", "function")``.
        imports (tuple): its import statements, as (level, module, names).
    """

    code: str
    shown: str
    names: frozenset[str]
    bare: frozenset[str]
    chains: frozenset[tuple[str, ...]]
    imports: tuple[tuple[int, str, tuple[str, ...]], ...]


_known: WeakKeyDictionary[types.CodeType, Syntax] = WeakKeyDictionary()


def syntax_of(function: types.FunctionType) -> Syntax:
    """Read the syntax of a function; the first reading counts for the whole process.

    Raises:
        LineageError: there is no source to read, or it changed since it was imported.
    """
    code = function.__code__
    if code not in _known:
        node = _find(function)
        normal = "\n".join(normalise(node))
        bare, chains = names_used(node)
        _known[code] = Syntax(
            digest_bytes(normal.encode("ascii")),
            _shown(node),
            global_names(node, code.co_freevars),
            bare,
            chains,
            imports_in(node),
        )
    return _known[code]


def _shown(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:2000]
    except ValueError:  # an f-string with all kinds of quotes in it
        return ast.dump(node)[:2000]


def read_lines(file: str, scope: dict[str, Any] | None = None) -> str:
    """Return the text of a source file, as Python's tracebacks would show it; "" where there is none."""
    return "".join(linecache.getlines(file, scope))


@functools.lru_cache(maxsize=32)
def _parse(text: str) -> dict[int, list[ast.AST]]:
    """Map the first line of every function in a file to its nodes."""
    lines: dict[int, list[ast.AST]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            decorators = getattr(node, "decorator_list", [])
            lines.setdefault(min([node.lineno, *(d.lineno for d in decorators)]), []).append(node)
    return lines


@functools.lru_cache(maxsize=32)
def _compile(text: str, file: str, flags: int) -> dict[str, list[types.CodeType]]:
    """Map the name of every function in a file to its code objects."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were shown when the file was imported
        module = compile(text, file, "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    found: dict[str, list[types.CodeType]] = {}
    for code in _code_objects(module):
        found.setdefault(code.co_name, []).append(code)
    return found


def _code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_objects(constant)


def _same_constant(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, types.CodeType):
        return _same_code(a, b)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_same_constant, a, b))
    return a == b if isinstance(a, frozenset) else repr(a) == repr(b)


def _same_code(a: types.CodeType, b: types.CodeType) -> bool:
    """Compare what two code objects do, whatever lines they stand on."""
    return (
        a.co_code == b.co_code
        and all(getattr(a, name) == getattr(b, name) for name in (*_NAMES, *_COUNTS))
        and _same_constant(a.co_consts, b.co_consts)
    )


def _find(function: types.FunctionType) -> ast.AST:
    """Find the syntax tree that a function was compiled from."""
    file = function.__code__.co_filename
    text = read_lines(file, function.__globals__)
    node = _node_in(text, function) if text else None
    if node is None and text:
        linecache.checkcache(file)  # the module may have been reloaded since the lines were read
        again = read_lines(file, function.__globals__)
        node = _node_in(again, function) if again != text else None
    if node is None and text:
        raise LineageError(
            f"{name_of(function)} is not what {file} says: the file changed since it was imported; "
            'restart the process, or name the version of the code yourself: Feature(..., version="1")'
        )
    if node is None:
        raise LineageError(
            f"the source of {name_of(function)} cannot be read (line {function.__code__.co_firstlineno} of {file}); "
            'put the function in a file, or name its version yourself: Feature(..., version="1")'
        )
    return node


def _node_in(text: str, function: types.FunctionType) -> ast.AST | None:
    code = function.__code__
    try:
        compiled = _compile(text, code.co_filename, code.co_flags & _FUTURES).get(code.co_name, [])
    except (SyntaxError, ValueError):
        return None
    same = [other for other in compiled if _same_code(other, code)]
    if not same and "@pytest_ar" in function.__globals__:
        # pytest rewrites assert statements: the names stay, among others
        same = [c for c in compiled if c.co_firstlineno == code.co_firstlineno and set(c.co_names) <= {*code.co_names}]
        same = [c for c in same if any(isinstance(n, ast.Assert) for node in _nodes(text, c) for n in ast.walk(node))]
    # equal code objects stand in the same place too
    same.sort(key=lambda other: (other != code, other.co_firstlineno != code.co_firstlineno))
    nodes = _nodes(text, same[0]) if same else []
    return nodes[0] if nodes else None


def _nodes(text: str, code: types.CodeType) -> list[Any]:
    """Find the nodes that ``code`` may come from, by its first line and, among several there, by its columns."""
    wanted = ast.Lambda if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes: list[Any] = _parse(text).get(code.co_firstlineno, [])
    nodes = [n for n in nodes if isinstance(n, wanted) and getattr(n, "name", code.co_name) == code.co_name]
    if len(nodes) > 1:
        nodes = sorted((n for n in nodes if _body_holds(n, code)), key=lambda n: (-n.lineno, -n.col_offset))
    return nodes


def _body_holds(node: Any, code: types.CodeType) -> bool:
    """Tell whether every instruction lies inside the body of the lambda ``node``."""
    body = node.body if isinstance(node, ast.Lambda) else node
    start, stop = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if (line, column) == (end_line, end_column):
            continue
        if not (start <= (line, column) and (end_line, end_column) <= stop):
            return False
    return True


@functools.lru_cache(maxsize=32)
def _classes(text: str) -> dict[str, frozenset[str]]:
    """Map every class of a file, by qualified name, to the names that its body binds."""

    def visit(table: symtable.SymbolTable, prefix: str) -> Iterator[tuple[str, frozenset[str]]]:
        for child in table.get_children():
            name = prefix + child.get_name()
            if child.get_type() == "class":
                bound = (s.get_name() for s in child.get_symbols() if s.is_assigned() or s.is_namespace())
                yield name, frozenset(bound)
            yield from visit(child, f"{name}." if child.get_type() == "class" else f"{name}.<locals>.")

    found: dict[str, frozenset[str]] = {}
    for name, bound in visit(symtable.symtable(text, "<source>", "exec"), ""):
        found[name] = found.get(name, frozenset()) | bound
    return found


def class_body(cls: type, file: str) -> frozenset[str] | None:
    """Return the names that the body of a class binds; None where its source is not found."""
    try:
        return _classes(read_lines(file)).get(cls.__qualname__)
    except (SyntaxError, ValueError):
        return None


@functools.lru_cache(maxsize=128)
def _module_code(text: str) -> tuple[str, tuple[tuple[int, str, tuple[str, ...]], ...]]:
    tree = ast.parse(text)
    return digest_bytes("\n".join(normalise(tree)).encode("ascii")), imports_in(tree)


def module_code(file: str) -> tuple[str, tuple[tuple[int, str, tuple[str, ...]], ...]]:
    """Return the hash of a whole module's normalised syntax, and its import statements.

    Raises:
        LineageError: the file cannot be read as Python.
    """
    text = read_lines(file)
    try:
        if text:
            return _module_code(text)
    except (SyntaxError, ValueError):
        pass
    raise LineageError(f'the source {file} cannot be read; name the version of the code: Feature(..., version="1")')
