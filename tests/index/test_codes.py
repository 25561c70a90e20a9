"""Binary codes: the kernel against a plain one, for all shapes."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.index import codes as codes_module
from zounds_lite.index.codes import check_code_size, nearest_codes, pack_codes, to_words


def plain(codes, query, k, dead=None):
    """Search by unpacked bits: distances and rows, nearest first, equal ones in their order."""
    distances = np.unpackbits((codes ^ query).view(np.uint8), axis=1).sum(axis=1)
    rows = np.arange(len(codes)) if dead is None else np.flatnonzero(~dead)
    order = np.argsort(distances[rows], kind="stable")[:k]
    return distances[rows][order], rows[order]


@given(
    n=st.integers(1, 300),
    words=st.integers(1, 9),
    k=st.integers(1, 20),
    bits=st.integers(1, 64),
    seed=st.integers(0, 99),
    is_dead=st.booleans(),
)
def test_the_nearest_are_those_of_a_search_by_unpacked_bits(n, words, k, bits, seed, is_dead):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2**bits, (n, words), dtype=np.uint64)  # few bits make many equal distances
    queries = np.concatenate([codes[:1], ~codes[:1], rng.integers(0, 2**bits, (1, words), dtype=np.uint64)])
    dead = rng.integers(0, 2, n).astype(bool) if is_dead else None
    for query, found in zip(queries, nearest_codes(codes, queries, k, dead), strict=True):
        distances, rows = plain(codes, query, k, dead)
        np.testing.assert_array_equal(found.rows, rows)
        np.testing.assert_array_equal(found.distances, distances)


def test_blocks_do_not_show(monkeypatch):
    monkeypatch.setattr(codes_module, "_BLOCK", 1)
    monkeypatch.setattr(codes_module, "_own", type(codes_module._own)())
    codes = np.random.default_rng(0).integers(0, 2**8, (1000, 4), dtype=np.uint64)
    (found,) = nearest_codes(codes, codes[500:501], 300)
    distances, rows = plain(codes, codes[500], 300)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.distances, distances)


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
def test_threads_do_not_show(threads, monkeypatch):
    monkeypatch.setattr(codes_module, "_SHARE", 10)
    codes = np.random.default_rng(0).integers(0, 2**6, (501, 2), dtype=np.uint64)
    for query, found in zip(codes[:3], nearest_codes(codes, codes[:3], 40, threads=threads), strict=True):
        np.testing.assert_array_equal(found.rows, plain(codes, query, 40)[1])


def test_codes_that_differ_in_every_bit_of_256_are_256_apart():
    codes = np.array([[0] * 4, [2**64 - 1] * 4], np.uint64)
    (found,) = nearest_codes(codes, codes[:1], 2)
    assert found.distances.tolist() == [0, 256]


def test_packing_keeps_the_order_of_the_bits():
    bits = np.random.default_rng(0).integers(0, 2, (7, 136))
    packed = pack_codes(bits.astype(bool))
    np.testing.assert_array_equal(np.unpackbits(packed, axis=1), bits)
    np.testing.assert_array_equal(pack_codes(bits.astype(np.uint8)), packed)
    words = to_words(packed)
    assert words.shape == (7, 3)
    np.testing.assert_array_equal(pack_codes(words)[:, :17], packed)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (np.zeros((2, 12), bool), "12 bits in a row; allowed: a multiple of 8"),
        (np.full((2, 8), 3, np.uint8), "value 3; allowed: bits as 0 and 1"),
        (np.zeros((2, 8)), "codes of float64; allowed: bool"),
        (np.zeros((2, 0), bool), "codes of 0 bytes"),
        (np.zeros((1, 10**5), bool), "codes of 12500 bytes"),
        (np.uint64(3), "no row of bits"),
    ],
)
def test_what_is_no_code_is_refused(data, match):
    with pytest.raises(DimensionError, match=match):
        pack_codes(data, "codes of 'a'")


@pytest.mark.parametrize("size", [0, 7, -8, 8.0, True, 8192, "8"])
def test_code_sizes_are_multiples_of_eight(size):
    with pytest.raises(DeclarationError, match="allowed"):
        check_code_size(size)


def test_queries_are_as_long_as_codes():
    with pytest.raises(DimensionError, match="codes of 2 words"):
        nearest_codes(np.zeros((3, 2), np.uint64), np.zeros((1, 1), np.uint64), 1)
