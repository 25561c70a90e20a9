"""Libraries that load on first use.

Goal: ``import zounds_lite`` stays fast and works without the extras. ``optional`` imports a library when it is needed
and, where it is missing, says which extra brings it. ``attach`` gives a package lazily loaded attributes (PEP 562).
``default_renderer`` and ``default_plotter`` hold what draws values, so that low floors can show themselves without
importing pictures.
"""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from zounds_lite.errors import OptionalDependencyError

__all__ = [
    "attach",
    "default_plotter",
    "default_renderer",
    "optional",
    "set_default_plotter",
    "set_default_renderer",
]

_EXTRAS = {
    "torch": "torch",
    "sklearn": "learn",
    "skops": "learn",
    "matplotlib": "plot",
    "h5py": "hdf5",
    "faiss": "faiss",
    "pyarrow": "arrow",
    "pandas": "frames",
    "xarray": "frames",
    "hypothesis": "test",
}


def optional(name: str) -> ModuleType:
    """Import the library ``name``, or say how to install it.

    Raises:
        OptionalDependencyError: the library is not installed.

    Examples:
        >>> optional("json").dumps([1])
        '[1]'
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        root = name.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != root:
            raise
        wanted = f"zounds_lite[{_EXTRAS[root]}]" if root in _EXTRAS else root
        raise OptionalDependencyError(f"{root} is not installed and is needed here: pip install '{wanted}'") from error


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for a package whose names load on first use.

    The names stand once, as imports in the stub (``.pyi``) beside the package's file, where type checkers read them
    too.

    Args:
        package (str): the package's ``__name__``.
        file (str): the package's ``__file__``.
    """
    where = _names_in(Path(file).with_suffix(".pyi"))

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(where[name])
        value = module if where[name] == f"{package}.{name}" else getattr(module, name)
        setattr(importlib.import_module(package), name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *where})

    return __getattr__, __dir__, sorted(where)


def _names_in(stub: Path) -> dict[str, str]:
    """Map each name that a stub imports to the module to import for it."""
    where = {}
    for statement in ast.parse(stub.read_text("utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                is_module = statement.module.count(".") == 0  # "from package import module"
                where[alias.name] = f"{statement.module}.{alias.name}" if is_module else statement.module
    return where


_renderer: list[str] = []
_plotter: list[str] = []


def _named(slot: list[str]) -> Callable[..., Any] | None:
    """Load the function that a slot names."""
    if not slot:
        return None
    module, _, name = slot[0].partition(":")
    return getattr(importlib.import_module(module), name)


def default_renderer() -> Callable[..., str] | None:
    """Return the function that turns values to HTML, loaded now; None where none was named."""
    return _named(_renderer)


def set_default_renderer(renderer: str) -> None:
    """Name the function that turns values to HTML, as ``module:function``; it loads when it is first needed."""
    _renderer[:] = [renderer]


def default_plotter() -> Callable[..., Any] | None:
    """Return the function that draws values with a plotting library, loaded now; None where none was named."""
    return _named(_plotter)


def set_default_plotter(plotter: str) -> None:
    """Name the function that draws values, as ``module:function``; it loads when it is first needed."""
    _plotter[:] = [plotter]
