"""Signals that ask a command to end: like Ctrl-C, they let it keep what is finished.

Goal: a scheduler that stops a job, and a terminal that is closed, cost no more than the document under way. What is
ignored when the command starts (as ``nohup`` has it) stays ignored. Class: ``Ended``; function ``asked_to_end``.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Ended", "asked_to_end"]

_NAMES = ("SIGTERM", "SIGHUP")


class Ended(KeyboardInterrupt):
    """A signal asked the command to end.

    Args:
        number (int): of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """Exit code of a command that ends this way."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"ended by {signal.Signals(self.number).name}"


@contextmanager
def asked_to_end() -> Iterator[None]:
    """Turn signals that would end the process at once into ``Ended``."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: signal.signal(number, _end) for number in numbers if _is_default(number)}
    try:
        yield
    finally:
        for number, rule in before.items():
            signal.signal(number, rule)


def _is_default(number: int) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL


def _end(number: int, frame: Any) -> None:
    raise Ended(number)
