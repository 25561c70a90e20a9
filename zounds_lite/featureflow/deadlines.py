"""Deadlines that hold whatever a server does.

A read timeout starts anew with every byte, so a server that sends one now and then holds a client for ever. Here the
connections that an operation uses are cut when its time is up, from a thread that watches all operations of the
process: whatever waits for them, be it for a handshake, a header or a body, ends at once. Class: ``Deadline``; function
``current_deadline``.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

__all__ = ["Deadline", "current_deadline"]

_IDLE_S = 5.0
"""How long the watching thread waits for more to watch before it ends."""


class Deadline:
    """The time by which an operation of this thread ends; used as a context.

    Args:
        seconds (float): from now.

    Attributes:
        refusal (Exception | None): why a connection was not even tried, for those who see only that it failed.
        is_reusing (bool): the last request went out on a connection that had been kept open.

    Examples:
        >>> with Deadline(60) as deadline:
        ...     current_deadline() is deadline, deadline.is_over, deadline.left() > 59
        (True, False, True)
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = time.monotonic() + seconds
        self.refusal: Exception | None = None
        self.is_reusing = False
        self._cut = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._before: Deadline | None = None

    @property
    def is_over(self) -> bool:
        """True once the time is up."""
        return self._cut or time.monotonic() >= self.at

    def left(self) -> float:
        """Seconds that are left; at least a millisecond, since a timeout of 0 means another thing."""
        return max(0.001, self.at - time.monotonic())

    def guard(self, connection: Any) -> None:
        """Cut a connection when the time is up.

        Args:
            connection (socket.socket): stays the caller's, who may close it at any time.
        """
        # a descriptor of our own: the connection's may be closed, and its number given to another file, at any time
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._sockets.append(twin)
            cut = self._cut
        if cut:
            self.cut()

    def cut(self) -> None:
        """End all connections now."""
        with self._lock:
            self._cut = True
            for connection in self._sockets:
                with suppress(OSError):  # the other side was faster
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._before = current_deadline()
        _here.deadline = self
        _watch.add(self)
        return self

    def __exit__(self, *error: object) -> None:
        _here.deadline = self._before
        _watch.remove(self)
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()


class _Here(threading.local):
    deadline: Deadline | None = None


_here = _Here()


def current_deadline() -> Deadline | None:
    """Return the deadline of what this thread is doing; None where it has none."""
    return _here.deadline


class _Watch:
    """Cuts what is over time; its thread runs only while there is something to watch, and a little longer."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._open: set[Deadline] = set()
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.add(deadline)
            if self._thread is None:
                self._wakes = float("inf")
                self._thread = threading.Thread(target=self._run, name="zounds_lite-deadlines", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            while True:
                over = [deadline for deadline in self._open if deadline.is_over]
                for deadline in over:
                    self._open.discard(deadline)
                    deadline.cut()
                idle = not self._open
                self._wakes = min([time.monotonic() + _IDLE_S, *(deadline.at for deadline in self._open)])
                heard = self._changed.wait(max(0.0, self._wakes - time.monotonic()))
                if idle and not heard and not self._open:
                    self._thread = None
                    return


_watch = _Watch()


def _forked() -> None:
    """Start anew: the watching thread stayed in the other process, perhaps while it held the lock."""
    global _watch
    _watch = _Watch()
    _here.deadline = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
