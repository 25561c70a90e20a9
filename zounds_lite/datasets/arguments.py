"""What ``ingest`` may be given: wrong arguments are an error of the call, not of each recording.

Functions: ``check_arguments``, ``check_choices``, ``check_dataset``, ``documented``.
"""

import os
from collections.abc import Iterable
from operator import index
from typing import Any, NamedTuple

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import BaseModel, UserSpecifiedIdProvider

__all__ = ["Documented", "check_arguments", "check_choices", "check_dataset", "documented"]


def check_arguments(dataset: Any, cls: Any, workers: Any, executor: Any, root: str) -> int:
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
    _check_document(cls, root)
    check_dataset(dataset)
    return count


def check_choices(on_error: Any, progress: Any, fetcher: Any) -> None:
    """Refuse choices that there are not.

    Raises:
        DeclarationError: it says which one, and what is allowed.
    """
    if on_error not in ("skip", "raise"):
        raise DeclarationError(f"on_error={on_error!r}; allowed: 'skip' (go on) or 'raise' (stop at the first failure)")
    if not (isinstance(progress, bool) or callable(progress)):
        raise DeclarationError(
            f"progress={progress!r}; allowed: True, False, or a function of the report, called after each item"
        )
    if fetcher is not None and not callable(getattr(fetcher, "download", None)):
        raise DeclarationError(f"fetcher={fetcher!r} has no download(request, file); pass a Fetcher")


class Documented(NamedTuple):
    """What the arguments of the documented ``ingest`` come to.

    Args:
        workers (int): processes.
        threads (int | None): threads of this process; None: no threads.
        skip_existing (bool): as for ``ingest``.
    """

    workers: int
    threads: int | None
    skip_existing: bool


def documented(
    workers: Any, executor: Any, skip_existing: Any, skip_if_exists: Any, multi_process: Any, multi_threaded: Any,
    cores: Any,
) -> Documented:  # fmt: skip
    """Translate ``skip_if_exists``, ``multi_process``, ``multi_threaded`` and ``cores``.

    Raises:
        DeclarationError: two of them say different things.
    """
    if multi_process and multi_threaded:
        raise DeclarationError("multi_process and multi_threaded are both set; allowed: one of them")
    if (multi_process or multi_threaded) and (executor is not None or workers != 1):
        raise DeclarationError(
            "multi_process and multi_threaded choose the workers themselves; pass cores= with them, or else workers= "
            "or executor="
        )
    if cores is not None and not (multi_process or multi_threaded):
        raise DeclarationError(f"cores={cores!r} goes with multi_process or multi_threaded; pass workers= without them")
    count = _workers(os.cpu_count() or 1 if cores is None else cores, "cores")
    return Documented(
        count if multi_process else workers,
        count if multi_threaded else None,
        skip_existing if skip_if_exists is None else bool(skip_if_exists),
    )


def _workers(workers: Any, name: str = "workers") -> int:
    try:
        count = index(workers)
    except TypeError:
        count = 0
    if isinstance(workers, bool) or count < 1:
        raise DeclarationError(f"{name}={workers!r}: needs at least 1, as a whole number")
    return count


def check_dataset(dataset: Any) -> None:
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
