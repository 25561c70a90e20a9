import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.framing import weighted_overlap_add
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import (
    FFT,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    HanningWindowingFunc,
    Hertz,
    IdentityWindowingFunc,
    LinearScale,
    OggVorbisWindowingFunc,
    SlidingWindow,
    WindowingFunc,
    fft,
    stft,
)
from zounds_lite.synthesize import FFTSynthesizer, WindowedAudioSynthesizer
from zounds_lite.timeseries import (
    SR11025,
    AudioSamples,
    HalfLapped,
    Milliseconds,
    SampleRate,
    Seconds,
    TimeDimension,
    TimeSlice,
)

HANN, VORBIS, IDENTITY = HanningWindowingFunc(), OggVorbisWindowingFunc(), IdentityWindowingFunc()
SCHEMES = {
    "512/256": (512, 256),
    "512/128": (512, 128),
    "743/372": (743, 372),
    "743/186": (743, 186),
    "5513/2757": (5513, 2757),
    "5513/1379": (5513, 1379),
    "11025/5513": (11025, 5513),
    "4/2": (4, 2),
    "3/1": (3, 1),
    "7/7": (7, 7),
}


def sound(n, dtype=np.float64, channels=None):
    shape = n if channels is None else (n, channels)
    return AudioSamples(np.random.default_rng(n).uniform(-1, 1, shape).astype(dtype), SR11025())


def analyse(x, scheme, window, chunks=1, pad=True, **fft):
    size, hop = scheme
    padding = size - hop if pad else 0
    parts = [x[i : i + len(x) // chunks + 1] for i in range(0, len(x), len(x) // chunks + 1)]
    scheme = SR11025().windowing_scheme(size, hop)
    out = list(FFT(**fft).run(SlidingWindow(scheme, window, padwith=padding, padend=padding).run(parts)))
    return ArrayWithUnits(np.concatenate([np.asarray(part) for part in out]), out[-1].dimensions)


def snr(x, recon):
    x, recon = np.asarray(x, np.float64), np.asarray(recon, np.float64)
    error = np.sum((x - recon) ** 2)
    return np.inf if error == 0 else 10 * np.log10(np.sum(x**2) / error)


WINDOWS = {
    "vorbis": VORBIS,
    "hann": HANN,
    "periodic": HanningWindowingFunc(True),
    "identity": IDENTITY,
    "hamming": WindowingFunc(np.hamming),
}
# a window that is zero at an end needs overlap
PAIRS = [(s, w) for s in SCHEMES for w in WINDOWS if not (s == "7/7" and w in ("hann", "periodic"))]


@pytest.mark.parametrize(("scheme", "window"), PAIRS)
@pytest.mark.parametrize(("dtype", "bar"), [(np.float32, 120), (np.float64, 250)])
def test_padded_signals_come_back_whole(scheme, window, dtype, bar):
    x = sound(30011, dtype)
    recon = FFTSynthesizer(WINDOWS[window]).synthesize(analyse(x, SCHEMES[scheme], WINDOWS[window], chunks=3))
    assert isinstance(recon, AudioSamples)
    assert recon.samplerate == SR11025()
    assert recon.dtype == dtype
    assert len(recon) == len(x)
    assert snr(x, recon) >= bar


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3000), st.integers(2, 300), st.data())
def test_any_length_window_and_hop(n, size, data):
    hop = data.draw(st.integers(1, max(1, size // 2)))
    x = sound(n)
    recon = FFTSynthesizer().synthesize(analyse(x, (size, hop), VORBIS))
    assert len(recon) == n
    assert snr(x, recon) >= 250


@pytest.mark.parametrize("scheme", ["512/256", "512/128", "743/372", "5513/2757"])
def test_the_interior_is_exact_without_padding(scheme):
    size, hop = SCHEMES[scheme]
    x = sound(30000)
    recon = FFTSynthesizer().synthesize(analyse(x, (size, hop), VORBIS, pad=False))
    assert len(recon) == len(x)
    assert snr(x[size:-size], recon[size:-size]) >= 250
    assert np.abs(np.asarray(recon)).max() <= 1.001


def test_pairs_of_different_windows():
    x = sound(20000)
    tf = analyse(x, (512, 128), HANN)
    synthesizer = FFTSynthesizer(IDENTITY, analysis_windowing_func=HANN)
    assert snr(x, synthesizer.synthesize(tf)) >= 250


@pytest.mark.parametrize("padding", [1, 2, 88, 513])
def test_zero_padded_transforms(padding):
    x = sound(9000)
    assert snr(x, FFTSynthesizer().synthesize(analyse(x, (743, 372), VORBIS, padding_samples=padding))) >= 250


def test_the_function_pads_too():
    x = sound(11025)
    recon = FFTSynthesizer(HANN).synthesize(stft(x, pad=True))
    assert len(recon) == len(x)
    assert snr(x, recon) >= 250
    scheme = SampleRate(frequency=Milliseconds(250), duration=Milliseconds(500))
    assert snr(x, FFTSynthesizer(VORBIS).synthesize(stft(x, scheme, VORBIS, pad=True))) >= 250


def test_channels():
    x = sound(5000, channels=2)
    tf = analyse(x, (512, 256), VORBIS, axis=1)
    assert tf.shape[1:] == (257, 2)
    recon = FFTSynthesizer().synthesize(tf)
    assert recon.shape == (5000, 2)
    assert snr(x, recon) >= 250


def test_slices_reach_as_far_as_their_frames():
    x = sound(11025 * 2)
    tf = stft(x, HalfLapped(), VORBIS)
    part = tf[TimeSlice(Seconds(1), start=Milliseconds(500))]
    recon = FFTSynthesizer().synthesize(part)
    assert len(recon) == (len(part) - 1) * 256 + 512
    first = round((5512 - 511) / 256)
    expected = np.asarray(x)[first * 256 :][: len(recon)]
    assert snr(expected[512:-512], recon[512:-512]) >= 250


def test_length_wins():
    tf = analyse(sound(1000), (512, 256), VORBIS)
    for length in (0, 1, 999, 1000, 1001, 5000):
        recon = FFTSynthesizer().synthesize(tf, length=length)
        assert len(recon) == length
        assert np.allclose(recon[:1000], np.asarray(sound(1000))[:length])
        assert not np.asarray(recon)[1600:].any()


def test_the_documented_linear_scale_inverts():
    x = sound(5000)
    for size, hop in ((512, 256), (743, 372)):
        tf = analyse(x, (size, hop), VORBIS)
        plain = FrequencyDimension(LinearScale.from_sample_rate(SR11025(), size // 2 + 1))
        assert snr(x, FFTSynthesizer().synthesize(ArrayWithUnits(np.asarray(tf), [tf.dimensions[0], plain]))) >= 250


def test_against_scipys_istft():
    from scipy.signal import ShortTimeFFT

    x = sound(8000)
    tf = stft(x, SR11025().windowing_scheme(512, 128), HANN, pad=True)
    tf[:, 100:] = 0
    theirs = ShortTimeFFT(np.hanning(512), 128, 11025, fft_mode="onesided", phase_shift=None)
    # their first frame is centred one hop before the signal, and so is ours: 384 zeros, then 256 samples to its centre
    assert theirs.p_min == -1
    expected = theirs.istft(np.asarray(tf).T * np.sqrt(512), k1=8000)
    assert np.allclose(FFTSynthesizer(HANN).synthesize(tf), expected, atol=1e-12)


def test_blocks_are_the_whole_at_once():
    frames = np.random.default_rng(0).normal(size=(300, 50))
    for hop in (10, 17, 25, 50, 60):
        time = TimeDimension.windowed(hop, 50, 11025)
        units = ArrayWithUnits(frames, [time, TimeDimension(*SR11025())])
        ours = WindowedAudioSynthesizer(VORBIS).synthesize(units)
        assert np.allclose(ours, weighted_overlap_add(frames, hop, VORBIS(50)), rtol=1e-9)
        for n in range(14):
            short = WindowedAudioSynthesizer(VORBIS).synthesize(units[:n])
            assert np.allclose(short, weighted_overlap_add(frames[:n], hop, VORBIS(50)), rtol=1e-9)


def test_windowed_audio():
    x = sound(5000)
    scheme = SR11025().windowing_scheme(512, 256)
    out = list(SlidingWindow(scheme, HanningWindowingFunc(True)).run([x]))
    frames = ArrayWithUnits(np.concatenate([np.asarray(part) for part in out]), out[-1].dimensions)
    recon = WindowedAudioSynthesizer().synthesize(frames)
    assert len(recon) == len(x)
    assert snr(x[256:-512], recon[256:-512]) >= 250
    divided = WindowedAudioSynthesizer(HanningWindowingFunc(True)).synthesize(frames)
    assert snr(x[1:-512], divided[1:-512]) >= 250


def test_no_frames():
    tf = analyse(sound(1000), (512, 256), VORBIS)[:0]
    assert len(FFTSynthesizer().synthesize(tf)) == 0
    assert len(FFTSynthesizer().synthesize(tf, length=5)) == 5


def test_synthesizers_are_values():
    for synthesizer in (FFTSynthesizer(), FFTSynthesizer(HANN, IDENTITY), WindowedAudioSynthesizer(HANN)):
        assert Declared.from_dict(json.loads(json.dumps(synthesizer.to_dict()))) == synthesizer


def test_bad_input():
    tf = analyse(sound(1000), (512, 256), VORBIS)
    synthesizer = FFTSynthesizer()
    for bad in (np.zeros((3, 257)), sound(100), ArrayWithUnits(np.zeros((3, 257)), [None, tf.dimensions[1]])):
        with pytest.raises(DimensionError, match="needed: frames in time"):
            synthesizer.synthesize(bad)
    with pytest.raises(DimensionError, match="the inverse needs all"):
        synthesizer.synthesize(tf[:, FrequencyBand(100, 1000)])
    with pytest.raises(DimensionError, match="the inverse needs all"):
        synthesizer.synthesize(tf[:, Hertz(100) :])
    with pytest.raises(DimensionError, match="needed: a FrequencyDimension"):
        synthesizer.synthesize(ArrayWithUnits(np.asarray(tf), [tf.dimensions[0], None]))
    with pytest.raises(SampleRateError, match="how many samples"):
        seconds = TimeDimension(Seconds(1), Seconds(2))
        synthesizer.synthesize(ArrayWithUnits(np.asarray(tf), [seconds, tf.dimensions[1]]))
    short = FrequencyDimension(FFTScale(11025, 256))
    with pytest.raises(DimensionError, match="must hold the whole window"):
        synthesizer.synthesize(ArrayWithUnits(np.asarray(tf)[:, :129], [tf.dimensions[0], short]))
    with pytest.raises(DimensionError, match="the result of SlidingWindow"):
        WindowedAudioSynthesizer().synthesize(tf)
    with pytest.raises(DeclarationError, match="length=-1"):
        synthesizer.synthesize(tf, length=-1)
    for make in (FFTSynthesizer, WindowedAudioSynthesizer):
        with pytest.raises(DeclarationError, match="allowed: a window"):
            make(np.hanning)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_windows_without_weight_give_silence_not_nan(dtype):
    sound = AudioSamples(np.ones(5, dtype), SR11025())
    window = HanningWindowingFunc()  # two samples of it are zeros
    frames = stft(sound, SR11025().windowing_scheme(2, 1), window, pad=True)
    assert np.array_equal(FFTSynthesizer(window).synthesize(frames), np.zeros(5))


def test_windows_of_audio_come_back_with_their_length():
    sound = AudioSamples(np.random.default_rng(1).standard_normal(1000), SR11025())
    frames = fft(sound.sliding_window(SR11025().half_lapped()))
    assert len(FFTSynthesizer(IdentityWindowingFunc()).synthesize(frames)) == 1000
