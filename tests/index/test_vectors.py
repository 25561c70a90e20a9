"""Vectors: the search in single precision against one in double precision."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.index import vectors as vectors_module
from zounds_lite.index.vectors import METRICS, check_metric, nearest_vectors, with_norms

every_metric = pytest.mark.parametrize("metric", METRICS)


def plain(rows, query, metric):
    rows, query = rows.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return np.sqrt(((rows - query) ** 2).sum(axis=1))
    inner = (rows * query).sum(axis=1)
    if metric == "inner_product":
        return -inner
    norms = np.sqrt((rows**2).sum(axis=1)) * np.sqrt((query**2).sum())
    return 1 - np.divide(inner, norms, out=np.zeros_like(inner), where=norms > 0)


def check(rows, query, k, metric, dead=None):
    rows = np.asarray(rows, np.float32)
    (found,) = nearest_vectors(with_norms(rows), with_norms(query[None]), k, metric, dead)
    wanted = plain(rows, np.asarray(query, np.float32), metric)
    if dead is not None:
        wanted[dead] = np.inf
    alive = len(rows) if dead is None else int((~dead).sum())
    order = np.argsort(wanted, kind="stable")[: min(k, alive)]
    assert len(found.rows) == len(order) == len(set(found.rows.tolist()))
    scale = 1e-12 * (1 + np.abs(wanted[np.isfinite(wanted)]).max(initial=0))
    np.testing.assert_allclose(found.distances, wanted[order], rtol=1e-9, atol=scale)
    np.testing.assert_allclose(wanted[found.rows], wanted[order], rtol=1e-9, atol=scale)
    return found


@given(
    n=st.integers(1, 200),
    size=st.integers(1, 40),
    k=st.integers(1, 12),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    metric=st.sampled_from(METRICS),
    is_dead=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_nearest_are_those_of_a_search_in_double_precision(n, size, k, offset, scale, metric, is_dead, seed):
    rng = np.random.default_rng(seed)
    rows = scale * (offset + rng.integers(-2, 3, (n, size)) + 1e-3 * rng.standard_normal((n, size)))
    dead = rng.integers(0, 2, n).astype(bool) if is_dead else None
    check(rows, rows[-1] + scale * 1e-4, k, metric, dead)


@every_metric
def test_blocks_do_not_show(metric, monkeypatch):
    monkeypatch.setattr(vectors_module, "_BLOCK", 1)
    monkeypatch.setattr(vectors_module, "_EXACT", 100)
    rows = np.random.default_rng(0).standard_normal((700, 16))
    check(rows, rows[300], 50, metric)


@every_metric
def test_equal_rows_come_in_their_order(metric, monkeypatch):
    monkeypatch.setattr(vectors_module, "_BLOCK", 1)
    rows = np.tile(np.float32([3, 4]), (500, 1))
    (found,) = nearest_vectors(with_norms(rows), with_norms(rows[:1]), 7, metric)
    assert found.rows.tolist() == list(range(7))


def test_a_large_common_offset_does_not_hide_small_distances():
    rows = 1e4 + np.arange(1000)[:, None] * np.float32(2.0**-9) + np.zeros((1, 32))
    found = check(rows, rows[400], 3, "euclidean")
    assert found.rows.tolist() == [400, 399, 401] and found.distances[0] == 0


def test_rows_of_zeros_are_at_a_right_angle_to_everything():
    found = check(np.zeros((3, 4)), np.ones(4), 2, "cosine")
    assert found.distances.tolist() == [1, 1]
    check(np.eye(4), np.zeros(4), 2, "cosine")


def test_many_queries_at_once_find_what_each_finds_alone():
    rng = np.random.default_rng(0)
    rows = with_norms(rng.standard_normal((500, 8)))
    queries = with_norms(rng.standard_normal((600, 8)))
    together = nearest_vectors(rows, queries, 3, "euclidean")
    for index in (0, 127, 128, 599):
        (alone,) = nearest_vectors(rows, queries[index : index + 1], 3, "euclidean")
        np.testing.assert_array_equal(together[index].rows, alone.rows)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ([[1.0, np.nan]], r"row 0 \(1 in all\) holds NaN"),
        ([[1.0, 2], [np.inf, 3]], "row 1 "),
        ([[1e30]], "beyond 1e19"),
        ([[1j]], "values of complex128; allowed: real numbers"),
        ([["a"]], "values of <U1"),
        (3.0, "a single number"),
    ],
)
def test_what_has_no_distance_is_refused(data, match):
    with pytest.raises(DimensionError, match=match):
        with_norms(data, "numbers of 'a'")


def test_metrics_and_sizes_are_checked():
    with pytest.raises(DeclarationError, match="metric='manhattan'; allowed: euclidean, cosine, inner_product"):
        check_metric("manhattan")
    with pytest.raises(DimensionError, match="3 values for rows of 2 values"):
        nearest_vectors(with_norms([[1, 2]]), with_norms([[1, 2, 3]]), 1, "cosine")
