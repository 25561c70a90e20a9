import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.framing import frames
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError, UnitsError
from zounds_lite.featureflow import Node
from zounds_lite.spectral import (
    FFT,
    AWeighting,
    BarkBands,
    BarkScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    FrequencyWeighting,
    HanningWindowingFunc,
    LinearScale,
    MelBands,
    OggVorbisWindowingFunc,
    SlaneyMelScale,
    SlidingWindow,
    fft,
    stft,
)
from zounds_lite.timeseries import (
    SR11025,
    SR22050,
    SR48000,
    AudioSamples,
    HalfLapped,
    Milliseconds,
    SampleRate,
    Seconds,
    Stride,
    TimeDimension,
)


def sound(n, rate=None, channels=None, dtype=np.float32):
    shape = n if channels is None else (n, channels)
    return AudioSamples(np.random.default_rng(n).uniform(-1, 1, shape).astype(dtype), rate or SR11025())


def chunked(x, sizes):
    """Cut x into chunks of the given sizes, again and again."""
    at, out, i = 0, [], 0
    while at < len(x):
        out.append(x[at : at + sizes[i % len(sizes)]])
        at += sizes[i % len(sizes)]
        i += 1
    return out


def chain(make, chunks):
    """Run chunks through a list of fresh nodes and return all that comes out."""
    for node in make():
        chunks = node.run(chunks)
    return list(chunks)


def joined(chunks):
    return np.concatenate([np.asarray(chunk) for chunk in chunks])


CHAINS = {
    "windows": lambda: [SlidingWindow(HalfLapped(), OggVorbisWindowingFunc(), padwith=100, padend=7)],
    "fft": lambda: [SlidingWindow(HalfLapped(512, 256), HanningWindowingFunc()), FFT(padding_samples=3)],
    "bark": lambda: [SlidingWindow(HalfLapped(512, 128)), FFT(), BarkBands(n_bands=30)],
    "mel": lambda: [SlidingWindow(HalfLapped(512, 128)), FFT(), MelBands(n_bands=30)],
    "weighted": lambda: [SlidingWindow(HalfLapped(512, 256)), FFT(), FrequencyWeighting(AWeighting())],
}


@pytest.mark.parametrize("name", CHAINS)
@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12000), st.lists(st.integers(1, 5000), min_size=1, max_size=4))
def test_streaming_is_batch_to_the_last_bit(name, n, sizes):
    if max(sizes) < n // 300:
        sizes = [n // 300 + 1, *sizes]
    x = sound(n)
    whole, parts = chain(CHAINS[name], [x]), chain(CHAINS[name], chunked(x, sizes))
    assert joined(whole).tobytes() == joined(parts).tobytes()
    for chunks in (whole, parts):
        notes = [(c.dimensions[0].n_samples, c.dimensions[0].padding) for c in chunks]
        assert notes[-1] == (n, 100 if name == "windows" else 0)
        assert set(notes[:-1]) <= {(None, None)}
        assert len({c.dimensions for c in chunks}) == 1


def test_one_sample_at_a_time():
    x = sound(700)
    parts = chain(CHAINS["bark"], chunked(x, [1]))
    assert joined(parts).tobytes() == joined(chain(CHAINS["bark"], [x])).tobytes()


def test_long_chunks_are_cut():
    x = sound(2**21, SR48000())
    windows = list(SlidingWindow(HalfLapped()).run([x]))
    assert len(windows) > 2
    assert all(len(part) % 64 == 0 for part in windows[:-2])
    assert np.array_equal(joined(windows), frames(np.asarray(x), 2230, 1115))


@pytest.mark.parametrize("n", [0, 1, 255, 256, 511, 512, 513, 768, 769, 2000])
def test_windows_are_the_frames_of_the_signal(n):
    x = sound(n)
    out = list(SlidingWindow(HalfLapped()).run([x]))
    expected = frames(np.asarray(x), 512, 256)
    assert sum(map(len, out)) == len(expected)
    if n:
        assert np.array_equal(joined(out), expected)
        assert joined(out).dtype == np.float32


@pytest.mark.parametrize(("rate", "hop", "window"), [(SR11025(), 2757, 5513), (SR22050(), 5513, 11025)])
def test_documented_scheme(rate, hop, window):
    scheme = SampleRate(frequency=Milliseconds(250), duration=Milliseconds(500))
    (*_, out) = SlidingWindow(scheme).run([sound(rate.rate * 3, rate)])
    time, inside = out.dimensions
    assert (time.hop, time.window, time.rate) == (hop, window, rate.rate)
    assert inside == TimeDimension(*rate)
    if rate == SR11025():
        assert time.frequency / Seconds(1) == pytest.approx(0.250068024879, abs=1e-12)
        assert time.duration / Seconds(1) == pytest.approx(0.500045346811, abs=1e-12)


def test_windows_of_channels():
    x = sound(1300, channels=2)
    out = list(SlidingWindow(HalfLapped(), HanningWindowingFunc()).run(chunked(x, [500])))
    assert joined(out).shape == (5, 512, 2)
    for channel in (0, 1):
        one = AudioSamples(np.asarray(x)[:, channel], SR11025())
        mono = list(SlidingWindow(HalfLapped(), HanningWindowingFunc()).run([one]))
        assert np.array_equal(joined(out)[:, :, channel], joined(mono))
    assert out[0].dimensions[2] == IdentityDimension()
    spectra = list(FFT(axis=1).run(out))
    assert joined(spectra).shape == (5, 257, 2)


@pytest.mark.parametrize(
    ("stride", "window", "hop"), [((1, 3), 4, 1), ((2, 4), 5, 2), ((1, 10), 11, 1), ((1, 11), 12, 1)]
)
def test_windows_of_overlapping_frames_count_time(stride, window, hop):
    tf = np.abs(stft(sound(11025 * 2)))
    scheme = HalfLapped() * Stride(*stride)
    out = list(SlidingWindow(scheme).run(chunked(tf, [7])))
    assert joined(out).shape[1:] == (window, 257)
    time, inside, frequency = out[-1].dimensions
    assert (time.hop, time.window, time.rate) == (256 * hop, 256 * (window + 1), 11025)
    assert time.n_samples is None
    assert inside == tf.dimensions[0]
    assert frequency == tf.dimensions[1]
    assert np.array_equal(joined(out), frames(np.asarray(tf), window, hop))


def test_windows_without_a_rate():
    x = ArrayWithUnits(np.arange(200.0).reshape(20, 10), [TimeDimension(Seconds(2)), None])
    (*_, out) = SlidingWindow(SampleRate(Seconds(4), Seconds(8))).run([x])
    assert out.shape[1:] == (4, 10)
    assert out.dimensions[0] == TimeDimension(Seconds(4), Seconds(8))
    assert out.dimensions[1] == TimeDimension(Seconds(2))


def test_a_plain_function_is_a_window():
    (out,) = SlidingWindow(HalfLapped(), np.hanning).run([sound(512)])
    assert np.allclose(out[0], np.asarray(sound(512)) * np.hanning(512))


def test_window_runs_along_time_not_frequency():
    tf = ArrayWithUnits(np.ones((5, 3), np.float32), [TimeDimension(Seconds(1)), None])
    (out,) = SlidingWindow(SampleRate(Seconds(5), Seconds(5)), HanningWindowingFunc()).run([tf])
    assert np.allclose(out[0, :, 1], [0, 0.5, 1, 0.5, 0])


def test_fft_is_the_function():
    (windows,) = SlidingWindow(HalfLapped(), OggVorbisWindowingFunc()).run([sound(300)])
    (out,) = FFT().run([windows])
    assert out.dtype == np.complex64
    assert np.array_equal(out, fft(windows))
    assert out.dimensions == (windows.dimensions[0], FrequencyDimension(FFTScale(11025, 512)))
    assert out.dimensions[0].n_samples == 300


def test_windows_and_fft_are_stft():
    x = sound(5000)
    out = chain(lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT()], chunked(x, [999]))
    assert joined(out).tobytes() == np.asarray(stft(x, HalfLapped(), HanningWindowingFunc())).tobytes()


def test_bark_bands():
    tf = stft(sound(5000))
    (out,) = BarkBands(n_bands=50).run([tf])
    assert out.shape == (len(tf), 50)
    assert out.dtype == np.float32
    assert out.dimensions == (tf.dimensions[0], FrequencyDimension(BarkScale(FrequencyBand(20, 5512), 50)))
    weights = out.dimensions[1].scale.basis(tf.dimensions[1].scale, HanningWindowingFunc())
    assert np.allclose(out, np.abs(np.asarray(tf)) @ weights.T, rtol=1e-5)
    assert (np.asarray(out) > 0).all()


def test_bark_bands_as_documented():
    tf = stft(sound(5000, SR22050()))
    (default,) = BarkBands().run([tf])
    (rate,) = BarkBands(samplerate=SR22050()).run([tf])
    (band,) = BarkBands(FrequencyBand(20, 11025), 100).run([tf])
    (plain,) = BarkBands(window=None).run([tf])
    assert default.shape == (len(tf), 100)
    assert np.array_equal(default, rate)
    assert np.array_equal(default, band)
    assert (np.asarray(plain) >= np.asarray(default) * 0.999).all()
    assert len(list(BarkBands(FrequencyBand(100, 200), 3).run([tf]))[0].dimensions[1].scale) == 3


def test_mel_bands():
    librosa = pytest.importorskip("librosa")
    x = sound(22050 * 2, SR22050())
    scheme = SR22050().windowing_scheme(2048, 512)
    out = chain(
        lambda: [SlidingWindow(scheme, HanningWindowingFunc(periodic=True)), FFT(), MelBands()], chunked(x, [5000])
    )
    theirs = librosa.feature.melspectrogram(y=np.asarray(x), sr=22050, n_fft=2048, hop_length=512, center=False).T
    assert np.allclose(joined(out)[: len(theirs)], theirs, rtol=1e-5)
    assert out[0].dimensions[1] == FrequencyDimension(SlaneyMelScale(FrequencyBand(0, 11025), 128))


def test_frequency_weighting():
    tf = np.abs(stft(sound(2000)))
    (out,) = FrequencyWeighting(AWeighting()).run([tf])
    (default,) = FrequencyWeighting().run([tf])
    assert np.array_equal(out, np.asarray(tf * AWeighting()))
    assert np.array_equal(out, default)
    assert out.dimensions == tf.dimensions


def test_nothing_gives_nothing():
    for node in (SlidingWindow(HalfLapped()), FFT(), BarkBands(), MelBands(), FrequencyWeighting()):
        assert list(node.run([])) == []


def test_library_nodes_have_a_revision():
    for node in (SlidingWindow, FFT, BarkBands, MelBands, FrequencyWeighting):
        assert issubclass(node, Node)
        assert vars(node)["revision"] == 1


def test_bad_arguments():
    with pytest.raises(DeclarationError, match="wscheme=512"):
        SlidingWindow(512)
    for name in ("padwith", "padend"):
        with pytest.raises(DeclarationError, match=f"{name}=-1"):
            SlidingWindow(HalfLapped(), **{name: -1})
    with pytest.raises(DeclarationError, match="padding_samples=-1"):
        FFT(padding_samples=-1)
    for node in (BarkBands, MelBands):
        with pytest.raises(DeclarationError, match="at least one band"):
            node(n_bands=0)
    with pytest.raises(DeclarationError, match="power=0"):
        MelBands(power=0)
    with pytest.raises(DeclarationError, match="a function of a size"):
        SlidingWindow(HalfLapped(), wfunc=3)


def test_bad_input():
    with pytest.raises(DimensionError, match="must be a TimeDimension"):
        list(SlidingWindow(HalfLapped()).run([np.zeros(10)]))
    with pytest.raises(UnitsError, match="all chunks of a stream have the same"):
        list(SlidingWindow(HalfLapped()).run([sound(10), sound(10, SR22050())]))
    with pytest.raises(DimensionError, match="needs an axis of time"):
        list(FFT().run([stft(sound(1000))]))
    with pytest.raises(SampleRateError):
        list(FFT(axis=0).run([np.abs(stft(sound(1000)))]))
    linear = ArrayWithUnits(np.zeros((3, 4)), [None, FrequencyDimension(LinearScale(FrequencyBand(0, 10), 4))])
    with pytest.raises(DimensionError, match="allowed: the result of FFT"):
        list(MelBands().run([linear]))
    for node in (BarkBands(), MelBands()):
        with pytest.raises(DimensionError, match="must have frequencies"):
            list(node.run([sound(10)]))
    with pytest.raises(DimensionError, match="no frequency axis"):
        list(FrequencyWeighting().run([sound(10)]))
