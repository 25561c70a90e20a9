import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.core.buffers import Aligned, Rows
from zounds_lite.errors import DeclarationError
from zounds_lite.timeseries import TimeDimension


def blocks(buffer, chunks):
    out = [buffer.push(chunk) for chunk in chunks]
    return [rows for rows in [*out, buffer.finish()] if rows is not None]


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=12), st.integers(1, 9))
def test_rows_come_in_blocks_and_none_is_lost(sizes, block):
    x = np.arange(sum(sizes) * 2).reshape(-1, 2)
    out = blocks(Aligned(block), np.split(x, np.cumsum(sizes)[:-1]) if sizes else [])
    assert all(len(rows) % block == 0 for rows in out[:-1])
    assert np.array_equal(np.concatenate([x[:0], *out]), x)


def test_one_row_at_a_time():
    out = blocks(Aligned(64), [np.full((1, 3), i) for i in range(130)])
    assert [len(rows) for rows in out] == [64, 64, 2]


def with_units(n, **known):
    time = TimeDimension.windowed(256, 512, 11025, **known)
    return ArrayWithUnits(np.arange(n * 2.0).reshape(n, 2), [time, IdentityDimension()])


def test_units_are_kept():
    (rows,) = blocks(Aligned(4), [with_units(3)])
    assert rows.dimensions == with_units(3).dimensions


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_what_is_known_at_the_end_stays_with_the_end(n):
    out = blocks(Aligned(4), [with_units(2), with_units(n, n_samples=1000, padding=256)])
    assert [rows.dimensions[0].n_samples for rows in out] == [None] * (len(out) - 1) + [1000]
    assert out[-1].dimensions[0].padding == 256


@pytest.mark.parametrize("rows", [3, 4, 8])
def test_an_empty_chunk_may_bring_what_is_known_at_the_end(rows):
    chunks = [with_units(0), with_units(rows), with_units(0), with_units(0, n_samples=1000, padding=256)]
    out = blocks(Aligned(4), chunks)
    assert sum(map(len, out)) == rows
    assert (out[-1].dimensions[0].n_samples, out[-1].dimensions[0].padding) == (1000, 256)


def test_a_second_finish_has_nothing():
    buffer = Aligned()
    buffer.push(np.zeros((3, 1)))
    assert len(buffer.finish()) == 3
    assert buffer.finish() is None


def test_a_block_has_rows():
    with pytest.raises(DeclarationError, match="at least one row"):
        Aligned(0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=9), st.lists(st.integers(0, 9), max_size=9))
def test_rows_are_taken_in_any_number(sizes, counts):
    x, rows, at = np.arange(sum(sizes) * 2).reshape(-1, 2), Rows(), 0
    for chunk in np.split(x, np.cumsum(sizes)[:-1]) if sizes else []:
        rows.push(chunk)
    for count in counts:
        count = min(count, len(rows))
        taken = rows.take(count)
        assert taken is None or np.array_equal(taken, x[at : at + count])
        at += count
    assert len(rows) == len(x) - at


def test_what_is_known_of_the_end_is_taken_with_the_last_row():
    time, rows = TimeDimension.windowed(2, 4, 8000), Rows()
    assert rows.take(0) is None and not rows.only_the_end
    rows.push(ArrayWithUnits(np.zeros(3), [time]))
    rows.push(ArrayWithUnits(np.zeros(2), [time]))
    rows.push(ArrayWithUnits(np.zeros(0), [TimeDimension.windowed(2, 4, 8000, n_samples=9)]))
    assert rows.take(4).dimensions[0].n_samples is None and not rows.only_the_end
    last = rows.take(1)
    assert last.dimensions[0].n_samples == 9 and len(last) == 1 and len(rows) == 0
    rows.push(ArrayWithUnits(np.zeros(0), [time]))
    assert rows.only_the_end and len(rows.take(0)) == 0
