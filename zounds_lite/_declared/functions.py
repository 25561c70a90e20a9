"""Describers of functions: what their source says, and the values that they reach.

Goal: everything that a function's answer can depend on counts: constants, defaults, closure values, the module globals
that it names, and the user modules that it imports, recursively through user code. Conventions: code of installed
packages counts by name; keys that start with ``~`` are for people. What is beyond sight: names made at run time
(``globals()[name]``, ``eval``), and files that the code reads. A container in a global counts with what it holds: one
that the code itself fills, such as a cache, makes its own values stale; use ``functools.cache``, of which only the
function counts. Functions: ``describe_code``, ``parameters_of``.
"""

import functools
import importlib.machinery
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zounds_lite._declared.description import describe, describes, once, refuse
from zounds_lite._declared.library import is_library, is_library_file, library_name, name_of
from zounds_lite._declared.source import Syntax, module_code, syntax_of
from zounds_lite.errors import LineageError

__all__ = ["describe_code", "describe_named", "parameters_of"]

_LRU_CACHE = type(functools.lru_cache(len))
_CALLED_BY_NAME = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType)
Imports = tuple[tuple[int, str, tuple[str, ...]], ...]


def parameters_of(code: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function or of a class's constructor, without ``self``."""
    return _class_parameters(code) if isinstance(code, type) else dict(inspect.signature(code).parameters)


@functools.lru_cache(maxsize=1024)
def _class_parameters(cls: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(cls).parameters)


def describe_code(code: Any) -> dict[str, Any]:
    """Describe a function, method, class, partial or callable object.

    Returns:
        dict: JSON; for a function, ``code`` in it hashes the normalised source and ``~source`` shows it.

    Raises:
        LineageError: there is no source to read, it changed since it was imported, or a value that the code refers to
            cannot be fingerprinted.

    Examples:
        >>> describe_code(np.add)
        {'function': 'numpy:add'}
    """
    described: dict[str, Any] = describe(code)
    return described


@describes(types.FunctionType, exact=True)
@once
def _describe_function(function: types.FunctionType) -> dict[str, Any]:
    if is_library(function):
        name = library_name(function)
        return {"function": name} if name else _describe_wrapper(function)
    syntax = syntax_of(function)
    closure, defaults = _closure(function), _defaults(function)
    described: dict[str, Any] = {"code": syntax.code, "~function": function.__qualname__, "~source": syntax.shown}
    loaded = {name: function.__globals__[name] for name in syntax.names if name in function.__globals__}
    attributes = {k: v for k, v in vars(function).items() if not k.startswith("_") and k != "pytestmark"}
    parts = {"defaults": defaults, "closure": closure, "globals": loaded}
    for part, values in ({k: _follow(v, syntax) for k, v in parts.items()} | {"attributes": attributes}).items():
        if values:
            described[part] = {name: _describe_reached(function, name, value) for name, value in sorted(values.items())}
    imports = _describe_imports(syntax.imports, function.__globals__)
    if imports:
        described["imports"] = imports
    if hasattr(function, "__wrapped__"):
        described["wrapped"] = describe(function.__wrapped__)
    return described


def _closure(function: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    found.pop("__class__", None)
    return found


def _defaults(function: types.FunctionType) -> dict[str, Any]:
    code, positional = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    last = names[len(names) - len(positional) :]
    return {**dict(zip(last, positional, strict=True)), **(function.__kwdefaults__ or {})}


def _follow(values: Mapping[str, Any], syntax: Syntax) -> dict[str, Any]:
    """Put what ``module.name`` holds in the place of a user's module that is used in no other way."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if not _is_user_module(value):
            found[name] = value
            continue
        reached = dict(_end_of(chain, value) for chain in syntax.chains if chain[0] == name)
        whole = name in syntax.bare or any(_is_user_module(end) for end in reached.values())
        found.update({name: value} if whole or not reached else reached)
    return found


def _is_user_module(value: Any) -> bool:
    return isinstance(value, types.ModuleType) and not is_library(value)


def _end_of(chain: tuple[str, ...], value: Any) -> tuple[str, Any]:
    """Follow a dotted name out of the user's modules; its end is a module where it leads nowhere."""
    for i, part in enumerate(chain[1:], 1):
        if not _is_user_module(value) or not hasattr(value, part):
            return ".".join(chain[:i]), value
        value = getattr(value, part)
    return ".".join(chain), value


def _describe_reached(function: types.FunctionType, name: str, value: Any) -> Any:
    try:
        return describe_named(name, value, function.__globals__)
    except LineageError as error:
        raise LineageError(f"{name_of(function)} refers to {name}: {error}") from error


def describe_named(name: str, value: Any, scope: Mapping[str, Any]) -> Any:
    """Describe a value; a bare ``object()`` that stands in ``scope`` is a mark, and its name is all there is to it."""
    if type(value) is object:
        names = sorted(key for key, item in scope.items() if item is value)
        if names:
            return {"mark": names[0]}
    return describe(value)


def _describe_wrapper(function: types.FunctionType) -> dict[str, Any]:
    """Describe what a decorator of a package made: by the decorator's name, and by the user code inside."""
    name = f"{function.__globals__.get('__name__')}:{function.__code__.co_qualname}"
    if name.startswith("functools:singledispatch"):
        registry: Mapping[Any, Any] = function.registry  # type: ignore[attr-defined]
        kinds = sorted(registry.items(), key=lambda item: name_of(item[0]))
        return {"singledispatch": [[describe(kind), describe(code)] for kind, code in kinds]}
    described: dict[str, Any] = {"function": name}
    if hasattr(function, "__wrapped__"):
        described["wrapped"] = describe(function.__wrapped__)
    closure = {}
    for key, value in sorted(_closure(function).items()):
        try:
            closure[key] = describe(value)
        except LineageError:
            if isinstance(value, types.FunctionType):
                raise
            closure[key] = {"unnamed": name_of(type(value))}  # the package's own state
    return {**described, "closure": closure} if closure else described


# user modules


@describes(types.ModuleType)
@once
def _describe_module(module: types.ModuleType) -> dict[str, Any]:
    if is_library(module):
        return {"module": module.__name__}
    file = getattr(module, "__file__", None)
    if file is None:
        raise refuse(module, "it has no source file")
    for value in list(vars(module).values()):
        if isinstance(value, types.FunctionType) and value.__code__.co_filename == file:
            syntax_of(value)  # refuses a file that changed since it was imported
    return _describe_file(module.__name__, file, vars(module).get("__package__") or "")


def _describe_file(name: str, file: str, package: str) -> dict[str, Any]:
    code, imports = module_code(file)
    described: dict[str, Any] = {"code": code, "~module": name}
    further = _describe_imports(imports, {"__package__": package, "__name__": name})
    return {**described, "imports": further} if further else described


class _Source:
    """A module file that an import statement leads to, whether or not it was imported already."""

    def __init__(self, name: str, file: str, package: str) -> None:
        self.name, self.file, self.package = name, file, package


_sources: dict[tuple[str, str, str], _Source] = {}


@describes(_Source)
@once
def _describe_source(source: _Source) -> dict[str, Any]:
    return _describe_file(source.name, source.file, source.package)


def _describe_imports(imports: Imports, scope: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the user's modules that import statements name, without importing them."""
    found = {}
    for level, module, names in imports:
        if level:
            package = str(scope.get("__package__") or "")
            base = ".".join(package.split(".")[: len(package.split(".")) - level + 1])
            module = ".".join(part for part in (base, module) if part)
        for name in (module, *(f"{module}.{name}" for name in names)):
            source = _module_file(name)
            if source is not None:
                found[name] = describe(source)
    return found


def _module_file(name: str) -> _Source | None:
    """Find the source of a user's module by name; None for a package's, and for what is no module."""
    spec, path = None, None
    loaded = sys.modules.get(name)
    if loaded is not None:
        file, package = getattr(loaded, "__file__", None), str(getattr(loaded, "__package__", "") or "")
    else:
        parts = name.split(".")
        for i in range(len(parts)):
            spec = importlib.machinery.PathFinder.find_spec(".".join(parts[: i + 1]), path)
            path = spec.submodule_search_locations if spec is not None else None
            if spec is None or (path is None and i + 1 < len(parts)):
                return None
        file, package = (spec.origin, spec.parent or "") if spec is not None else (None, "")
    if file is None or is_library_file(file) or name.partition(".")[0] == __name__.partition(".")[0]:
        return None
    if not file.endswith((".py", ".ipy")):
        raise LineageError(f'{name} has no Python source; name the version of the code: Feature(..., version="1")')
    return _sources.setdefault((name, file, package), _Source(name, file, package))


# what is called, and is no plain function


@describes(functools.partial, functools.partialmethod)
def _describe_partial(value: Any) -> dict[str, Any]:
    arguments = [describe(argument) for argument in value.args]
    return {type(value).__name__: describe(value.func), "args": arguments, "keywords": describe(value.keywords)}


@describes(types.MethodType)
def _describe_method(value: types.MethodType) -> dict[str, Any]:
    return {"method": describe(value.__func__), "self": describe(value.__self__)}


@describes(_LRU_CACHE)
@once
def _describe_cached(value: Any) -> dict[str, Any]:
    return {"cached": describe(value.__wrapped__)}


@describes(types.BuiltinFunctionType, types.MethodWrapperType)
def _describe_builtin(value: Any) -> dict[str, Any]:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        if not is_library(value if owner is None else owner):
            raise refuse(value, "it is compiled code")
        return {"function": name_of(value)}
    return {"builtin": value.__name__, "self": describe(owner)}


@describes(*_CALLED_BY_NAME)
def _describe_slot(value: Any) -> dict[str, Any]:
    if not is_library(value.__objclass__):
        raise refuse(value, "it is compiled code")
    return {"function": f"{name_of(value.__objclass__)}.{value.__name__}"}


@describes(np.ufunc)
def _describe_ufunc(value: np.ufunc) -> dict[str, Any]:
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), value.__name__, None) is value:
            return {"function": f"{module}:{value.__name__}"}
    if value.signature is None and "(vectorized)" in value.__name__:
        raise refuse(value, "np.frompyfunc hides the function; np.vectorize does not")
    return {"function": value.__name__}


@describes(np.vectorize)
def _describe_vectorized(value: Any) -> dict[str, Any]:
    options = {name: getattr(value, name) for name in ("otypes", "excluded", "signature")}
    return {"vectorize": describe(value.pyfunc), **{name: describe(option) for name, option in options.items()}}
