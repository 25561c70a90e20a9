"""EventLog: what was stored, in order, for others to follow.

Goal: a process that indexes features learns of each one, also of those that were stored while it was away. Conventions:
an entry is text under an id; ids grow in the order in which entries were appended, over all processes. ``subscribe``
reads entries from the log itself; a channel only says when there is something new, so none is lost, doubled or out of
order. Classes: ``EventLog``, ``InMemoryChannel``, ``RedisChannel``.
"""

import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zounds_lite._lazy import optional
from zounds_lite.featureflow.stores.environment import Environment

__all__ = ["EventLog", "InMemoryChannel", "RedisChannel"]

_STOP = object()
_ENTRIES = b"entries"
_ID_LENGTH = 32
_BATCH = 1000


class InMemoryChannel:
    """Tells subscribers in this process."""

    def __init__(self) -> None:
        self._queues: list[queue.SimpleQueue[Any]] = []
        self._lock = threading.Lock()

    def publish(self, _id: bytes, message: str) -> None:
        """Hand an entry to every subscriber."""
        with self._lock:
            for waiting in self._queues:
                waiting.put((_id, message))

    def open(self) -> "queue.SimpleQueue[Any]":
        """Begin to collect entries for one subscriber."""
        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self._queues.append(waiting)
        return waiting

    def listen(self, waiting: Any, raise_when_empty: bool = False) -> Iterator[tuple[bytes, str]]:
        """Yield entries as they come; with ``raise_when_empty``, end where none is waiting."""
        while True:
            try:
                entry = waiting.get(block=not raise_when_empty)
            except queue.Empty:
                return
            if entry is _STOP:
                return
            yield entry

    def close(self, waiting: Any) -> None:
        """Stop collecting for the subscriber to whom ``open`` gave ``waiting``."""
        with self._lock:
            self._queues = [other for other in self._queues if other is not waiting]

    def unsubscribe(self) -> None:
        """End all subscriptions."""
        with self._lock:
            for waiting in self._queues:
                waiting.put(_STOP)
            self._queues = []


class RedisChannel:
    """Tells subscribers in other processes, through a Redis server.

    Args:
        channel (str): the channel's name.
        host (str): the server.
        port (int): its port.
    """

    def __init__(self, channel: str, host: str = "localhost", port: int = 6379) -> None:
        self.channel = channel
        self._client = optional("redis").StrictRedis(host=host, port=port)
        self._open: list[Any] = []

    def publish(self, _id: bytes, message: str) -> None:
        """Publish an entry."""
        self._client.publish(self.channel, _id + message.encode("utf-8"))

    def open(self) -> Any:
        """Begin to collect entries for one subscriber."""
        waiting = self._client.pubsub(ignore_subscribe_messages=True)
        waiting.subscribe(self.channel)
        self._open.append(waiting)
        return waiting

    def listen(self, waiting: Any, raise_when_empty: bool = False) -> Iterator[tuple[bytes, str]]:
        """Yield entries as they come."""
        for message in waiting.listen():
            yield message["data"][:_ID_LENGTH], message["data"][_ID_LENGTH:].decode("utf-8")

    def close(self, waiting: Any) -> None:
        """Stop collecting for the subscriber to whom ``open`` gave ``waiting``."""
        if waiting in self._open:
            self._open.remove(waiting)
        waiting.close()

    def unsubscribe(self) -> None:
        """End all subscriptions."""
        for waiting in self._open:
            waiting.unsubscribe()


class EventLog:
    """An append-only log on disk, with live subscribers; one folder may be open more than once.

    Args:
        path (str | Path): its folder; made where it is missing.
        channel (InMemoryChannel | RedisChannel): tells live subscribers.
        map_size (int | float): initial size of the LMDB map in bytes; it grows by itself.

    Raises:
        StoreFormatError: the folder holds something else.
    """

    def __init__(self, path: Any, channel: Any, map_size: float = 10**9) -> None:
        self.path = Path(path)
        self.channel = channel
        self._environment = Environment(self.path, int(map_size), (_ENTRIES,))
        self._environment.run(lambda txn, databases: None)  # a folder that holds something else is found now

    def append(self, message: str) -> bytes:
        """Append an entry durably, tell subscribers, and return its id."""
        data = message.encode("utf-8")

        def put(txn: Any, databases: Mapping[bytes, Any]) -> bytes:
            with txn.cursor(databases[_ENTRIES]) as cursor:
                last = int(cursor.key()[:20], 16) if cursor.last() else 0
            stamp = max(last + 1, time.time_ns() // 1000)  # a clock that is set back must not move entries
            _id = f"{stamp:020x}{os.urandom(6).hex()}".encode()
            txn.put(_id, data, db=databases[_ENTRIES])
            return _id

        _id = self._environment.run(put, write=True)
        self.channel.publish(_id, message)
        return _id

    def subscribe(self, last_id: bytes = b"", raise_when_empty: bool = False) -> Iterator[tuple[bytes, str]]:
        """Yield (id, text) of every entry after ``last_id``, each once, then of new ones as they come.

        Args:
            last_id (bytes): the last entry that the caller has seen; empty for none.
            raise_when_empty (bool): end instead of waiting; for channels in memory.
        """
        waiting = self.channel.open()  # before the first look at the log, so that nothing falls in between
        news = self.channel.listen(waiting, raise_when_empty)
        try:
            more = True
            while more:
                while batch := self.after(last_id):
                    for last_id, message in batch:
                        yield last_id, message
                more = next(news, None) is not None
        finally:
            self.channel.close(waiting)

    def after(self, last_id: bytes = b"") -> list[tuple[bytes, str]]:
        """Return (id, text) of the next entries after ``last_id`` that are there now, at most a thousand.

        Some at a time, so that no transaction is open while the caller works on them.
        """

        def read(txn: Any, databases: Mapping[bytes, Any]) -> list[tuple[bytes, str]]:
            found: list[tuple[bytes, str]] = []
            with txn.cursor(databases[_ENTRIES]) as cursor:
                if cursor.set_range(last_id + b"\0"):
                    for key, value in cursor:
                        found.append((key, value.decode("utf-8")))
                        if len(found) == _BATCH:
                            break
            return found

        return self._environment.run(read)

    def unsubscribe(self) -> None:
        """End live subscriptions."""
        self.channel.unsubscribe()

    def close(self) -> None:
        """Close the log; it opens again by itself when used."""
        self._environment.close()
