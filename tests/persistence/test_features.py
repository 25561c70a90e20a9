"""Features of arrays with units, on every store: what is large is mapped, what is small is copied, all is read-only."""

import mmap

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, DimensionError, UnknownTypeError
from zounds_lite.featureflow.record import INLINE_LIMIT
from zounds_lite.timeseries import TimeDimension

ON_DISK = ["files", "lmdb"]


def make_database(kind, path):
    if kind == "memory":
        return ff.InMemoryDatabase()
    if kind == "files":
        return ff.FileSystemDatabase(path / "files", createdirs=True)
    return ff.LmdbDatabase(path / "lmdb")


@pytest.fixture(params=["memory", *ON_DISK])
def database(request, tmp_path):
    return make_database(request.param, tmp_path)


def document(database):
    """Return a model with one stored feature of each kind."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        samples = zounds.AudioSamplesFeature(ff.IteratorNode, store=True)
        frames = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        bits = zounds.PackedArrayWithUnitsFeature(ff.IteratorNode, store=True)

    return Document


SAMPLES = zounds.AudioSamples(np.linspace(-1, 1, 1000).astype(np.float32), zounds.SR11025())
FRAMES = zounds.ArrayWithUnits(
    np.arange(60, dtype=np.float64).reshape(12, 5),
    [
        TimeDimension.windowed(4, 8, 11025, n_samples=50, padding=3),
        zounds.FrequencyDimension(zounds.LinearScale(zounds.FrequencyBand(0, 100), 5)),
    ],
)
BITS = zounds.ArrayWithUnits(np.arange(36).reshape(4, 9) % 3 == 0, [TimeDimension(zounds.Seconds(1)), None])


def mapping_under(array):
    """Return the memory map that an array is a view of, or None."""
    while isinstance(array, np.ndarray):
        array = array.base
        if isinstance(array, memoryview):
            array = array.obj
    return array if isinstance(array, mmap.mmap) else None


def test_each_kind_comes_back_from_each_store(database):
    Document = document(database)
    Document.process(_id="d", samples=[SAMPLES[:300], SAMPLES[300:]], frames=[FRAMES], bits=[BITS[:1], BITS[1:]])
    found = Document("d")
    for name, wanted, kind in (
        ("samples", SAMPLES, zounds.AudioSamples),
        ("frames", FRAMES, zounds.ArrayWithUnits),
        ("bits", BITS, zounds.ArrayWithUnits),
    ):
        value = getattr(found, name)
        assert type(value) is kind
        assert (value.dtype, value.shape, value.dimensions) == (wanted.dtype, wanted.shape, wanted.dimensions)
        assert np.array_equal(value, wanted)
    time = found.frames.dimensions[0]
    assert (time.n_samples, time.padding, time.hop, time.window, time.rate) == (50, 3, 4, 8, 11025)
    assert found.samples[zounds.TimeSlice(zounds.Milliseconds(10))].shape == SAMPLES[: round(0.01 * 11025 + 0.5)].shape
    assert found.frames[:, zounds.FrequencyBand(0, 40)].shape == (12, 2)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(0, 5000),
    width=st.sampled_from([1, 7, 257]),
    dtype=st.sampled_from(["float32", "complex64", "int16", "bool"]),
    n_chunks=st.integers(1, 9),
    channels=st.sampled_from([None, 2]),
)
@pytest.mark.parametrize("kind", ["memory", *ON_DISK])
def test_random_arrays_come_back_from_each_store(tmp_path_factory, kind, rows, width, dtype, n_chunks, channels):
    rng = np.random.default_rng(rows)
    data = rng.integers(0, 2, (rows, width)).astype(dtype)
    frames = zounds.ArrayWithUnits(data, [TimeDimension.windowed(256, 512, 44100), None])
    samples = zounds.AudioSamples(
        rng.normal(size=rows if channels is None else (rows, channels)), zounds.AudioSampleRate(12345)
    )
    edges = [rows * i // n_chunks for i in range(n_chunks + 1)]

    def cut(array):
        return [array[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    Document = document(make_database(kind, tmp_path_factory.mktemp("stores")))
    Document.process(_id="d", samples=cut(samples), frames=cut(frames), bits=cut(frames))
    found = Document("d")
    assert found.frames.tobytes() == data.tobytes()
    assert (found.frames.dtype, found.frames.dimensions) == (data.dtype, frames.dimensions)
    assert found.samples.tobytes() == samples.tobytes()
    assert (type(found.samples), found.samples.samplerate.rate) == (zounds.AudioSamples, 12345)
    assert np.array_equal(found.bits, data.astype(bool))


@pytest.mark.parametrize("kind", ON_DISK)
def test_a_large_value_is_a_read_only_memory_map_and_a_small_one_is_not(tmp_path, kind):
    Document = document(make_database(kind, tmp_path))
    rows = INLINE_LIMIT // (257 * 4) + 1
    large = zounds.ArrayWithUnits(
        np.random.default_rng(0).normal(size=(rows, 257)).astype(np.float32), [FRAMES.dimensions[0], None]
    )
    Document.process(_id="d", samples=[SAMPLES], frames=[large[:100], large[100:]], bits=[BITS])
    found = Document("d")
    assert found.frames.nbytes > INLINE_LIMIT > found.samples.nbytes
    assert mapping_under(found.frames) is not None
    assert mapping_under(found.frames[zounds.TimeSlice(zounds.Seconds(1))]) is mapping_under(found.frames)
    assert mapping_under(found.samples) is None
    assert mapping_under(found.bits) is None
    for value in (found.frames, found.samples, found.frames[3:5]):
        assert not value.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0
    assert np.array_equal(found.frames, large)
    # what is mapped stays readable when the document is replaced, and the new value is another map
    before = found.frames
    Document.process(_id="d", samples=[SAMPLES], frames=[large * 2], bits=[BITS])
    assert np.array_equal(before, large)
    assert np.array_equal(Document("d").frames, large * 2)


@pytest.mark.parametrize("kind", ["memory", *ON_DISK])
@pytest.mark.parametrize("extra", [-4, 0, 4])
def test_values_around_the_limit_come_back(tmp_path, kind, extra):
    Document = document(make_database(kind, tmp_path))
    data = np.arange((INLINE_LIMIT + extra) // 4, dtype=np.int32)
    Document.process(_id="d", samples=[SAMPLES], frames=[zounds.ArrayWithUnits(data, [None])], bits=[BITS])
    assert np.array_equal(Document("d").frames, data)
    if kind in ON_DISK and extra >= 0:
        assert mapping_under(Document("d").frames) is not None


def test_another_chunk_is_refused_and_nothing_is_stored(database, tmp_path):
    Document = document(database)
    other = zounds.ArrayWithUnits(np.asarray(FRAMES), [TimeDimension(zounds.Seconds(1)), FRAMES.dimensions[1]])
    large = zounds.ArrayWithUnits(np.zeros((INLINE_LIMIT // 8, 5)), FRAMES.dimensions)
    for chunks in ([FRAMES, other], [FRAMES, FRAMES.astype(np.float32)], [large, other]):
        with pytest.raises(DimensionError, match="cannot follow"):
            Document.process(_id="d", samples=[SAMPLES], frames=chunks, bits=[BITS])
    assert not Document.exists("d")
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".blob", ".part")]


class Mode(zounds.Dimension):
    """An axis that only the process that declares it knows."""

    def __init__(self, name):
        super().__init__(name=name)


def test_a_dimension_of_ones_own_is_storable_when_it_is_declared(database, monkeypatch):
    Document = document(database)
    wanted = zounds.ArrayWithUnits(np.arange(6.0).reshape(2, 3), [None, Mode("dorian")])
    Document.process(_id="d", samples=[SAMPLES], frames=[wanted], bits=[BITS])
    assert Document("d").frames.dimensions[1] == Mode("dorian")
    from zounds_lite._declared.values import REGISTRY

    monkeypatch.delitem(REGISTRY, "Mode")
    with pytest.raises(UnknownTypeError, match="'Mode'.*import the module that declares it, then read again"):
        _ = Document("d").frames


@pytest.mark.parametrize("kind", ON_DISK)
def test_a_blob_that_is_cut_or_gone_is_named(tmp_path, kind):
    Document = document(make_database(kind, tmp_path))
    large = zounds.ArrayWithUnits(np.zeros(INLINE_LIMIT // 4, np.float32), [None])
    Document.process(_id="d", samples=[SAMPLES], frames=[large], bits=[BITS])
    (blob,) = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size > INLINE_LIMIT
               and path.name not in ("data.mdb", "lock.mdb")]  # fmt: skip
    whole = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptValue, match="feature 'frames' of document 'd'"):
        _ = Document("d").frames
    blob.unlink()
    with pytest.raises(CorruptValue, match="feature 'frames' of document 'd'.*process the document again"):
        _ = Document("d").frames
    assert np.array_equal(Document("d").samples, SAMPLES)  # the rest is still there
