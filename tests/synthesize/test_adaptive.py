"""From bands back to sound: figures, odd windows, what is changed on the way, and what does not fit."""

import numpy as np
import pytest
import scipy.fftpack

import zounds_lite as zounds
from tests.testing.nodes.inputs import joined
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import dct, fft, frequency_adaptive_transform, frequency_decomposition
from zounds_lite.synthesize import (
    FrequencyAdaptiveDCTSynthesizer,
    FrequencyAdaptiveFFTSynthesizer,
    FrequencyDecompositionSynthesizer,
)

RATE = zounds.SR11025()
SCALE = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
LONG = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))
VORBIS = zounds.OggVorbisWindowingFunc()
KINDS = {
    "FFT": (fft, np.fft.irfft, FrequencyAdaptiveFFTSynthesizer),
    "DCT": (lambda x: dct(x, scale_always_even=True), scipy.fftpack.idct, FrequencyAdaptiveDCTSynthesizer),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def analysed(samples, kind="FFT", scale=SCALE, window=np.hanning, residual=False, scheme=LONG):
    hop, size = scheme.discrete_samples(samples.time_dimension)
    node = zounds.SlidingWindow(scheme, VORBIS, padwith=size - hop, padend=size - hop)
    windows = joined(node.run([samples]))
    spectrum, transform, _ = KINDS[kind]
    return frequency_adaptive_transform(spectrum(windows), transform, scale, window, residual)


def noise(seconds=3, start_hz=0.0, stop_hz=9999.0):
    """Noise that fades in and out, between two frequencies."""
    n = int(seconds * RATE.rate)
    spectrum = np.fft.rfft(np.random.default_rng(n).normal(size=n))
    hz = np.fft.rfftfreq(n, 1 / RATE.rate)
    spectrum[(hz < start_hz) | (hz > stop_hz)] = 0
    return zounds.AudioSamples(np.fft.irfft(spectrum, n) * np.hanning(n), RATE)


def snr_db(signal, found):
    signal, found = np.asarray(signal), np.asarray(found)
    return 10 * np.log10((signal**2).sum() / ((found - signal) ** 2).sum())


@every_kind
def test_what_lies_inside_the_scale_comes_back(kind):
    sound = noise(start_hz=110, stop_hz=4800)
    back = KINDS[kind][2](SCALE, RATE).synthesize(analysed(sound, kind))
    assert len(back) == len(sound) and snr_db(sound, back) >= 60


@every_kind
def test_with_residual_bands_everything_comes_back(kind):
    sound = noise()
    back = KINDS[kind][2](SCALE, RATE).synthesize(analysed(sound, kind, residual=True))
    assert len(back) == len(sound) and snr_db(sound, back) >= 250


@every_kind
@pytest.mark.parametrize("hop_ms", [250, 333])
def test_other_overlaps_and_windows_come_back(kind, hop_ms):
    scheme = zounds.SampleRate(zounds.Milliseconds(hop_ms), zounds.Seconds(1))
    sound = noise(2.5)
    fa = analysed(sound, kind, window=None, residual=True, scheme=scheme)
    assert snr_db(sound, KINDS[kind][2](SCALE, RATE, None).synthesize(fa)) >= 250


@every_kind
def test_the_length_of_an_odd_window_is_exact(kind):
    """A second of 11025 samples and a hop of 5513: frames that lost a sample each would drift apart."""
    sound = noise(8)
    fa = analysed(sound, kind, residual=True)
    assert (fa.time_dimension.hop, fa.time_dimension.window) == (5513, 11025)
    back = KINDS[kind][2](SCALE, RATE).synthesize(fa)
    assert snr_db(sound[-30000:-20000], back[-30000:-20000]) >= 250


@every_kind
def test_a_band_that_is_silenced_takes_its_tone_away_alone(kind):
    tones = zounds.SineSynthesizer(RATE).synthesize(zounds.Seconds(4), [220.0, 880.0])
    fa = analysed(tones, kind)
    for band in SCALE:
        if band.stop_hz > 700 and band.start_hz < 1100:
            fa[:, band] = 0
    back = np.asarray(KINDS[kind][2](SCALE, RATE).synthesize(fa))[11025:-11025]
    spectrum = np.abs(np.fft.rfft(back * np.hanning(len(back))))
    hz = np.fft.rfftfreq(len(back), 1 / RATE.rate)
    assert spectrum[np.abs(hz - 880) < 5].max() < 1e-4 * spectrum[np.abs(hz - 220) < 5].max()


@every_kind
def test_silence_comes_back_as_silence(kind):
    sound = noise(2) * 0
    back = KINDS[kind][2](SCALE, RATE).synthesize(analysed(sound, kind, residual=True))
    assert len(back) == len(sound) and not np.asarray(back).any()


@every_kind
def test_what_does_not_fit_is_refused(kind):
    fa, synthesizer = analysed(noise(2), kind), KINDS[kind][2]
    other = zounds.GeometricScale(100, 5000, 0.089, 99)
    with pytest.raises(DimensionError, match="use the scale, the window_func and the samplerate of the analysis"):
        synthesizer(other, RATE).synthesize(fa)
    with pytest.raises(SampleRateError, match="frames at 11025 Hz"):
        synthesizer(SCALE, zounds.SR22050()).synthesize(fa)
    with pytest.raises(DimensionError, match="use the scale"):
        synthesizer(SCALE, RATE).synthesize(fa[:, SCALE[3]])
    with pytest.raises(DimensionError, match="needed: the result of FrequencyAdaptiveTransform"):
        synthesizer(SCALE, RATE).synthesize(fa[:, 0:7])
    with pytest.raises(DimensionError, match="needed: frames in time"):
        synthesizer(SCALE, RATE).synthesize(np.ones((3, 4)))
    with pytest.raises(DeclarationError, match="length=-1"):
        synthesizer(SCALE, RATE).synthesize(fa, length=-1)


def test_another_window_of_the_bands_is_noticed_where_sizes_tell():
    with pytest.raises(DimensionError, match="window_func"):
        FrequencyAdaptiveFFTSynthesizer(SCALE, RATE, None).synthesize(analysed(noise(2)))


@pytest.mark.parametrize("synthesizer", [FrequencyAdaptiveFFTSynthesizer, FrequencyAdaptiveDCTSynthesizer])
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scale": 100}, "scale=100"),
        ({"samplerate": 11025}, "samplerate=11025"),
        ({"window_func": 5}, "a function of a size"),
        ({"windowing_func": np.hanning}, "allowed: a window such as"),
    ],
)
def test_wrong_arguments_are_refused(synthesizer, arguments, match):
    with pytest.raises(DeclarationError, match=match):
        synthesizer(**{"scale": SCALE, "samplerate": RATE, **arguments})


def test_negative_padding_is_refused():
    with pytest.raises(DeclarationError, match="padding_samples=-1"):
        FrequencyAdaptiveFFTSynthesizer(SCALE, RATE, padding_samples=-1)


# decomposition


def test_windows_come_back_from_their_decomposition():
    windows = noise().sliding_window(LONG)
    n = windows.shape[1]
    fa = frequency_decomposition(windows, [n // 8, n // 3, n])
    synthesizer = FrequencyDecompositionSynthesizer(RATE, n)
    back = synthesizer.synthesize(fa)
    assert back.dimensions == windows.dimensions
    assert np.abs(np.asarray(back) - np.asarray(windows)).max() < 1e-12
    some = synthesizer.synthesize(fa, bands=[0, 2]) + synthesizer.synthesize(fa, bands=[1])
    assert np.abs(np.asarray(some) - np.asarray(windows)).max() < 1e-12
    assert not np.asarray(synthesizer.synthesize(fa, bands=[])).any()


def test_bands_can_be_added_at_another_size():
    tone = zounds.SineSynthesizer(RATE).synthesize(zounds.Seconds(1), [100.0])
    fa = frequency_decomposition(tone, [500, 11025])
    small = FrequencyDecompositionSynthesizer(RATE, 1000).synthesize(fa, bands=[0])
    assert np.allclose(np.asarray(small)[0], np.sin(2 * np.pi * 100 * np.arange(1000) / 1000), atol=1e-9)


def test_bands_that_are_not_there_are_refused():
    fa = frequency_decomposition(noise(1), [500, 11025])
    synthesizer = FrequencyDecompositionSynthesizer(RATE, 11025)
    with pytest.raises(DimensionError, match="numbers from 0 to 1"):
        synthesizer.synthesize(fa, bands=[2])
    with pytest.raises(DimensionError, match="needed: the result of frequency_decomposition"):
        synthesizer.synthesize(noise(1))
    with pytest.raises(DeclarationError, match="output_size=0"):
        FrequencyDecompositionSynthesizer(RATE, 0)
