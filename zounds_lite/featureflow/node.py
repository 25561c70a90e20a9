"""Nodes: what a processing graph is made of.

Goal: a node receives chunks from the nodes it needs, and yields chunks. It keeps only what it must between chunks, so
a graph holds one chunk and each node's tail in memory, however long the input is. Conventions: a node serves one run
of one graph; ``_process`` is a generator; a node that waits for more input raises ``NotEnoughData`` in ``_dequeue``.

What the engine does for each push, in this order:

1. a chunk arrives: ``_enqueue(chunk, pusher)``; or an input ends: ``_finalize(pusher)``;
2. ``_dequeue()`` once; ``NotEnoughData`` ends the push here;
3. ``_first_chunk(data)``, for the first dequeued data only;
4. ``_process(data)``: everything it yields goes downstream at once;
5. when all inputs have ended, everything that ``_last_chunk()`` yields goes downstream too, and the node has ended.

Classes: ``Node``, ``Aggregator``, ``FunctionalNode``, ``KeySelector``, ``IteratorNode``, ``Chunks``.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np

from zounds_lite.errors import GraphError, InvalidProcessMethod, NotEnoughData
from zounds_lite.featureflow.locality import Locality, Pointwise

__all__ = ["Aggregator", "Chunks", "FunctionalNode", "IteratorNode", "KeySelector", "Node", "NotEnoughData"]

_END = object()


def _as_mapping(needs: Any) -> dict[str, "Node"]:
    """Normalise ``needs``: None, one node, several, or a mapping of names to nodes."""
    if needs is None:
        return {}
    if isinstance(needs, Mapping):
        return dict(needs)
    if isinstance(needs, (list, tuple)):
        return {f"need{i}": need for i, need in enumerate(needs)}
    return {"need0": needs}


class Node:
    """A step of a processing graph.

    Override ``_process``; override the other hooks where chunks must be joined, held back or combined. With one input,
    ``_process`` receives its chunks; with several, a dict of input name to chunk, as soon as each has one.

    Args:
        needs (Node | Sequence[Node] | Mapping[str, Node] | None): the nodes whose output this node processes; None
            makes it a root.

    Raises:
        InvalidProcessMethod: ``_process`` is no generator function.

    Examples:
        >>> class Doubled(Node):
        ...     def _process(self, data):
        ...         yield data * 2
        >>> list(Doubled().run([1, 2]))
        [2, 4]
    """

    revision = 1
    """Raised when the output changes on purpose, so that stored values of the old code count as stale."""

    reads_source = False
    """True for nodes that open a byte stream's source themselves instead of reading its bytes."""

    takes_parts = False
    """True for nodes with ``reads_source`` that may read a source on another machine in parts."""

    footprint: Locality | None = None
    """How far the node reaches in its input, where that is the same for all arguments; ``locality`` says the rest."""

    runs_ahead = False
    """True for nodes whose work is done outside of the interpreter, so that a graph may run them ahead in a thread."""

    def __init__(self, needs: Any = None) -> None:
        self.needs = _as_mapping(needs)
        if not inspect.isgeneratorfunction(self._process):
            raise InvalidProcessMethod(f"{type(self).__name__}._process must be a generator: yield its results")

    # made on first use so that subclasses need not call our constructor

    @cached_property
    def _run(self) -> dict[str, Any]:
        """State of a run."""
        return {"ended": set(), "first": True, "done": False, "queues": {}}

    @property
    def dependencies(self) -> list["Node"]:
        """The nodes that this node needs, in order."""
        return list(self.needs.values())

    @property
    def dependency_count(self) -> int:
        """How many nodes this node needs."""
        return len(self.needs)

    @property
    def is_root(self) -> bool:
        """True where the node needs nothing but the input of the run."""
        return not self.needs

    def _dependency_name(self, pusher: "Node | None") -> str | None:
        """Return the name under which ``pusher`` is needed."""
        return next((name for name, need in self.needs.items() if need is pusher), None)

    @property
    def _finalized(self) -> bool:
        """True when every input has ended."""
        return self.is_root or len(self._run["ended"]) == len(self.needs)

    # hooks

    def _enqueue(self, data: Any, pusher: "Node | None") -> None:
        """Take in one chunk. The default keeps it in ``_cache``, or in one queue per input where there are several."""
        if len(self.needs) > 1:
            self._run["queues"].setdefault(self._dependency_name(pusher), deque()).append(data)
        else:
            self._cache = data
            self._run["none"] = data is None  # None is data too

    def _dequeue(self) -> Any:
        """Return the next data to process, or raise ``NotEnoughData``."""
        if len(self.needs) > 1:
            return self._dequeue_all()
        data = getattr(self, "_cache", None)
        if data is None and not self._run.pop("none", False):
            raise NotEnoughData()
        self._cache = None
        return data

    def _dequeue_all(self) -> dict[str, Any]:
        queues = self._run["queues"]
        if any(not queues.get(name) for name in self.needs):
            left = {name: len(queues[name]) for name in queues if queues[name]}
            if self._finalized and left:
                raise GraphError(
                    f"the inputs of {type(self).__name__} ended after different numbers of chunks (left over: {left}); "
                    "override _enqueue and _dequeue to combine them another way"
                )
            raise NotEnoughData()
        return {name: queues[name].popleft() for name in self.needs}

    def _first_chunk(self, data: Any) -> Any:
        """Look at, or replace, the first data that is processed."""
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        """Yield results for ``data``; the default passes it on."""
        yield data

    def _last_chunk(self) -> Iterator[Any]:
        """Yield final results, after all inputs have ended."""
        return iter(())

    def _finalize(self, pusher: "Node | None") -> None:
        """Take notice that ``pusher`` has ended."""

    # regions

    def locality(self, example: Any) -> Locality | None:
        """Say how far the node reaches in its input, so that a part of its output can be computed alone.

        Args:
            example (Any): a few rows of the input, possibly none, with the units of all.

        Returns:
            Locality | None: None where the node needs the whole document; by default ``footprint``.
        """
        return self.footprint

    def begin(self, row: int) -> None:
        """Take notice, before the first chunk, that the input begins at a row of the whole, not always at its start.

        Args:
            row (int): the row; 0 is the start.
        """

    def open_rows(self, chunk: Any) -> Any:
        """Open the source that a chunk of bytes names, for reading from anywhere; for nodes with ``reads_source``.

        Returns:
            region.Rows | None: None, the default, where that cannot be.
        """
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    # for authors of nodes

    def mark(self, kind: str, message: str) -> None:
        """Note something about the input that users of the document should know; the same note counts once.

        Args:
            kind (str): one word, such as ``"truncated"``.
            message (str): the whole story.
        """
        note = {"kind": kind, "message": message}
        if note not in self.marks:
            self.marks.append(note)

    @property
    def marks(self) -> list[dict[str, str]]:
        """What ``mark`` noted in this run."""
        found: list[dict[str, str]] = self._run.setdefault("marks", [])
        return found

    # what the engine calls

    def _results(self) -> Iterator[Any]:
        try:
            data = self._dequeue()
        except NotEnoughData:
            return
        run = self._run
        if run["first"]:
            run["first"] = False
            data = self._first_chunk(data)
        yield from self._process(data)

    def push(self, data: Any, pusher: "Node | None" = None) -> Iterator[Any]:
        """Feed one chunk, and return an iterator of what comes out."""
        self._run["fed"] = True
        self._enqueue(data, pusher)
        return self._results()

    def end(self, pusher: "Node | None" = None) -> Iterator[Any]:
        """Say that ``pusher`` has ended and yield what comes out; the node has ended when all inputs have."""
        if pusher is not None:
            self._run["ended"].add(pusher)
        self._finalize(pusher)
        yield from self._results()
        if self._finalized:
            yield from self._last_chunk()
            self._run["done"] = True

    @property
    def has_input(self) -> bool:
        """True after the node was fed a chunk."""
        return bool(self._run.get("fed", False))

    @property
    def finished(self) -> bool:
        """True after the node yielded its last result."""
        return bool(self._run["done"])

    def run(self, chunks: Iterable[Any]) -> Iterator[Any]:
        """Feed chunks to this node alone, outside any graph, and yield what comes out.

        Args:
            chunks (Iterable): what the single input, or the caller of a root, would push.
        """
        if len(self.needs) > 1:
            raise GraphError(f"{type(self).__name__} has {len(self.needs)} inputs; run it in a Graph")
        pusher = next(iter(self.needs.values()), None)
        with self:
            for chunk in chunks:
                yield from self.push(chunk, pusher)
            yield from self.end(pusher)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(needs={list(self.needs)})"


class Chunks(list[Any]):
    """The chunks of a stream, collected."""

    def combined(self) -> Any:
        """Join bytes, text or arrays, and list anything else."""
        if len(self) == 1:
            return self[0]
        if all(isinstance(chunk, (bytes, bytearray, memoryview)) for chunk in self):
            return b"".join(self)
        if all(isinstance(chunk, str) for chunk in self):
            return "".join(self)
        if all(isinstance(chunk, np.ndarray) and chunk.ndim for chunk in self):
            return np.concatenate(self)
        return list(self)


class Aggregator:
    """Mixin, first in the bases: ``_process`` runs once, on everything, after all inputs have ended.

    The default joins bytes, text and arrays, and lists anything else. Override ``_enqueue`` to accumulate another way
    into ``self._cache``.

    Examples:
        >>> class Total(Aggregator, Node):
        ...     def _process(self, data):
        ...         yield sum(data)
        >>> list(Total().run([1, 2, 3]))
        [6]
    """

    _cache: Any
    needs: dict[str, Node]
    _run: dict[str, Any]
    _finalized: bool

    def _enqueue(self, data: Any, pusher: Node | None) -> None:
        name = self._dependency_name(pusher)  # type: ignore[attr-defined]
        self._run["queues"].setdefault(name, Chunks()).append(data)

    def _ending(self) -> bool:
        """True while the last input ends; a root's input ends with the first ``end``."""
        return self._finalized and (bool(self.needs) or "root_ended" in self._run)

    def _finalize(self, pusher: Node | None) -> None:
        if pusher is None:
            self._run["root_ended"] = True

    def _dequeue(self) -> Any:
        if not self._ending():
            raise NotEnoughData()
        if getattr(self, "_cache", None) is not None:
            return self._cache
        queues = self._run["queues"]
        if not queues:
            raise NotEnoughData()
        if len(self.needs) <= 1:
            return next(iter(queues.values())).combined()
        return {name: queues.get(name, Chunks()).combined() for name in self.needs}


class FunctionalNode(Node):
    """A node whose ``_process`` is a plain function.

    Args:
        func (Callable): called with each chunk; where it returns a generator, each item is a result.
        needs: as for ``Node``.
        closure_fingerprint (Callable | None): accepted for compatibility; lineage reads closures by itself.

    Examples:
        >>> list(FunctionalNode(str.upper).run(["a", "b"]))
        ['A', 'B']
    """

    def __init__(
        self, func: Callable[[Any], Any], needs: Any = None, closure_fingerprint: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__(needs=needs)
        self.func = func
        self.closure_fingerprint = closure_fingerprint

    def locality(self, example: Any) -> Locality | None:
        return Pointwise() if isinstance(self.func, np.ufunc) else getattr(self.func, "locality", None)

    def _process(self, data: Any) -> Iterator[Any]:
        result = self.func(data)
        if inspect.isgenerator(result):
            yield from result
        else:
            yield result


class KeySelector(Node):
    """Picks ``data[key]`` where the data is a mapping that has the key, and passes anything else on.

    Args:
        key (str): what to pick.
        needs: as for ``Node``.
    """

    def __init__(self, key: str, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.key = key

    def _process(self, data: Any) -> Iterator[Any]:
        yield data[self.key] if isinstance(data, Mapping) and self.key in data else data


class IteratorNode(Node):
    """Yields every element of the iterables it is given."""

    def _process(self, data: Any) -> Iterator[Any]:
        yield from data
