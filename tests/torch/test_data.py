"""Datasets over stored features: what an item is, for any number of workers and ranks; labels; bad input; memory."""

import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

import zounds_lite as zounds
from tests.torch.spoken import STORE, add, document, rows
from zounds_lite import FeatureDataset, FeatureStream, Milliseconds, collate_ragged
from zounds_lite.errors import (
    DeclarationError,
    DimensionError,
    EmptyCorpus,
    KeyNotFound,
    LabelError,
    NonFiniteFeatures,
    RaggedCorpus,
)
from zounds_lite.learn import stored_rows

CROP = Milliseconds(200)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Twelve documents of 30 to 52 rows, labelled by the parity of their number."""
    model = document(str(tmp_path_factory.mktemp("store") / "sounds.zl"))
    for number in range(12):
        add(model, number, 30 + 2 * number, ["even", "odd"][number % 2], _id=f"sound {number:02}")
    return model


def read(dataset, workers=0, **options):
    """Return all items of a dataset, of which some have labels, as they come."""
    return list(DataLoader(dataset, batch_size=None, num_workers=workers, **options))


def key(item):
    crop = item[0] if isinstance(item, (tuple, list)) else item
    return crop[0, 0].item(), crop[0, 1].item()


def test_a_crop_is_a_stretch_of_its_document(sounds):
    dataset = FeatureDataset(sounds, "bands", CROP, crops=5, seed=1)
    assert len(dataset) == 60 and dataset.sizes.tolist() == list(range(30, 54, 2)) and dataset.left_out == ()
    for i in range(len(dataset)):
        crop = dataset[i]
        number, start = (int(value) for value in key(crop))
        assert crop.dtype == torch.float32 and dataset.ids[i // 5] == f"sound {number:02}"
        np.testing.assert_array_equal(crop, np.asarray(sounds(f"sound {number:02}").bands)[start : start + 20])
    crop[:] = 7  # it is nobody else's
    assert sounds("sound 11").bands[0, 0] == 11
    assert torch.equal(dataset[-1], dataset[59])
    with pytest.raises(IndexError, match="item 60; allowed: 0 to 59"):
        dataset[60]


def test_every_place_is_equally_likely(sounds):
    dataset = FeatureDataset(sounds.where(number=0), "bands", CROP, crops=5500)
    counts = np.bincount([int(key(dataset[i])[1]) for i in range(len(dataset))], minlength=11)
    assert len(counts) == 11 and abs(counts - 500).max() < 5 * 500**0.5
    stream = FeatureStream(sounds, "bands", CROP, length=2400)
    counts = np.bincount([int(key(crop)[0]) for crop in stream])
    assert len(counts) == 12 and abs(counts - 200).max() < 5 * 200**0.5


def test_long_documents_may_count_for_more(sounds):
    dataset = FeatureDataset(sounds, "bands", Milliseconds(100), crops="duration")
    assert len(dataset) == sum(size // 10 for size in range(30, 54, 2))
    drawn = np.bincount([int(key(crop)[0]) for crop in read(dataset)])
    assert drawn.tolist() == [size // 10 for size in range(30, 54, 2)]


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_the_same_for_any_number_of_workers(sounds, workers):
    dataset = FeatureDataset(sounds, "bands", CROP, label="label", crops=2, seed=5)
    stream = FeatureStream(sounds, "bands", CROP, label="label", length=23, seed=5)
    whole = FeatureStream(sounds, "bands", seed=5)
    assert list(map(key, read(dataset, workers))) == list(map(key, read(dataset)))
    for streamed in (stream, whole):
        assert sorted(map(key, read(streamed, workers))) == sorted(map(key, read(streamed)))
    assert len(read(stream, workers)) == 23
    assert sorted(int(key(item)[0]) for item in read(whole, workers)) == list(range(12))


def test_an_epoch_draws_anew_also_with_workers_that_stay(sounds):
    dataset = FeatureDataset(sounds, "bands", CROP, crops=3)
    loader = DataLoader(dataset, batch_size=None, num_workers=1, persistent_workers=True)
    epochs = []
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        epochs.append(list(map(key, loader)))
    assert epochs[0] == epochs[2] != epochs[1]
    other = FeatureDataset(sounds, "bands", CROP, crops=3, seed=1)
    assert list(map(key, read(other))) not in epochs
    streams = [list(map(key, FeatureStream(sounds, "bands", CROP, seed=seed))) for seed in (0, 1)]
    assert streams[0] != streams[1]


def test_ranks_share_an_epoch(sounds):
    parts = [
        list(map(key, read(FeatureStream(sounds, "bands", CROP, length=23, rank=rank, world_size=3), 2)))
        for rank in range(3)
    ]
    assert [len(part) for part in parts] == [8, 8, 8]  # none waits for another
    together = list(map(key, FeatureStream(sounds, "bands", CROP, length=24)))
    assert sorted(sum(parts, [])) == sorted(together)
    whole = [[key(item)[0] for item in FeatureStream(sounds, "bands", rank=rank, world_size=5)] for rank in range(5)]
    assert sorted(sum(whole, [])) == list(range(12))
    dataset = FeatureDataset(sounds, "bands", CROP)
    samplers = [DistributedSampler(dataset, num_replicas=2, rank=rank) for rank in range(2)]
    parts = [list(map(key, DataLoader(dataset, batch_size=None, sampler=sampler))) for sampler in samplers]
    assert sorted(parts[0] + parts[1]) == sorted(map(key, read(dataset)))


def test_processes_that_train_together_are_known(sounds, monkeypatch):
    together = list(map(key, FeatureStream(sounds, "bands", CROP, length=8)))
    stream = FeatureStream(sounds, "bands", CROP, length=8)
    with monkeypatch.context() as patched:
        patched.setattr(torch.distributed, "is_initialized", lambda: True)
        patched.setattr(torch.distributed, "get_rank", lambda: 2)
        patched.setattr(torch.distributed, "get_world_size", lambda: 4)
        assert list(map(key, stream)) == together[2::4]
        assert sorted(map(key, read(stream, 2))) == sorted(together[2::4])
        state = stream.__getstate__()
    stream.__dict__.update(state)  # as in a spawned worker, which does not know of the other processes
    assert list(map(key, stream)) == together[2::4]
    with pytest.raises(DeclarationError, match="0 <= rank < world_size"):
        FeatureStream(sounds, "bands", CROP, rank=2, world_size=2)
    with pytest.raises(DeclarationError, match="needed: both"):
        FeatureStream(sounds, "bands", CROP, rank=0)


def test_spawned_workers_open_the_store_themselves(tmp_path):
    program = (
        "import json, torch\n"
        "from torch.utils.data import DataLoader\n"
        "from zounds_lite import FeatureDataset, Milliseconds\n"
        "from tests.torch.spoken import Spoken, add\n"
        "if __name__ == '__main__':\n"
        "    for number in range(3): add(Spoken, number, 40, _id=str(number))\n"
        "    dataset = FeatureDataset(Spoken, 'bands', Milliseconds(200), label='label', crops=2)\n"
        "    here = [crop for crop, _ in dataset]\n"
        "    loader = DataLoader(dataset, 3, num_workers=1, multiprocessing_context='spawn')\n"
        "    print(json.dumps(torch.equal(torch.cat([batch for batch, _ in loader]), torch.stack(here))))\n"
    )
    (tmp_path / "program.py").write_text(program)
    environment = {**os.environ, STORE: str(tmp_path / "spoken.zl"), "PYTHONPATH": os.getcwd()}
    command = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) is True


def test_a_pickled_dataset_holds_nothing_open(sounds):
    dataset = FeatureDataset(sounds, "bands", CROP, crops=2)
    before = [dataset[i] for i in range(len(dataset))]
    assert len(dataset._stored._open) == 12
    state = dataset._stored.__getstate__()
    assert "_open" not in state and "_lineage" not in state
    dataset._stored.__setstate__(state)
    assert not dataset._stored._open
    assert all(torch.equal(dataset[i], crop) for i, crop in enumerate(before))


def test_labels_are_numbers_of_classes(sounds):
    dataset = FeatureDataset(sounds, "bands", CROP, label="label")
    assert dataset.classes == ("even", "odd") and dataset.labels.tolist() == ["even", "odd"] * 6
    assert [label for _, label in read(dataset)] == [0, 1] * 6
    odd = FeatureDataset(sounds.where(label="odd"), "bands", CROP, label="label", classes=dataset.classes)
    assert {label for _, label in read(odd)} == {1}
    stream = FeatureStream(sounds, "bands", CROP, label="label")
    assert stream.classes == dataset.classes
    assert all(label == int(crop[0, 0]) % 2 for crop, label in stream)
    for kind in (FeatureDataset, FeatureStream):
        with pytest.raises(LabelError, match="'label' of document 'sound 01' is 'odd', which is none of the classes"):
            kind(sounds, "bands", CROP, label="label", classes=["even"])
        with pytest.raises(KeyNotFound, match="no document of Sound has a field 'mood'"):
            kind(sounds, "bands", CROP, label="mood")


def test_numbers_stay_numbers_and_mixed_labels_are_refused():
    model = document()
    add(model, 0, 30, 0.5)
    add(model, 1, 30, 2)
    dataset = FeatureDataset(model, "bands", CROP, label="label")
    assert dataset.classes is None and sorted(float(label) for _, label in read(dataset)) == [0.5, 2.0]
    assert dataset[0][1].dtype == torch.float32
    add(model, 2, 30, "loud")
    for kind in (FeatureDataset, FeatureStream):
        with pytest.raises(LabelError, match="text in 1 document .*has 'loud'"):
            kind(model, "bands", CROP, label="label")


@pytest.fixture
def uneven():
    """Documents of 0, 5, 20 and 40 rows."""
    model = document()
    for count in (0, 5, 20, 40):
        add(model, count, count)
    return model


def test_short_documents_follow_a_rule(uneven):
    with pytest.raises(EmptyCorpus, match="has [05] rows of bands, and 20 are needed; short='pad'"):
        FeatureDataset(uneven, "bands", CROP)
    padded = FeatureDataset(uneven, "bands", CROP, short="pad", pad_value=-9.0)
    assert sorted(padded.sizes) == [5, 20, 40] and len(padded.left_out) == 1
    crops = {int(crop[0, 0]): crop for crop in read(padded)}
    assert crops[5][:5, 1].tolist() == [0, 1, 2, 3, 4] and (crops[5][5:] == -9).all() and len(crops[5]) == 20
    left = FeatureDataset(uneven, "bands", CROP, short="leave_out")
    assert sorted(left.sizes) == [20, 40] and len(left.left_out) == 2
    with pytest.raises(EmptyCorpus, match="none of 4 documents has enough rows"):
        FeatureDataset(uneven, "bands", Milliseconds(1000), short="leave_out")
    with pytest.raises(DeclarationError, match="short='cut'; allowed: 'raise', 'pad', 'leave_out'"):
        FeatureDataset(uneven, "bands", CROP, short="cut")


def test_short_documents_of_a_stream_follow_the_same_rule(uneven):
    with pytest.raises(EmptyCorpus, match="has [05] rows"):
        list(FeatureStream(uneven, "bands", CROP, length=50))
    for rule, drawn in (("leave_out", {20, 40}), ("pad", {5, 20, 40})):
        crops = list(FeatureStream(uneven, "bands", CROP, length=50, short=rule))
        assert {int(crop[0, 0]) for crop in crops} == drawn and {len(crop) for crop in crops} == {20}
    with pytest.raises(EmptyCorpus, match="documents were drawn, and none has"):
        list(FeatureStream(uneven, "bands", Milliseconds(1000), short="leave_out"))
    whole = list(FeatureStream(uneven, "bands", short="leave_out"))
    assert sorted(map(len, whole)) == [5, 20, 40]


def test_no_documents_are_an_error_when_the_dataset_is_made():
    for kind in (FeatureDataset, FeatureStream):
        with pytest.raises(EmptyCorpus, match="has no documents; process some first"):
            kind(document(), "bands", CROP)


def test_what_is_not_finite_is_named():
    model = document()
    values = rows(0, 30)
    values[25] = np.nan
    _id = model.process(meta=[{"label": 1}], bands=[values])
    with pytest.raises(NonFiniteFeatures, match=f"bands of document '{_id}' has NaN .* in row 25"):
        FeatureDataset(model, "bands")[0]
    found = FeatureDataset(model, "bands", Milliseconds(250), crops=50)
    with pytest.raises(NonFiniteFeatures, match="row 25"):
        read(found)


def test_a_feature_without_time_has_no_stretches():
    model = document()
    model.process(meta=[{"label": 1}], bands=[np.ones((30, 2))])
    with pytest.raises(DimensionError, match="has no axis of time"):
        FeatureDataset(model, "bands", CROP)
    assert FeatureDataset(model, "bands")[0].shape == (30, 2)
    with pytest.raises(DimensionError, match="is dict; needed: an array"):
        FeatureDataset(model, "meta")


def test_rates_that_differ_are_named(uneven):
    slow = zounds.SampleRate(Milliseconds(20), Milliseconds(20))
    dimensions = [zounds.TimeDimension(*slow), zounds.IdentityDimension()]
    uneven.process(meta=[{}], bands=[zounds.ArrayWithUnits(np.ones((90, 3), np.float32), dimensions)])
    with pytest.raises(RaggedCorpus, match="are (10|20) rows in document .*resample"):
        FeatureDataset(uneven, "bands", CROP, short="pad")


def test_a_feature_that_is_not_stored_is_computed_for_the_stretch(sounds):
    stored, computed = (FeatureDataset(sounds, name, CROP, crops=2) for name in ("bands", "doubled"))
    assert all(torch.equal(computed[i], 2 * stored[i]) for i in range(len(stored)))


def test_items_can_be_changed_with_chance_of_their_own(sounds):
    def moved(crop, rng):
        return crop + float(rng.uniform())

    dataset = FeatureDataset(sounds, "bands", CROP, transform=moved, dtype=np.float64)
    first, again = read(dataset), read(dataset, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True)) and first[0].dtype == torch.float64
    shifts = {float(crop[0, 2]) for crop in first}
    assert len(shifts) == 12 and 0 < min(shifts) < max(shifts) < 1


def test_items_of_all_lengths_are_collated(sounds):
    dataset = FeatureDataset(sounds, "bands", label="label")
    join = partial(collate_ragged, pad_value=-1.0)
    batches = list(DataLoader(dataset, batch_size=5, collate_fn=join, num_workers=1))
    assert [tuple(batch.shape) for batch, _, _ in batches] == [(5, 38, 3), (5, 48, 3), (2, 52, 3)]
    batch, lengths, labels = batches[0]
    assert lengths.tolist() == [30, 32, 34, 36, 38] and labels.tolist() == [0, 1, 0, 1, 0]
    assert (batch[0, 30:] == -1).all() and torch.equal(batch[0, :30], dataset[0][0])
    batch, lengths = collate_ragged([crop for crop, _ in map(dataset.__getitem__, range(2))])
    assert batch.shape == (2, 32, 3) and lengths.dtype == torch.int64


def test_large_values_stay_on_the_disk_and_small_ones_are_few(tmp_path, monkeypatch):
    model = document(str(tmp_path / "large.zl"))
    wide = zounds.ArrayWithUnits(np.ones((40, 10_000), np.float32), rows(0, 40).dimensions)
    model.process(meta=[{}], bands=[wide], _id="large")
    for number in range(4):
        add(model, number, 40, _id=str(number))
    monkeypatch.setattr(stored_rows, "_MOST_BYTES", 1000)
    dataset = FeatureDataset(model, "bands", CROP)
    shapes = [tuple(crop.shape) for crop in read(dataset)]
    assert shapes == [(20, 3)] * 4 + [(20, 10_000)]
    opened = dataset._stored._open
    assert opened["large"].nbytes == 0 and sum(one.nbytes for one in opened.values()) <= 1000
    monkeypatch.setattr(stored_rows, "_MOST_OPEN", 2)
    assert len(read(dataset)) == 5 and len(dataset._stored._open) <= 2


def test_arguments_out_of_range_are_refused(sounds):
    for options, message in (
        ({"crops": 0}, "crops=0"),
        ({"crops": "all"}, "crops='all'"),
        ({"seed": -1}, "seed=-1"),
        ({"duration": Milliseconds(0)}, "duration="),
    ):
        with pytest.raises(DeclarationError, match=message):
            FeatureDataset(sounds, "bands", **{"duration": CROP, **options})
    with pytest.raises(DeclarationError, match="length=0"):
        FeatureStream(sounds, "bands", CROP, length=0)
    with pytest.raises(DeclarationError, match="only with a duration"):
        FeatureStream(sounds, "bands", length=3)
    assert "stretches" in repr(FeatureStream(sounds, "bands", CROP)) and "12 doc" in repr(
        FeatureDataset(sounds, "bands")
    )
