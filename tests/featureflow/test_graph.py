"""Nodes and graphs: chunks go down one by one, and every chunking gives the same result."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite import featureflow as ff
from zounds_lite.errors import GraphError, InvalidProcessMethod, MissingArgument, NotEnoughData

TEXT = "the quick brown fox jumps over the lazy dog and the fox is quick " * 7


class Chunks(ff.Node):
    """Text in pieces of given sizes."""

    def __init__(self, sizes=(3,), needs=None):
        super().__init__(needs=needs)
        self.sizes = sizes

    def _process(self, data):
        at, i = 0, 0
        while at < len(data):
            size = self.sizes[i % len(self.sizes)]
            yield data[at : at + size]
            at, i = at + size, i + 1


class Words(ff.Node):
    """Whole words only; the last, possibly cut one waits for its rest."""

    def __init__(self, needs=None):
        super().__init__(needs=needs)
        self._cache = ""

    def _enqueue(self, data, pusher):
        self._cache += data

    def _dequeue(self):
        cut = len(self._cache) if self._finalized else self._cache.rfind(" ") + 1
        if not cut:
            raise NotEnoughData()
        done, self._cache = self._cache[:cut], self._cache[cut:]
        return done

    def _process(self, data):
        yield data.split()


class Count(ff.Aggregator, ff.Node):
    def __init__(self, needs=None):
        super().__init__(needs=needs)
        self._cache = Counter()

    def _enqueue(self, data, pusher):
        self._cache.update(data)

    def _process(self, data):
        yield dict(data)


class Keep(ff.Node):
    def __init__(self, needs=None):
        super().__init__(needs=needs)
        self.kept = []

    def _process(self, data):
        self.kept.append(data)
        yield data


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_word_count_is_the_same_for_every_chunking(sizes):
    text = Chunks(sizes)
    words = Words(needs=text)
    count = Count(needs=words)
    keep = Keep(needs=count)
    ff.Graph(text=text, words=words, count=count, keep=keep).process(text=TEXT)
    assert keep.kept == [dict(Counter(TEXT.split()))]


def test_a_chunk_reaches_the_leaf_before_the_next_is_made():
    events = []

    class Source(ff.Node):
        def _process(self, data):
            for i in range(3):
                events.append(("made", i))
                yield i

    source = Source()
    leaf = ff.FunctionalNode(lambda i: events.append(("seen", i)), needs=ff.FunctionalNode(lambda i: i, needs=source))
    ff.Graph(source=source, middle=leaf.dependencies[0], leaf=leaf).process(source=None)
    assert events == [(what, i) for i in range(3) for what in ("made", "seen")]


def test_two_roots_advance_in_lock_step():
    seen = []
    left, right = ff.IteratorNode(), ff.IteratorNode()
    both = ff.FunctionalNode(lambda x: seen.append((x["left"], x["right"])), needs={"left": left, "right": right})
    ff.Graph(left=left, right=right, both=both).process(left=[1, 2, 3], right="abc")
    assert seen == [(1, "a"), (2, "b"), (3, "c")]


def test_inputs_of_different_lengths_are_an_error():
    left, right = ff.IteratorNode(), ff.IteratorNode()
    both = ff.FunctionalNode(lambda x: x, needs={"left": left, "right": right})
    with pytest.raises(GraphError, match="different numbers of chunks"):
        ff.Graph(left=left, right=right, both=both).process(left=[1, 2, 3], right="ab")


def test_an_aggregator_collects_by_default():
    class Joined(ff.Aggregator, ff.Node):
        def _process(self, data):
            yield data

    assert list(Joined().run(["a", "b"])) == ["ab"]
    assert list(Joined().run([b"a", b"b"])) == [b"ab"]
    assert list(Joined().run([1, 2])) == [[1, 2]]
    assert list(Joined().run([np.ones(2), np.zeros(1)]))[0].tolist() == [1, 1, 0]
    assert list(Joined().run([])) == []


def test_the_end_reaches_nodes_whose_input_yielded_nothing():
    class Nothing(ff.Node):
        def _process(self, data):
            yield from ()

    class Last(ff.Node):
        def _last_chunk(self):
            yield "the end"

    source = Nothing()
    last = Last(needs=source)
    keep = Keep(needs=last)
    ff.Graph(source=source, last=last, keep=keep).process(source=1)
    assert keep.kept == ["the end"]


def test_first_chunk_is_called_once():
    class First(ff.Node):
        def _first_chunk(self, data):
            return -data

    assert list(First().run([1, 2, 3])) == [-1, 2, 3]


def test_nodes_are_entered_and_left_also_when_one_raises():
    left = []

    class Guarded(ff.Node):
        def __exit__(self, *error):
            left.append(error[0])

    class Bad(ff.Node):
        def _process(self, data):
            raise RuntimeError("at this node")
            yield

    guarded = Guarded()
    with pytest.raises(RuntimeError, match="at this node"):
        ff.Graph(guarded=guarded, bad=Bad(needs=guarded)).process(guarded=1)
    assert left == [RuntimeError]


def test_process_must_be_a_generator():
    class Wrong(ff.Node):
        def _process(self, data):
            return data

    with pytest.raises(InvalidProcessMethod, match="must be a generator"):
        Wrong()


def test_a_missing_root_is_named():
    with pytest.raises(MissingArgument, match="'source'.*given: 'other'"):
        ff.Graph(source=ff.IteratorNode()).process(other=1)


def test_a_need_outside_the_graph_is_an_error():
    with pytest.raises(GraphError, match="not part of the graph"):
        ff.Graph(leaf=Keep(needs=ff.IteratorNode())).process(leaf=1)


def test_roots_and_leaves():
    source = ff.IteratorNode()
    leaf = Keep(needs=source)
    graph = ff.Graph(source=source, leaf=leaf)
    assert (set(graph.roots()), set(graph.leaves())) == ({"source"}, {"leaf"})
    assert source.is_root and not leaf.is_root and leaf.dependency_count == 1


class Pairs(ff.Node):
    """Passes on what came from each input, and counts it."""

    def _process(self, data):
        self.seen = [*getattr(self, "seen", []), data]
        yield data

    def _last_chunk(self):
        yield len(self.seen)


class AllPairs(ff.Aggregator, Pairs):
    """The same, of everything at once."""


@pytest.mark.parametrize(("kind", "expected"), [(Pairs, [{"a": 1, "b": 1}, {"a": 2, "b": 2}, 2]), (AllPairs, None)])
def test_a_node_may_need_another_under_two_names(kind, expected):
    source = ff.IteratorNode()
    pairs = kind(needs={"a": source, "b": source})
    collected = Collects(needs=pairs)
    graph = ff.Graph(source=source, pairs=pairs, collected=collected)
    for _ in range(2):  # a graph may run again
        collected.seen, pairs.seen = [], []
        graph.process(source=[1, 2])
        assert collected.seen == (expected or [{"a": [1, 2], "b": [1, 2]}, 1]) and pairs.finished
        for node in graph.values():
            node.__dict__.pop("_run", None)


class Collects(ff.Node):
    """Keeps what comes."""

    def _process(self, data):
        self.seen.append(data)
        yield from ()


@pytest.mark.parametrize("needs", [lambda x: [x, x], lambda x: {"one": x, "other": x}], ids=["list", "names"])
def test_a_feature_may_need_another_twice(needs):
    class Sums(ff.Node):
        def _process(self, data):
            yield "+".join(data.values())

    @ff.simple_in_memory_settings
    class Model(ff.BaseModel):
        text = ff.TextFeature(ff.IteratorNode, store=True)
        twice = ff.TextFeature(Sums, needs=needs(text), store=True)

    assert Model(Model.process(text="ab")).twice == "a+ab+b"
