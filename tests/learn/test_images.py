"""Folders of labelled pictures: order, labels from names alone, and what is refused."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError, DecodeError, EmptyCorpus, LabelError, RaggedCorpus
from zounds_lite.learn import labelled_images
from zounds_lite.visualization import png_bytes


def picture(path, value=0, shape=(4, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(np.full(shape, value, np.uint8)))


def test_pictures_come_in_the_order_of_their_numbers_with_the_labels_of_their_names(tmp_path):
    folder = tmp_path / "my_label_9_notes"  # what a folder is called is no label
    for second in (10, 2, 0, 33):
        picture(folder / f"second_{second}_label_{second % 3}.png", second)
    found = labelled_images(folder)
    assert found.documents.tolist() == [f"second_{i}_label_{i % 3}.png" for i in (0, 2, 10, 33)]
    assert found.labels.tolist() == [0, 2, 1, 0] and found.labels.dtype.kind == "i"
    assert found.data.dtype == np.float32 and found.data.shape == (4, 4, 6)
    assert np.array_equal(np.rint(found.data[:, 0, 0] * 255), [0, 2, 10, 33])


def test_words_colours_and_folders(tmp_path):
    picture(tmp_path / "a" / "x-flute.png", 255, (2, 3, 3))
    picture(tmp_path / "b" / "y-drum.png", 0, (2, 3, 3))
    found = labelled_images(tmp_path, label=r"-(\w+)$", pattern="**/*.png")
    assert found.labels.tolist() == ["flute", "drum"] and found.data.shape == (2, 2, 3, 3)
    assert found.documents.tolist() == ["a/x-flute.png", "b/y-drum.png"]
    assert found.data.min() == 0.0 and found.data.max() == 1.0


def test_one_word_among_numbers_makes_all_of_them_words(tmp_path):
    for i, label in enumerate(("1", "two", "01")):
        picture(tmp_path / f"{i}_label_{label}.png")
    assert labelled_images(tmp_path).labels.tolist() == ["1", "two", "01"]


def test_what_is_refused(tmp_path):
    with pytest.raises(EmptyCorpus, match=r"has no files '\*\.png'"):
        labelled_images(tmp_path)
    picture(tmp_path / "second_0_label_1.png")
    for bad, says in (("label_[", "no regular expression"), (r"label_\d", "0 groups"), (r"(l)(a)", "2 groups")):
        with pytest.raises(DeclarationError, match=says):
            labelled_images(tmp_path, label=bad)
    picture(tmp_path / "second_1_label_1.png", shape=(4, 7))
    with pytest.raises(RaggedCorpus, match=r"second_1_label_1\.png is \[4, 7\], second_0_label_1\.png \[4, 6\]"):
        labelled_images(tmp_path)
    (tmp_path / "second_1_label_1.png").write_bytes(b"no picture")
    with pytest.raises(DecodeError, match=r"second_1_label_1\.png: no PNG"):
        labelled_images(tmp_path)
    picture(tmp_path / "cover.png")
    with pytest.raises(LabelError, match=r"1 of 3 names have no label 'label_\(\\\\w\+\)', such as 'cover\.png'"):
        labelled_images(tmp_path)


def test_images_are_examples_to_split_and_learn_from(tmp_path):
    for i in range(12):
        picture(tmp_path / f"{i}_label_{i % 2}.png", 40 + 150 * (i % 2))
    images = labelled_images(tmp_path)
    train, test = zounds.stratified_split(images, test=0.3)
    [step] = zounds.LogisticRegression().run([{"data": images.data[train], "labels": images.labels[train]}])
    assert np.array_equal(step.op(images.data[test]), images.labels[test])
