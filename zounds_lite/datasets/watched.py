"""A run as it is watched: its items are numbered and named, and what becomes of them goes into a report.

Goal: whatever ends a run, its report holds all that was acknowledged until then. Class: ``Watched``.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from zounds_lite.datasets.report import THE_DATASET, Failure, IngestReport
from zounds_lite.datasets.tasks import Receipt, Task
from zounds_lite.errors import DeclarationError, IngestError, RateLimited
from zounds_lite.featureflow.ledger import error_reason, error_traceback
from zounds_lite.featureflow.stores.base import check_id

__all__ = ["Watched"]

_REFUSALS = 3
"""Items in a row that a server refuses for now: it wants no more of us today."""

_Work = Callable[[Iterator[Task], int | None], None]


class Watched:
    """Numbers the items of a dataset, and writes down what becomes of them.

    Args:
        id_of (Callable): the id of an item.
        progress (bool | Callable): show a bar, or call this with the report after each item.
        raises (bool): the first failure ends the run.
    """

    def __init__(self, id_of: Callable[[Any], str], progress: Any, raises: bool) -> None:
        self.report = IngestReport()
        self._id_of = id_of
        self._tell = progress if callable(progress) else None
        self._shows = progress is True
        self._raises = raises
        self._refusals = 0
        self._broken: Exception | None = None
        self._bar: Any = None

    def watch(self, work: _Work, dataset: Iterable[Any], counts: bool) -> None:
        """Do the work on all items.

        Args:
            work (Callable): takes the tasks and their number, which may be None.
            dataset (Iterable): the items.
            counts (bool): the number is needed, even where nobody sees it.

        Raises:
            IngestError: an item failed, and that ends the run.
        """
        from tqdm import tqdm

        total = self._total(dataset, counts)
        # disable=None: silent where stderr is no terminal
        self._bar = tqdm(total=total, unit="file", disable=None if self._shows else True)
        began = time.monotonic()
        try:
            work(self._tasks(dataset), total)
            if self._broken is not None:
                raise self._broken
            if self._raises and self.report.failed:
                raise _first(self.report)
        except BaseException as error:
            error.report = self.report  # type: ignore[attr-defined]
            raise
        finally:
            self.report.seconds = time.monotonic() - began
            self._bar.close()

    def _total(self, dataset: Iterable[Any], counts: bool) -> int | None:
        """Number of items, where it is known and of use: a folder has to be listed for it."""
        is_shown = self._shows and sys.stderr is not None and sys.stderr.isatty()
        try:
            return len(dataset) if isinstance(dataset, Sized) and (is_shown or counts) else None
        except TypeError:  # one of several that has no length
            return None

    def _tasks(self, dataset: Iterable[Any]) -> Iterator[Task]:
        """Yield the items with their ids; what has none, or one that is taken, fails at once."""
        seen: set[str] = set()
        for number, item in enumerate(self._guarded(dataset)):
            if self._is_over():
                return
            try:
                _id = check_id(self._id_of(item))
                if _id in seen:
                    raise DeclarationError(f"another item has the id {_id!r} too; pass id_of= to tell them apart")
            except Exception as error:  # noqa: BLE001 - any fault of one item, of user code too, is that item's own
                self._fail(self._name(item), error)
                continue
            seen.add(_id)
            yield Task(number, _id, item)

    def _is_over(self) -> bool:
        """Tell whether no further item is to begin."""
        is_failed = self._raises and bool(self.report.failed)
        return is_failed or self._broken is not None or self._refusals >= _REFUSALS

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
            self.report.stopped = f"the dataset broke off: {error_reason(error)}"

    def _fail(self, _id: str, error: Exception) -> None:
        self._add(Failure(_id, error_reason(error), error_traceback(error)))

    def _add(self, failure: Failure) -> None:
        self.report.failed.append(failure)
        self._bar.set_postfix(failed=len(self.report.failed), refresh=False)
        self._done()

    def accept(self, receipt: Receipt) -> None:
        """Write down what became of an item."""
        if receipt.outcome == "failed":
            self._count_refusals(receipt)
            self._add(Failure(receipt.id, receipt.reason, receipt.traceback, receipt.attempts, receipt.known))
            return
        if receipt.outcome == "skipped":
            self.report.skipped.append(receipt.id)
        else:
            self._refusals = 0
            self.report.processed.append(receipt.id)
            self.report.audio_seconds += receipt.audio_seconds
        self._done()

    def _count_refusals(self, receipt: Receipt) -> None:
        if receipt.known:
            return
        self._refusals = self._refusals + 1 if receipt.reason.startswith(f"{RateLimited.__name__}:") else 0
        if self._refusals >= _REFUSALS and not self.report.stopped:
            self.report.stopped = f"a server asks for a pause: {receipt.reason}"

    def _done(self) -> None:
        self._bar.update()
        if self._tell is None or self._broken is not None:
            return
        try:
            self._tell(self.report)
        except Exception as error:  # noqa: BLE001 - raised again when what is under way is in the report
            self._broken = error

    def _name(self, item: Any) -> str:
        try:
            return str(self._id_of(item))
        except Exception:  # noqa: BLE001 - the id itself may be what failed
            return repr(item)


def _first(report: IngestReport) -> IngestError:
    failure = report.failed[0]
    return IngestError(
        f"{failure.id}: {failure.reason} (on_error='raise' stops here; what was stored stays; the same call goes on)"
    )
