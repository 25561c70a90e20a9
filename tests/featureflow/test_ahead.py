"""Running ahead: the same chunks in the same order, whatever either side does."""

import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.featureflow import Graph, IteratorNode, Node, in_one_thread
from zounds_lite.featureflow.ahead import find_borders


class Source(Node):
    runs_ahead = True

    def _process(self, data):
        self.threads = getattr(self, "threads", set())
        for item in data:
            self.threads.add(threading.current_thread().name)
            yield item

    def _last_chunk(self):
        yield "end of source"


class Kept(Node):
    def __init__(self, needs=None, fail_at=None):
        super().__init__(needs=needs)
        self.items, self.fail_at, self.thread = [], fail_at, None

    def _process(self, data):
        self.thread = threading.current_thread().name
        if len(self.items) == self.fail_at:
            raise ValueError("behind")
        self.items.append(data)
        yield data

    def _last_chunk(self):
        self.items.append("end")
        yield from ()


def graph(**options):
    source = Source()
    kept = Kept(needs=source, **options)
    return source, kept, Graph(source=source, kept=kept)


@pytest.fixture
def no_threads_stay():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zounds_lite ")]


@pytest.mark.usefixtures("no_threads_stay")
@settings(max_examples=20)
@given(n=st.integers(0, 40))
def test_chunks_arrive_in_order(n):
    source, kept, made = graph()
    made.process(source=range(n))
    assert kept.items == [*range(n), "end of source", "end"]
    assert kept.thread == threading.current_thread().name


def test_the_source_runs_in_another_thread_from_the_second_chunk_on(no_threads_stay):
    source, kept, made = graph()
    made.process(source=range(10))
    assert source.threads == {threading.current_thread().name, "zounds_lite ahead"}
    with in_one_thread():
        source, kept, made = graph()
        made.process(source=range(10))
    assert source.threads == {threading.current_thread().name}


def test_threads_take_turns_more_often_only_while_they_run_side_by_side(no_threads_stay):
    before, seen = sys.getswitchinterval(), []

    class Looks(Node):
        def _process(self, data):
            seen.append(sys.getswitchinterval())
            yield data

    source = Source()
    Graph(source=source, looks=Looks(needs=source)).process(source=range(20))
    assert min(seen) < 1e-3 and sys.getswitchinterval() == before


def test_it_runs_only_a_few_chunks_ahead(no_threads_stay):
    made, seen = [], []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    class Slow(Node):
        def _process(self, data):
            time.sleep(0.002)
            seen.append(len(made) - (data if isinstance(data, int) else 50))
            yield data

    source = Source()
    Graph(source=source, slow=Slow(needs=source)).process(source=items())
    assert max(seen) <= 7


@pytest.mark.usefixtures("no_threads_stay")
@pytest.mark.parametrize("at", [0, 1, 5, 19])
def test_an_error_ahead_is_raised_here_after_what_came_before_it(at):
    def items():
        for i in range(20):
            if i == at:
                raise OSError("ahead")
            yield i

    _, kept, made = graph()
    with pytest.raises(OSError, match="ahead"):
        made.process(source=items())
    assert kept.items == list(range(at))


@pytest.mark.usefixtures("no_threads_stay")
@pytest.mark.parametrize("at", [0, 1, 5])
def test_an_error_behind_ends_the_other_thread(at):
    closed = []

    def items():
        try:
            yield from range(10**6)
        finally:
            closed.append(True)

    _, kept, made = graph(fail_at=at)
    stream = items()
    with pytest.raises(ValueError, match="behind"):
        made.process(source=stream)
    assert kept.items == list(range(at))


def test_a_graph_whose_branches_meet_stays_in_one_thread():
    root = IteratorNode()
    source = Source(needs=root)
    both = Node(needs={"a": root, "b": source})
    nodes = [root, source, both]
    subscribers = {root: [source, both], source: [both], both: []}
    assert find_borders(nodes, subscribers) == []
    alone = Kept(needs=source)
    assert find_borders([root, source, alone], {root: [source], source: [alone], alone: []}) == [source]


def test_several_nodes_have_a_border_each():
    root = IteratorNode()
    first = Source(needs=root)
    second = Source(needs=first)
    kept, beside = Kept(needs=second), Kept(needs=first)
    made = Graph(root=root, first=first, second=second, kept=kept, beside=beside)
    assert find_borders(list(made.values()), made.subscriptions()) == [first, second]


@pytest.mark.usefixtures("no_threads_stay")
@pytest.mark.parametrize("fail_at", [None, 0, 3, 10])
def test_each_border_has_a_thread_ahead_of_it(fail_at):
    first = Source()
    second = Source(needs=first)
    kept = Kept(needs=second, fail_at=fail_at)
    made = Graph(first=first, second=second, kept=kept)
    chunks = [[i] for i in range(20)]
    if fail_at is None:
        made.process(first=chunks)
        assert kept.items == [*range(20), *"end of source", "end of source", "end"]
        assert kept.thread == threading.current_thread().name
        assert len(first.threads) == len(second.threads) == 2
    else:
        with pytest.raises(ValueError, match="behind"):
            made.process(first=chunks)
        assert kept.items == list(range(fail_at))


def test_what_runs_ahead_beside_each_other_stays_in_one_thread():
    root = IteratorNode()
    one, other = Source(needs=root), Source(needs=root)
    made = Graph(root=root, one=one, other=other, a=Kept(needs=one), b=Kept(needs=other))
    assert find_borders(list(made.values()), made.subscriptions()) == []


def test_arrays_are_handed_on_as_they_are():
    arrays = [np.full(5, i) for i in range(8)]
    _, kept, made = graph()
    made.process(source=iter(arrays))
    assert all(a is b for a, b in zip(arrays, kept.items, strict=False))
