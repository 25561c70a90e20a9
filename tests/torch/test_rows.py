"""Rows of training data: any of them, from memory maps, from memory, or from a temporary file."""

import numpy as np
import pytest
import torch

from zounds_lite.errors import LearnError, RaggedCorpus
from zounds_lite.learn import Corpus, Multiply
from zounds_lite.learn.nets.rows import Rows
from zounds_lite.learn.nets.tensors import tensor_of


def chunks(count=5, rows=4):
    whole = np.arange(count * rows * 3, dtype=np.float32).reshape(-1, 3)
    return whole, np.split(whole, count)


@pytest.mark.parametrize("memory", [0, 100, 10**6])
def test_any_rows_in_any_order(memory):
    whole, parts = chunks()
    rows = Rows.of(Corpus([{"data": part, "labels": part[:, 0] + 1} for part in parts]), memory=memory)
    wanted = np.random.default_rng(0).permutation(len(whole))
    assert len(rows) == 20 and rows.names == ["data", "labels"]
    assert np.array_equal(rows.take(wanted), whole[wanted])
    assert np.array_equal(rows.take(wanted[:5], "labels"), whole[wanted[:5], 0] + 1)
    assert rows.take([]).shape == (0, 3)
    taken = rows.take([1])
    taken[:] = -1  # a copy
    assert np.array_equal(rows.take([1]), whole[[1]])


def test_memory_maps_stay_where_they_are(tmp_path):
    whole, _ = chunks()
    whole.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float32, "r").reshape(-1, 3)
    rows = Rows.of(Corpus([mapped[:8], mapped[8:]]))
    assert np.array_equal(rows.take([9, 0]), whole[[9, 0]])
    assert all(np.may_share_memory(chunk, mapped) for chunk in rows._columns["data"]._chunks)


def test_what_another_step_makes_of_the_corpus():
    whole, parts = chunks()
    [step] = Multiply(2.0).run(parts)
    assert np.array_equal(Rows.of(step.data).take([7, 3]), 2 * whole[[7, 3]])


def test_a_column_that_is_two_is_read_once():
    _, parts = chunks()
    reads = []
    corpus = Corpus(parts).map(lambda chunk: reads.append(1) or chunk)
    rows = Rows.of({"data": corpus, "labels": corpus})
    assert len(reads) == 5 and rows.names == ["data", "labels"]


def test_training_sets_are_told_apart():
    whole, parts = chunks()
    assert Rows.of(whole).digest() == Rows.of(Corpus(parts)).digest()
    others = [whole[:-1], whole + 1, whole.astype(np.float64), {"rows": whole}]
    assert len({Rows.of(other).digest() for other in [whole, *others]}) == 5


def test_tensors_and_lists_are_rows_too():
    rows = Rows.of({"data": torch.arange(6.0).reshape(3, 2), "labels": [1, 0, 1], "groups": ["a", "b", "a"]})
    assert rows.take([2]).tolist() == [[4.0, 5.0]] and rows.take([2], "groups").tolist() == ["a"]


def test_rows_that_are_none():
    with pytest.raises(LearnError, match=r"data is float64 of shape \(\); needed: an array of numbers"):
        Rows.of(np.float64(1))
    with pytest.raises(RaggedCorpus, match="data has 3 rows, labels has 2 rows"):
        Rows.of({"data": np.zeros((3, 1)), "labels": np.zeros(2)})


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float64, torch.float32),
        (np.float16, torch.float32),
        (">f4", torch.float32),
        (np.uint8, torch.int64),
        (np.int16, torch.int64),
        (bool, torch.bool),
    ],
)
def test_batches_become_tensors(dtype, expected):
    array = np.array([[0, 1], [1, 0]], dtype)
    array.flags.writeable = False
    tensor = tensor_of(array, torch.float32, torch.device("cpu"))
    assert tensor.dtype == expected and tensor.tolist() == [[0, 1], [1, 0]]
    assert tensor_of(torch.ones(2), torch.float64, torch.device("cpu")).dtype == torch.float32
