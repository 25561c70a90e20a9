"""What a supervisor knows of its workers and of what it has given them: ``Member``, ``Item``, ``death_reason``."""

import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from zounds_lite.datasets.starting import Started
from zounds_lite.datasets.tasks import Task

__all__ = ["Item", "Member", "death_reason"]


@dataclass(eq=False)
class Item:
    """A task on its way.

    Args:
        task (Task): the item and its id.
        raw (bytes): the item, as it is sent.
        deaths (int): how many workers died of it.
        alone (bool): nothing else may be under way in its worker.
        begun (bool): its worker has begun it.
        again (bool): another worker had begun it before.
    """

    task: Task
    raw: bytes
    deaths: int = 0
    alone: bool = False
    begun: bool = False
    again: bool = False


@dataclass(eq=False)
class Member:
    """A worker, as its supervisor sees it.

    Args:
        process (Started): the process.
        connection (Connection): to it.
        sent (dict[int, Item]): what it has not acknowledged, by number.
        current (int | None): what it has begun last, unless that is acknowledged.
        committing (set[int]): what its last commit was to write.
        ready (bool): it has started.
        fresh (bool): it has not acknowledged anything.
        asked (bool): it has been asked to give an item back.
        in_message (bool): a message to it has not been written to its end.
    """

    process: Started
    connection: Connection
    sent: dict[int, Item] = field(default_factory=dict)
    current: int | None = None
    committing: set[int] = field(default_factory=set)
    ready: bool = False
    fresh: bool = True
    asked: bool = False
    in_message: bool = False

    @property
    def waiting(self) -> int:
        """Number of items that it has not begun."""
        return sum(not item.begun for item in self.sent.values())

    @property
    def is_idle(self) -> bool:
        """True where it has nothing to do."""
        return self.ready and not self.sent


def death_reason(code: int | None) -> str:
    """Say how a process ended.

    Args:
        code (int | None): its exit code, negative for a signal.

    Examples:
        >>> death_reason(3)
        'worker died (exit code 3)'
        >>> death_reason(-11)
        'worker died (signal 11): Segmentation fault'
    """
    if code is None or code >= 0:
        return f"worker died (exit code {code})"
    advice = ", from outside or for want of memory" if -code == getattr(signal, "SIGKILL", 9) else ""
    return f"worker died (signal {-code}): {signal.strsignal(-code)}{advice}"
