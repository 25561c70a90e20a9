"""The supervisor: hands the items of a dataset to worker processes, and outlives their deaths.

Goal: no item is lost or done twice, whatever happens to a worker. A worker says which item it begins and sends receipts
after the commit, so when it dies it is known what is done, what is to be done again, and what to blame: the item that
it had begun. That one is tried again alone, in a fresh worker; after two deaths it is quarantined. Deaths go to the
ledger as they happen. Class: ``Supervisor``.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from zounds_lite.datasets.desk import failure_change
from zounds_lite.datasets.members import Item, Member, death_reason
from zounds_lite.datasets.starting import Forking, can_fork, interrupts_held, starter
from zounds_lite.datasets.tasks import Job, Receipt, Task, lineage_differs, rebuilt_error
from zounds_lite.errors import DeclarationError, WorkerError
from zounds_lite.featureflow.ledger import FailedDocument, describe_failed_source, error_reason, read_failures

__all__ = ["Supervisor"]

_AHEAD = 4
"""Items that wait in a worker; what has not begun can be taken back."""
_DEATHS = 2
_BARREN = 10
"""Workers that may die one after the other without any progress."""
_TICK_S = 1.0
_GRACE_S = 5.0


class Supervisor:
    """Runs a job in worker processes.

    Args:
        job (Job): what to do with each item.
        workers (int): number of processes.
        accept (Callable[[Receipt], None]): told what became of each item, once that is durable.

    Raises:
        DeclarationError: the document cannot be shared with other processes.
    """

    def __init__(self, job: Job, workers: int, accept: Callable[[Receipt], None]) -> None:
        self._job = job
        self._workers = workers
        self._accept = accept
        self._starter = starter(job)
        self._members: list[Member] = []
        self._leaving: list[Member] = []
        self._source: Iterator[Task] = iter(())
        self._exhausted = False
        self._queue: deque[Item] = deque()
        self._alone: deque[Item] = deque()
        self._suspects: dict[str, int] = {}
        self._barren = 0

    # the run

    def prepare(self) -> None:
        """Start all workers and wait until they are ready; ``run`` starts them as they are needed."""
        try:
            while len(self._members) < self._workers:
                self._start()
            while not all(member.ready for member in self._members):
                self._listen(_TICK_S)
        except BaseException:
            self._kill()
            raise

    def run(self, tasks: Iterable[Task]) -> None:
        """Do all tasks; an item that fails never stops the run.

        Raises:
            StoreFull, StoreLocked: the store takes nothing at the moment.
            WorkerError: workers do not start, or end again at once.
        """
        self._source, self._exhausted = iter(tasks), False
        # what killed a worker in an earlier run is not put together with others
        ledger = read_failures(self._job.cls._database())
        self._suspects = {
            entry.id: entry.deaths if entry.is_open else 0 for entry in ledger if entry.is_open or entry.quarantined
        }
        try:
            self._feed()
            while any(member.sent for member in self._members) or self._queue or self._alone:
                self._listen(_TICK_S)
                self._feed()
            self._dismiss("end", 2 * _GRACE_S)
        except BaseException:
            self._dismiss("stop", _GRACE_S)
            raise
        finally:
            self._kill()

    # handing out

    def _look(self, count: int) -> bool:
        """Read the dataset until ``count`` items wait, or it ends; tell whether they do."""
        while len(self._queue) < count and not self._exhausted:
            task = next(self._source, None)
            if task is None:
                self._exhausted = True
                break
            try:
                raw = bytes(ForkingPickler.dumps(task.item))
            except Exception as error:  # noqa: BLE001 - whatever pickling an item of the user raises
                self._accept(_unpicklable(task, error))
                continue
            suspect = self._suspects.pop(task.id, None)
            if suspect is None:
                self._queue.append(Item(task, raw))
            else:
                self._alone.append(Item(task, raw, suspect, alone=True))
        return len(self._queue) >= count

    def _feed(self) -> None:
        """Give items to workers that have room for them, and start workers as they are needed."""
        while True:
            starting = sum(not member.ready for member in self._members)
            if len(self._members) < self._workers and (
                self._look(starting + 1) or starting < len(self._alone) + len(self._queue)
            ):
                self._start()
                continue
            if not (self._feed_alone() or self._feed_next()):
                break
            self._listen(0)
        self._share()

    def _feed_alone(self) -> bool:
        idle = next((member for member in self._members if member.is_idle), None)
        if not self._alone or idle is None:
            return False
        if self._alone[0].deaths and not idle.fresh:
            self._retire(idle)
            self._start()
            return False
        self._send(idle, self._alone.popleft())
        return True

    def _feed_next(self) -> bool:
        room = [
            member
            for member in self._members
            if member.ready and member.waiting < _AHEAD and not any(item.alone for item in member.sent.values())
        ]
        if self._alone:  # let one worker run dry for what has to run alone
            room = room if any(not m.ready for m in self._members) else []
        if not room or not self._look(1):
            return False
        self._send(min(room, key=lambda member: member.waiting), self._queue.popleft())
        return True

    def _share(self) -> None:
        """Where nothing is left to hand out, take back what waits in busy workers for those that are idle."""
        if not self._exhausted or self._queue or self._alone:
            return
        for _ in [member for member in self._members if member.is_idle]:
            donor = max(self._members, key=lambda member: 0 if member.asked else member.waiting)
            if donor.asked or not donor.waiting or any(member.asked for member in self._members):
                return
            donor.asked = True
            self._tell(donor, "return")

    def _send(self, member: Member, item: Item) -> None:
        item.begun = False
        member.sent[item.task.number] = item
        self._tell(member, "item", item.task.number, item.task.id, item.raw)

    def _tell(self, member: Member, *message: Any) -> None:
        member.in_message = True
        with contextlib.suppress(OSError):  # it died: what it said before that is read first
            member.connection.send(message)
            member.in_message = False

    # workers

    def _start(self) -> None:
        others = [member.connection for member in [*self._members, *self._leaving]]
        with interrupts_held():  # or a worker might run that nobody knows
            self._members.append(Member(*self._starter.start(others)))

    def _retire(self, member: Member) -> None:
        self._members.remove(member)
        self._leaving.append(member)
        self._tell(member, "end")

    def _listen(self, seconds: float) -> None:
        """Hear what workers say, for at most so long."""
        by_connection = {member.connection: member for member in self._members}
        # a connection at its end counts as ready
        spoke = {by_connection[c] for c in wait(list(by_connection), seconds)}  # type: ignore[index]
        for member in list(self._members):
            # what one says may send others away
            if member in self._members and (member in spoke or member.process.ended() is not None):
                self._hear(member)

    def _hear(self, member: Member) -> None:
        """Take all that a worker has said; where it has ended, see to what it leaves."""
        has_ended = member.process.ended() is not None
        with interrupts_held():  # or an interrupt could lose what was said, before it is in the report
            while (message := self._message(member)) is not None:
                if not message:
                    has_ended = True
                    break
                self._take(member, *message)
        if has_ended and member in self._members:
            self._bury(member)

    def _message(self, member: Member) -> tuple[Any, ...] | None:
        """Return what a worker has said; nothing, ``()``, where it will say no more, and None where it did not yet."""
        try:
            return tuple(member.connection.recv()) if member.connection.poll() else None
        except (EOFError, OSError):
            return ()

    def _take(self, member: Member, kind: str, *values: Any) -> None:
        if kind == "begin":
            member.sent[values[0]].begun = True
            member.current = values[0]
        elif kind == "committing":
            member.committing = set(values[0])
        elif kind == "receipts":
            self._acknowledge(member, values[0])
        elif kind == "returned":
            member.asked = False
            if values[0] is not None:
                item = member.sent.pop(values[0])
                (self._alone if item.alone else self._queue).append(item)
        elif kind == "ready":
            self._welcome(member, is_as_sent=values[0])
        elif kind == "fatal":
            raise rebuilt_error(*values)
        else:
            raise _start_error(*values)

    def _acknowledge(self, member: Member, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            item = member.sent.pop(receipt.number)
            if receipt.number == member.current:
                member.current = None
            member.committing.discard(receipt.number)
            self._accept(_of_this_run(receipt) if item.again else receipt)
        self._barren = 0
        member.fresh = False

    def _welcome(self, member: Member, is_as_sent: bool) -> None:
        member.ready = True
        if is_as_sent:
            return
        if isinstance(self._starter, Forking) or not can_fork():
            raise DeclarationError(lineage_differs(self._job))
        # the program changed something after the import; only a copy of this process has that too
        self._starter = Forking(self._job)
        for other in list(self._members):
            self._retire(other)
            self._queue.extendleft(other.sent.values())

    # deaths

    def _bury(self, member: Member) -> None:
        """Queue again what a dead worker has not acknowledged, and blame the item that it had begun."""
        self._members.remove(member)
        code = member.process.wait(_GRACE_S)
        reason = death_reason(code)
        member.connection.close()
        blamed = self._blamed(member)
        for item in reversed(member.sent.values()):
            item.again = item.again or item.begun
            if item is not blamed:
                # one of those in a commit that is cut off may be what does it: each for itself, without blame
                item.alone = item.alone or item.task.number in member.committing
                (self._alone if item.alone else self._queue).appendleft(item)
        if blamed is not None:
            self._blame(blamed, reason)
        elif member.fresh:
            self._barren += 1
            # one that leaves by itself will do so again; one that is killed was perhaps only unlucky
            if self._barren > _BARREN or not (member.ready or (code is not None and code < 0)):
                raise WorkerError(
                    f"{self._barren} of the workers ended before they did anything: {reason}; workers=1 runs in this "
                    "process"
                )

    def _blamed(self, member: Member) -> Item | None:
        current = member.sent.get(-1 if member.current is None else member.current)
        if current is not None and (current.task.number not in member.committing or current.alone):
            return current
        return None

    def _blame(self, item: Item, reason: str) -> None:
        item.deaths, item.alone = item.deaths + 1, True
        is_over = item.deaths >= _DEATHS
        attempts: dict[str, int] = {}
        entry = FailedDocument(
            item.task.id,
            reason,
            deaths=item.deaths,
            quarantined=is_over,
            source=describe_failed_source(item.task.item),
            lineage=self._job.lineage,
        )
        self._job.cls._database().change({}, {item.task.id: failure_change(entry, attempts)})
        if is_over:
            self._accept(
                Receipt(item.task.number, item.task.id, "failed", reason=reason, attempts=attempts[item.task.id])
            )
        else:
            self._alone.append(item)

    # the end

    def _dismiss(self, word: str, seconds: float) -> None:
        """Let workers end by themselves, and hear what they still have to say."""
        leaving = [*self._members, *self._leaving]
        self._members, self._leaving = [], leaving
        for member in leaving:
            if member.in_message:  # it was cut off: the worker would take the word for the rest of it
                member.process.kill()
            else:
                self._tell(member, word)
        deadline = time.monotonic() + seconds
        while leaving and time.monotonic() < deadline:
            ready = wait([member.connection for member in leaving], max(0.0, deadline - time.monotonic()))
            for member in [member for member in leaving if member.connection in ready]:
                try:
                    message = member.connection.recv()
                except (EOFError, OSError):
                    if member.process.wait(max(0.1, deadline - time.monotonic())) is not None:
                        leaving.remove(member)  # one that takes longer is killed in the end
                    continue
                if message[0] == "receipts":
                    self._acknowledge(member, message[1])

    def _kill(self) -> None:
        """Leave no process behind."""
        for member in [*self._members, *self._leaving]:
            if member.process.ended() is None:
                member.process.kill()
            member.process.wait(_GRACE_S)
            member.connection.close()
        self._members, self._leaving = [], []


def _of_this_run(receipt: Receipt) -> Receipt:
    """Correct what a worker takes for the work of an earlier run: a dead one of this run did it."""
    if receipt.outcome == "skipped":
        return Receipt(receipt.number, receipt.id, "processed")
    if receipt.known:
        return Receipt(
            receipt.number, receipt.id, "failed", 0.0, receipt.reason, receipt.traceback, receipt.attempts
        )  # fmt: skip
    return receipt


def _unpicklable(task: Task, error: Exception) -> Receipt:
    reason = (
        f"DeclarationError: the item cannot be sent to a worker process ({error_reason(error)}); use workers=1 or "
        "executor=ThreadPoolExecutor(n), or items that are paths, bytes or AudioMetaData"
    )
    return Receipt(task.number, task.id, "failed", reason=reason)


def _start_error(kind: str, text: str, trace: str) -> Exception:
    """The error for a worker that says why it cannot work."""
    if kind == "DeclarationError":
        return DeclarationError(text)
    error = WorkerError(f"a worker process cannot work: {kind}: {text}; workers=1 runs in this process")
    error.add_note(trace)
    return error
