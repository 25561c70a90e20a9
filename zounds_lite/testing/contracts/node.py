"""The contract of nodes: what a step of a processing graph promises to the graph and to the store.

Class: ``NodeContract``.
"""

import abc
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from zounds_lite._declared import parameters_of
from zounds_lite.core import ArrayWithUnits
from zounds_lite.featureflow import Feature, Graph, IteratorNode, Node
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts.checks import assert_same, assert_typed, cut, for_all, joined, private_copy

__all__ = ["NodeContract"]

_SINGLE = 100
"""Elements that are fed one by one."""


class NodeContract(abc.ABC):
    """What every node must do. Inherit it in a class whose name starts with ``Test``.

    A node promises that nobody sees how its input was cut: chunks of any size, empty ones too, give the results of the
    whole, of the same number, dtype and dimensions. It never changes a chunk, nor a result that it handed on; it keeps
    its state to itself; an input without any element gives an empty result, nothing, or an error of
    ``zounds_lite.errors``. Where it states a locality, any part of its output can be computed of the part of the input
    that it names, alone. Its declaration (the class and its arguments) has a lineage that moves with every argument.

    Define:

    - ``node``: the class;
    - ``example()``: a whole input, as long as several of whatever the node collects: an array (with units or without),
      bytes, text or a list. It is the same each time.

    Where the defaults do not fit, set or override:

    - ``arguments()``: what the node is made with, made anew each time;
    - ``another()``: another whole input; by default the first half of the example;
    - ``changes()``: another value for each argument of the constructor, so that lineage can be checked;
    - ``dtype(dtype)``: the dtype of the results for an input of floating point: the same by default;
    - ``offline(whole)``: what the results must be, by another way, such as the function of whole arrays;
    - ``tolerance``: how far streamed numbers may differ from those of the whole, as a part of the largest; 0, the
      default, asks for equal bits;
    - ``region_tolerance``: the same for a region, computed alone, against that part of the whole;
    - ``atomic = True``: the example is one value that cannot be cut;
    - ``cut(whole, at)`` and ``join(results)``: how an input is cut, and what its results are together;
    - ``declare(**changes)``: a feature that uses the node, its arguments changed;
    - ``examples``: how many random chunkings are tried.
    """

    node: type[Node]
    tolerance = 0.0
    region_tolerance = 0.0
    atomic = False
    examples = 30

    @abc.abstractmethod
    def example(self) -> Any:
        """Return a whole input, the same each time."""

    def another(self) -> Any:
        """Return another whole input."""
        whole = self.example()
        return whole if self.atomic else whole[: len(whole) // 2]

    def arguments(self) -> dict[str, Any]:
        """Return what the node is made with."""
        return {}

    def changes(self) -> dict[str, Any]:
        """Return another value for each argument of the constructor."""
        return {}

    def dtype(self, dtype: np.dtype) -> np.dtype:
        """Return the dtype of the results for an input of floating point."""
        return dtype

    def create(self, needs: Any = None) -> Node:
        """Return a new node."""
        return self.node(needs=needs, **self.arguments())

    def declare(self, **changes: Any) -> Feature:
        """Return a feature that uses the node, its arguments changed."""
        return Feature(self.node, **{**self.arguments(), **changes})

    def cut(self, whole: Any, at: Iterable[int]) -> list[Any]:
        """Cut an input at positions, some of them equal."""
        return [whole] if self.atomic else cut(whole, at)

    def join(self, results: list[Any]) -> Any:
        """Return what the results of a stream are together."""
        return joined(results)

    def offline(self, whole: Any) -> Any:
        """Return what the results must be; by default those of the node for one chunk."""
        return self.join(list(self.create().run([whole])))

    def _results(self, chunks: list[Any]) -> list[Any]:
        return list(self.create().run(chunks))

    def _streamed(self, whole: Any, at: Iterable[int]) -> Any:
        return self.join(list(self.create().run(self.cut(whole, at))))

    def _size(self, whole: Any) -> int:
        return 1 if self.atomic else len(whole)

    # chunks

    def test_streaming_equals_offline(self) -> None:
        whole = self.example()
        wanted = self.offline(private_copy(whole))

        def any_chunks_do(at: list[int]) -> None:
            assert_same(self._streamed(whole, at), wanted, self.tolerance, f"the results of chunks cut at {at}")

        for_all(self.examples, any_chunks_do, at=strategies.chunkings(self._size(whole)))

    def test_empty_chunks_change_nothing(self) -> None:
        whole = self.example()
        if self.atomic:
            return
        size, wanted = len(whole), self.offline(whole)
        for at in ([0], [size], [0, 0, size // 2, size // 2, size, size]):
            assert_same(self._streamed(whole, at), wanted, self.tolerance, f"the results of chunks cut at {at}")

    def test_single_elements_are_chunks_too(self) -> None:
        whole = self.example()
        if self.atomic:
            return
        short = whole[:_SINGLE]
        found = assert_typed(lambda: self._streamed(short, range(len(short))), "a stream of single elements")
        wanted = assert_typed(lambda: self._streamed(short, []), f"{_SINGLE} elements in one chunk")
        if isinstance(wanted, Exception) or isinstance(found, Exception):
            assert type(found) is type(wanted), f"single elements give {found!r}, the whole gives {wanted!r}"
        else:
            assert_same(found, wanted, self.tolerance, "the results of single elements")

    def test_almost_nothing_gives_results_of_the_same_kind(self) -> None:
        if self.atomic:
            return
        whole = self.example()
        normal = list(self.create().run([whole]))
        for size in (0, 1):
            short = whole[:size]
            results = assert_typed(partial(self._results, [short]), f"{size} elements")
            if isinstance(results, Exception) or not normal:
                continue
            for result in results:
                _assert_of_one_kind(result, normal[0], f"a result of {size} elements")

    def test_no_chunk_gives_nothing(self) -> None:
        results = assert_typed(lambda: list(self.create().run([])), "a stream without chunks")
        assert isinstance(results, Exception) or results == [], f"no chunk gives {results!r}"

    def test_chunks_are_never_changed(self) -> None:
        whole = self.example()
        chunks = self.cut(whole, [self._size(whole) // 3, self._size(whole) // 2])
        before = [private_copy(chunk) for chunk in chunks]
        for _ in self.create().run(chunks):
            pass
        for i, (chunk, copied) in enumerate(zip(chunks, before, strict=True)):
            assert_same(chunk, copied, what=f"chunk {i} after the run")

    def test_read_only_chunks_in_any_layout_will_do(self) -> None:
        whole = self.example()
        if not isinstance(whole, np.ndarray) or not whole.ndim:
            return
        wanted = self.offline(whole)
        for layout in (_every_other, _swapped):
            chunks = [_read_only(layout(chunk)) for chunk in self.cut(whole, [self._size(whole) // 3])]
            found = self.join(list(self.create().run(chunks)))
            assert_same(found, wanted, max(self.tolerance, 1e-6), f"the results of chunks made by {layout.__name__}")

    def test_results_stay_as_they_were_handed_on(self) -> None:
        whole = self.example()
        size = self._size(whole)
        results, copies = [], []
        for result in self.create().run(self.cut(whole, [size // 4, size // 2, 3 * size // 4])):
            results.append(result)
            copies.append(private_copy(result) if isinstance(result, np.ndarray) else result)
        for i, (result, copied) in enumerate(zip(results, copies, strict=True)):
            assert_same(result, copied, what=f"result {i} at the end of the run")

    def test_the_dtype_is_kept(self) -> None:
        whole = self.example()
        if not isinstance(whole, np.ndarray) or whole.dtype.kind != "f":
            return
        for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
            for result in self.create().run([whole.astype(dtype)]):
                if not isinstance(result, np.ndarray):
                    continue  # a number, or a series of slices
                wanted = np.dtype(self.dtype(dtype))
                assert result.dtype == wanted, f"{dtype} becomes {result.dtype} instead of {wanted}"

    # regions

    def test_a_region_is_that_part_of_the_whole(self) -> None:
        whole = self.example()
        locality = None if self.atomic else self.create().locality(whole[: min(1, len(whole))])
        if locality is None:
            return
        wanted, size = self.offline(whole), len(whole)
        assert locality.length(size) == len(wanted), f"its locality promises {locality.length(size)} rows"

        def any_region_is(start: int, stop: int) -> None:
            start, stop = sorted((start % len(wanted), stop % len(wanted)))
            first, last = locality.needs(start, stop + 1, size)
            assert 0 <= first < last <= size, f"it needs rows {first} to {last} of {size}"
            node = self.create()
            node.begin(first)
            found = self.join(list(node.run([whole[first:last]])))
            at = locality.first(first)
            assert at <= start, f"a run from row {first} begins with row {at}, so row {start} is missing"
            part = np.asarray(found[start - at : stop + 1 - at])
            what = f"rows {start} to {stop + 1}, computed of input rows {first} to {last},"
            # among all rows, so that a difference is held against the largest of them
            whole_again = np.array(wanted)
            whole_again[start : stop + 1] = part
            assert_same(whole_again, np.asarray(wanted), self.region_tolerance, what)

        for_all(self.examples, any_region_is, start=strategies.counts(0, 10**6), stop=strategies.counts(0, 10**6))

    # state

    def test_two_nodes_share_nothing(self) -> None:
        whole, another = self.example(), self.another()
        first = self.cut(whole, [self._size(whole) // 3, 2 * self._size(whole) // 3])
        second = self.cut(another, [self._size(another) // 5, self._size(another) // 4, self._size(another) // 2])
        alone = [self.join(list(self.create().run(chunks))) for chunks in (first, second)]
        nodes = [self.create(), self.create()]
        results: list[list[Any]] = [[], []]
        with nodes[0], nodes[1]:
            for pair in zip_longest(first, second):
                for node, chunk, into in zip(nodes, pair, results, strict=True):
                    into.extend(node.push(chunk) if chunk is not None else [])
            for node, into in zip(nodes, results, strict=True):
                into.extend(node.end())
        for found, wanted in zip(results, alone, strict=True):
            assert_same(self.join(found), wanted, self.tolerance, "the results of one of two nodes that take turns")

    def test_it_works_where_a_graph_forks(self) -> None:
        whole = self.example()
        size = self._size(whole)
        chunks = self.cut(whole, [size // 3, 2 * size // 3])
        source = IteratorNode()
        one, other = self.create(source), self.create(source)
        leaves = {"left": _Kept(needs=one), "right": _Kept(needs=one), "beside": _Kept(needs=other)}
        Graph(source=source, one=one, other=other, **leaves).process(source=chunks)
        wanted = self.join(list(self.create().run(chunks)))
        for name, leaf in leaves.items():
            assert_same(self.join(leaf.results), wanted, self.tolerance, f"what the {name} branch received")

    # declaration

    def test_the_revision_is_a_number(self) -> None:
        revision = self.node.revision
        assert type(revision) is int and revision >= 1, f"revision={revision!r}; allowed: 1, 2, ..."

    def test_equal_declarations_have_equal_lineage(self) -> None:
        assert self._lineage({}) == self._lineage({})

    def test_every_argument_moves_the_lineage(self) -> None:
        changes, neutral = self.changes(), set(getattr(self.node, "neutral_parameters", ()))
        missing = set(parameters_of(self.node)) - {"needs"} - set(changes)
        assert not missing, f"changes() must give another value for each argument of the constructor, also {missing}"
        today = self._lineage({})
        for name, value in changes.items():
            moved = self._lineage({name: value}) != today
            assert moved or name in neutral, f"{name}={value!r} has the same lineage: stale values would be served"
            assert not (moved and name in neutral), f"{name} is neutral, and moves the lineage"

    def test_neutral_arguments_change_no_result(self) -> None:
        whole = self.example()
        for name in set(getattr(self.node, "neutral_parameters", ())) & set(self.changes()):
            changed = self.node(**{**self.arguments(), name: self.changes()[name]})
            found = self.join(list(changed.run([whole])))
            assert_same(found, self.offline(whole), self.tolerance, f"the results with another {name}")

    def _lineage(self, changes: dict[str, Any]) -> str:
        feature = self.declare(**changes)
        feature.name = "feature"
        return Lineage({"feature": feature}).hash(feature)


class _Kept(Node):
    """Keeps what a branch of a graph receives, as it was then."""

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.results: list[Any] = []

    def _process(self, data: Any) -> Iterator[Any]:
        self.results.append(private_copy(data) if isinstance(data, np.ndarray) else data)
        yield from ()


def _assert_of_one_kind(result: Any, normal: Any, what: str) -> None:
    assert type(result) is type(normal), f"{what} is a {type(result).__name__}, not a {type(normal).__name__}"
    if isinstance(normal, np.ndarray):
        assert result.dtype == normal.dtype, f"{what} has dtype {result.dtype} instead of {normal.dtype}"
        assert result.shape[1:] == normal.shape[1:], f"{what} has shape {result.shape}, usual are {normal.shape}"
    if isinstance(normal, ArrayWithUnits):
        assert result.dimensions == normal.dimensions, f"{what} has dimensions {result.dimensions}"


def _with_data(array: np.ndarray, data: np.ndarray) -> np.ndarray:
    if not isinstance(array, ArrayWithUnits):
        return data
    return type(array)._view(data, array.dimensions)


def _every_other(array: np.ndarray) -> np.ndarray:
    """The same numbers, with room between the rows."""
    data = np.zeros((2 * len(array), *array.shape[1:]), array.dtype)[::2]
    data[...] = np.asarray(array)
    return _with_data(array, data)


def _swapped(array: np.ndarray) -> np.ndarray:
    """The same numbers, first axis fastest."""
    return _with_data(array, np.asfortranarray(np.asarray(array)))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
