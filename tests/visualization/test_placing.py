"""Sizes, order of bands, and tiles: nothing is lost, and everything lies where it should."""

import tracemalloc

import numpy as np
import pytest

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.visualization.layouts import (
    assemble_tiles,
    centre_out,
    hilbert_order,
    quadtree_order,
    split_tiles,
    squeezed,
    upright,
    wrapping,
)

RNG = np.random.default_rng(5)


def plain_means(x, count):
    """The mean of each part, by repeating elements until both sizes divide it."""
    return np.repeat(x, count, axis=0).reshape(count, len(x), *x.shape[1:]).mean(axis=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 5), (3, 8), (224, 10), (10, 31), (13, 224)])
@pytest.mark.parametrize("wanted", [(1, 1), (2, 3), (5, 5), (7, 224), (33, 17)])
def test_each_pixel_is_the_mean_of_what_it_covers(size, wanted):
    x = RNG.standard_normal((*size, 3))
    found = squeezed(x, *wanted)
    expected = np.swapaxes(plain_means(np.swapaxes(plain_means(x, wanted[0]), 0, 1), wanted[1]), 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.mean() == pytest.approx(x.mean(), abs=1e-12)


def test_values_stay_in_their_range_and_type():
    x = RNG.random((1025, 3001)).astype(np.float32)
    found = squeezed(x, 224, 224)
    assert found.dtype == np.float32 and x.min() <= found.min() and found.max() <= x.max()
    np.testing.assert_array_equal(squeezed(np.full((7, 9), 0.1), 5, 4), np.full((5, 4), 0.1))
    assert squeezed(np.array([[True, False]]), 1, 1).item() == 0.5


def test_a_large_array_is_squeezed_without_a_copy_of_it():
    x = np.ones((64, 200_000), np.float32)
    tracemalloc.start()
    squeezed(x, 32, 224)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 2


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((np.ones(3), 1, 1), DimensionError, "rows, columns"),
        ((np.ones((0, 3)), 1, 1), DimensionError, "at least one"),
        ((np.ones((2, 2)), 0, 1), DeclarationError, "rows=0"),
        ((np.ones((2, 2), complex), 1, 1), DeclarationError, r"np\.abs"),
        ((np.array([[1.0, np.nan]]), 1, 1), DeclarationError, "1 of 2 values are NaN.*nan_to_num"),
        ((np.array([[1.0, np.inf]]), 1, 1), DeclarationError, "infinite"),
    ],
)
def test_what_has_no_mean_is_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        squeezed(*arguments)


def test_low_bands_come_to_the_bottom():
    frames = np.array([[0, 10, 20], [1, 11, 21]])
    np.testing.assert_array_equal(upright(frames), [[20, 21], [10, 11], [0, 1]])
    with pytest.raises(DimensionError, match="bands"):
        upright(np.ones(3))


@pytest.mark.parametrize("count", range(1, 30))
def test_bands_are_ordered_from_the_middle(count):
    found = centre_out(np.arange(count))
    assert sorted(found.tolist()) == list(range(count))
    assert found[count // 2] == 0
    assert found[count // 2 :].tolist() == list(range(0, count, 2))
    assert found[: count // 2].tolist() == list(range(1, count, 2))[::-1]


def test_the_known_orders_of_bands():
    assert centre_out(np.arange(8)).tolist() == [7, 5, 3, 1, 0, 2, 4, 6]
    assert centre_out(np.arange(7)).tolist() == [5, 3, 1, 0, 2, 4, 6]
    with pytest.raises(DimensionError):
        centre_out(np.float64(1))


@pytest.mark.parametrize("order", [hilbert_order(8), quadtree_order(7, 5)])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_tiles_are_placed_as_blocks(order, colours):
    tiles = np.broadcast_to(np.arange(order.size).reshape(-1, 1, 1, *(1,) * len(colours)), (order.size, 4, 6, *colours))
    picture = assemble_tiles(tiles, order)
    assert picture.shape == (order.shape[0] * 4, order.shape[1] * 6, *colours)
    for row in range(order.shape[0]):
        for column in range(order.shape[1]):
            block = picture[row * 4 : row * 4 + 4, column * 6 : column * 6 + 6]
            assert (block == order[row, column]).all()


def test_a_strip_is_cut_in_order_of_time_and_comes_back():
    strip = RNG.random((4, 12, 3))
    tiles = split_tiles(strip, 3)
    np.testing.assert_array_equal(tiles[1], strip[:, 4:8])
    np.testing.assert_array_equal(assemble_tiles(tiles, [[0, 1, 2]]), strip)


def test_tiles_that_do_not_fit_are_refused():
    with pytest.raises(DimensionError, match="multiple"):
        split_tiles(np.ones((2, 5)), 2)
    with pytest.raises(DimensionError, match="grid rows"):
        assemble_tiles(np.ones((4, 2)), [[0, 1], [2, 3]])
    for order in ([[0, 1], [2, 2]], [[0, 1, 2]], [[1, 2], [3, 4]]):
        with pytest.raises(DeclarationError, match="each tile's number once"):
            assemble_tiles(np.ones((4, 2, 2)), order)


@pytest.mark.parametrize("total", [0.01, 0.5, 1, 1.9, 2, 3, 40, 130, 1024, 5000, 1e6])
@pytest.mark.parametrize("size", [1, 6, 7, 33, 224])
def test_wrapped_rows_fit_into_the_picture_and_into_the_recording(total, size):
    rows, pixels, beats = wrapping(total, size)
    assert rows >= 1 and rows * pixels <= size and (pixels >= 7 or size < 7)
    assert rows * beats <= total < 2 * rows * beats
    assert np.log2(beats) % 1 == 0


def test_a_recording_without_beats_is_not_wrapped():
    for total, size in ((0, 224), (np.inf, 224), (np.nan, 224), (10, 0)):
        with pytest.raises(DeclarationError, match="total_beats"):
            wrapping(total, size)
