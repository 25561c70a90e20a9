"""Descriptors, cepstra and chroma against librosa, in float64 and float32."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.dsp import a_weighting_db, chroma_matrix
from zounds_lite.spectral import (
    AWeighting,
    EllisChromaScale,
    FFTScale,
    FrequencyBand,
    HanningWindowingFunc,
    SlaneyMelScale,
    chroma_stft,
    mel_bands,
    mfcc,
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    stft,
    zero_crossing_rate,
)

librosa = pytest.importorskip("librosa")

SR, N, HOP = 22050, 2048, 512
RATE = zounds.SR22050()
SCHEME = RATE.windowing_scheme(N, HOP)


def signal(dtype="float64"):
    """A chord that fades into noise, and a second of silence."""
    t = np.arange(2 * SR) / SR
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 277.2, 329.6)) * np.exp(-2 * t)
    noise = np.random.default_rng(0).normal(size=len(t)) * t * 0.1
    return np.concatenate([chord + noise, np.zeros(SR)]).astype(dtype)


def ours(dtype="float64"):
    tf = stft(zounds.AudioSamples(signal(dtype), RATE), SCHEME, HanningWindowingFunc(periodic=True))
    return tf[: 1 + (3 * SR - N) // HOP]


def theirs():
    return np.abs(librosa.stft(signal(), n_fft=N, hop_length=HOP, center=False))


def is_close(found, wanted, rtol=1e-5):
    return np.allclose(found, np.asarray(wanted).T.reshape(np.shape(found)), rtol=rtol, atol=1e-9)


def test_one_number_a_frame():
    tf, magnitude = ours(), theirs()
    assert is_close(spectral_centroid(tf), librosa.feature.spectral_centroid(S=magnitude, sr=SR))
    assert is_close(spectral_spread(tf), librosa.feature.spectral_bandwidth(S=magnitude, sr=SR))
    for part in (0.1, 0.85, 0.99):
        wanted = librosa.feature.spectral_rolloff(S=magnitude, sr=SR, roll_percent=part)
        assert is_close(spectral_rolloff(tf, part), wanted)
    # librosa's transform is not scaled, and a floor is
    unscaled = tf * np.sqrt(N)
    assert is_close(spectral_flatness(unscaled, 2.0, 1e-10), librosa.feature.spectral_flatness(S=magnitude))


def test_one_number_a_window():
    x = zounds.AudioSamples(signal(), RATE)
    frames = zounds.ArrayWithUnits.concat(list(zounds.SlidingWindow(SCHEME).run([x])))[: 1 + (3 * SR - N) // HOP]
    options = {"frame_length": N, "hop_length": HOP, "center": False}
    assert is_close(rms(frames), librosa.feature.rms(y=signal(), **options, dtype=np.float64))
    assert is_close(zero_crossing_rate(frames), librosa.feature.zero_crossing_rate(signal(), **options))


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-6), ("float32", 5e-3)])
@pytest.mark.parametrize(("n_coeffs", "lifter"), [(20, 0), (13, 22)])
def test_mfcc(dtype, atol, n_coeffs, lifter):
    scale = SlaneyMelScale(FrequencyBand(0, SR / 2), 128)
    # librosa's own bank is in single precision by default
    bank = librosa.filters.mel(sr=SR, n_fft=N, dtype=np.float64)
    level = librosa.power_to_db(bank @ theirs() ** 2)
    wanted = librosa.feature.mfcc(S=level, n_mfcc=n_coeffs, lifter=lifter).T
    found = mfcc(mel_bands(ours(dtype), scale), n_coeffs, lifter)
    assert found.dtype == dtype
    assert np.abs(found - wanted).max() <= atol * max(1.0, np.abs(wanted).max() / 100)


def test_a_node_of_mfcc_is_librosas_with_its_range():
    x = zounds.AudioSamples(signal(), RATE)
    chunks = [x]
    for node in (
        zounds.SlidingWindow(SCHEME, HanningWindowingFunc(periodic=True)),
        zounds.FFT(),
        zounds.MelBands(),
        zounds.MFCC(n_coeffs=20, top_db=80.0),
    ):
        chunks = list(node.run(chunks))
    found = np.asarray(zounds.ArrayWithUnits.concat(chunks))
    wanted = librosa.feature.mfcc(y=signal(), sr=SR, center=False).T
    assert np.allclose(found[: len(wanted)], wanted, rtol=1e-4, atol=0.02)


@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_chroma(tuning):
    wanted = librosa.feature.chroma_stft(S=theirs() ** 2, sr=SR, tuning=tuning, dtype=np.float64).T
    found = chroma_stft(ours(), EllisChromaScale(tuning=tuning))
    assert np.allclose(found, wanted, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    ("sr", "n_fft", "mine", "librosas"),
    [
        (22050, 2048, {}, {}),
        (11025, 743, {"first": "A", "tuning": 0.2}, {"base_c": False, "tuning": 0.2}),
        (44100, 4096, {"octave_width": None, "n_classes": 24}, {"octwidth": None, "n_chroma": 24}),
        (8000, 512, {"center_octave": 4.0, "octave_width": 1.0}, {"ctroct": 4.0, "octwidth": 1.0}),
    ],
)
def test_chroma_filters(sr, n_fft, mine, librosas):
    wanted = librosa.filters.chroma(sr=sr, n_fft=n_fft, dtype=np.float64, **librosas)
    assert np.allclose(chroma_matrix(sr, n_fft, **mine), wanted, rtol=1e-9, atol=1e-13)
    if set(mine) <= {"first", "tuning", "octave_width", "center_octave"}:
        axis = FFTScale(sr, n_fft)
        assert np.allclose(EllisChromaScale(**mine).basis(axis), wanted, rtol=1e-9, atol=1e-13)
        assert np.array_equal(EllisChromaScale(**mine).basis(axis[5:50]), EllisChromaScale(**mine).basis(axis)[:, 5:50])


def test_a_weighting():
    hz = np.geomspace(10, 20_000, 500)
    assert np.allclose(a_weighting_db(hz), librosa.A_weighting(hz), atol=1e-4)
    scale = FFTScale(44100, 2048)
    with np.errstate(divide="ignore"):
        gain = 10 ** (librosa.A_weighting(np.arange(1025) * 44100 / 2048) / 20)
    assert np.allclose(AWeighting(gain=True).weights(scale), gain, rtol=1e-5)
