import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    HanningWindowingFunc,
    LinearScale,
    OggVorbisWindowingFunc,
    SlaneyMelScale,
    SlidingWindow,
    apply_scale,
    fft,
    mel_bands,
    stft,
)
from zounds_lite.synthesize import FFTSynthesizer
from zounds_lite.timeseries import (
    SR11025,
    SR22050,
    AudioSamples,
    HalfLapped,
    SampleRate,
    Seconds,
    TimeDimension,
)


def noise(n, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(dtype)


def sound(n, rate=None, dtype=np.float64):
    return AudioSamples(noise(n, dtype=dtype), rate or SR11025())


@pytest.mark.parametrize("hz", [100, 440, 4000])
def test_a_tone_peaks_at_its_frequency(hz):
    tone = AudioSamples(np.sin(2 * np.pi * hz * np.arange(11025) / 11025), SR11025())
    spectrum = np.abs(fft(tone))
    assert spectrum.dimensions[0].scale.center_frequencies[spectrum.argmax()] == hz
    assert spectrum[FrequencyBand(hz - 0.5, hz + 0.5)].shape == (1,)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 50))
def test_energy_and_length_are_kept(n, padding):
    x = sound(n)
    coefficients = fft(x, padding_samples=padding)
    n_fft = n + padding
    assert coefficients.dimensions[0].scale.n_fft == n_fft
    weights = np.full(n_fft // 2 + 1, 2.0)
    weights[0] = 1
    if n_fft % 2 == 0:
        weights[-1] = 1
    assert np.sum(weights * np.abs(np.asarray(coefficients)) ** 2) == pytest.approx(np.sum(np.asarray(x) ** 2))


@pytest.mark.parametrize(("dtype", "result"), [(np.float32, np.complex64), (np.float64, np.complex128),
                                               (np.int16, np.complex128)])  # fmt: skip
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_any_axis_and_padding(axis, dtype, result):
    time = TimeDimension(*SR11025())
    x = (noise((6, 7, 8)) * 100).astype(dtype)
    dimensions = [None, None, None]
    dimensions[axis] = time
    out = fft(ArrayWithUnits(x, dimensions), axis=axis, padding_samples=5)
    expected = np.fft.rfft(x.astype(float), n=x.shape[axis] + 5, axis=axis, norm="ortho")
    assert out.dtype == result
    assert np.allclose(out, expected, rtol=1e-4, atol=1e-3)
    assert out.dimensions[axis] == FrequencyDimension(FFTScale(11025, x.shape[axis] + 5))
    assert [d for i, d in enumerate(out.dimensions) if i != axis % 3] == [IdentityDimension()] * 2


def test_it_equals_the_documented_scale():
    scale = fft(sound(512)).dimensions[0].scale
    assert scale == LinearScale.from_sample_rate(SR11025(), 257)


def test_bad_axes():
    with pytest.raises(DimensionError, match="has no units"):
        fft(np.zeros(10))
    with pytest.raises(DimensionError, match="needs an axis of time"):
        fft(ArrayWithUnits(np.zeros((3, 4)), [TimeDimension(*SR11025()), None]))
    with pytest.raises(DimensionError, match="axis=2"):
        fft(sound(10), axis=2)
    with pytest.raises(SampleRateError, match="no axis of samples"):
        fft(ArrayWithUnits(np.zeros(10), [TimeDimension(Seconds(3))]))
    with pytest.raises(SampleRateError, match="no axis of samples"):
        fft(np.abs(stft(sound(10000))), axis=0)
    with pytest.raises(DeclarationError, match="padding_samples"):
        fft(sound(10), padding_samples=-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stft_is_librosas(dtype):
    librosa = pytest.importorskip("librosa")
    x = sound(22050, SR22050(), dtype)
    scheme = SR22050().windowing_scheme(1024, 256)
    ours = stft(x, scheme, HanningWindowingFunc(periodic=True))
    theirs = librosa.stft(np.asarray(x), n_fft=1024, hop_length=256, center=False).T / 32
    assert ours.dtype == theirs.dtype
    assert np.allclose(ours[: len(theirs)], theirs, atol=1e-5 if dtype == np.float32 else 1e-12)
    assert len(ours) in (len(theirs), len(theirs) + 1)


@pytest.mark.parametrize("n", [1, 511, 512, 1024, 22050])
@pytest.mark.parametrize(("size", "hop"), [(1024, 256), (1023, 256), (512, 512)])
def test_centred_frames_are_librosas_and_have_an_inverse(n, size, hop):
    librosa = pytest.importorskip("librosa")
    x, window = sound(n, SR22050(), np.float64), HanningWindowingFunc(periodic=True)
    ours = stft(x, SR22050().windowing_scheme(size, hop), window, pad="centre")
    theirs = librosa.stft(np.pad(np.asarray(x), size // 2), n_fft=size, hop_length=hop, center=False).T
    assert ours.shape == theirs.shape and (size % 2 or len(ours) == 1 + n // hop)
    assert np.allclose(np.asarray(ours) * np.sqrt(size), theirs, atol=1e-11)
    time = ours.dimensions[0]
    assert (time.padding, time.n_samples) == (size // 2, n)
    if hop < size and size % 2 == 0:
        assert np.allclose(FFTSynthesizer(window).synthesize(ours), x, atol=1e-12)


def test_centred_frames_of_batches_channels_and_nothing():
    batch = ArrayWithUnits(noise((3, 1100)), [IdentityDimension(), TimeDimension(*SR11025())])
    tf = stft(batch, HalfLapped(), pad="centre")
    assert tf.shape == (3, 5, 257)
    one = stft(AudioSamples(np.asarray(batch[1]), SR11025()), HalfLapped(), pad="centre")
    assert np.array_equal(tf[1], one)
    assert stft(sound(0), HalfLapped(), pad="centre").shape == (0, 257)
    with pytest.raises(DeclarationError, match="pad='reflect'; allowed"):
        stft(batch, HalfLapped(), pad="reflect")


def test_stft_dimensions():
    x = sound(11025)
    tf = stft(x, HalfLapped())
    time, frequency = tf.dimensions
    assert (time.hop, time.window, time.rate) == (256, 512, 11025)
    assert (time.padding or 0, time.n_samples) == (0, 11025)
    assert frequency == FrequencyDimension(FFTScale(11025, 512))
    assert tf.shape == (43, 257)
    padded = stft(x, HalfLapped(), pad=True)
    assert (padded.dimensions[0].padding, padded.dimensions[0].n_samples) == (256, 11025)
    assert np.allclose(padded[1 : len(tf) - 1], tf[:-2])


def test_stft_of_a_batch_has_complete_frames_only():
    batch = ArrayWithUnits(noise((3, 1100)), [IdentityDimension(), TimeDimension(*SR11025())])
    tf = stft(batch, HalfLapped())
    assert tf.shape == (3, 3, 257)
    assert tf.dimensions[1].hop == 256
    one = stft(AudioSamples(np.asarray(batch[1]), SR11025()), HalfLapped())
    assert np.array_equal(tf[1], one[:3])
    assert stft(batch[:, :100], HalfLapped()).shape == (3, 0, 257)


@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stft_of_channels_is_that_of_each(pad, dtype):
    x = AudioSamples(noise((3001, 2), dtype=dtype), SR11025())
    tf = stft(x, HalfLapped(), pad=pad)
    assert tf.dimensions[2] == IdentityDimension()
    assert tf.dimensions[0].n_samples == 3001
    for channel in range(2):
        one = stft(AudioSamples(np.ascontiguousarray(np.asarray(x)[:, channel]), SR11025()), HalfLapped(), pad=pad)
        assert np.array_equal(tf[:, :, channel], one)
        assert tf.dimensions[:2] == one.dimensions


def test_stft_along_any_axis():
    time = TimeDimension(*SR11025())
    x = noise((2, 3, 1500, 4))
    tf = stft(ArrayWithUnits(x, [None, None, time, None]), HalfLapped(), axis=2)
    assert tf.shape == (2, 3, 4, 257, 4)
    assert np.array_equal(tf[1, 2, :, :, 3], stft(AudioSamples(x[1, 2, :, 3], SR11025()), HalfLapped())[:4])
    both = ArrayWithUnits(x[0, 0], [time, time])
    with pytest.raises(DimensionError, match="several axes of time, set axis="):
        stft(both)
    assert stft(both, axis=0).shape == (5, 257, 4)
    with pytest.raises(DimensionError, match="axis=2 of an array with 2 axes"):
        stft(both, axis=2)


def test_padded_batches_are_padded_signals():
    batch = ArrayWithUnits(noise((3, 1100)), [IdentityDimension(), TimeDimension(*SR11025())])
    tf = stft(batch, HalfLapped(), pad=True)
    one = stft(AudioSamples(np.asarray(batch[1]), SR11025()), HalfLapped(), pad=True)
    assert np.array_equal(tf[1], one)
    assert (tf.dimensions[1].padding, tf.dimensions[1].n_samples) == (256, 1100)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.integers(1, 64), st.integers(1, 80))
def test_stft_is_the_transform_of_windows(n, size, hop):
    x = sound(n)
    windows = list(SlidingWindow(SR11025().windowing_scheme(size, hop), HanningWindowingFunc()).run([x]))
    wanted = np.concatenate([fft(part) for part in windows])
    assert np.array_equal(stft(x, SR11025().windowing_scheme(size, hop)), wanted)


def test_stft_keeps_nan_in_its_frames():
    x = sound(3000)
    clean = stft(x, HalfLapped())
    np.asarray(x)[1000] = np.nan
    broken = stft(x, HalfLapped())
    touched = [2, 3]  # frames from 512 and from 768
    assert np.isnan(np.asarray(broken)[touched]).any(axis=1).all()
    others = [i for i in range(len(clean)) if i not in touched]
    assert np.array_equal(np.asarray(broken)[others], np.asarray(clean)[others])


def test_stft_needs_time():
    for shape, dimensions in [((5,), [None]), ((2, 2, 2), [None] * 3)]:
        with pytest.raises(DimensionError):
            stft(ArrayWithUnits(np.zeros(shape), dimensions))
    with pytest.raises(ValueError, match="no units|allowed: one signal"):
        stft(np.zeros(10))


def test_stft_of_nothing():
    assert stft(sound(0)).shape == (0, 257)
    assert stft(sound(1)).shape == (1, 257)


def test_scales_sum_magnitudes():
    scale = FFTScale(8000, 16)
    imaginary = ArrayWithUnits(np.full((2, 9), 1j), [None, FrequencyDimension(scale)])
    summed = apply_scale(imaginary, LinearScale(FrequencyBand(0, 4500), 3))
    assert np.asarray(summed).tolist() == [[3, 3, 3], [3, 3, 3]]
    assert summed.dimensions[1].scale == LinearScale(FrequencyBand(0, 4500), 3)
    bark = BarkScale(FrequencyBand(20, 4000), 5)
    weights = bark.basis(scale, HanningWindowingFunc())
    assert np.allclose(apply_scale(imaginary, bark, HanningWindowingFunc()), weights.sum(axis=1))
    assert np.allclose(bark.apply(imaginary), bark.basis(scale).sum(axis=1))
    chroma = apply_scale(imaginary, ChromaScale(FrequencyBand(100, 4000)), HanningWindowingFunc())
    assert chroma[:, 2:5].shape == (2, 3)


def test_equal_axes_with_other_bins_have_their_own_filters():
    scale = LinearScale(FrequencyBand(0, 4000), 40)
    fft_axis, linear_axis = FFTScale(8000, 256), LinearScale.from_sample_rate(8000, 129)
    assert fft_axis == linear_axis
    spectrum = noise((1, 129)) + 1
    for axis in (fft_axis, linear_axis, fft_axis):
        tf = ArrayWithUnits(spectrum, [None, FrequencyDimension(axis)])
        assert np.allclose(scale.apply(tf), spectrum @ scale.basis(axis).T)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
@pytest.mark.parametrize(("rate", "window", "hop", "n"), [(22050, 2048, 512, 128), (11025, 743, 372, 40)])
def test_mel_bands_are_librosas(power, rate, window, hop, n):
    librosa = pytest.importorskip("librosa")
    x = AudioSamples(noise(rate, dtype=np.float32), SR22050() if rate == 22050 else SR11025())
    tf = stft(x, x.samplerate.windowing_scheme(window, hop), HanningWindowingFunc(periodic=True))
    ours = mel_bands(tf, SlaneyMelScale(FrequencyBand(0, rate / 2), n), power)
    theirs = librosa.feature.melspectrogram(
        y=np.asarray(x), sr=rate, n_fft=window, hop_length=hop, center=False, power=power, n_mels=n
    ).T
    assert ours.dtype == np.float32
    assert np.allclose(ours[: len(theirs)], theirs, rtol=1e-5)
    magnitude = mel_bands(np.abs(tf), SlaneyMelScale(FrequencyBand(0, rate / 2), n), power)
    assert np.allclose(ours, magnitude, rtol=1e-5)


def test_bands_need_frequencies():
    scale = BarkScale(FrequencyBand(20, 4000), 5)
    turned = ArrayWithUnits(np.zeros((2, 9)), [FrequencyDimension(FFTScale(8, 2)), None])
    for bad in (np.zeros((2, 9)), sound(10), turned):
        with pytest.raises(DimensionError, match="must have frequencies"):
            apply_scale(bad, scale)
        with pytest.raises(DimensionError, match="must have frequencies"):
            mel_bands(bad, SlaneyMelScale(FrequencyBand(0, 4000), 5))
    tf = ArrayWithUnits(np.zeros((2, 9)), [None, FrequencyDimension(LinearScale(FrequencyBand(0, 4000), 9))])
    with pytest.raises(DimensionError, match="axis of fft"):
        mel_bands(tf, SlaneyMelScale(FrequencyBand(0, 4000), 5))
    with pytest.raises(DeclarationError, match="allowed: a scale"):
        apply_scale(tf, 100)
    with pytest.raises(DeclarationError, match="power=0"):
        mel_bands(tf, SlaneyMelScale(FrequencyBand(0, 4000), 5), 0)


def test_schemes_in_time():
    scheme = SampleRate(frequency=Seconds(1), duration=Seconds(2))
    tf = stft(sound(11025 * 4), scheme, OggVorbisWindowingFunc())
    assert tf.shape == (4, 11026)


def test_nothing_has_no_frames_even_padded():
    empty = AudioSamples(np.zeros(0, np.float32), SR11025())
    assert len(stft(empty)) == len(stft(empty, pad=True)) == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float64])
def test_integers_are_transformed_as_float64(dtype):
    sound = AudioSamples(np.arange(5000).astype(dtype), SR11025())
    spectra = stft(sound)
    assert spectra.dtype == np.complex128
    assert np.array_equal(spectra, stft(sound.astype(np.float64)))
    batch = ArrayWithUnits(np.asarray(sound)[None], [IdentityDimension(), sound.dimensions[0]])
    assert stft(batch).dtype == np.complex128
