"""Fingerprints of functions and classes, taken from what their source says.

Goal: the same code gives the same description in every process and Python version, and another description as soon as
its meaning can differ. Conventions: comments, docstrings, annotations and layout do not count; constants, defaults,
closure values and the module globals that the code names do, recursively through user code. Code of installed packages
and of the standard library counts by name alone. Functions: ``describe_code``, ``is_library``, ``parameters_of``.
"""

import ast
import functools
import inspect
import linecache
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from zounds_lite._declared.values import describe, digest_bytes
from zounds_lite.errors import LineageError

__all__ = ["describe_code", "is_library", "parameters_of"]

_LIBRARY = __name__.partition(".")[0]
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CLASS_MACHINERY = {
    "__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__firstlineno__",
    "__static_attributes__", "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__", "__annotate__",
    "__annotate_func__", "__annotations_cache__",
}  # fmt: skip

_open: ContextVar[tuple[Any, ...]] = ContextVar("_open", default=())
"""The code being described, outermost first: recursion is described by name."""


def _name(code: Any) -> str:
    module = getattr(code, "__module__", None) or "builtins"
    return f"{module}:{getattr(code, '__qualname__', None) or getattr(code, '__name__', repr(code))}"


def is_library(code: Any) -> bool:
    """Tell whether a function, class or module counts by name: ours, the standard library's, or an installed one's."""
    module = code.__name__ if isinstance(code, types.ModuleType) else getattr(code, "__module__", None)
    if module in (None, "builtins"):
        return not inspect.isfunction(code)  # what exec() makes calls itself builtin
    if module.partition(".")[0] == _LIBRARY:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module in sys.builtin_module_names
    return file.startswith(_INSTALLED)


def parameters_of(code: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function or of a class's constructor, without ``self``."""
    return _class_parameters(code) if isinstance(code, type) else dict(inspect.signature(code).parameters)


@functools.lru_cache(maxsize=1024)
def _class_parameters(cls: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(cls).parameters)


def describe_code(code: Any) -> dict[str, Any]:
    """Describe a function, method, class, partial or callable object.

    Returns:
        dict: JSON; ``code`` in it hashes the normalised source, ``~source`` shows it.

    Raises:
        LineageError: there is no source to read, or a value that the code refers to cannot be fingerprinted.

    Examples:
        >>> describe_code(np.add)
        {'function': 'numpy:add'}
    """
    if any(code is seen for seen in _open.get()):
        return {"recursive": _name(code)}
    token = _open.set((*_open.get(), code))
    try:
        return _describe(code)
    finally:
        _open.reset(token)


def _describe(code: Any) -> dict[str, Any]:
    if isinstance(code, np.ufunc):
        return {"function": f"numpy:{code.__name__}"}
    if isinstance(code, functools.partial):
        return {"partial": describe(code.func), "args": describe(code.args), "keywords": describe(code.keywords)}
    if isinstance(code, types.MethodType):
        return {"method": describe(code.__func__), "self": describe(code.__self__)}
    if isinstance(code, type):
        return {"class": _name(code)} if is_library(code) else _describe_class(code)
    if inspect.isfunction(inspect.unwrap(code)) and not is_library(inspect.unwrap(code)):
        return _describe_function(inspect.unwrap(code))
    if inspect.isroutine(code) or inspect.isfunction(inspect.unwrap(code)):
        return {"function": _name(inspect.unwrap(code))}
    raise LineageError(
        f"the callable {code!r} cannot be fingerprinted; pass a function or a declared type, "
        'or name the code yourself: Feature(..., version="1")'
    )


def _describe_class(cls: type) -> dict[str, Any]:
    members = {}
    for name, member in sorted(vars(cls).items()):
        if name in _CLASS_MACHINERY or isinstance(member, (types.GetSetDescriptorType, types.MemberDescriptorType)):
            continue
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if isinstance(member, functools.cached_property):
            member = member.func
        if isinstance(member, property):
            member = [part for part in (member.fget, member.fset, member.fdel) if part]
        members[name] = describe(member)
    bases = [describe(base) for base in cls.__bases__ if base is not object]
    return {"class": cls.__qualname__, "bases": bases, "members": members}


def _describe_function(function: types.FunctionType) -> dict[str, Any]:
    node = _find(function)
    normal = "\n".join(_normalise(node))
    described: dict[str, Any] = {
        "function": function.__qualname__,
        "code": digest_bytes(normal.encode("utf-8", "surrogatepass")),
        "~source": ast.unparse(node)[:2000],
    }
    defaults = {p.name: p.default for p in parameters_of(function).values() if p.default is not p.empty}
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = {name: cell.cell_contents for name, cell in cells.items() if name != "__class__"}
    parts = {"defaults": defaults, "closure": closure, "globals": _globals_named(function, node)}
    for part, values in parts.items():
        if values:
            described[part] = {name: _describe_named(function, name, value) for name, value in sorted(values.items())}
    return described


def _describe_named(function: types.FunctionType, name: str, value: Any) -> Any:
    try:
        return describe(value)
    except LineageError as error:
        raise LineageError(f"{_name(function)} refers to {name}: {error}") from error


def _code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_objects(constant)


def _globals_named(function: types.FunctionType, node: ast.AST) -> dict[str, Any]:
    """Return the module globals that the code names; names inside user modules are followed to what they hold."""
    names = {name for code in _code_objects(function.__code__) for name in code.co_names}
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for attribute in ast.walk(node):
        if not isinstance(attribute, ast.Attribute):
            continue
        path, value = _resolve(attribute, function.__globals__)
        if path is not None:
            found[path] = value
    return found


def _resolve(attribute: ast.Attribute, scope: dict[str, Any]) -> tuple[str | None, Any]:
    """Follow ``module.name`` where the module is user code; (None, None) otherwise."""
    base = attribute.value
    if isinstance(base, ast.Name):
        path, value = base.id, scope.get(base.id)
    elif isinstance(base, ast.Attribute):
        inner, value = _resolve(base, scope)
        if inner is None:
            return None, None
        path = inner
    else:
        return None, None
    if not isinstance(value, types.ModuleType) or is_library(value) or not hasattr(value, attribute.attr):
        return None, None
    return f"{path}.{attribute.attr}", getattr(value, attribute.attr)


@functools.lru_cache(maxsize=256)
def _parse(text: str) -> dict[int, list[ast.AST]]:
    """Map the first line of every function in a file to its nodes."""
    lines: dict[int, list[ast.AST]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            decorators = getattr(node, "decorator_list", [])
            lines.setdefault(min([node.lineno, *(d.lineno for d in decorators)]), []).append(node)
    return lines


def _find(function: types.FunctionType) -> ast.AST:
    """Find the syntax tree of a function, by its first line and, among several there, by its columns."""
    code = function.__code__
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    try:
        nodes = _parse(text).get(code.co_firstlineno, [])
    except SyntaxError:
        nodes = []
    wanted = ast.Lambda if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [n for n in nodes if isinstance(n, wanted) and getattr(n, "name", code.co_name) == code.co_name]
    if len(nodes) > 1:
        nodes = [n for n in nodes if _body_holds(n, code)]
        nodes = sorted(nodes, key=lambda n: (-n.lineno, -n.col_offset))  # type: ignore[attr-defined]
    if not nodes:
        raise LineageError(
            f"the source of {_name(function)} cannot be read (line {code.co_firstlineno} of {code.co_filename}); "
            'put the function in a file, or name its version yourself: Feature(..., version="1")'
        )
    return nodes[0]


def _body_holds(node: Any, code: types.CodeType) -> bool:
    """Tell whether every instruction lies inside the body of the lambda ``node``."""
    body = node.body if isinstance(node, ast.Lambda) else node
    start, stop = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    for line, end_line, column, end_column in code.co_positions():
        if None in (line, end_line, column, end_column) or (line, column) == (end_line, end_column):
            continue
        if not (start <= (line, column) and (end_line, end_column) <= stop):
            return False
    return True


def _is_docstring(statement: Any) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _normalise(node: Any, depth: int = 0) -> Iterator[str]:
    """Write a syntax tree line by line: node kinds and non-empty fields only, so that all Python versions agree."""
    if isinstance(node, list):
        for item in node:
            yield from _normalise(item, depth)
        return
    if not isinstance(node, ast.AST):
        yield f"{depth} {node!r}"
        return
    yield f"{depth} {type(node).__name__}"
    for field, value in ast.iter_fields(node):
        if value is None or value == [] or field in ("ctx", "kind", "type_comment", "annotation", "returns"):
            continue
        if field == "body" and isinstance(value, list):
            value = [statement for statement in value if not _is_docstring(statement)]
        if field == "name" and depth == 0:
            continue
        yield f"{depth} .{field}"
        yield from _normalise(value, depth + 1)
