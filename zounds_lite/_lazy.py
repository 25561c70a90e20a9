"""Libraries that load on first use.

Goal: ``import zounds_lite`` stays fast and works without the extras. ``optional`` imports a library when it is needed
and, where it is missing, says which extra brings it. ``attach`` gives a package lazily loaded attributes (PEP 562).
"""

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from zounds_lite.errors import OptionalDependencyError

__all__ = ["attach", "optional"]

_EXTRAS = {"torch": "torch", "sklearn": "learn", "matplotlib": "plot", "h5py": "hdf5"}


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


def attach(package: str, where: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for ``package``, whose attributes load on first use.

    Args:
        package (str): the package's ``__name__``.
        where (Mapping[str, str]): attribute name to the module that defines it.
    """

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(where[name]), name)
        setattr(importlib.import_module(package), name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *where})

    return __getattr__, __dir__
