"""A desk does tasks and commits what they made in batches, in whichever thread or process.

Goal: a document that is stored or that failed is recorded exactly once, several of them share one transaction, and each
is acknowledged only after the commit. Class: ``Desk``; function ``failure_change``.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from zounds_lite._declared import decode
from zounds_lite.datasets.tasks import FATAL, Job, Receipt, Task
from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.archives import member_of
from zounds_lite.featureflow.commit import Change
from zounds_lite.featureflow.ledger import FailedDocument, error_reason, error_traceback
from zounds_lite.featureflow.stores.base import Change as RecordChange, check_id
from zounds_lite.media import probe
from zounds_lite.soundfile.segments import clipped
from zounds_lite.timeseries import TimeDimension

__all__ = ["Desk", "failure_change"]

_MOST = 32
_MOST_BYTES = 4 * 1024 * 1024
_LONGEST_S = 1.0
_SHARE = 0.05
"""Part of the time that commits may take before documents are made to wait for each other."""


def failure_change(entry: FailedDocument, attempts: dict[str, int] | None = None) -> RecordChange:
    """Return the change of the ledger that enters a failure and counts it as one attempt more.

    Args:
        entry (FailedDocument): the failure.
        attempts (dict | None): takes the number of attempts, by id.
    """

    def change(old: bytes | None) -> bytes:
        try:
            before = FailedDocument.from_bytes(old).attempts if old is not None else 0
        except CorruptValue:
            before = 0
        if attempts is not None:
            attempts[entry.id] = before + 1
        return replace(entry, attempts=before + 1).to_bytes()

    return change


@dataclass(slots=True)
class _Done:
    """A task that waits for the commit: with a change, with a failure, or with nothing to write."""

    task: Task
    receipt: Receipt
    change: Change | None = None
    failure: FailedDocument | None = None


class Desk:
    """Does tasks, commits what they made in batches, and hands over the receipts.

    A batch is committed when it holds 32 documents or 4 MiB of values, when its first document is a second old, when
    nothing else is to be done, after a failure that may pass by itself, and as soon as a commit takes less than a
    twentieth of the time that its documents took. Where commits can run beside, the next documents are made while the
    disk works, and a batch is what was made during the commit before it.

    Args:
        job (Job): what to do.
        hand_over (Callable): takes receipts, after the commit; never in the thread of ``beside``.
        before_commit (Callable): told the numbers of the tasks whose commit begins.
        beside (Executor | None): runs commits that take long, one at a time.
    """

    def __init__(
        self,
        job: Job,
        hand_over: Callable[[list[Receipt]], None],
        before_commit: Callable[[list[int]], None] = lambda numbers: None,
        beside: Executor | None = None,
    ) -> None:
        self.job = job
        self.is_preparing = False
        self._hand_over = hand_over
        self._before_commit = before_commit
        self._beside = beside
        self._under_way: Future[list[Receipt]] | None = None
        self._lock = threading.RLock()
        self._batch: list[_Done] = []
        self._bytes = 0
        self._began = 0.0
        self._spent = 0.0
        self._commit_s = 0.0

    def do(self, task: Task) -> None:
        """Do one task; its receipt follows when it is committed.

        Raises:
            StoreFull, StoreLocked: the store takes nothing at the moment.
        """
        began = time.monotonic()
        done = self._done(task)
        self._add(done, time.monotonic() - began)

    def refuse(self, task: Task, error: BaseException) -> None:
        """Take a task that cannot even be begun; the ledger is not told, as the document is not at fault."""
        reason = error_reason(error)
        self._add(_Done(task, Receipt(task.number, task.id, "failed", 0.0, reason, error_traceback(error))), 0.0)

    def _add(self, done: _Done, seconds: float) -> None:
        with self._lock:
            if not self._batch:
                self._began = time.monotonic()
            self._batch.append(done)
            if done.change is not None:
                self._bytes += _inline_bytes(done.change)
            self._spent += seconds
            if self._is_cheap() or (done.failure is not None and done.failure.passing):
                self.flush()  # a server that asks for a pause is heard before it is asked for more
            elif self._beside is None:
                if self._is_full():
                    self.flush()
            elif self._under_way is None or self._under_way.done() or self._is_full():
                self._take()
                self._under_way = self._beside.submit(self._committed, self._next_batch())

    def _done(self, task: Task) -> _Done:
        try:
            settled = self.job.settled(task)
            if settled is not None:
                return _Done(task, settled)
            with self._preparing():
                change = self.job.cls._prepare(
                    check_id(task.id),
                    {self.job.root: task.item},
                    keep_source=self.job.keep_source,
                    fetcher=self.job.fetcher,
                )
            receipt = Receipt(task.number, task.id, "processed", _audio_seconds(change, task.item))
            return _Done(task, receipt, change)
        except FATAL:
            raise
        except Exception as error:  # noqa: BLE001 - any fault of one item, of user code too, is that item's own
            return self._failed(task, error)

    def _failed(self, task: Task, error: BaseException) -> _Done:
        entry = self.job.failed(task, error)
        receipt = Receipt(task.number, task.id, "failed", 0.0, entry.reason, entry.traceback)
        return _Done(task, receipt, failure=entry if isinstance(task.id, str) and task.id else None)

    @contextmanager
    def _preparing(self) -> Iterator[None]:
        """Mark the time in which an interruption costs no more than the document under way."""
        self.is_preparing = True
        try:
            yield
        finally:
            self.is_preparing = False

    def _is_cheap(self) -> bool:
        return self._commit_s <= _SHARE * self._spent

    def _is_full(self) -> bool:
        return len(self._batch) >= _MOST or self._bytes >= _MOST_BYTES or self._is_old()

    def _is_old(self) -> bool:
        return bool(self._batch) and time.monotonic() - self._began >= _LONGEST_S

    def flush_if_due(self) -> None:
        """Commit what has waited for too long."""
        with self._lock:
            if self._is_old():
                self.flush()

    def flush(self) -> None:
        """Commit what is finished, and hand over its receipts.

        Raises:
            StoreFull, StoreLocked: from the commit that runs beside, or from this one; nothing of it was committed.
        """
        with self._lock:
            self._take()
            batch = self._next_batch()
            if batch:
                self._hand_over(self._committed(batch))

    def _take(self) -> None:
        """Wait for the commit that runs beside, and hand over its receipts."""
        if self._under_way is not None:
            wait([self._under_way])  # where this is interrupted, it stays under way
            ended, self._under_way = self._under_way, None
            self._hand_over(ended.result())

    def _next_batch(self) -> list[_Done]:
        batch, self._batch, self._bytes, self._spent = self._batch, [], 0, 0.0
        return batch

    def _committed(self, batch: list[_Done]) -> list[Receipt]:
        if all(done.change is None and done.failure is None for done in batch):
            return [done.receipt for done in batch]
        self._before_commit([done.task.number for done in batch])
        try:
            return self._commit(batch)
        except FATAL:
            raise
        except Exception as error:  # noqa: BLE001 - one of them cannot be written: find out which
            if len(batch) > 1:
                return [receipt for done in batch for receipt in self._committed([self._anew(done)])]
            if batch[0].change is None:
                return [batch[0].receipt]  # not even the ledger takes it: the report says so
            return self._committed([self._failed(batch[0].task, error)])

    def _anew(self, done: _Done) -> _Done:
        """Make a document again: a commit that fails removes the blobs of all that it was to write."""
        return done if done.change is None else self._done(done.task)

    def _commit(self, batch: list[_Done]) -> list[Receipt]:
        began = time.monotonic()
        attempts: dict[str, int] = {}
        changes = [done.change for done in batch if done.change is not None]
        failures = {done.failure.id: failure_change(done.failure, attempts) for done in batch if done.failure}
        self.job.cls._commit(changes, failures)
        self._commit_s = time.monotonic() - began
        return [
            replace(done.receipt, attempts=attempts[done.task.id]) if done.failure else done.receipt for done in batch
        ]


def _inline_bytes(change: Change) -> int:
    entries = [*change.entries.values(), *change.kept.values()]
    return sum(entry.size for entry in entries if entry.blob is None)


def _audio_seconds(change: Change, item: Any) -> float:
    """Length of the sound that a document was made from: by the axes of its arrays, else by the source's header."""
    for entry in change.entries.values():
        dimensions = entry.header.get("dimensions") or [None]
        if isinstance(dimensions[0], dict) and dimensions[0].get("type") == "TimeDimension":
            time_axis: TimeDimension = decode(dimensions[0])
            if time_axis.n_samples is not None and time_axis.rate:
                return time_axis.n_samples / time_axis.rate
            return float(time_axis.end_seconds)
    try:
        uri: Any = getattr(item, "uri", item)
        member, span = member_of(uri), getattr(item, "span", None)
        source: Any = uri if member is None else member.open()
        info = probe(source)
        if span is None:
            return info.duration_s or 0.0
        first, stop = clipped(span, info.samplerate, info.frames)
        return 0.0 if stop is None else (stop - first) / info.samplerate
    except Exception:  # noqa: BLE001 - a figure for the report, of whatever the item is
        return 0.0
