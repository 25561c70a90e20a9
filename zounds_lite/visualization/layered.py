"""Where the boxes of a graph go, so that its arrows run from left to right and cross little.

Goal: a readable drawing of a graph without cycles. Conventions: a box lies in a column behind those of all boxes with
an arrow to it; an arrow that passes over columns gets a place in each of them. Names: ``Layout``, ``layered``.

Sources:
    K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
    Transactions on Systems, Man, and Cybernetics 11 (2), 1981 (columns, places on the way, barycentric order).
    R. Barlow, H. Brunk, "The isotonic regression problem and its dual", JASA 67 (337), 1972 (pooling neighbours).
"""

from bisect import bisect_right, insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

__all__ = ["Layout", "layered"]

_SWEEPS = 12
_MOST_PLACES = 4_000
"""Places on the way that long arrows get; beyond that they run straight."""

_WEIGHT = 8.0
"""Straightness of what passes over columns, against that of what begins or ends in one."""


@dataclass
class Layout:
    """Where everything goes.

    Attributes:
        columns (list[list[Hashable]]): the boxes of each column, from top to bottom; and places on the way, each a
            tuple of an arrow's number and its column.
        y (dict[Hashable, float]): the middle of each.
        routes (list[list[Hashable]]): for each arrow what it runs through, its ends included.
    """

    columns: list[list[Hashable]]
    y: dict[Hashable, float] = field(default_factory=dict)
    routes: list[list[Hashable]] = field(default_factory=list)


def layered(names: Sequence[str], arrows: Sequence[tuple[str, str]], height: float, gap: float) -> Layout:
    """Lay out a graph.

    Args:
        names (Sequence[str]): the boxes.
        arrows (Sequence[tuple[str, str]]): from a box, to a box; those that would close a circle run backwards.
        height (float): how high a box is.
        gap (float): how much room there is between two boxes of a column, at least.

    Returns:
        Layout: the highest box touches 0.

    Examples:
        >>> layout = layered(["a", "b", "c"], [("a", "b"), ("a", "c")], 10, 10)
        >>> layout.columns, layout.y
        ([['a'], ['b', 'c']], {'a': 15.0, 'b': 5.0, 'c': 25.0})
    """
    column = _columns_of(names, arrows)
    layout = Layout([[] for _ in range(max(column.values(), default=-1) + 1)])
    for name in names:
        layout.columns[column[name]].append(name)
    budget = _MOST_PLACES
    for number, (source, target) in enumerate(arrows):
        between = range(column[source] + 1, column[target])
        budget -= len(between)
        places: list[Hashable] = [(number, k) for k in between] if budget >= 0 else []
        for place, k in zip(places, between, strict=False):
            layout.columns[k].append(place)
        layout.routes.append([source, *places, target])
    before, behind = _neighbours(layout)
    _order(layout, before, behind)
    _place(layout, before, behind, height, gap)
    return layout


def _columns_of(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each box: one behind the last with an arrow to it, and roots close to where they lead."""
    sources: dict[str, list[str]] = {name: [] for name in names}
    targets: dict[str, list[str]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for source, target in arrows:
        sources[target].append(source)
        targets[source].append(target)
        waiting[target] += 1
    column = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    left = dict.fromkeys(names)
    while left:
        name = ready.pop(0) if ready else next(iter(left))  # the first of a circle goes first
        if name not in left:
            continue
        del left[name]
        for target in targets[name]:
            if target in left:
                column[target] = max(column[target], column[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for name in names:
        if not sources[name] and targets[name]:
            column[name] = max(0, min(column[target] for target in targets[name]) - 1)
    return column


def _neighbours(layout: Layout) -> tuple[dict[Hashable, list[Hashable]], dict[Hashable, list[Hashable]]]:
    before: dict[Hashable, list[Hashable]] = {item: [] for items in layout.columns for item in items}
    behind: dict[Hashable, list[Hashable]] = {item: [] for items in layout.columns for item in items}
    for route in layout.routes:
        for left, right in zip(route, route[1:], strict=False):
            before[right].append(left)
            behind[left].append(right)
    return before, behind


def _order(layout: Layout, before: dict[Hashable, list[Hashable]], behind: dict[Hashable, list[Hashable]]) -> None:
    """Sort each column by the mean rank of what its items are joined to, forwards and backwards in turn."""
    rank = {item: float(k) for items in layout.columns for k, item in enumerate(items)}
    best, fewest = [list(items) for items in layout.columns], _crossings(layout, behind)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for items in layout.columns if forward else layout.columns[::-1]:
            near = before if forward else behind
            mean = {i: sum(rank[j] for j in near[i]) / len(near[i]) if near[i] else rank[i] for i in items}
            items.sort(key=mean.__getitem__)
            rank.update({item: float(k) for k, item in enumerate(items)})
        found = _crossings(layout, behind)
        if found < fewest:
            best, fewest = [list(items) for items in layout.columns], found
    layout.columns[:] = best


def _crossings(layout: Layout, behind: dict[Hashable, list[Hashable]]) -> int:
    """Count the arrows that cross between neighbouring columns."""
    count = 0
    rank = {item: k for items in layout.columns for k, item in enumerate(items)}
    for items in layout.columns:
        ends: list[int] = []
        for item in items:
            new = sorted(rank[other] for other in behind[item])
            count += sum(len(ends) - bisect_right(ends, end) for end in new)
            for end in new:
                insort(ends, end)
    return count


def _place(
    layout: Layout,
    before: dict[Hashable, list[Hashable]],
    behind: dict[Hashable, list[Hashable]],
    height: float,
    gap: float,
) -> None:
    """Move everything towards the middle of what it is joined to, without changing the order."""
    y = layout.y
    for items in layout.columns:
        y.update(zip(items, accumulate(_distances(items, height, gap)), strict=True))
    for sweep in range(_SWEEPS):
        for items in layout.columns if sweep % 2 else layout.columns[::-1]:
            wanted, weights = [], []
            for item in items:
                near = [*before[item], *behind[item]]
                wanted.append(sum(y[other] for other in near) / len(near) if near else y[item])
                weights.append(_WEIGHT if isinstance(item, tuple) else 1.0)
            y.update(zip(items, _apart(wanted, weights, _distances(items, height, gap)), strict=True))
    boxes = [at for item, at in y.items() if not isinstance(item, tuple)]
    top = min([*(at - height / 2 for at in boxes), *y.values()], default=0.0)
    y.update({item: at - top for item, at in y.items()})


def _distances(items: Sequence[Hashable], height: float, gap: float) -> list[float]:
    """Return how far each item is from the one above it, at least."""
    sizes = [gap if isinstance(item, tuple) else height + gap for item in items]
    return [0.0, *((a + b) / 2 for a, b in zip(sizes, sizes[1:], strict=False))]


def _apart(wanted: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted, in the least squares, that keep their order and distances."""
    offsets = list(accumulate(distances))
    pools: list[list[float]] = []  # mean, weight, count
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append([want - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, heavy, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += count
    means = [mean for mean, _, count in pools for _ in range(int(count))]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
