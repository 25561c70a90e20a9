"""Hashes of rows: bits that tell angles, balanced, seeded, the same for any chunks."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, EmptyCorpus, NotInvertible, RaggedCorpus
from zounds_lite.learn import Pipeline, SimHash, hyperplanes, simhash
from zounds_lite.learn.hashing import packed


def train(chunks, **arguments):
    [step] = SimHash(**arguments).run(chunks)
    return step


def rows_of(count=200, features=16, seed=0):
    return np.random.default_rng(seed).normal(size=(count, features))


def test_planes():
    planes = hyperplanes(np.full(3, 100.0), np.array([1.0, 0.0, 5.0]), 20_000, rng=0)
    assert planes.shape == (20_000, 3)
    assert np.allclose(planes.mean(axis=0), 0, atol=0.2)
    assert np.allclose(planes.std(axis=0), np.array([1.0, 0.0, 5.0]) * np.sqrt(2), rtol=0.02)
    assert np.array_equal(planes[:5], hyperplanes(np.zeros(3), [1, 0, 5], 20_000, np.random.default_rng(0))[:5])
    with pytest.raises(ValueError, match="one of each for each feature"):
        hyperplanes(np.zeros(3), np.ones(4), 8)
    with pytest.raises(DeclarationError, match="n_planes=0"):
        hyperplanes(np.zeros(3), np.ones(3), 0)
    with pytest.raises(DeclarationError, match="not negative"):
        hyperplanes(np.zeros(1), -np.ones(1), 1)
    with pytest.raises(DeclarationError, match="finite"):
        hyperplanes(np.zeros(1), np.full(1, np.nan), 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sides_are_the_sides_whatever_the_number_of_rows(dtype):
    planes = hyperplanes(np.zeros(16), np.ones(16), 100, rng=1).astype(dtype)
    rows = rows_of().astype(dtype)
    rows[:100] -= (np.einsum("ij,ij->i", rows[:100], planes) / (planes**2).sum(axis=1))[:, None] * planes  # on planes
    expected = np.einsum("ij,kj->ik", rows.astype(np.float64), planes.astype(np.float64)) > 0
    whole = simhash(planes, rows)
    assert whole.dtype == np.uint8
    assert np.array_equal(whole[100:], expected[100:])
    assert (whole == expected).mean() > 0.998
    for step in (1, 3, 64):
        assert np.array_equal(np.concatenate([simhash(planes, rows[i : i + step]) for i in range(0, 200, step)]), whole)
    assert np.array_equal(simhash(planes, rows.reshape(200, 4, 4)), whole)
    with pytest.raises(DimensionError, match="15 features"):
        simhash(planes, rows[:, 1:])


def test_bits_that_differ_tell_the_angle():
    step = train([rows_of(5000)], bits=4096)
    first, second = rows_of(2, seed=5)
    for rows in (np.stack([first, second]), np.stack([first, first + 0.1 * second])):
        x, y = (rows - step.mean) * step.planes.std(axis=0)  # planes are as wide as the data
        angle = np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y)) / np.pi
        bits = step.op(rows)
        assert np.mean(bits[0] != bits[1]) == pytest.approx(angle, abs=0.03)


def test_bits_are_balanced_where_data_are_far_from_zero():
    rows = 1000 + rows_of(4000)
    share = train([rows], bits=64).op(rows).mean(axis=0)
    assert 0.45 < share.min() <= share.max() < 0.55


@pytest.mark.parametrize("bits", [1, 7, 63, 64, 65, 100, 1024])
def test_any_number_of_bits_is_packed(bits):
    rows = rows_of()
    plain = train([rows], bits=bits)
    words = train([rows], bits=bits, packbits=True).op(rows)
    assert plain.op(rows).shape == (200, bits)
    assert (words.shape, words.dtype) == ((200, -(-bits // 64)), np.uint64)
    unpacked = np.unpackbits(words.view(np.uint8), axis=1)
    assert np.array_equal(unpacked[:, :bits], plain.op(rows))
    assert not unpacked[:, bits:].any()
    assert packed(np.empty((0, bits), np.uint8)).shape == (0, -(-bits // 64))


def test_chunks_make_no_difference_and_seeds_do():
    rows = rows_of()
    step = train([rows], bits=128)
    again = train(np.split(rows, [1, 50]), bits=128)
    assert np.mean(step.op(rows) != again.op(rows)) < 1e-3  # the mean is that of the whole corpus, up to rounding
    assert np.mean(step.op(rows) != train([rows], bits=128, seed=1).op(rows)) > 0.2
    assert step.version == train([rows], bits=128).version


def test_what_never_changes_has_no_say():
    rows = rows_of()
    rows[:, 3] = 7.0
    step = train([rows], bits=64)
    other = rows.copy()
    other[:, 3] = -1e6
    assert np.array_equal(step.op(rows), step.op(other))
    constant = train([np.full((5, 4), 3.0)], bits=8)
    assert not constant.op(np.full((2, 4), 3.0)).any()
    assert train([np.ones((1, 4))], bits=8).op(np.zeros((1, 4))).shape == (1, 8)


def test_units_and_shapes():
    time = zounds.TimeDimension(zounds.Seconds(1))
    rows = ArrayWithUnits(rows_of().reshape(200, 4, 4), [time, IdentityDimension(), IdentityDimension()])
    step = train([rows], bits=32)
    result = Pipeline([step]).transform(rows)
    assert result.data.dimensions == (time, IdentityDimension())
    with pytest.raises(NotInvertible):
        result.inverse_transform()
    with pytest.raises(DimensionError, match=r"each of shape \[4, 4\]"):
        step.op(rows_of())
    whole = np.arange(12, dtype=np.int16).reshape(6, 2)
    assert np.array_equal(train([whole], bits=8).op(whole), train([whole * 1.0], bits=8).op(whole * 1.0))


@pytest.mark.parametrize("bits", [None, 0, -64, 1.5])
def test_numbers_of_bits_are_whole(bits):
    with pytest.raises(DeclarationError, match="bits="):
        SimHash(bits)


def test_what_cannot_be_hashed_is_refused():
    with pytest.raises(EmptyCorpus):
        train([], bits=8)
    with pytest.raises(RaggedCorpus, match="AbsoluteValue"):
        train([np.ones((2, 2), complex)], bits=8)
    with pytest.raises(DimensionError, match="AbsoluteValue"):
        train([rows_of()], bits=8).op(np.ones((2, 16), complex))
