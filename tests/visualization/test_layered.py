"""The layout of graphs: columns that follow the arrows, and room for every box."""

import pytest
from hypothesis import given, strategies as st

from zounds_lite.visualization.layered import layered


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    arrows = draw(st.lists(pairs, max_size=30, unique=True)) if count > 1 else []
    return [str(k) for k in range(count)], [(str(a), str(b)) for a, b in arrows]


def column_of(layout):
    return {item: k for k, items in enumerate(layout.columns) for item in items}


@given(graphs())
def test_arrows_run_from_column_to_column_and_boxes_lie_apart(graph):
    names, arrows = graph
    layout = layered(names, arrows, 10.0, 4.0)
    column = column_of(layout)
    assert set(names) <= set(column) and all(column[a] < column[b] for a, b in arrows)
    for (source, target), route in zip(arrows, layout.routes, strict=True):
        assert (route[0], route[-1]) == (source, target)
        assert [column[item] for item in route] == list(range(column[source], column[target] + 1))
    for items in layout.columns:
        places = [layout.y[item] for item in items]
        assert places == sorted(places)
        boxes = [layout.y[item] for item in items if isinstance(item, str)]
        assert all(below - above >= 14 - 1e-6 for above, below in zip(boxes, boxes[1:], strict=False))
        assert all(y >= 5 - 1e-6 for y in boxes)


def test_a_box_lies_in_the_middle_of_what_follows_it():
    layout = layered("abcde", [("a", b) for b in "bcde"], 10, 10)
    assert layout.y["a"] == pytest.approx((layout.y["b"] + layout.y["e"]) / 2)


def test_arrows_are_not_crossed_where_they_need_not_be():
    layout = layered("abcdef", [("a", "f"), ("b", "e"), ("c", "d")], 10, 10)
    ends = {source: layout.y[target] for source, target in [("a", "f"), ("b", "e"), ("c", "d")]}
    assert sorted(ends, key=lambda name: layout.y[name]) == sorted(ends, key=ends.get)
    assert all(layout.y[a] == pytest.approx(y) for a, y in ends.items()), "each arrow is straight"


def test_roots_stand_close_to_where_they_lead():
    layout = layered("abcz", [("a", "b"), ("b", "c"), ("z", "c")], 10, 10)
    assert column_of(layout)["z"] == 1


def test_circles_are_drawn_all_the_same():
    layout = layered("abc", [("a", "b"), ("b", "c"), ("c", "a")], 10, 10)
    assert {"a", "b", "c"} == set(column_of(layout)) and len(layout.routes) == 3


def test_long_chains_are_no_deep_recursion():
    names = [str(k) for k in range(3000)]
    layout = layered(names, list(zip(names, names[1:], strict=False)), 10, 10)
    assert len(layout.columns) == 3000


def test_very_many_long_arrows_run_straight():
    names = [str(k) for k in range(150)]
    arrows = list(zip(names, names[1:], strict=False)) + [("0", name) for name in names[2:]]
    layout = layered(names, arrows, 10, 10)
    assert sum(map(len, layout.columns)) <= 150 + 4000
    assert min(map(len, layout.routes)) == 2
