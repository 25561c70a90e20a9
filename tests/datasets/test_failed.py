"""Items that could not be made: every use of one gives the reason, and only the questions of Python itself do not."""

import copy
import pickle

import pytest

import zounds_lite as zounds
from tests.sounds import sine, write
from zounds_lite import FailedItem
from zounds_lite.errors import InvalidItem


def test_every_use_gives_the_reason():
    item = FailedItem("clips.csv, row 3", InvalidItem("no path"), 3)
    assert (item.name, item.number, item.reason, repr(item), str(item)) == (
        "clips.csv, row 3", 3, "no path", "clips.csv, row 3", "clips.csv, row 3: no path",
    )  # fmt: skip
    for name in ("uri", "request", "label"):
        with pytest.raises(InvalidItem, match="no path"):
            getattr(item, name)
    assert not hasattr(item, "_repr_html_")


def test_it_can_be_copied_and_sent():
    item = FailedItem("clips.csv, row 3", InvalidItem("no path"), 3)
    for other in (copy.copy(item), copy.deepcopy(item), pickle.loads(pickle.dumps(item))):
        assert other == item and hash(other) == hash(item) and other.number == 3
    assert item != FailedItem("clips.csv, row 4", InvalidItem("no path"), 4)
    assert item != "clips.csv, row 3"


def test_a_document_of_it_is_refused_with_the_reason():
    @zounds.simple_in_memory_settings
    class Sound(zounds.resampled()):
        pass

    with pytest.raises(InvalidItem, match="no path"):
        Sound.process(meta=FailedItem("clips.csv, row 3", InvalidItem("no path")))
    assert list(Sound) == []


def test_ingest_names_it_and_goes_on(tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(zounds.resampled(store_ogg=False)):
        pass

    good = str(write(tmp_path / "a.wav", sine(seconds=0.1)))
    dataset = [FailedItem("clips.csv, row 2", InvalidItem("no path")), zounds.AudioMetaData(uri=good, label=7)]
    for _ in range(2):
        report = zounds.ingest(dataset, Sound, progress=False)
        assert [(failure.id, failure.reason) for failure in report.failed] == [
            ("clips.csv, row 2", "InvalidItem: no path")
        ]
        assert report.processed + report.skipped == [good]
    assert Sound(good).meta["label"] == 7


def test_composites_and_caches_pass_it_on(tmp_path):
    item = FailedItem("clips.csv, row 2", InvalidItem("no path"))
    assert list(zounds.CompositeDataset([item], [item])) == [item, item]
    assert list(zounds.DataSetCache(tmp_path, [item])) == [item]
