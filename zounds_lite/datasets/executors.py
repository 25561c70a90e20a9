"""Ingest on anything shaped like ``concurrent.futures.Executor``: threads, processes, a cluster.

Goal: tasks of 8 to 32 items with their ids (fewer, where that would leave an executor idle) go out, a bounded number of
them at a time, and receipts come back and are taken as they complete. An executor only needs
``submit(function, *arguments)`` that returns something with ``result``; where that has ``add_done_callback`` too,
results are taken in the order in which they come. Functions: ``run_in``, ``run_tasks``.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from itertools import islice
from typing import Any

from zounds_lite.datasets.desk import Desk
from zounds_lite.datasets.tasks import FATAL, Job, Receipt, Task, lineage_differs, rebuilt_error
from zounds_lite.errors import WorkerError, ZoundsError
from zounds_lite.featureflow.ledger import error_reason, error_traceback

__all__ = ["run_in", "run_tasks"]

_FEWEST, _MOST = 8, 32
_SHORT_S = 1.0
"""Tasks that are done faster grow."""
_GRACE_S = 5.0

_stopping: dict[int, threading.Event] = {}
"""Of the runs of this process; tasks that run in its threads end early where theirs is set."""


def run_tasks(job: Job, run: int, tasks: Sequence[Task]) -> tuple[list[Receipt], tuple[str, list[Any]] | None]:
    """Do some tasks, wherever an executor runs them.

    Args:
        job (Job): what to do.
        run (int): which run they belong to.
        tasks (Sequence[Task]): the items.

    Returns:
        tuple: the receipts; and type and arguments of the error that stopped it, or None.
    """
    receipts: list[Receipt] = []
    if not job.is_as_sent():
        return receipts, ("DeclarationError", [lineage_differs(job)])
    desk = Desk(job, receipts.extend)
    stop = _stopping.get(run)
    try:
        for task in tasks:
            if stop is not None and stop.is_set():
                break
            desk.do(task)
        desk.flush()
    except FATAL as error:
        return receipts, (type(error).__name__, list(error.args))
    return receipts, None


class _Run:
    """One ingest on an executor."""

    def __init__(
        self, executor: Any, job: Job, accept: Callable[[Receipt], None], workers: int, total: int | None
    ) -> None:
        self.executor = executor
        self.job = job
        self.accept = accept
        self.limit = 2 * max(workers, getattr(executor, "_max_workers", 0), os.cpu_count() or 1)
        self.size = _FEWEST if total is None else max(1, min(_FEWEST, total // self.limit))
        self.open: dict[Any, tuple[list[Task], float]] = {}
        self.done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def submit(self, tasks: list[Task]) -> None:
        try:
            future = self.executor.submit(run_tasks, self.job, id(self), tasks)
        except Exception as error:
            raise WorkerError(f"the executor takes no more tasks: {error_reason(error)}; make a new one") from error
        self.open[future] = tasks, time.monotonic()
        if hasattr(future, "add_done_callback"):
            future.add_done_callback(self.done.put)

    def take_one(self) -> None:
        """Wait for one task to end, and take what it did."""
        oldest = next(iter(self.open))
        future = self.done.get() if hasattr(oldest, "add_done_callback") else oldest
        self.take(future)

    def take(self, future: Any) -> None:
        tasks, began = self.open.pop(future)
        try:
            receipts, fatal = future.result()
        except BrokenExecutor as error:
            raise WorkerError(
                f"the executor broke ({error_reason(error)}) with {len(tasks)} items under way; a rerun goes on from "
                "what is stored, and workers=n finds out which item it is"
            ) from error
        except ZoundsError:
            raise
        except Exception as error:  # noqa: BLE001 - an item that cannot be sent spoils the others of its task
            self.apart(tasks, error)
            return
        for receipt in receipts:
            self.accept(receipt)
        if fatal is not None:
            raise rebuilt_error(*fatal)
        if time.monotonic() - began < _SHORT_S:
            self.size = min(2 * self.size, _MOST)

    def apart(self, tasks: list[Task], error: Exception) -> None:
        """See to the items of a task that did not come through: each for itself."""
        if len(tasks) > 1:
            for task in tasks:
                self.submit([task])
            return
        reason = (
            f"WorkerError: the executor did not bring the item through ({error_reason(error)}); pass items that other "
            "processes can have: paths, bytes or AudioMetaData"
        )
        self.accept(Receipt(tasks[0].number, tasks[0].id, "failed", 0.0, reason, error_traceback(error)))

    def give_up(self) -> None:
        """Let nothing more begin, and take what ends within seconds."""
        _stopping[id(self)].set()
        for future in list(self.open):
            if hasattr(future, "cancel") and future.cancel():
                self.open.pop(future, None)
        deadline = time.monotonic() + _GRACE_S
        while self.open and time.monotonic() < deadline:
            try:
                future = self.done.get(timeout=max(0.0, deadline - time.monotonic()))
                if future in self.open:
                    self.take(future)
            except (queue.Empty, ZoundsError):
                continue


def run_in(
    executor: Any,
    job: Job,
    tasks: Iterable[Task],
    accept: Callable[[Receipt], None],
    workers: int,
    total: int | None = None,
) -> None:
    """Do all tasks on an executor.

    Args:
        executor (Executor): where.
        job (Job): what to do with each item.
        tasks (Iterable[Task]): the items.
        accept (Callable[[Receipt], None]): told what became of each.
        workers (int): how many tasks run at the same time, where the executor does not say.
        total (int | None): number of items, where it is known.

    Raises:
        StoreFull, StoreLocked: the store takes nothing at the moment.
        WorkerError: the executor broke.
        DeclarationError: it has other processes, and the document cannot be sent to them.
    """
    run = _Run(executor, job, accept, workers, total)
    _stopping[id(run)] = threading.Event()
    source: Iterator[Task] = iter(tasks)
    try:
        while batch := list(islice(source, run.size)):
            run.submit(batch)
            while len(run.open) >= run.limit:
                run.take_one()
        while run.open:
            run.take_one()
    except BaseException:
        run.give_up()
        raise
    finally:
        del _stopping[id(run)]
