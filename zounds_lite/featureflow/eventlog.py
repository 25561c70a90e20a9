"""EventLog: what was stored, in order, for others to follow.

Goal: a process that indexes features learns of each one, also of those that were stored while it was away. Conventions:
an entry is text under an id that grows with time; ``subscribe`` first replays what follows ``last_id``, then waits.
Classes: ``EventLog``, ``InMemoryChannel``, ``RedisChannel``.
"""

import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb

from zounds_lite._lazy import optional

__all__ = ["EventLog", "InMemoryChannel", "RedisChannel"]

_STOP = object()


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
        self._open: Any = None

    def publish(self, _id: bytes, message: str) -> None:
        """Publish an entry."""
        self._client.publish(self.channel, _id + message.encode("utf-8"))

    def open(self) -> Any:
        """Begin to collect entries for one subscriber."""
        self._open = self._client.pubsub(ignore_subscribe_messages=True)
        self._open.subscribe(self.channel)
        return self._open

    def listen(self, waiting: Any, raise_when_empty: bool = False) -> Iterator[tuple[bytes, str]]:
        """Yield entries as they come."""
        for message in waiting.listen():
            yield message["data"][:_ID_LENGTH], message["data"][_ID_LENGTH:].decode("utf-8")

    def unsubscribe(self) -> None:
        """End the subscription."""
        if self._open is not None:
            self._open.unsubscribe()


_ID_LENGTH = 32


class EventLog:
    """An append-only log on disk, with live subscribers.

    Args:
        path (str | Path): its folder; made where it is missing.
        channel (InMemoryChannel | RedisChannel): tells live subscribers.
        map_size (int | float): size of the LMDB map in bytes; it grows by itself.
    """

    def __init__(self, path: Any, channel: Any, map_size: float = 10**9) -> None:
        self.path = Path(path)
        self.channel = channel
        self.path.mkdir(parents=True, exist_ok=True)
        self._env = lmdb.open(str(self.path), map_size=int(map_size), lib_version=0)
        self._lock = threading.Lock()
        self._last = 0

    def append(self, message: str) -> bytes:
        """Append an entry durably, tell subscribers, and return its id."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            _id = f"{self._last:020x}{os.urandom(6).hex()}".encode()
            self._put(_id, message.encode("utf-8"))
        self.channel.publish(_id, message)
        return _id

    def _put(self, _id: bytes, message: bytes) -> None:
        while True:
            try:
                with self._env.begin(write=True) as txn:
                    txn.put(_id, message)
                return
            except lmdb.MapFullError:
                self._env.set_mapsize(2 * self._env.info()["map_size"])

    def subscribe(self, last_id: bytes = b"", raise_when_empty: bool = False) -> Iterator[tuple[bytes, str]]:
        """Yield (id, text) of every entry after ``last_id``, each once, then of new ones as they come.

        Args:
            last_id (bytes): the last entry that the caller has seen; empty for none.
            raise_when_empty (bool): end instead of waiting; for channels in memory.
        """
        waiting = self.channel.open()  # before the replay, so that nothing falls in between
        for _id, message in self._after(last_id):
            last_id = _id
            yield _id, message
        for _id, message in self.channel.listen(waiting, raise_when_empty):
            if _id > last_id:
                last_id = _id
                yield _id, message

    def _after(self, last_id: bytes) -> list[tuple[bytes, str]]:
        with self._env.begin() as txn, txn.cursor() as cursor:
            if not cursor.set_range(last_id + b"\0"):
                return []
            return [(bytes(key), bytes(value).decode("utf-8")) for key, value in cursor]

    def unsubscribe(self) -> None:
        """End live subscriptions."""
        self.channel.unsubscribe()

    def close(self) -> None:
        """Close the log."""
        self._env.close()
