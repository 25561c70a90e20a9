"""Streaming equals offline: cut at will, a signal gives the same values, of the same number, as in one piece.

Two ways in are held against each other and against the functions of whole arrays: bytes that are pushed chunk by
chunk, which know no source, and a ``ByteStream`` over the same bytes.
"""

import io
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import zounds_lite as zounds
from tests.sounds import encoded, noise, reference
from zounds_lite import dsp, featureflow as ff
from zounds_lite.dsp.filterbank import BLOCK
from zounds_lite.spectral import apply_scale, fft, mel_bands, stft as whole_stft

RATE = zounds.SR11025()


def scheme(window, hop):
    """Windows of exactly so many samples at ``RATE``."""
    time = zounds.TimeDimension.windowed(hop, window, RATE.rate)
    return zounds.SampleRate(time.frequency, time.duration)


SCHEME = scheme(512, 128)
WINDOW = zounds.OggVorbisWindowingFunc()

cuts = st.lists(st.integers(1, 20_000), min_size=1, max_size=5)


def pieces(x, sizes):
    """Cut ``x`` into pieces of the sizes, again and again."""
    at = 0
    while at < len(x):
        for size in sizes:
            if at < len(x):
                yield x[at : at + size]
            at += size


def joined(chunks):
    """Join the chunks of a stream to one array, with the dimensions of its end."""
    chunks = list(chunks)
    assert len({chunk.dimensions for chunk in chunks}) == 1
    return np.concatenate([np.asarray(chunk) for chunk in chunks]), chunks[-1].dimensions


@lru_cache(maxsize=8)
def recording(frames, rate=22050, channels=2, fmt="WAV"):
    return encoded(noise(frames / rate, rate, channels, seed=frames), rate, fmt)


@lru_cache(maxsize=8)
def mono(frames):
    return zounds.AudioSamples(noise(frames / RATE.rate, RATE.rate, seed=frames), RATE)


def from_bytes(*nodes):
    """Return a function that takes chunks of bytes through nodes, one chunk at a time."""

    def run(chunks):
        for node in (zounds.AudioStream(), *nodes):
            chunks = node.run(chunks)
        return joined(chunks)

    return run


CHAINS = {
    "pcm": from_bytes,
    "resampled": lambda: from_bytes(zounds.Resampler(RATE)),
    "windows": lambda: from_bytes(zounds.Resampler(RATE), zounds.SlidingWindow(SCHEME, WINDOW)),
    "fft": lambda: from_bytes(zounds.Resampler(RATE), zounds.SlidingWindow(SCHEME, WINDOW), zounds.FFT()),
    "bark": lambda: from_bytes(
        zounds.Resampler(RATE), zounds.SlidingWindow(SCHEME), zounds.FFT(), zounds.BarkBands(n_bands=40)
    ),
    "contrast": lambda: from_bytes(
        zounds.Resampler(RATE),
        zounds.CQT(256, start_hz=220.0, n_bands=36),
        ff.FunctionalNode(np.abs),
        zounds.LocalContrastNormalization(floor=1e-3),
    ),
    "mel": lambda: from_bytes(
        zounds.Resampler(RATE), zounds.SlidingWindow(SCHEME), zounds.FFT(), zounds.MelBands(n_bands=40)
    ),
}


@pytest.mark.parametrize("name", CHAINS)
@settings(max_examples=12)
@given(frames=st.sampled_from([1, 511, 70_000]), sizes=cuts, fmt=st.sampled_from(["WAV", "FLAC"]))
@example(frames=70_000, sizes=[4096], fmt="WAV")
@example(frames=700, sizes=[1], fmt="WAV")
@example(frames=70_000, sizes=[10**9], fmt="FLAC")
def test_a_chain_of_nodes_does_not_depend_on_how_bytes_arrive(name, frames, sizes, fmt):
    data = recording(frames, fmt=fmt)
    if sizes != [1]:
        sizes = [max(size, len(data) // 200) for size in sizes]
    whole, dimensions = CHAINS[name]()([data])
    pushed, pushed_dimensions = CHAINS[name]()(pieces(data, sizes))
    streamed, streamed_dimensions = CHAINS[name]()(ff.ByteStream(chunksize=sizes[0]).run([io.BytesIO(data)]))
    for values, dims in ((pushed, pushed_dimensions), (streamed, streamed_dimensions)):
        assert (values.shape, values.dtype) == (whole.shape, whole.dtype)
        assert values.tobytes() == whole.tobytes()
        assert dims == dimensions
        assert (dims[0].n_samples, dims[0].padding) == (dimensions[0].n_samples, dimensions[0].padding)
    if name not in ("pcm", "resampled"):
        assert dimensions[0].n_samples == dsp.output_length(frames, 22050, RATE.rate)


def test_the_chain_equals_the_functions_of_whole_arrays():
    data = recording(70_000)
    pcm = reference(data).mean(axis=1)
    found, _ = CHAINS["pcm"]()([data])
    assert np.array_equal(found, pcm)
    resampled, _ = CHAINS["resampled"]()(pieces(data, [3000]))
    wanted = dsp.resample(pcm, 22050, RATE.rate)
    assert len(resampled) == len(wanted) == 35_000
    assert np.abs(resampled - wanted).max() <= 1e-6 * np.abs(wanted).max()
    spectra, _ = CHAINS["fft"]()(pieces(data, [3000]))
    offline = whole_stft(zounds.AudioSamples(resampled, RATE), SCHEME, WINDOW)
    assert (spectra.shape, spectra.dtype) == (offline.shape, np.complex64)
    assert spectra.tobytes() == np.asarray(offline).tobytes()


@settings(max_examples=25)
@given(
    frames=st.sampled_from([1, 2, 3, 1000, 50_000]),
    sizes=cuts,
    rates=st.sampled_from([(44100, 11025), (11025, 44100), (48000, 44100), (8000, 22050), (16000, 16000)]),
    channels=st.integers(1, 2),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@example(frames=50_000, sizes=[1024], rates=(44100, 11025), channels=2, dtype=np.float32)
@example(frames=1000, sizes=[1], rates=(44100, 11025), channels=1, dtype=np.float32)
def test_the_resampler_in_chunks_is_the_resampler_of_the_whole(frames, sizes, rates, channels, dtype):
    old, new = rates
    x = noise(frames / old, old, channels, seed=1)[:frames].astype(dtype)
    samples = zounds.AudioSamples(x, zounds.AudioSampleRate(old))
    sizes = sizes if sizes == [1] and frames < 2000 else [max(size, frames // 200) for size in sizes]
    out, _ = joined(zounds.Resampler(zounds.AudioSampleRate(new)).run(pieces(samples, sizes)))
    wanted = dsp.resample(x, old, new)
    assert (out.shape, out.dtype) == (wanted.shape, dtype)
    assert len(out) == (2 * frames * new + old) // (2 * old)
    assert np.abs(out - wanted).max(initial=0) <= 1e-6 * np.abs(wanted).max(initial=1e-9)


NODES = {
    "windows": lambda: [zounds.SlidingWindow(SCHEME, WINDOW)],
    "padded windows": lambda: [zounds.SlidingWindow(SCHEME, WINDOW, padwith=384, padend=384)],
    "seconds": lambda: [zounds.SlidingWindow(zounds.SampleRate(zounds.Milliseconds(250), zounds.Milliseconds(500)))],
    "fft": lambda: [zounds.SlidingWindow(SCHEME, WINDOW), zounds.FFT()],
    "odd fft": lambda: [zounds.SlidingWindow(scheme(511, 200)), zounds.FFT(padding_samples=2)],
    "bark": lambda: [zounds.SlidingWindow(SCHEME), zounds.FFT(), zounds.BarkBands(n_bands=30)],
    "mel": lambda: [zounds.SlidingWindow(SCHEME), zounds.FFT(), zounds.MelBands(n_bands=30)],
}


@pytest.mark.parametrize("name", NODES)
@settings(max_examples=15)
@given(frames=st.integers(1, 40_000), sizes=cuts)
@example(frames=BLOCK * 128, sizes=[128])
@example(frames=40_000, sizes=[40_000])
@example(frames=1, sizes=[1])
def test_nodes_after_the_resampler_give_the_same_bits_for_any_chunks(name, frames, sizes):
    x = mono(frames)
    sizes = [max(size, frames // 300) for size in sizes]

    def run(chunks):
        for node in NODES[name]():
            chunks = node.run(chunks)
        return joined(chunks)

    whole, dimensions = run([x])
    parts, part_dimensions = run(pieces(x, sizes))
    assert (parts.shape, parts.dtype) == (whole.shape, whole.dtype)
    assert parts.tobytes() == whole.tobytes()
    assert part_dimensions == dimensions
    assert part_dimensions[0].n_samples == dimensions[0].n_samples == frames


@settings(max_examples=15)
@given(frames=st.sampled_from([2, 5000, 60_000]), sizes=cuts)
def test_the_chain_from_samples_in_any_chunks_is_within_the_resampler_of_the_whole(frames, sizes):
    samples = zounds.AudioSamples(noise(frames / 22050, 22050, seed=3)[:frames], zounds.SR22050())

    def run(chunks):
        for node in (zounds.Resampler(RATE), *NODES["mel"]()):
            chunks = node.run(chunks)
        return joined(chunks)

    whole, dimensions = run([samples])
    parts, part_dimensions = run(pieces(samples, [max(size, frames // 300) for size in sizes]))
    assert parts.shape == whole.shape
    assert np.abs(parts - whole).max() <= 1e-6 * np.abs(whole).max()
    assert part_dimensions[0].n_samples == dimensions[0].n_samples == dsp.output_length(frames, 22050, RATE.rate)


def test_bands_in_streams_are_the_functions_of_whole_spectra():
    x = mono(40_000)
    spectra = fft(zounds.ArrayWithUnits(*joined(zounds.SlidingWindow(SCHEME).run([x]))))
    bark = zounds.BarkBands(zounds.FrequencyBand(50, 5000), n_bands=20)
    scale = zounds.BarkScale(zounds.FrequencyBand(50, 5000), 20)
    found, _ = joined(bark.run(pieces(spectra, [100])))
    assert found.tobytes() == np.asarray(apply_scale(spectra, scale, zounds.HanningWindowingFunc())).tobytes()
    mel = zounds.MelBands(n_bands=20)
    found, _ = joined(mel.run(pieces(spectra, [7, 64, 65])))
    slaney = zounds.SlaneyMelScale(zounds.FrequencyBand(0, RATE.rate / 2), 20)
    assert found.tobytes() == np.asarray(mel_bands(spectra, slaney, 2.0)).tobytes()


@pytest.fixture(params=["memory", "files", "lmdb"])
def database(request, tmp_path):
    if request.param == "memory":
        return ff.InMemoryDatabase()
    if request.param == "files":
        return ff.FileSystemDatabase(tmp_path / "store", createdirs=True)
    return ff.LmdbDatabase(tmp_path / "store")


def stored_fft(database, chunksize, source, _id):
    """Process a source by a graph that is fed in chunks of some size, and read back what was stored."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database
    Base = zounds.stft(chunksize_bytes=chunksize, resample_to=RATE, store_fft=True, store_ogg=False, pad=True)

    class Sound(Base, Settings):
        mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=32, needs=Base.fft, store=True)

    return Sound(Sound.process(meta=source, _id=_id))


def test_a_whole_graph_stores_the_same_bits_for_any_chunk_size(database, tmp_path):
    data = recording(300_000)
    path = tmp_path / "sound.wav"
    path.write_bytes(data)
    documents = [
        stored_fft(database, 1000, data, "small"),
        stored_fft(database, 10**9, data, "large"),
        stored_fft(database, 1000, str(path), "path"),
        stored_fft(database, 1000, io.BytesIO(data), "file"),
    ]
    first = documents[0]
    assert first.fft.nbytes > 1024 * 1024  # large enough for a blob
    for document in documents[1:]:
        for name in ("fft", "mel"):
            ours, theirs = getattr(first, name), getattr(document, name)
            assert (ours.shape, ours.dtype, ours.dimensions) == (theirs.shape, theirs.dtype, theirs.dimensions)
            assert ours.tobytes() == theirs.tobytes()
            assert ours.dimensions[0].n_samples == theirs.dimensions[0].n_samples == 150_000


def test_a_value_recomputed_from_stored_pieces_is_the_one_from_the_whole(database):
    data = recording(400_000)

    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database
    Base = zounds.stft(resample_to=RATE, store_fft=True, store_resampled=True, store_ogg=False)

    class Sound(Base, Settings):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=30, needs=Base.fft, store=True)

    class Recomputed(Base, Settings):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=30, needs=Base.fft, store=False)

    _id = Sound.process(meta=data)
    stored, again = Sound(_id).bark, Recomputed(_id).bark  # the second one from the stored fft, in pieces of 1 MiB
    assert stored.tobytes() == again.tobytes()
    assert stored.dimensions == again.dimensions
    assert stored.dimensions[0].n_samples == again.dimensions[0].n_samples == 200_000
