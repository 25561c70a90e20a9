"""A corpus is read as often as asked for, costs no memory where it is mapped, and refuses what none can learn from."""

import errno
import os

import numpy as np
import pytest

from tests.learn.corpora import frames, rows
from zounds_lite import ArrayWithUnits
from zounds_lite.errors import EmptyCorpus, LearnError, NonFiniteFeatures, RaggedCorpus, StoreFull
from zounds_lite.learn import Corpus, Log, Preprocessor
from zounds_lite.learn.spill import Spill, is_mapped


def test_it_is_read_again_and_again():
    chunks = [rows(3), rows(0), rows(5, 1)]
    corpus = Corpus(chunks)
    assert (corpus.rows, len(corpus), corpus.row_shape, corpus.dtype) == (8, 2, (4,), np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(corpus)), np.concatenate(chunks))
    np.testing.assert_array_equal(corpus.concatenated(), np.concatenate(chunks))
    assert len(corpus.example) == 3 and repr(corpus) == "<Corpus of 8 rows in 2 chunks>"


def test_chunks_that_own_their_memory_are_spilled_and_come_back_the_same():
    chunks = [frames(rows(10, i)) for i in range(4)]
    corpus = Corpus(chunks, memory=2 * chunks[0].nbytes)
    assert [kept is chunk for chunk, kept in zip(chunks, corpus, strict=True)] == [True, True, False, False]
    for chunk, kept in zip(chunks, corpus, strict=True):
        assert type(kept) is ArrayWithUnits and kept.dimensions == chunk.dimensions and kept.dtype == chunk.dtype
        np.testing.assert_array_equal(kept, chunk)


def test_maps_are_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", rows(10))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert is_mapped(mapped[2:]) and is_mapped(frames(mapped)) and not is_mapped(rows(3))
    corpus = Corpus([frames(mapped)], memory=0)
    [chunk] = corpus
    assert np.may_share_memory(chunk, mapped)


def test_a_full_disk_is_told(monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StoreFull, match="set TMPDIR"):
        Spill(0).keep(np.zeros(10))


def test_mapping_computes_nothing_before_it_is_read():
    calls = []
    corpus = Corpus([rows(2), rows(3)]).map(lambda chunk: calls.append(len(chunk)) or chunk * 2)
    assert calls == [] and corpus.rows == 5
    np.testing.assert_array_equal(corpus.concatenated(), 2 * np.concatenate([rows(2), rows(3)]))
    assert calls == [2, 3]
    with pytest.raises(TypeError, match="cannot grow"):
        corpus.append(rows(1))


def test_a_mapped_chunk_keeps_its_units():
    corpus = Corpus([frames(rows(5))])
    [step] = Log().run([rows(1)])
    [chunk] = corpus.map(step.op)
    assert chunk.dimensions == frames(rows(5)).dimensions


def test_blocks_and_rows():
    whole = np.concatenate([rows(10), rows(3, 1)])
    corpus = Corpus([rows(10), rows(3, 1)])
    assert [len(block) for block in corpus.blocks(4)] == [4, 4, 2, 3]
    np.testing.assert_array_equal(np.concatenate(list(corpus.blocks(4))), whole)
    assert [len(block) for block in Corpus([rows(2_000_000)]).blocks()] == [524_288, 524_288, 524_288, 427_136]
    wanted = [12, 0, 10, 9, 0]
    np.testing.assert_array_equal(corpus.take(wanted), whole[wanted])
    np.testing.assert_array_equal(corpus.map(np.negative).take([11]), -whole[[11]])
    assert corpus.take([]).shape == (0, 4)
    with pytest.raises(IndexError, match="allowed: 0 to 12"):
        corpus.take([13])


def test_dicts_of_arrays():
    corpus = Corpus([{"data": rows(3), "labels": np.arange(3)}, {"data": rows(2), "labels": np.arange(2)}])
    assert corpus.rows == 5
    assert corpus.concatenated()["labels"].tolist() == [0, 1, 2, 0, 1]
    assert [len(block["data"]) for block in corpus.blocks(2)] == [2, 1, 2]
    assert len(corpus.example["data"]) == 3
    with pytest.raises(RaggedCorpus, match=r"chunk 2 has \['data', 'labels'\] of \[1, 2\] rows"):
        corpus.append({"data": rows(1), "labels": np.arange(2)})
    with pytest.raises(RaggedCorpus, match="needed"):
        corpus.append({"data": rows(1)})


def test_labels_may_be_text():
    corpus = Corpus([{"data": rows(2), "labels": np.array(["a", "b"])}])
    assert corpus.concatenated()["labels"].tolist() == ["a", "b"]
    assert Corpus([np.array(["a"])], text=True).rows == 1


def test_corpora_side_by_side():
    zipped = Corpus.zipped({"a": Corpus([rows(2), rows(3)]).map(np.negative), "b": Corpus([rows(2), rows(3)])})
    assert (zipped.rows, len(zipped)) == (5, 2)
    assert [len(block["a"]) for block in zipped.blocks(2)] == [2, 2, 1] and len(zipped.example["b"]) == 2
    assert [len(block["a"]) for block in zipped.blocks()] == [2, 3]
    for chunk in zipped:
        np.testing.assert_array_equal(chunk["a"], -chunk["b"])
    with pytest.raises(RaggedCorpus, match=r"'b' does not go with 'a': 4 and 5 rows .* differ at chunk 1"):
        Corpus.zipped({"a": Corpus([rows(2), rows(3)]), "b": Corpus([rows(2), rows(2)])})


@pytest.mark.parametrize(
    ("chunk", "match"),
    [
        (rows(2, shape=(5,)), r"chunk 1 \(counted from 0\) has rows of shape \[5\], after rows of shape \[4\]"),
        (np.array(["a"]), r"chunk 1 \(counted from 0\) is <U1 of shape \(1,\); needed: an array of numbers"),
        ([1.0, 2.0], "is list; needed: an array of numbers"),
        (np.float64(3), "is float64; needed"),
        (np.array(3.0), r"of shape \(\); needed"),
        (np.array([object()]), "is object of shape"),
    ],
)
def test_what_does_not_fit_is_refused(chunk, match):
    corpus = Corpus([rows(3)])
    with pytest.raises(RaggedCorpus, match=match):
        corpus.append(chunk)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_named_by_its_chunk(bad):
    chunk = rows(5, 1)
    chunk[3, 2] = bad
    corpus = Corpus([rows(2), chunk])
    with pytest.raises(NonFiniteFeatures, match=r"chunk 1 \(counted from 0\) has 1 NaN or infinite values, .* row 3"):
        corpus.concatenated()


def test_blocks_are_checked_too():
    chunk = rows(50)
    chunk[40, 2] = np.nan
    corpus = Corpus([chunk])
    blocks = corpus.blocks(20)
    assert len(next(blocks)) == 20 and len(next(blocks)) == 20
    with pytest.raises(NonFiniteFeatures, match="the first in row 40"):
        next(blocks)


def test_large_numbers_are_finite():
    assert Corpus([np.full((4, 2), 3e38, np.float32)]).concatenated().shape == (4, 2)


def test_an_empty_corpus():
    for corpus in (Corpus(), Corpus([rows(0)])):
        with pytest.raises(EmptyCorpus, match=r"\d chunks came and none has rows"):
            corpus.concatenated()
    with pytest.raises(LearnError, match="1 chunks"):
        _ = corpus.example


def test_a_preprocessor_without_features_says_so():
    with pytest.raises(EmptyCorpus, match="Preprocessor has nothing to learn from"):
        list(Preprocessor().run([]))
