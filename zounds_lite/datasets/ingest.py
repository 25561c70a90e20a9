"""Ingest: a dataset becomes documents.

Goal: one bad recording never stops a run; what is done is not done again; what failed is not tried for ever; and the
report says what happened to each item. Whatever ends a run, what was acknowledged is in the store, and the same call
goes on from there. Function ``ingest``.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import suppress
from typing import Any

from zounds_lite.datasets.arguments import check_arguments
from zounds_lite.datasets.desk import Desk
from zounds_lite.datasets.executors import run_in
from zounds_lite.datasets.report import THE_DATASET, Failure, IngestReport
from zounds_lite.datasets.starting import refuse_inside_import
from zounds_lite.datasets.supervisor import Supervisor
from zounds_lite.datasets.tasks import Job, Receipt, Task
from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.ledger import error_reason, error_traceback
from zounds_lite.featureflow.stores.base import check_id
from zounds_lite.soundfile import AudioMetaData

__all__ = ["Failure", "IngestReport", "ingest"]


def _id_of(item: Any) -> str:
    """The default id of an item: its URL or path, and the segment of the recording that is meant, if not all of it."""
    request = getattr(item, "request", None)
    uri = request.url if request is not None else getattr(item, "uri", item)
    uri = getattr(uri, "filename", None) or getattr(uri, "url", None) or uri
    if isinstance(uri, os.PathLike):
        uri = os.fspath(uri)
    if not isinstance(uri, str):
        raise DeclarationError(f"{item!r} has no path or URL to serve as its id; pass id_of=")
    fragment = item.fragment if isinstance(item, AudioMetaData) else None
    return uri if fragment is None else f"{uri}#{fragment}"


def ingest(
    dataset: Iterable[Any],
    cls: type[BaseModel],
    workers: int = 1,
    executor: Any = None,
    skip_existing: bool = True,
    retry_failed: bool = False,
    progress: bool = True,
    *,
    id_of: Callable[[Any], str] = _id_of,
    root: str = "meta",
) -> IngestReport:
    """Process every item of a dataset into a document.

    Documents are committed in batches and reported once they are durable. What failed stands in the store's ledger, and
    is tried again only where its source or the document's code changed, where the failure may pass by itself (a server
    that did not answer), or with ``retry_failed``.

    Args:
        dataset (Iterable[AudioMetaData]): the items.
        cls (type[BaseModel]): the document; it takes ids from its caller (``user_supplied_id=True``).
        workers (int): processes, >= 1; 1 works in this process. A worker that dies is replaced, and what it had begun
            is tried again alone; an item that kills two of them is given up.
        executor (Executor | None): do the work there instead: anything with the ``submit`` of
            ``concurrent.futures.Executor``, such as a ``ThreadPoolExecutor``.
        skip_existing (bool): pass over documents that are stored and whose source is unchanged.
        retry_failed (bool): try again what failed in earlier runs.
        progress (bool): show a bar on stderr, if that is a terminal.
        id_of (Callable): the id of an item; by default its URL or path, to which a segment of a recording adds
            ``#t=start,stop`` in seconds.
        root (str): the root feature that receives the item.

    Returns:
        IngestReport: what became of each item. An item that fails never stops the run.

    Raises:
        DeclarationError: ``workers`` is no positive number; the dataset is the path of a folder, or nothing that can be
            iterated over; the document makes its own ids or needs more than ``root``, or it cannot be shared with other
            processes.
        LineageError: a stored feature of the document cannot be fingerprinted.
        StoreFull, StoreLocked: the store takes nothing; like every error that ends a run, Ctrl-C too, it has the
            report so far as its attribute ``report``.
        WorkerError: worker processes do not start, or the executor broke.
    """
    workers = check_arguments(dataset, cls, workers, executor, id_of, root)
    if workers > 1 or executor is not None:
        refuse_inside_import()
    job = Job.of(cls, root, skip_existing, retry_failed)
    run = _Run(IngestReport(), _total(dataset, progress, executor), progress)
    tasks = run.tasks(dataset, id_of)
    began = time.monotonic()
    try:
        if executor is not None:
            run_in(executor, job, tasks, run.accept, workers, run.total)
        elif workers > 1:
            Supervisor(job, workers, run.accept).run(tasks)
        else:
            _run_here(job, tasks, run.accept)
    except BaseException as error:
        error.report = run.report  # type: ignore[attr-defined]
        raise
    finally:
        run.report.seconds = time.monotonic() - began
        run.close()
    return run.report


def _run_here(job: Job, tasks: Iterable[Task], accept: Callable[[Receipt], None]) -> None:
    """Do all tasks in this thread."""

    def hand_over(receipts: list[Receipt]) -> None:
        for receipt in receipts:
            accept(receipt)

    desk = Desk(job, hand_over)
    try:
        for task in tasks:
            desk.do(task)
    except BaseException:
        with suppress(Exception):
            desk.flush()
        raise
    desk.flush()


def _total(dataset: Iterable[Any], progress: bool, executor: Any) -> int | None:
    """Number of items, where it is known and of use: a folder has to be listed for it."""
    is_shown = progress and sys.stderr is not None and sys.stderr.isatty()
    return len(dataset) if isinstance(dataset, Sized) and (is_shown or executor is not None) else None


class _Run:
    """Numbers the items of a dataset, and writes down what becomes of them."""

    def __init__(self, report: IngestReport, total: int | None, progress: bool) -> None:
        from tqdm import tqdm

        self.report = report
        self.total = total
        # disable=None: silent where stderr is no terminal
        self._bar = tqdm(total=total, unit="file", disable=None if progress else True)

    def tasks(self, dataset: Iterable[Any], id_of: Callable[[Any], str]) -> Iterator[Task]:
        """Yield the items with their ids; what has none, or one that is taken, fails at once."""
        seen: set[str] = set()
        for number, item in enumerate(self._guarded(dataset)):
            try:
                _id = check_id(id_of(item))
                if _id in seen:
                    raise DeclarationError(f"another item has the id {_id!r} too; pass id_of= to tell them apart")
            except Exception as error:  # noqa: BLE001 - any fault of one item, of user code too, is that item's own
                self._fail(_name(item, id_of), error)
                continue
            seen.add(_id)
            yield Task(number, _id, item)

    def _guarded(self, dataset: Iterable[Any]) -> Iterator[Any]:
        """Yield items; a dataset that breaks on the way ends the run, is reported, and does not cost its report."""
        is_first = True
        try:
            for item in dataset:
                is_first = False
                yield item
        except Exception as error:
            if is_first:
                raise
            self._fail(THE_DATASET, error)

    def _fail(self, _id: str, error: Exception) -> None:
        self._add(Failure(_id, error_reason(error), error_traceback(error)))

    def _add(self, failure: Failure) -> None:
        self.report.failed.append(failure)
        self._bar.set_postfix(failed=len(self.report.failed), refresh=False)
        self._bar.update()

    def accept(self, receipt: Receipt) -> None:
        """Write down what became of an item."""
        if receipt.outcome == "failed":
            self._add(Failure(receipt.id, receipt.reason, receipt.traceback, receipt.attempts, receipt.known))
            return
        if receipt.outcome == "skipped":
            self.report.skipped.append(receipt.id)
        else:
            self.report.processed.append(receipt.id)
            self.report.audio_seconds += receipt.audio_seconds
        self._bar.update()

    def close(self) -> None:
        """End the bar."""
        self._bar.close()


def _name(item: Any, id_of: Callable[[Any], str]) -> str:
    try:
        return str(id_of(item))
    except Exception:  # noqa: BLE001 - the id itself may be what failed
        return repr(item)
