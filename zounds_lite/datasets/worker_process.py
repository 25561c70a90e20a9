"""A worker process: takes tasks from its supervisor, does them, and sends receipts for what it has committed.

Messages to it: ``("item", number, id, item)``, ``("return",)`` (give one back that has not begun), ``("end",)``,
``("stop",)``. From it: ``("ready", is_as_sent)``, ``("unable", type, text, traceback)``, ``("begin", number)``,
``("committing", numbers)``, ``("receipts", receipts)``, ``("returned", number)``, ``("fatal", type, arguments)``.

The main thread works. A second one listens, so that a stop, or the end of the supervisor, is noticed in the middle of
a long document: what is finished is then committed, and the document under way is given up. Functions: ``main``,
``receive``, ``serve_forked``; class ``Worker``.
"""

import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from zounds_lite import featureflow as ff
from zounds_lite.datasets.desk import Desk
from zounds_lite.datasets.starting import Setup, import_main
from zounds_lite.datasets.tasks import FATAL, Job, Receipt, Task

__all__ = ["Worker", "main", "receive", "serve_forked"]

_GRACE_S = 2.0
"""Time for the document under way to be given up; what is finished is committed all the same."""
_TICK_S = 0.5
_PAUSE_S = 0.005
"""How long a worker without tasks waits for more before it commits what it has."""


class _Stopped(BaseException):
    """Ends the document under way."""


class _Inbox:
    """Tasks that have come and not begun."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tasks: deque[tuple[int, str, bytes]] = deque()
        self.closed = False

    def put(self, task: tuple[int, str, bytes]) -> None:
        with self._changed:
            self._tasks.append(task)
            self._changed.notify()

    def get(self, seconds: float | None = None) -> tuple[int, str, bytes] | None:
        """Return the next task; None where it was closed, or where none came in time."""
        with self._changed:
            if not self._tasks and not self.closed:
                self._changed.wait_for(lambda: self._tasks or self.closed, seconds)
            return self._tasks.popleft() if self._tasks else None

    def take_back(self) -> int | None:
        """Remove the task that would begin last, and return its number."""
        with self._changed:
            return self._tasks.pop()[0] if self._tasks else None

    def close(self, drop: bool) -> None:
        with self._changed:
            self.closed = True
            if drop:
                self._tasks.clear()
            self._changed.notify()


class Worker:
    """Serves one supervisor until that says ``end`` or ``stop``, or is gone.

    Args:
        connection (Connection): to the supervisor.
        job (Job): what to do with each item.
        main (tuple | None): the main program, for items whose classes stand in it.
    """

    def __init__(self, connection: Connection, job: Job, main: tuple[str | None, str | None] | None = None) -> None:
        self._connection = connection
        self._job = job
        self._main = main
        self._parent = os.getppid()
        self._is_waiting = False
        self._sending = threading.Lock()
        self._inbox = _Inbox()
        self._ended = threading.Event()
        self._desk = Desk(job, self._hand_over, lambda numbers: self._send("committing", numbers))

    def run(self) -> None:
        """Work; returns when there is nothing more to do."""
        signal.signal(signal.SIGTERM, self._interrupt)
        self._send("ready", self._job.is_as_sent())
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            with ff.in_one_thread():  # each processor has a worker
                self._work()
        except _Stopped:
            self._finish()
        except FATAL as error:
            self._finish()
            self._send("fatal", type(error).__name__, list(error.args))
        except Exception as error:  # noqa: BLE001 - the supervisor raises it
            self._send("unable", type(error).__name__, str(error), traceback.format_exc())
        self._job.cls._database().close()
        self._ended.set()

    def _work(self) -> None:
        while True:
            task = self._inbox.get(_PAUSE_S)
            if task is None:
                self._desk.flush()
                self._is_waiting = True
                task = self._inbox.get()
                self._is_waiting = False
            if task is None:
                return
            number, _id, raw = task
            self._send("begin", number)
            try:
                item = self._item(raw)
            except Exception as error:  # noqa: BLE001 - whatever the class of the item does
                self._desk.refuse(Task(number, _id, None), error)
                continue
            self._desk.do(Task(number, _id, item))

    def _item(self, raw: bytes) -> Any:
        try:
            return ForkingPickler.loads(raw)
        except AttributeError:  # its class may stand in the main program
            import_main(self._main)
            return ForkingPickler.loads(raw)

    # telling the supervisor

    def _send(self, *message: Any) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:  # it is gone, which the other thread finds out as well
            self._inbox.close(drop=True)

    def _hand_over(self, receipts: list[Receipt]) -> None:
        self._send("receipts", receipts)

    # hearing from it

    def _listen(self) -> None:
        try:
            while True:
                while not self._connection.poll(_TICK_S):
                    self._desk.flush_if_due()
                    if os.getppid() != self._parent:  # where another process keeps the pipe open
                        raise EOFError
                kind, *values = self._connection.recv()
                if kind == "item":
                    self._inbox.put((values[0], values[1], values[2]))
                elif kind == "return":
                    self._send("returned", self._inbox.take_back())
                elif kind == "end":
                    self._inbox.close(drop=False)
                else:
                    break
        except FATAL as error:
            self._send("fatal", type(error).__name__, list(error.args))
        except Exception:  # noqa: BLE001 - the supervisor is gone, or was cut off in the middle of a message
            pass
        self._stop()

    def _stop(self) -> None:
        """End soon, whatever the main thread does."""
        self._inbox.close(drop=True)
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        if not self._ended.wait(_GRACE_S):
            self._finish()
            os._exit(0)

    def _finish(self) -> None:
        with suppress(Exception):  # what was not committed is not acknowledged, and made again by the next run
            self._desk.flush()

    def _interrupt(self, number: int, frame: Any) -> None:
        self._inbox.closed = True
        if self._desk.is_preparing or self._is_waiting:
            raise _Stopped


def main(descriptor: int) -> None:
    """Run a spawned worker.

    Args:
        descriptor (int): the worker's end of the pipe.
    """
    os.set_inheritable(descriptor, False)
    receive(Connection(descriptor))


def receive(connection: Connection) -> None:
    """Take the setup from a connection, and work."""
    _keep_calm()
    try:
        setup: Setup = connection.recv()
    except (EOFError, OSError):
        return
    try:
        sys.argv[:] = setup.arguments
        os.chdir(setup.folder)
        if setup.needs_main:
            import_main(setup.main)
        job = ForkingPickler.loads(setup.job)
        worker = Worker(connection, job, setup.main)
    except BaseException as error:  # noqa: BLE001 - also the end of a main program that is imported
        connection.send(("unable", type(error).__name__, str(error), traceback.format_exc()))
        return
    worker.run()


def serve_forked(connection: Connection, others: Sequence[Connection], job: Job) -> None:
    """Run a forked worker.

    Args:
        connection (Connection): to the supervisor.
        others (Sequence[Connection]): the supervisor's own, which this copy gives up.
        job (Job): what to do.
    """
    _keep_calm()
    for other in others:
        other.close()
    Worker(connection, job).run()


def _keep_calm() -> None:
    """Leave Ctrl-C, and a terminal that is closed, to the supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
