"""Ingest: a dataset becomes documents.

Goal: one bad recording never stops a run; what is done is not done again; what failed is not tried for ever; and the
report says what happened to each item. Whatever ends a run, what was acknowledged is in the store, and the same call
goes on from there. Function ``ingest``.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

from zounds_lite.datasets.arguments import check_arguments, check_choices, documented
from zounds_lite.datasets.desk import Desk
from zounds_lite.datasets.executors import run_in
from zounds_lite.datasets.ids import id_function
from zounds_lite.datasets.report import Failure, IngestReport
from zounds_lite.datasets.starting import refuse_inside_import
from zounds_lite.datasets.supervisor import Supervisor
from zounds_lite.datasets.tasks import Job, Receipt, Task
from zounds_lite.datasets.watched import Watched
from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.featureflow.originals import check_keep_source

__all__ = ["Failure", "IngestReport", "ingest"]


def ingest(
    dataset: Iterable[Any],
    cls: type[BaseModel],
    workers: int = 1,
    executor: Any = None,
    skip_existing: bool = True,
    retry_failed: bool = False,
    progress: bool | Callable[[IngestReport], Any] = True,
    *,
    id_of: Callable[[Any], str] | str = "uri",
    root: str = "meta",
    on_error: str = "skip",
    keep_source: bool | None = None,
    fetcher: Any = None,
    skip_if_exists: bool | None = None,
    multi_process: bool = False,
    multi_threaded: bool = False,
    cores: int | None = None,
) -> IngestReport:
    """Process every item of a dataset into a document.

    Documents are committed in batches and reported once they are durable. What failed stands in the store's ledger, and
    is tried again only where its source or the document's code changed, where the failure may pass by itself (a server
    that did not answer), or with ``retry_failed``. A run ends early, with a report that says so, where the dataset
    breaks off, or where a server asks for a longer pause three times in a row.

    Args:
        dataset (Iterable[AudioMetaData]): the items; it is read no further ahead than workers need.
        cls (type[BaseModel]): the document; it takes ids from its caller (``user_supplied_id=True``).
        workers (int): processes, >= 1; 1 works in this process. A worker that dies is replaced, and what it had begun
            is tried again alone; an item that kills two of them is given up.
        executor (Executor | None): do the work there instead: anything with the ``submit`` of
            ``concurrent.futures.Executor``, such as a ``ThreadPoolExecutor``.
        skip_existing (bool): pass over documents that are stored and whose source is unchanged. What came from a URL
            counts as unchanged, and nothing is asked of its server.
        retry_failed (bool): try again what failed in earlier runs.
        progress (bool | Callable): show a bar on stderr, if that is a terminal; or a function that is given the report
            so far after each item.
        id_of (Callable | str): the id of an item: ``"uri"``, its URL or path, to which a segment of a recording adds
            ``#t=start,stop`` in seconds; ``"content"``, the hash of what it holds; or a function of the item.
        root (str): the root feature that receives the item.
        on_error (str): ``"skip"`` goes on after a failure; ``"raise"`` hands out nothing more, finishes what is under
            way, and raises.
        keep_source (bool | None): which original bytes to keep in the store, as for ``process``.
        fetcher (Fetcher | None): fetches URLs, also in workers; None: the default one of this process.
        skip_if_exists (bool | None): another name of ``skip_existing``.
        multi_process (bool): the same as ``workers=cores``.
        multi_threaded (bool): the same as ``executor=ThreadPoolExecutor(cores)``.
        cores (int | None): for these two; None: as many as there are.

    Returns:
        IngestReport: what became of each item. An item that fails never stops the run.

    Raises:
        DeclarationError: ``workers`` is no positive number; the dataset is the path of a folder, or nothing that can be
            iterated over; the document makes its own ids or needs more than ``root``, or it cannot be shared with other
            processes, or the fetcher cannot; two arguments contradict each other.
        LineageError: a stored feature of the document cannot be fingerprinted.
        IngestError: an item failed, and ``on_error="raise"``.
        StoreFull, StoreLocked: the store takes nothing; like every error that ends a run, Ctrl-C too, it has the
            report so far as its attribute ``report``.
        WorkerError: worker processes do not start, or the executor broke.
    """
    given = documented(workers, executor, skip_existing, skip_if_exists, multi_process, multi_threaded, cores)
    count = check_arguments(dataset, cls, given.workers, executor, root)
    check_choices(on_error, progress, fetcher)
    if count > 1 or executor is not None:
        refuse_inside_import()
    fetcher = default_fetcher() if fetcher is None else fetcher
    job = Job.of(cls, root, given.skip_existing, retry_failed, check_keep_source(keep_source), fetcher)
    run = Watched(id_function(id_of), progress, on_error == "raise")
    with ExitStack() as stack:
        if given.threads is not None:
            executor = stack.enter_context(ThreadPoolExecutor(given.threads))
        run.watch(lambda tasks, total: _work(job, tasks, run, count, executor, total), dataset, executor is not None)
    return run.report


def _work(job: Job, tasks: Iterable[Task], run: Watched, workers: int, executor: Any, total: int | None) -> None:
    if executor is not None:
        run_in(executor, job, tasks, run.accept, workers, total)
    elif workers > 1:
        Supervisor(job, workers, run.accept).run(tasks)
    else:
        _run_here(job, tasks, run.accept)


def _run_here(job: Job, tasks: Iterable[Task], accept: Callable[[Receipt], None]) -> None:
    """Do all tasks in this thread; commits that take long have one beside it."""

    def hand_over(receipts: list[Receipt]) -> None:
        for receipt in receipts:
            accept(receipt)

    with ThreadPoolExecutor(1, thread_name_prefix="zounds_lite commits") as beside:
        desk = Desk(job, hand_over, beside=beside)
        try:
            for task in tasks:
                desk.do(task)
        except BaseException:
            with suppress(Exception):
                desk.flush()
            raise
        desk.flush()
