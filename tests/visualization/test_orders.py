"""Orders that fill a rectangle: each cell once, and neighbours in time next to each other."""

import numpy as np
import pytest

from zounds_lite.errors import DeclarationError
from zounds_lite.visualization.layouts import hilbert_curve, hilbert_order, quadtree_order, reading_order

POWERS = [1, 2, 4, 8, 16, 32, 64]


def is_permutation(ranks, shape):
    return ranks.shape == shape and np.array_equal(np.sort(ranks, axis=None), np.arange(ranks.size))


@pytest.mark.parametrize("order", [reading_order, quadtree_order])
def test_every_rectangle_up_to_64_is_filled_once(order):
    for rows in range(1, 65):
        assert is_permutation(order(rows), (rows, rows))
        for columns in (1, 2, 3, 28, 63, 64):
            assert is_permutation(order(rows, columns), (rows, columns))


def doubled(size):
    """The quadtree by doubling, as it is usually told: four copies, one after the other."""
    ranks = np.zeros((1, 1), int)
    while len(ranks) < size:
        n = ranks.size
        ranks = np.block([[ranks, ranks + n], [ranks + 2 * n, ranks + 3 * n]])
    return ranks


@pytest.mark.parametrize("size", POWERS)
def test_the_quadtree_of_a_power_of_two_is_that_of_doubling(size):
    np.testing.assert_array_equal(quadtree_order(size), doubled(size))


def test_the_quadtree_of_any_size_is_what_the_next_power_of_two_has_inside():
    inside = doubled(32)[:28, :21]
    np.testing.assert_array_equal(quadtree_order(28, 21), np.argsort(np.argsort(inside, axis=None)).reshape(28, 21))
    np.testing.assert_array_equal(quadtree_order(4), [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])


@pytest.mark.parametrize("size", POWERS)
def test_the_hilbert_curve_visits_each_cell_and_moves_by_one(size):
    ranks = hilbert_order(size)
    assert is_permutation(ranks, (size, size))
    path = np.argwhere(ranks >= 0)[np.argsort(ranks, axis=None)]
    assert (np.abs(np.diff(path, axis=0)).sum(axis=1) == 1).all()


def test_the_known_curves():
    assert hilbert_curve(0).tolist() == [[0, 0]]
    assert hilbert_curve(1).tolist() == [[-1, -1], [-1, 1], [1, 1], [1, -1]]
    np.testing.assert_array_equal(hilbert_order(4), [[0, 3, 4, 5], [1, 2, 7, 6], [14, 13, 8, 9], [15, 12, 11, 10]])
    for order in range(1, 7):
        path = hilbert_curve(order)
        assert (path % 2 == 1).all() and path.max() == -path.min() == 2**order - 1
        assert (np.abs(np.diff(path, axis=0)).sum(axis=1) == 2).all()


def test_the_hilbert_order_takes_powers_of_two_alone():
    for size in range(1, 65):
        if size not in POWERS:
            with pytest.raises(DeclarationError, match="powers of two.*quadtree_order"):
                hilbert_order(size)


@pytest.mark.parametrize("size", [0, -1, 2.0, 1 << 16])
def test_sizes_are_whole_numbers_within_bounds(size):
    for order in (reading_order, quadtree_order, hilbert_order):
        with pytest.raises(DeclarationError, match="whole number"):
            order(size)
    with pytest.raises(DeclarationError, match="columns"):
        quadtree_order(2, size)
    with pytest.raises(DeclarationError, match="allowed: 0 to 12"):
        hilbert_curve(-1 if size == 0 else size + 0.5)
