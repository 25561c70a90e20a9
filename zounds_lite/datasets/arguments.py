"""What ``ingest`` may be given: wrong arguments are an error of the call, not of each recording.

Function ``check_arguments``.
"""

import os
from collections.abc import Iterable
from operator import index
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import BaseModel, UserSpecifiedIdProvider

__all__ = ["check_arguments"]


def check_arguments(dataset: Any, cls: Any, workers: Any, executor: Any, id_of: Any, root: str) -> int:
    """Refuse what no ingest can work with; return the number of workers.

    Raises:
        DeclarationError: one of them is wrong; it says which, and what is allowed.
    """
    count = _workers(workers)
    if executor is not None and (isinstance(executor, type) or not callable(getattr(executor, "submit", None))):
        raise DeclarationError(
            f"executor={executor!r} has no submit(function, *arguments) to call; pass an executor such as "
            "ThreadPoolExecutor(4), or workers=4 for processes that are made for this run"
        )
    if not callable(id_of):
        raise DeclarationError(f"id_of={id_of!r} is no function; pass one that takes an item and returns its id")
    _check_document(cls, root)
    _check_dataset(dataset)
    return count


def _workers(workers: Any) -> int:
    try:
        count = index(workers)
    except TypeError:
        count = 0
    if isinstance(workers, bool) or count < 1:
        raise DeclarationError(f"workers={workers!r}: needs at least 1, as a whole number")
    return count


def _check_dataset(dataset: Any) -> None:
    """Refuse what gives no items, and the path of a folder, whose letters would be taken for paths."""
    if isinstance(dataset, (str, bytes, os.PathLike)):
        raise DeclarationError(
            f"{dataset!r} is no dataset; pass Directory({dataset!r}) for the recordings of a folder, or a list of paths"
        )
    if isinstance(dataset, type) or not isinstance(dataset, Iterable) and not hasattr(dataset, "__getitem__"):
        raise DeclarationError(
            f"{dataset!r} is no dataset, as it cannot be iterated over; pass Directory(path), or a list of paths or "
            "AudioMetaData"
        )


def _check_document(cls: Any, root: str) -> None:
    if not (isinstance(cls, type) and issubclass(cls, BaseModel)):
        raise DeclarationError(
            f"{cls!r} is no document class; pass a subclass of BaseModel, such as stft() bound to a store by "
            "simple_lmdb_settings(path, user_supplied_id=True)"
        )
    if getattr(cls, "database", None) is None:
        raise DeclarationError(
            f"{cls.__name__} has no store to go to; decorate it with simple_lmdb_settings(path, user_supplied_id=True)"
        )
    if not isinstance(getattr(cls, "id_provider", None), UserSpecifiedIdProvider):
        raise DeclarationError(
            f"{cls.__name__} makes its own ids, so a rerun could not tell what is done; "
            "decorate it with simple_lmdb_settings(path, user_supplied_id=True)"
        )
    wanted = {name for name, feature in cls.features.items() if feature.is_root}
    wanted |= {name for feature in cls.features.values() for name in feature.variables()}
    if wanted != {root}:
        raise DeclarationError(
            f"{cls.__name__} is made from {', '.join(sorted(wanted)) or 'nothing'}, and ingest gives it {root!r}; "
            "name its one root with root=, or call process() yourself"
        )
