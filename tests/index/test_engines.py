"""faiss as an engine, played by a module in its place: what is asked of it, and what is made of the answer."""

import sys
import types

import numpy as np
import pytest

from tests.index.documents import put, sound_class
from zounds_lite.errors import DeclarationError, OptionalDependencyError
from zounds_lite.index import HammingDb, HammingIndex, VectorIndex


class Flat:
    """An exact index with faiss' interface."""

    made = 0

    def __init__(self, size):
        type(self).made += 1
        self.rows = []

    def add(self, rows):
        assert rows.flags.c_contiguous and rows.ndim == 2
        self.rows += list(rows)

    def search(self, queries, k):
        found = np.array([[self.measure(row, query) for row in self.rows] for query in queries])
        labels = np.argsort(found * self.sign, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(found, labels, axis=1), labels


class IndexBinaryFlat(Flat):
    sign = 1

    def measure(self, row, query):
        assert row.dtype == query.dtype == np.uint8
        return np.unpackbits(row ^ query).sum()


class IndexFlatL2(Flat):
    sign = 1

    def measure(self, row, query):
        assert row.dtype == query.dtype == np.float32
        return ((row - query) ** 2).sum()


class IndexFlatIP(Flat):
    sign = -1

    def measure(self, row, query):
        return row @ query


@pytest.fixture
def faiss(monkeypatch):
    module = types.ModuleType("faiss")
    for kind in (IndexBinaryFlat, IndexFlatL2, IndexFlatIP):
        kind.made = 0
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "faiss", module)
    return module


def same(one, other):
    assert [tuple(result) for result in one] == [tuple(result) for result in other]
    np.testing.assert_allclose(one.distances, other.distances, rtol=1e-5, atol=1e-5)


def check(make, feature, faiss_class):
    model = sound_class()
    for _id in "ab":
        put(model, _id, numbers=np.random.default_rng(ord(_id)).standard_normal((5, 8)))
    with make(model, engine="numpy") as numpy_index, make(model, engine="faiss") as index:
        for change in (None, lambda: put(model, "c", numbers=np.zeros((2, 8))), lambda: model.delete("a")):
            if change:
                change()
            numpy_index.update()
            index.update()
            query = np.asarray(getattr(model("b"), feature))[3]
            same(index.search(query, 4), numpy_index.search(query, 4))
            same(index.search(query, 99), numpy_index.search(query, 99))
    assert faiss_class.made == 2  # at first, and where something went away; what comes is added


def test_binary_codes(faiss):
    check(lambda model, engine: HammingIndex(model, model.code, engine=engine), "code", faiss.IndexBinaryFlat)


@pytest.mark.parametrize(
    ("metric", "kind"),
    [("euclidean", IndexFlatL2), ("cosine", IndexFlatIP), ("inner_product", IndexFlatIP)],
)
def test_vectors(faiss, metric, kind):
    check(lambda model, engine: VectorIndex(model, "numbers", metric=metric, engine=engine), "numbers", kind)


def test_payloads(faiss, tmp_path):
    with HammingDb(tmp_path, engine="faiss") as db:
        db.extend([(bytes([n] * 8), str(n)) for n in (3, 1, 0)])
        assert list(db.search(bytes(8), 2)) == [b"0", b"1"]


def test_numpy_is_the_default_and_other_engines_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    model = sound_class()
    HammingIndex(model, model.code).close()
    with pytest.raises(OptionalDependencyError, match=r"pip install 'zounds_lite\[faiss\]'"):
        HammingIndex(model, model.code, engine="faiss")
    with pytest.raises(DeclarationError, match="engine='annoy'; allowed: numpy, faiss"):
        VectorIndex(model, model.numbers, engine="annoy")
