"""How a document class travels to another process: by name, with the store that it is bound to.

A class is never sent itself: the other process imports it, and binds it again where the program has bound it to another
store than the module does, as ``simple_lmdb_settings(path)(cls)`` does. Class: ``DocumentReference``; functions
``refer_to``, ``check_shareable``, ``main_program``.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.reduction import ForkingPickler
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.settings import _with_settings

__all__ = ["DocumentReference", "check_shareable", "main_program", "refer_to", "resolve"]

_SETTINGS = {"database", "event_log", "id_provider", "keep_source", "key_builder"}


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """Names a document class.

    Args:
        module (str): where it is imported from.
        qualname (str): its name there.
        settings (bytes | None): what it is bound to, in the form in which processes of one program talk to each other;
            None where it is bound as its module says.
    """

    module: str
    qualname: str
    settings: bytes | None = None


def refer_to(cls: type[BaseModel]) -> DocumentReference | None:
    """Return a reference to a document class; None where another process could not import it.

    Raises:
        DeclarationError: what it is bound to cannot be sent to another process.
    """
    found = _named(cls.__module__, cls.__qualname__)
    if found is None or found not in cls.__mro__ or not _is_importable(cls.__module__):
        return None
    settings: dict[str, Any] = {}
    for kind in reversed(cls.__mro__[: cls.__mro__.index(found)]):
        own = {name: value for name, value in vars(kind).items() if not name.startswith("__") and name != "features"}
        if not own.keys() <= _SETTINGS:
            return None  # it adds more than a store, in a place that nobody can import
        settings.update(own)
    if not settings:
        return DocumentReference(cls.__module__, cls.__qualname__)
    try:
        return DocumentReference(cls.__module__, cls.__qualname__, bytes(ForkingPickler.dumps(settings)))
    except Exception as error:  # whatever pickling raises
        raise DeclarationError(
            f"{cls.__name__} is bound to settings that cannot be sent to another process ({error}); use workers=1 or "
            "executor=ThreadPoolExecutor(n)"
        ) from error


@lru_cache(maxsize=64)
def resolve(reference: DocumentReference) -> type[BaseModel]:
    """Import the class of a reference, and bind it.

    Raises:
        DeclarationError: there is no such class in this process.
    """
    importlib.import_module(reference.module)
    cls = _named(reference.module, reference.qualname)
    if cls is None:
        raise DeclarationError(
            f"a worker process finds no {reference.qualname!r} in {reference.module!r}; define it where an import of "
            "the module defines it, or use executor=ThreadPoolExecutor(n)"
        )
    if reference.settings is None:
        return cls
    bound: type[BaseModel] = _with_settings(cls, **ForkingPickler.loads(reference.settings))
    return bound


def _named(module: str, qualname: str) -> Any:
    """Return what a module in memory has under a name; None where it has nothing."""
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


def _is_importable(module: str) -> bool:
    if module == "__main__":
        return main_program() is not None
    parent = sys.modules.get(module.rpartition(".")[0])
    path = getattr(parent, "__path__", None)
    if "." in module and path is None:
        return False
    finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
    specs = (find(module, path) for find in finders if find is not None)
    origin = next((spec.origin for spec in specs if spec is not None), None)
    here = getattr(sys.modules.get(module), "__file__", None)
    return None not in (origin, here) and os.path.realpath(origin) == os.path.realpath(here)  # type: ignore[arg-type]


def main_program() -> tuple[str | None, str | None] | None:
    """Return the module or the file that was started as this program; None for a prompt, a notebook, or ``-c``."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return spec.name, None
    path = getattr(main, "__file__", None)
    return (None, os.path.abspath(path)) if path and os.path.isfile(path) else None


def check_shareable(cls: type[BaseModel]) -> None:
    """Refuse a document whose store other processes cannot use.

    Raises:
        DeclarationError: its store, or that of one of its features, lives in this process alone.
    """
    for database in {id(d): d for d in map(cls._database, [None, *cls.features.values()])}.values():
        try:
            ForkingPickler.dumps(database)
        except Exception as error:  # whatever pickling raises
            raise DeclarationError(
                f"{cls.__name__} is kept in {database!r}, which other processes cannot use; pass "
                "executor=ThreadPoolExecutor(n) from concurrent.futures, or keep it in a store on disk: "
                "simple_lmdb_settings(path, user_supplied_id=True)"
            ) from error
