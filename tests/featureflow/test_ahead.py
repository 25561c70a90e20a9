"""Running ahead: the same chunks in the same order, whatever either side does."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.featureflow import Graph, IteratorNode, Node, in_one_thread
from zounds_lite.featureflow.ahead import find_border


class Source(Node):
    runs_ahead = True

    def _process(self, data):
        self.threads = set()
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
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zounds_lite")]


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
    assert find_border(nodes, subscribers) is None
    alone = Kept(needs=source)
    assert find_border([root, source, alone], {root: [source], source: [alone], alone: []}) is source


def test_the_last_of_several_nodes_is_the_border():
    root = IteratorNode()
    first = Source(needs=root)
    second = Source(needs=first)
    kept, beside = Kept(needs=second), Kept(needs=first)
    made = Graph(root=root, first=first, second=second, kept=kept, beside=beside)
    assert find_border(list(made.values()), made.subscriptions()) is second


def test_arrays_are_handed_on_as_they_are():
    arrays = [np.full(5, i) for i in range(8)]
    _, kept, made = graph()
    made.process(source=iter(arrays))
    assert all(a is b for a, b in zip(arrays, kept.items, strict=False))
