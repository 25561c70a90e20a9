"""Ingest: a dataset becomes documents.

Goal: one bad recording never stops a run; what is done is not done again; and the report says what happened to each
item. Classes: ``IngestReport``, ``Failure``; function ``ingest``.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import asdict, dataclass, field
from typing import Any

from zounds_lite.datasets.workers import in_flight
from zounds_lite.errors import DeclarationError, ZoundsError
from zounds_lite.featureflow import BaseModel, UserSpecifiedIdProvider

__all__ = ["Failure", "IngestReport", "ingest"]

_SEEN = threading.Lock()


@dataclass(frozen=True)
class Failure:
    """One item that could not be processed.

    Attributes:
        id (str): the item.
        reason (str): the error's type and message.
        traceback (str): where it was raised.
    """

    id: str
    reason: str
    traceback: str


@dataclass
class IngestReport:
    """What became of each item of a dataset.

    Attributes:
        processed (list[str]): ids of the documents that were stored.
        skipped (list[str]): ids that were there already, from an unchanged source.
        failed (list[Failure]): the rest, each with its reason.
        seconds (float): how long the run took.
    """

    processed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.processed) + len(self.skipped) + len(self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as strict JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{len(self.processed)} of {self.total} processed, {len(self.skipped)} skipped, {len(self.failed)} failed "
            f"in {self.seconds:.1f} s"
        ]
        return "\n".join(lines + [f"  failed: {failure.id}: {failure.reason}" for failure in self.failed])


def _id_of(item: Any) -> str:
    """The default id of an item: its URL or path."""
    request = getattr(item, "request", None)
    uri = request.url if request is not None else getattr(item, "uri", item)
    uri = getattr(uri, "filename", None) or getattr(uri, "url", None) or uri
    if isinstance(uri, os.PathLike):
        uri = os.fspath(uri)
    if not isinstance(uri, str):
        raise DeclarationError(f"{item!r} has no path or URL to serve as its id; pass id_of=")
    return uri


def ingest(
    dataset: Iterable[Any],
    cls: type[BaseModel],
    workers: int = 1,
    progress: bool = True,
    *,
    skip_existing: bool = True,
    id_of: Callable[[Any], str] = _id_of,
    root: str = "meta",
) -> IngestReport:
    """Process every item of a dataset into a document.

    Args:
        dataset (Iterable[AudioMetaData]): the items.
        cls (type[BaseModel]): the document; it takes ids from its caller (``user_supplied_id=True``).
        workers (int): items processed at the same time, >= 1.
        progress (bool): show a bar on stderr, if that is a terminal.
        skip_existing (bool): pass over documents that are stored and whose source is unchanged.
        id_of (Callable): the id of an item; its URL or path by default.
        root (str): the root feature that receives the item.

    Returns:
        IngestReport: what became of each item. An item that fails never stops the run.

    Raises:
        DeclarationError: ``workers`` is not positive, or the document makes its own ids or needs more than ``root``.
    """
    if workers < 1:
        raise DeclarationError(f"workers={workers}: needs at least 1")
    provider = getattr(cls, "id_provider", None)
    if not isinstance(provider, UserSpecifiedIdProvider):
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
    report, began = IngestReport(), time.monotonic()
    seen: set[str] = set()

    def one(item: Any) -> tuple[str, str]:
        _id = id_of(item)
        with _SEEN:
            if _id in seen:
                raise DeclarationError(f"another item has the id {_id!r} too; pass id_of= to tell them apart")
            seen.add(_id)
        if skip_existing and _is_done(cls, _id):
            return "skipped", _id
        cls.process(**{root: item, provider.key: _id})
        return "processed", _id

    for item, future in in_flight(_guarded(_with_progress(dataset, progress), report), one, workers):
        try:
            outcome, _id = future.result()
            getattr(report, outcome).append(_id)
        except Exception as error:  # noqa: BLE001 - any fault of one item, of user code too, is that item's own
            report.failed.append(_failure(_name(item, id_of), error))
    report.seconds = time.monotonic() - began
    return report


def _guarded(items: Iterator[Any], report: IngestReport) -> Iterator[Any]:
    """Yield items; a dataset that breaks on the way ends the run and is reported, and does not cost its report."""
    is_first = True
    try:
        for item in items:
            is_first = False
            yield item
    except Exception as error:
        if is_first:
            raise
        report.failed.append(_failure("the dataset itself", error))


def _failure(_id: str, error: Exception) -> Failure:
    return Failure(_id, f"{type(error).__name__}: {error}{_place(error)}", "".join(traceback.format_exception(error)))


def _place(error: Exception) -> str:
    """Where the code is that failed, unless the message is made to be enough."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, (ZoundsError, OSError)) or not frames:
        return ""
    return f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}, in {frames[-1].name})"


def _name(item: Any, id_of: Callable[[Any], str]) -> str:
    try:
        return str(id_of(item))
    except Exception:  # noqa: BLE001 - the id itself may be what failed
        return repr(item)


def _is_done(cls: type[BaseModel], _id: str) -> bool:
    if not cls.exists(_id):
        return False
    try:
        return not cls(_id).source_changed
    except ZoundsError:  # a damaged record is processed again
        return False


def _with_progress(dataset: Iterable[Any], progress: bool) -> Iterator[Any]:
    from tqdm import tqdm

    total = len(dataset) if isinstance(dataset, Sized) else None
    # disable=None: silent where stderr is no terminal
    yield from tqdm(dataset, total=total, unit="file", disable=None if progress else True)
