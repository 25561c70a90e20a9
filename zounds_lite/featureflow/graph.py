"""Graph: runs nodes, chunk by chunk.

Goal: a chunk travels down the whole graph before the next one is made, so only one chunk and each node's tail are held
in memory. Conventions: results go downstream depth first, in the order in which subscribers were declared; several
roots advance in lock-step; a node ends when all its inputs have ended; an error leaves as it was raised. What decodes
runs a few chunks ahead in a thread of its own, where the graph allows it (``ahead``).
"""

from collections import ChainMap, deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from zounds_lite.errors import GraphError, MissingArgument
from zounds_lite.featureflow.ahead import Border, find_borders, leading_to
from zounds_lite.featureflow.node import Node

__all__ = ["Graph"]


class Graph(dict[str, Node]):
    """Nodes by name, wired by what they need.

    Attributes:
        context (Mapping[str, Any]): what a run tells all nodes: ``fetcher`` and ``originals``, for byte streams.

    Examples:
        >>> from zounds_lite.featureflow.node import Aggregator, IteratorNode
        >>> class Collected(Aggregator, Node):
        ...     def _process(self, data):
        ...         self.result = data
        ...         yield data
        >>> source = IteratorNode()
        >>> collected = Collected(needs=source)
        >>> Graph(numbers=source, collected=collected).process(numbers=range(3))
        >>> collected.result
        [0, 1, 2]
    """

    context: Mapping[str, Any] = MappingProxyType({})

    def roots(self) -> dict[str, Node]:
        """Nodes that need nothing but an argument of ``process``."""
        return {name: node for name, node in self.items() if node.is_root}

    def leaves(self) -> dict[str, Node]:
        """Nodes that no other node needs."""
        needed = {id(need) for node in self.values() for need in node.needs.values()}
        return {name: node for name, node in self.items() if id(node) not in needed}

    def subscriptions(self) -> dict[Node, list[Node]]:
        """Each node's subscribers, in order of declaration."""
        subscribers: dict[Node, list[Node]] = {node: [] for node in self.values()}
        for node in self.values():
            for need in node.needs.values():
                if need not in subscribers:
                    raise GraphError(f"{node!r} needs {need!r}, which is not part of the graph")
                subscribers[need].append(node)
        return subscribers

    def remove_dead_nodes(self, features: Mapping[str, Any]) -> None:
        """Drop leaves whose feature is not stored, again and again, since nothing that is stored depends on them."""
        while dead := [n for n in self.leaves() if n in features and not features[n].store]:
            for name in dead:
                del self[name]

    def process(self, **arguments: Any) -> None:
        """Run the graph.

        Args:
            arguments: one value for each root, by name.

        Raises:
            MissingArgument: a root has no value.
        """
        roots = self.roots()
        missing = sorted(set(roots) - set(arguments))
        if missing:
            raise MissingArgument(
                f"process() needs a value for {', '.join(map(repr, missing))}; "
                f"given: {', '.join(map(repr, sorted(arguments))) or 'nothing'}"
            )
        self._tell_inputs_apart()
        subscribers = self.subscriptions()
        with ExitStack() as stack:
            for node in self.values():
                node._run.update(self.context, subscribers=subscribers[node])
                stack.enter_context(node)
            borders = find_borders(list(self.values()), subscribers)
            wiring = _Wiring(subscribers, leading_to(borders, subscribers))
            steps = _lock_step([_stream(node, arguments[name], wiring) for name, node in roots.items()])
            for node in borders:
                steps = _steps_behind(node, steps, wiring)
            deque(steps, maxlen=0)

    def _tell_inputs_apart(self) -> None:
        """Give each name under which a node needs the same one again a node of its own, so that all inputs end."""
        for name, node in list(self.items()):
            seen: set[Node] = set()
            for key, need in node.needs.items():
                if need in seen:
                    node.needs[key] = self[f"{name}/{key}"] = Node(needs=need)
                seen.add(need)


class _Wiring(NamedTuple):
    """Who feeds whom, and the nodes that advance in steps, because what they make has a border to pass."""

    subscribers: Mapping[Node, list[Node]]
    stepping: frozenset[Node]


def _lock_step(streams: list[Iterator[bool]]) -> Iterator[None]:
    """Advance all roots in turn, by one result of a root each time, until they have ended."""
    while streams:
        going = []
        for stream in streams:
            for is_whole in stream:
                yield
                if is_whole:
                    going.append(stream)
                    break
        streams = going


def _steps_behind(node: Node, steps: Iterator[None], wiring: _Wiring) -> Iterator[None]:
    """Return the steps of what a node feeds, on the chunks that it yields ahead of them in its own steps."""
    border, subscribers = Border(node), cast(dict[Node, list[Node]], wiring.subscribers)
    feeds = _Wiring(ChainMap({node: subscribers[node]}, subscribers), wiring.stepping)
    subscribers[node], subscribers[border] = [border], []

    def behind() -> Iterator[None]:
        for chunk in border.chunks(steps):
            yield from _send(node, chunk, feeds)
        yield from _send_end(node, feeds)

    return behind()


def _stream(root: Node, data: Any, wiring: _Wiring) -> Iterator[bool]:
    """Advance ``root`` in steps, each result sent down the graph before the next is made.

    Yields:
        bool: True when one result of the root has been sent everywhere, False on the way.
    """
    for results in (root.push(data), root.end()):
        for result in results:
            for _ in _send(root, result, wiring):
                yield False
            yield True
    for _ in _send_end(root, wiring):
        yield False


def _send(pusher: Node, data: Any, wiring: _Wiring) -> Iterator[None]:
    """Feed a chunk to all subscribers, in steps where it is still to meet a border: one for each chunk on the way."""
    for node in wiring.subscribers[pusher]:
        for result in node.push(data, pusher):
            if node in wiring.stepping:
                yield from _send(node, result, wiring)
            else:
                _feed(node, result, wiring.subscribers)
    yield


def _feed(pusher: Node, data: Any, subscribers: Mapping[Node, list[Node]]) -> None:
    """Feed a chunk to all subscribers, and what they make of it to theirs, in one go."""
    for node in subscribers[pusher]:
        for result in node.push(data, pusher):
            _feed(node, result, subscribers)


def _send_end(pusher: Node, wiring: _Wiring) -> Iterator[None]:
    """Tell all subscribers that a node has ended, in steps."""
    for node in wiring.subscribers[pusher]:
        for result in node.end(pusher):
            yield from _send(node, result, wiring)
        if node.finished:
            yield from _send_end(node, wiring)
