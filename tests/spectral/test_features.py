"""Frequency-adaptive features in stores: class, units, maps, partial reads, and lineage of plain transforms."""

import mmap
import subprocess
import sys

import numpy as np
import pytest
import scipy.fft
import scipy.fftpack

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.lineage import Lineage

SCALE = zounds.LinearScale(zounds.FrequencyBand(0, 4000), 40)
TIME = zounds.TimeDimension.windowed(4, 8, 11025, padding=3, n_samples=1000)


def bands(n=12, size=50, seed=0):
    rng = np.random.default_rng(seed)
    return zounds.FrequencyAdaptive([rng.normal(size=(n, size + i)) for i in range(40)], TIME, SCALE)


def document(database, feature=zounds.FrequencyAdaptiveFeature):
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        frames = feature(ff.IteratorNode, store=True)
        doubled = zounds.FrequencyAdaptiveFeature(lambda x: x * 2, needs=frames)

    return Document


@pytest.fixture(params=["memory", "files", "lmdb"])
def database(request, tmp_path):
    make = {
        "memory": ff.InMemoryDatabase,
        "files": lambda: ff.FileSystemDatabase(tmp_path / "files", createdirs=True),
        "lmdb": lambda: ff.LmdbDatabase(tmp_path / "lmdb"),
    }
    return make[request.param]()


def test_what_was_stored_in_chunks_reads_back_with_its_units(database):
    Document, whole = document(database), bands()
    Document.process(frames=[whole[:5], whole[5:7], bands()[7:]], _id="d")
    found = Document("d").frames
    assert type(found) is zounds.FrequencyAdaptive and not found.flags.writeable
    assert found.dimensions == whole.dimensions and np.array_equal(found, whole)
    for band, part in zip(SCALE, whole.iter_bands(), strict=True):
        assert np.array_equal(found[:, band], part)
    assert np.array_equal(Document("d").doubled, np.asarray(whole) * 2)
    assert type(Document("d").doubled) is zounds.FrequencyAdaptive


def mapping_under(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return array.obj if isinstance(array, memoryview) else array


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_large_value_stays_a_map_and_so_do_its_parts(kind, tmp_path):
    make = {"files": lambda p: ff.FileSystemDatabase(p, createdirs=True), "lmdb": ff.LmdbDatabase}
    Document, whole = document(make[kind](tmp_path / "store")), bands(100, 200)
    assert whole.nbytes > 1_500_000
    Document.process(frames=[whole], _id="d")
    found = Document("d").frames
    part = found[zounds.TimeSlice(zounds.Milliseconds(10)), zounds.FrequencyBand(450, 800)]
    for array in (found, part, next(found.iter_bands())):
        assert type(array) is zounds.FrequencyAdaptive
        assert isinstance(mapping_under(array), mmap.mmap) and not array.flags.owndata
    assert found.time_dimension.n_samples == 1000
    assert np.array_equal(part, whole[zounds.TimeSlice(zounds.Milliseconds(10)), zounds.FrequencyBand(450, 800)])


def test_a_slice_of_a_document_reads_only_its_rows(database):
    Document, whole = document(database), bands()
    Document.process(frames=[whole], _id="d")
    when = zounds.TimeSlice(zounds.Milliseconds(1), start=zounds.Milliseconds(2))
    found = Document("d").frames[when]
    assert np.array_equal(found, whole[when]) and 0 < len(found) < len(whole)


def test_a_value_of_another_kind_is_refused():
    database = ff.InMemoryDatabase()
    other = ArrayWithUnits(np.ones((3, 2)), [TIME, None])
    document(database, zounds.ArrayWithUnitsFeature).process(frames=[other], _id="d")
    decoder = zounds.FrequencyAdaptiveFeature.decoder
    encoder = zounds.ArrayWithUnitsFeature.encoder()
    data = b"".join(bytes(part) for part in encoder.run([other]))
    with pytest.raises(CorruptValue, match="is not frequency-adaptive"):
        decoder.decode(ff.StoredValue(encoder.header, np.frombuffer(data, np.uint8), "d/frames"))


# lineage


def lineage(**changes):
    arguments = {"transform": np.fft.irfft, "scale": SCALE, "window_func": np.hanning, **changes}
    feature = zounds.FrequencyAdaptiveFeature(zounds.FrequencyAdaptiveTransform, **arguments)
    feature.name = "feature"
    return Lineage({"feature": feature}).hash(feature)


def test_each_transform_and_window_has_a_lineage_of_its_own():
    transforms = [np.fft.irfft, np.fft.ifft, scipy.fftpack.idct, scipy.fft.idct, scipy.fft.irfft]
    windows = [np.hanning, np.hamming, None, zounds.HanningWindowingFunc()]
    assert len({lineage(transform=t, window_func=w) for t in transforms for w in windows}) == 20
    assert lineage() == lineage()


CODE = """
import numpy as np, scipy.fftpack
import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.featureflow.lineage import Lineage
scale = zounds.LinearScale(zounds.FrequencyBand(0, 4000), 40)
for transform in (np.fft.irfft, scipy.fftpack.idct):
    feature = zounds.FrequencyAdaptiveFeature(
        zounds.FrequencyAdaptiveTransform, transform=transform, scale=scale, window_func=np.hanning
    )
    feature.name = "feature"
    print(Lineage({"feature": feature}).hash(feature))
"""


def test_lineage_is_the_same_in_another_process():
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.split() == [lineage(), lineage(transform=scipy.fftpack.idct)]


@pytest.mark.parametrize(("transform", "spectrum"), [(np.fft.irfft, "FFT"), (scipy.fftpack.idct, "DCT")])
def test_stored_values_of_plain_transforms_are_served_until_one_changes(transform, spectrum, tmp_path):
    sound = zounds.NoiseSynthesizer(zounds.SR11025(), seed=1).synthesize(zounds.Seconds(1))

    def model(window):
        class Settings(ff.PersistenceSettings):
            id_provider = ff.UserSpecifiedIdProvider("_id")
            database = ff.LmdbDatabase(tmp_path / "store")

        class Sound(ff.BaseModel, Settings):
            samples = zounds.AudioSamplesFeature(ff.IteratorNode, store=True)
            windowed = zounds.ArrayWithUnitsFeature(zounds.SlidingWindow, wscheme=zounds.HalfLapped(), needs=samples)
            spectra = zounds.ArrayWithUnitsFeature(getattr(zounds, spectrum), needs=windowed)
            bands = zounds.FrequencyAdaptiveFeature(
                zounds.FrequencyAdaptiveTransform,
                transform=transform, scale=SCALE, window_func=window, needs=spectra, store=True,
            )  # fmt: skip

        return Sound

    first = model(np.hanning)
    first.process(samples=[sound], _id="d")
    assert not first.explain("d", "bands").reasons
    assert np.array_equal(model(np.hanning)("d").bands, first("d").bands)
    changed = model(np.hamming)
    assert "hamming" in str(changed.explain("d", "bands"))
    assert not np.array_equal(changed("d").bands[:, SCALE[3]], first("d").bands[:, SCALE[3]])
