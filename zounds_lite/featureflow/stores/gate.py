"""The gate that every use of a store passes, so that nothing is under way when it must not be.

Why: a fork copies locks and open transactions, but not the threads that would end them, so a child would wait for ever;
and while LMDB's map moves or its environment closes, no transaction may be open. So uses of stores come in together,
and a fork, a change of the map and a close come in alone, first letting those inside finish.

There is one gate per process. A thread that is inside may come in again, so a change that reads another store goes
through; it must not wait for other threads that use a store. Class: ``Gate``; the gate: ``GATE``.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["GATE", "Gate"]


class Gate:
    """Lets many in together, or one alone.

    Examples:
        >>> gate = Gate()
        >>> with gate.shared(), gate.shared():
        ...     pass
        >>> with gate.alone():
        ...     pass
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside: dict[int, int] = {}  # how often each thread came in
        self._wanting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Come in with others."""
        me = threading.get_ident()
        with self._condition:
            # who wants to be alone goes first, or a steady stream of others would keep it out for ever
            while self._wanting and me not in self._inside:
                self._condition.wait()
            self._inside[me] = self._inside.get(me, 0) + 1
        try:
            yield
        finally:
            with self._condition:
                left = self._inside.pop(me, 1) - 1
                if left:
                    self._inside[me] = left
                elif self._wanting:
                    self._condition.notify_all()

    def acquire(self) -> None:
        """Wait until no other thread is inside, and keep all others out."""
        me = threading.get_ident()
        self._condition.acquire()
        self._wanting += 1
        try:
            while self._inside.keys() - {me}:
                self._condition.wait()
        except BaseException:
            self._condition.release()
            raise
        finally:
            self._wanting -= 1

    def release(self) -> None:
        """Let others in again."""
        self._condition.notify_all()
        self._condition.release()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Come in while no other thread is inside."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def reset(self) -> None:
        """Forget all other threads: in the child of a fork they do not exist."""
        self.__init__()  # type: ignore[misc]


GATE = Gate()
"""The gate of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=GATE.acquire, after_in_parent=GATE.release, after_in_child=GATE.reset)
