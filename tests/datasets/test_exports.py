"""Features of documents in other formats: the same numbers, ids, labels and axes, whole or not at all."""

import csv
import io
import json
import sys
import tarfile

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import Manifest, featureflow as ff
from zounds_lite.datasets.exports import (
    export_clips,
    export_csv,
    export_hdf5,
    export_npz,
    export_parquet,
    export_webdataset,
    read_axes,
)
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    EmptyDataset,
    KeyNotFound,
    OptionalDependencyError,
    OutputError,
    RaggedCorpus,
)
from zounds_lite.soundfile import AudioMetaData

RATE = zounds.SR11025()
LABELS = {"a/one.wav": 'say "x", é 音', "b/two.wav": "=HYPERLINK(1)", "c/three.wav": "rock\nand roll"}
SIZES = dict(zip(LABELS, (11_025, 5_000, 20_000), strict=True))


def sound(size, seed=0):
    return zounds.AudioSamples(np.random.default_rng(seed).uniform(-0.5, 0.5, size).astype(np.float32), RATE)


def number_or_text(meta):
    """A feature that is no number for one of the documents."""
    take = meta["take"] if isinstance(meta, dict) else getattr(meta, "take", 0)
    return "quiet" if take == 1 else 0.5 + take


def made_model(folder):
    base = zounds.stft(resample_to=RATE, store_ogg=False)

    @zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)
    class Sound(base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=base.fft, store=True)
        level = ff.JSONFeature(number_or_text, needs=base.meta, store=True)
        onsets = ff.JSONFeature(lambda meta: [0, 1], needs=base.meta, store=False)

    return Sound


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    Sound = made_model(tmp_path_factory.mktemp("store"))
    for seed, (_id, label) in enumerate(LABELS.items()):
        Sound.process(meta=AudioMetaData(uri=sound(SIZES[_id], seed).encode(), label=label, take=seed), _id=_id)
    return Sound


def ids_of(documents):
    return [document._id for document in documents]


def test_hdf5(model, tmp_path):
    h5py = pytest.importorskip("h5py")
    report = export_hdf5(model, tmp_path / "x.h5", compression="gzip", progress=False)
    assert report.written == ids_of(model) and str(report).endswith("x.h5: 3 documents, 0 failed")
    with h5py.File(tmp_path / "x.h5") as file:
        assert list(file["features"]) == ["bark"] and file["ids"].asstr()[()].tolist() == ids_of(model)
        starts, stored = file["starts/bark"][()], file["features/bark"]
        assert stored.compression == "gzip" and stored.dtype == np.float32
        for i, document in enumerate(model):
            assert np.array_equal(stored[starts[i] : starts[i + 1]], document.bark)
            assert json.loads(file["metadata"].asstr()[i])["label"] == LABELS[document._id]
        assert read_axes(stored.attrs["dimensions"]) == list(next(iter(model)).bark.dimensions)
    for wrong in ("{", "3", None):
        with pytest.raises(CorruptValue, match="describes no axes"):
            read_axes(wrong)


def test_hdf5_of_documents_that_differ(model, tmp_path):
    h5py = pytest.importorskip("h5py")
    report = export_hdf5(model, tmp_path / "x.h5", ["bark", "level"], progress=False)
    (failure,) = report.failed
    assert failure.id == "b/two.wav" and "level is a str, which is no array of numbers" in failure.reason
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["features/level"].shape == (2,) and file["starts/level"][()].tolist() == [0, 1, 2]

    @zounds.simple_in_memory_settings
    class Rows(ff.BaseModel):
        rows = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    for width in (3, 4):
        Rows.process(rows=[zounds.ArrayWithUnits(np.ones((2, width)), [None, None])])
    report = export_hdf5(Rows, tmp_path / "y.h5", progress=False)
    assert len(report.written) == 1 and "those before have" in report.failed[0].reason
    assert len(export_npz(Rows, tmp_path / "y", progress=False).written) == 2


def test_npz(model, tmp_path):
    report = export_npz(model.where(take=[0, 2]), tmp_path / "out", ["bark", "fft"], progress=False)
    assert report.written == ["a/one.wav", "c/three.wav"]
    paths = sorted((tmp_path / "out").glob("*.npz"))
    assert [path.name.split("-")[0] for path in paths] == ["one", "three"]
    with np.load(paths[0]) as found:
        assert np.array_equal(found["bark"], model("a/one.wav").bark) and found["fft"].dtype == np.complex64
        assert str(found["id"]) == "a/one.wav" and json.loads(str(found["metadata"]))["take"] == 0
        assert len(json.loads(str(found["bark.dimensions"]))) == 2
    for folder, compressed in (("large", False), ("small", True), ("again", True)):
        assert len(export_npz(model, tmp_path / folder, compressed=compressed, progress=False).written) == 3
    (name,) = (path.name for path in (tmp_path / "small").glob("one*"))
    data = {folder: (tmp_path / folder / name).read_bytes() for folder in ("large", "small", "again")}
    assert len(data["small"]) < len(data["large"]) and data["small"] == data["again"]


def test_a_folder_goes_on_and_begins_anew_when_it_was_complete(model, tmp_path, monkeypatch):
    count = 0
    write_array = np.lib.format.write_array

    def interrupted(file, array, **options):
        nonlocal count
        count += 1
        write_array(file, array, **options)
        if count == 6:  # four arrays and texts for each document
            raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_npz(model, tmp_path / "out", progress=False)
    monkeypatch.undo()
    assert len(list((tmp_path / "out").iterdir())) == 2  # nothing half, and the note
    with pytest.raises(OutputError, match="from an export of other documents or features"):
        export_npz(model, tmp_path / "out", "fft", progress=False)
    (tmp_path / "out" / ".one.npz.0123.partial").write_bytes(b"left by a run that was killed")
    report = export_npz(model, tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").glob(".*"))
    assert (len(report.kept), len(report.written)) == (1, 2) and "(1 of an earlier run)" in str(report)
    report = export_npz(model, tmp_path / "out", progress=False)
    assert (len(report.kept), len(report.written)) == (0, 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match="is not empty, and from no export"):
        export_npz(model, tmp_path / "mine", progress=False)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_tables_of_arrays(model, tmp_path, suffix):
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / f"x.{suffix}"
    report = export_parquet(model, path, ["bark", "resampled"], progress=False)
    assert report.written == ids_of(model)
    if suffix == "parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(path)
    else:
        table = pyarrow.ipc.open_file(str(path)).read_all()
    assert table.column_names == ["id", "metadata", "bark", "bark_shape", "resampled", "resampled_shape"]
    for row, document in zip(table.to_pylist(), model, strict=True):
        assert row["id"] == document._id and json.loads(row["metadata"])["label"] == LABELS[document._id]
        bark = np.array(row["bark"], np.float32).reshape(row["bark_shape"])
        assert np.array_equal(bark, document.bark) and row["resampled_shape"] == [len(document.resampled)]
    assert json.loads(table.schema.field("bark").metadata[b"dimensions"])


def test_tables_hold_no_complex_numbers(model, tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(RaggedCorpus, match="fft is complex64; allowed is anything real"):
        export_parquet(model, tmp_path / "x.parquet", "fft", progress=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DeclarationError, match="allowed: .parquet, .arrow, .feather"):
        export_parquet(model, tmp_path / "x.csv", progress=False)


def test_shards(model, tmp_path):
    report = export_webdataset(model, tmp_path / "out", audio="resampled", per_shard=2, progress=False)
    assert report.written == ids_of(model)
    shards = sorted((tmp_path / "out").glob("*.tar"))
    assert [path.name for path in shards] == ["shard-000000.tar", "shard-000001.tar"]
    with tarfile.open(shards[1]) as tar:
        names = tar.getnames()
        assert names == ["000000002.json", "000000002.bark.npy", "000000002.flac"]
        about = json.load(tar.extractfile(names[0]))
        assert about["id"] == "c/three.wav" and about["metadata"]["take"] == 2
        bark = np.load(io.BytesIO(tar.extractfile(names[1]).read()), allow_pickle=False)
        assert np.array_equal(bark, model("c/three.wav").bark)
        flac = zounds.AudioSamples.from_file(tar.extractfile(names[2]).read())
        assert np.allclose(flac, model("c/three.wav").resampled, atol=2**-15) and tar.getmembers()[0].mtime == 0
    first = shards[0].read_bytes()
    export_webdataset(model, tmp_path / "again", audio="resampled", per_shard=2, progress=False)
    assert (tmp_path / "again" / shards[0].name).read_bytes() == first
    (tmp_path / "again" / "shard-000001.tar").unlink()
    note = json.loads((tmp_path / "again" / "export.json").read_text())
    (tmp_path / "again" / "export.json").write_text(json.dumps({**note, "files": []}))  # as where it was ended
    report = export_webdataset(model, tmp_path / "again", audio="resampled", per_shard=2, progress=False)
    assert report.kept == ["a/one.wav", "b/two.wav"] and report.written == ["c/three.wav"]


def test_labels(model, tmp_path):
    export_csv(model, tmp_path / "x.csv", progress=False)
    with open(tmp_path / "x.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ids_of(model)
    assert {row["id"]: row["label"] for row in rows} == LABELS and [row["take"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["samplerate"] == "11025" and rows[1]["level"] == "quiet" and rows[0]["licensing"] == ""
    export_csv(model, tmp_path / "x.csv", ["label"], for_spreadsheets=True, progress=False)
    text = (tmp_path / "x.csv").read_text("utf-8")
    assert text.splitlines()[:3] == ["id,label", 'a/one.wav,"say ""x"", é 音"', "b/two.wav,'=HYPERLINK(1)"]
    with pytest.raises(KeyNotFound, match=r"no document has a field 'genre'; there are: .*label"):
        export_csv(model, tmp_path / "x.csv", "genre", progress=False)


@pytest.mark.parametrize("start", ["=1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_formulas_are_text_in_spreadsheets(tmp_path, start):
    from zounds_lite.datasets.exports.label_tables import write_table

    write_table(tmp_path / "x.csv", ["a", "b"], [{"a": start, "b": -1.5}], for_spreadsheets=True)
    with open(tmp_path / "x.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], [f"'{start}", "-1.5"]]
    with pytest.raises(OutputError, match="cannot be written as UTF-8"):
        write_table(tmp_path / "x.csv", ["a"], [{"a": "\ud800"}])
    with pytest.raises(OutputError, match="cannot be written: .*choose another place"):
        write_table(tmp_path / "nowhere" / "x.csv", ["a"], [])


def test_whole_documents_as_files(model, tmp_path):
    report = export_clips(model, tmp_path / "out", fmt="flac", subtype="PCM_24", progress=False)
    assert report.written == ids_of(model) and report.unit == "clip"
    items = list(Manifest(tmp_path / "out" / "clips.csv"))
    assert [item.label for item in items] == list(LABELS.values())
    for item in items:
        read = zounds.AudioSamples.from_file(item.uri)
        assert np.allclose(read, model(item.document).pcm, atol=2**-23)
        assert item.lasts_s == pytest.approx(SIZES[item.document] / 11_025) and item.starts_at_s == 0


def test_stretches_as_files(model, tmp_path):
    quarter = zounds.Milliseconds(250)
    report = export_clips(model, tmp_path / "out", quarter, progress=False)
    assert len(report.written) == sum(-(-size * 4 // 11_025) for size in SIZES.values())
    items = [item for item in Manifest(tmp_path / "out" / "clips.csv") if item.document == "a/one.wav"]
    assert [item.starts_at_s for item in items] == [0, 0.25, 0.5, 0.75]
    whole = model("a/one.wav").pcm
    for item in items:
        start = zounds.TimeSlice(quarter, start=zounds.Milliseconds(int(item.starts_at_s * 1000)))
        assert np.allclose(zounds.AudioSamples.from_file(item.uri), whole[start], atol=2**-15)
    chosen = [zounds.TimeSlice(quarter), zounds.TimeSlice(quarter, start=zounds.Seconds(5))]
    report = export_clips(model, tmp_path / "two", chosen, audio="resampled", fmt="mp3", progress=False)
    assert report.written == [f"{_id}#0" for _id in LABELS]
    assert [failure.id for failure in report.failed] == [f"{_id}#1" for _id in LABELS]
    assert "MP3 MPEG_LAYER_III cannot hold a recording of 0 frames" in report.failed[0].reason


def test_slices_of_a_feature_or_a_function(model, tmp_path):
    def halves(document):
        half = zounds.Milliseconds(round(len(document.pcm) / 22.05))
        return [zounds.TimeSlice(half), zounds.TimeSlice(half, start=half)]

    report = export_clips(model, tmp_path / "out", halves, fmt="ogg", quality=0.3, progress=False)
    assert len(report.written) == 6
    with pytest.raises(OutputError, match="from an export of other"):
        export_clips(model, tmp_path / "out", lambda document: halves(document)[:1], fmt="ogg", progress=False)
    report = export_clips(model, tmp_path / "bad", "onsets", progress=False)
    assert len(report.failed) == 3 and "AttributeError" in report.failed[0].reason


def test_long_clips_are_encoded_in_blocks(tmp_path):
    Sound = made_model(tmp_path / "store")
    Sound.process(meta=AudioMetaData(uri=sound(500_000).encode(), label="x"), _id="long.wav")
    report = export_clips(Sound, tmp_path / "out", fmt="ogg", progress=False)
    (item,) = Manifest(tmp_path / "out" / "clips.csv")
    assert not report.failed and len(zounds.AudioSamples.from_file(item.uri)) == 500_000


def test_what_cannot_be_exported(model, tmp_path):
    empty = made_model(tmp_path / "store")
    for export in (export_npz, export_csv, export_clips):
        with pytest.raises(EmptyDataset, match="holds no documents"):
            export(empty, tmp_path / "x", progress=False)
        with pytest.raises(EmptyDataset, match="holds no documents"):
            export(model.where(take=99), tmp_path / "x", progress=False)
        with pytest.raises(DeclarationError, match="allowed: a document class, or what its where"):
            export([1, 2], tmp_path / "x", progress=False)
    with pytest.raises(KeyNotFound, match="nothing"):
        export_npz(model, tmp_path / "x", "nothing", progress=False)

    @zounds.simple_in_memory_settings
    class Named(ff.BaseModel):
        id = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    Named.process(id=[zounds.ArrayWithUnits(np.ones((2, 3)), [None, None])])
    with pytest.raises(DeclarationError, match="'id' has the name of what stands beside features"):
        export_npz(Named, tmp_path / "x", progress=False)
    for words, arguments in (("fmt='m4a'", {"fmt": "m4a"}), ("durations above zero", {"slices": zounds.Seconds(0)}),
                             ("slices=", {"slices": [3]})):  # fmt: skip
        with pytest.raises(DeclarationError, match=words):
            export_clips(model, tmp_path / "x", progress=False, **arguments)
    for words, arguments in (("per_shard=0", {"per_shard": 0}), ("fmt='xyz'", {"fmt": "xyz"})):
        with pytest.raises(DeclarationError, match=words):
            export_webdataset(model, tmp_path / "x", progress=False, **arguments)
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export_npz(model, tmp_path / "file" / "x", progress=False)


def test_missing_libraries(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[hdf5\]"):
        export_hdf5(model, tmp_path / "x.h5", progress=False)
    with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[arrow\]"):
        export_parquet(model, tmp_path / "x.parquet", progress=False)
