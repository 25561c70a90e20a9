"""Running ahead: decoding and resampling in threads of their own, a few chunks ahead of what is made of them.

Goal: while one chunk is transformed and written, the next one is resampled and the one after it decoded; the order of
chunks, and what each node sees, stay the same. Conventions: behind each node that needs the interpreter little
(``Node.runs_ahead``) lies a *border*; what comes before it, from the border before, runs in a thread of its own. The
first chunk is made in the caller's thread: so a short recording starts no thread, and a slow source can be interrupted.
An error in any thread ends all, and leaves in the caller's.

Names: ``Border``, ``find_borders``, ``in_one_thread``, ``leading_to``, ``side_by_side``.
"""

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zounds_lite.featureflow.node import Node

__all__ = ["Border", "find_borders", "in_one_thread", "leading_to", "side_by_side"]

_AHEAD = 4
"""Chunks that wait between the two threads at most."""
_PATIENCE_S = 0.05
"""How long the other thread waits for room before it looks whether anybody still takes chunks."""

_SWITCH_S = 5e-4
"""How long a thread keeps the interpreter while another waits for it. Python's 5 ms are longer than a chunk takes."""

_END = object()
_held = [0]
_holding = threading.Lock()


@contextlib.contextmanager
def in_one_thread() -> Iterator[None]:
    """Keep every graph of this process in the thread that runs it, as where each processor has a process already.

    Examples:
        >>> with in_one_thread():
        ...     find_borders([], {})
        []
    """
    with _holding:
        _held[0] += 1
    try:
        yield
    finally:
        with _holding:
            _held[0] -= 1


class _SideBySide:
    """Lets threads take turns more often while some run side by side; the last to leave puts things back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, _SWITCH_S))
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sys.setswitchinterval(self._before)


side_by_side = _SideBySide()
"""Within it, the interpreter changes threads often enough for two of them to share a graph."""


def find_borders(nodes: list[Node], subscribers: Mapping[Node, list[Node]]) -> list[Node]:
    """Return the nodes behind which another thread may take over, in order; none where all must stay in one.

    Args:
        nodes (list[Node]): all nodes of a graph.
        subscribers (Mapping[Node, list[Node]]): each node's subscribers.
    """
    if _held[0] or (os.cpu_count() or 1) < 2:
        return []
    behind = {node: _behind(node, subscribers) for node in nodes if node.runs_ahead and subscribers[node]}
    # no node may be fed from both sides
    clean = [n for n in behind if all(need is n or need in behind[n] for b in behind[n] for need in b.needs.values())]
    clean.sort(key=lambda node: len(behind[node]), reverse=True)
    # one after the other: what runs ahead beside each other would have to take turns
    is_chain = all(after in behind[before] for before, after in zip(clean, clean[1:], strict=False))
    return clean if is_chain else []


def _behind(node: Node, subscribers: Mapping[Node, list[Node]]) -> set[Node]:
    """Return all nodes that a node feeds, directly or not."""
    found: set[Node] = set()
    waiting = list(subscribers[node])
    while waiting:
        after = waiting.pop()
        if after not in found:
            found.add(after)
            waiting.extend(subscribers[after])
    return found


def leading_to(borders: list[Node], subscribers: Mapping[Node, list[Node]]) -> frozenset[Node]:
    """Return the nodes whose chunks have a border to pass, those at the borders included."""
    return frozenset(
        node for node in subscribers if node in borders or not _behind(node, subscribers).isdisjoint(borders)
    )


class _NobodyTakes(Exception):
    """The thread that takes chunks has ended."""


class Border(Node):
    """Takes the place of all that a node feeds, and hands its chunks to the thread that feeds them.

    Args:
        node (Node): the last one of those that run ahead.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(needs=node)
        self._chunks: queue.Queue[Any] = queue.Queue()
        self._limit = threading.Semaphore(_AHEAD)
        self._is_over = threading.Event()
        self._is_apart = False

    @property
    def has_chunks(self) -> bool:
        """True while chunks wait."""
        return not self._chunks.empty()

    def _hand_on(self, item: Any) -> None:
        while self._is_apart and not self._limit.acquire(timeout=_PATIENCE_S):
            if self._is_over.is_set():
                raise _NobodyTakes
        self._chunks.put(item)

    def _process(self, data: Any) -> Iterator[Any]:
        self._hand_on(data)
        yield from ()

    def chunks(self, steps: Iterator[None]) -> Iterator[Any]:
        """Yield the node's chunks until it ends, while its side of the graph runs.

        Args:
            steps (Iterator): each step runs the other side a little further.
        """
        for _ in steps:
            if self.has_chunks:
                break
        else:
            yield from self._waiting()
            return
        yield from self._waiting()
        yield from self._from_apart(steps)

    def _waiting(self) -> Iterator[Any]:
        while self.has_chunks:
            yield self._chunks.get()

    def _from_apart(self, steps: Iterator[None]) -> Iterator[Any]:
        self._is_apart = True
        failures: list[BaseException] = []
        thread = threading.Thread(target=self._run_apart, args=(steps, failures.append), name="zounds_lite ahead")
        with side_by_side:
            thread.start()
            try:
                while (item := self._chunks.get()) is not _END:
                    self._limit.release()
                    yield item
            finally:
                self._is_over.set()
                thread.join()
        if failures:
            raise failures[0]

    def _run_apart(self, steps: Iterator[None], fail: Callable[[BaseException], None]) -> None:
        try:
            for _ in steps:
                pass
        except _NobodyTakes:
            pass
        except BaseException as error:  # noqa: BLE001 - the thread that takes the chunks raises it again
            fail(error)
        finally:
            self._chunks.put(_END)
