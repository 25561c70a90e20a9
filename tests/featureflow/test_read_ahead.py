"""Rows of a map that a slice is about to touch are asked for at once, each stretch of them once."""

import mmap

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.featureflow.stores.maps import ReadAhead, map_file
from zounds_lite.timeseries import SR11025, AudioSamples, Milliseconds, Seconds, TimeSlice

pytestmark = pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="the system has no such advice")

ROWS, WIDTH = 4000, 128


class Asked:
    """A map that notes what it is asked for."""

    def __init__(self, size):
        self.size = size
        self.stretches = []

    def __len__(self):
        return self.size

    def madvise(self, advice, start, length):
        assert advice == mmap.MADV_WILLNEED
        assert start % mmap.PAGESIZE == 0 and 0 <= start < start + length <= self.size
        self.stretches.append((start, start + length))


@pytest.mark.parametrize("start", [0, 520, 70_000])
@pytest.mark.parametrize(("row", "rows"), [(8, 100_000), (1024, 4000), (65_536, 50), (300_000, 10)])
def test_all_rows_of_a_slice_are_asked_for_once(start, row, rows):
    size = start + row * rows
    asked = Asked(size)
    ahead = ReadAhead(asked, start, rows, row).announce
    rng = np.random.default_rng(0)
    for _ in range(200):
        first = int(rng.integers(rows - 1))
        last = min(rows, first + 1 + int(rng.integers(max(1, 500_000 // row))))
        ahead(slice(first, last))
        begin, end = start + first * row, start + last * row
        covered = np.zeros(end - begin, bool)
        for a, b in asked.stretches:
            covered[max(0, a - begin) : max(0, b - begin)] = True
        assert covered.all()
        before = len(asked.stretches)
        ahead(slice(first, last))
        assert len(asked.stretches) == before


@pytest.mark.parametrize(
    "index", [3, slice(None), slice(5, None), slice(-20, -10), slice(10, 10), slice(9000, 9010), slice(0, ROWS)]
)
def test_what_is_no_stretch_of_moderate_length_is_left_alone(index):
    asked = Asked(ROWS * 1024)
    ahead = ReadAhead(asked, 0, ROWS, 1024).announce
    ahead(index)
    assert sum(b - a for a, b in asked.stretches) <= 65_536


@pytest.fixture
def rows(tmp_path):
    data = np.random.default_rng(1).normal(size=(ROWS, WIDTH))
    (tmp_path / "file").write_bytes(bytes(24) + data.tobytes())
    mapped = map_file(tmp_path / "file", "it")[24:].view(np.float64).reshape(ROWS, WIDTH)
    assert np.array_equal(mapped, data)
    return mapped


def test_rows_are_found_in_the_map_below_an_array(rows):
    ahead = ReadAhead.of(rows)
    assert ahead is not None
    array = ArrayWithUnits(rows, [None, None]).reading_ahead(ahead)
    assert np.array_equal(array[100:160, 3:7], rows[100:160, 3:7])
    assert np.array_equal(array[ROWS - 10 :], rows[-10:]) and np.array_equal(array[()], rows)
    assert any(ahead.__self__._is_asked)


def test_what_is_in_memory_or_small_is_not_read_ahead(rows):
    assert ReadAhead.of(np.ones((ROWS, WIDTH))) is None
    assert ReadAhead.of(rows[:3]) is None and ReadAhead.of(rows[:0]) is None


def test_slices_do_not_announce_their_own_slices(rows):
    told = []
    array = ArrayWithUnits(rows, [None, None]).reading_ahead(told.append)
    part = array[10:20]
    part[2:3], array.copy()[5:6], (array + 1)[5:6]
    assert told == [slice(10, 20)]


def test_stored_features_are_read_ahead(tmp_path):
    base = zounds.stft(resample_to=SR11025(), store_fft=True, store_resampled=True, store_ogg=False)
    document = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(base)
    sound = AudioSamples(np.random.default_rng(2).normal(size=11025 * 60) / 8, SR11025())
    document.process(meta=sound.encode(), _id="a")
    found = document("a")
    for feature in (found.fft, found.resampled):
        part = feature[TimeSlice(Milliseconds(200), start=Seconds(9))]
        assert len(part) and any(feature._ahead.__self__._is_asked)
    document.database.close()
