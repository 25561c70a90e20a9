"""What counts by name: our code, the standard library's, and that of installed packages.

Goal: an upgrade of a package does not make stored values stale, while every edit of user code does. Functions:
``is_library`` (functions, classes, modules), ``is_library_file``, ``name_of``, ``library_name``.
"""

import functools
import linecache
import os
import site
import sys
import sysconfig
import types
from pathlib import PurePath
from typing import Any

__all__ = ["is_library", "is_library_file", "is_ours", "library_name", "name_of"]

_LIBRARY = __name__.partition(".")[0]
_PACKAGES = {"site-packages", "dist-packages"}


@functools.cache
def _installed() -> tuple[str, ...]:
    """The folders of installed code, each with a separator at its end."""
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {*site.getsitepackages(), site.getusersitepackages()}
    folders = {folder for path in paths if path for folder in (path, os.path.realpath(path))}
    return tuple(os.path.join(os.path.normcase(folder), "") for folder in folders)


@functools.lru_cache(maxsize=1024)
def is_library_file(file: str) -> bool:
    """Tell whether a source file belongs to the standard library or an installed package."""
    if file.startswith("<frozen "):
        return True
    return os.path.normcase(file).startswith(_installed()) or not _PACKAGES.isdisjoint(PurePath(file).parts)


def is_ours(module: str) -> bool:
    """Tell whether a module of that name belongs to this library."""
    return module.partition(".")[0] == _LIBRARY


def _is_library_module(name: str) -> bool:
    if is_ours(name) or name == "builtins":
        return True
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if file is None:
        frozen = getattr(getattr(module, "__spec__", None), "origin", None) in ("frozen", "built-in")
        return frozen or name in sys.builtin_module_names
    return is_library_file(file)


def is_library(code: Any) -> bool:
    """Tell whether a function, class or module counts by name: ours, the standard library's, or an installed one's.

    A function counts as what the file is that its instructions come from: ``functools.wraps`` changes its names.
    """
    if isinstance(code, types.ModuleType):
        return _is_library_module(code.__name__)
    module = getattr(code, "__module__", None)
    if isinstance(code, types.FunctionType):
        file = code.__code__.co_filename
        own = code.__globals__.get("__name__")
        if not file.startswith("<"):
            return is_library_file(file) or (isinstance(own, str) and is_ours(own))
        # what exec() makes calls itself builtin; a notebook's cells and doctests have lines
        if module in (None, "builtins") or file in linecache.cache:
            return file.startswith("<frozen ")
    return not isinstance(module, str) or _is_library_module(module)


def name_of(code: Any) -> str:
    """Return ``module:qualname``, for people."""
    module = getattr(code, "__module__", None) or "builtins"
    return f"{module}:{getattr(code, '__qualname__', None) or getattr(code, '__name__', type(code).__qualname__)}"


def library_name(value: Any) -> str | None:
    """Return the name under which installed code offers ``value``; None where it offers no such thing.

    Args:
        value (Any): an object whose type is the library's: a function, or an instance that a module holds.
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    name = name or getattr(value, "__name__", None)
    if isinstance(module, str) and isinstance(name, str) and _is_library_module(module):
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is value:
            return f"{module}:{name}"
    for stream in ("stdin", "stdout", "stderr"):
        if value is getattr(sys, stream):
            return f"sys:{stream}"
    home = sys.modules.get(type(value).__module__)
    if home is None or home.__name__ == "builtins" or not is_library(type(value)):
        return None
    return next((f"{home.__name__}:{key}" for key, item in list(vars(home).items()) if item is value), None)
