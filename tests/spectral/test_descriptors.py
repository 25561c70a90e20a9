"""Descriptors, cepstra and chroma with units: tones, noise, silence, bands of any scale, and bad input."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import (
    AWeighting,
    BarkScale,
    ChromaScale,
    EllisChromaScale,
    ExplicitFrequencyDimension,
    ExplicitScale,
    FrequencyBand,
    FrequencyDimension,
    HanningWindowingFunc,
    LinearScale,
    SlaneyMelScale,
    apply_scale,
    bfcc,
    chroma,
    chroma_stft,
    fft,
    mel_bands,
    mfcc,
    rainbowgram,
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    stft,
    zero_crossing_rate,
)

RATE = zounds.SR22050()
OF_SPECTRA = (spectral_centroid, spectral_spread, spectral_rolloff, spectral_flatness, bfcc, chroma_stft)


def sound(x, rate=RATE):
    return zounds.AudioSamples(np.asarray(x, np.float64), rate)


def tone(hz, size=22050):
    return sound(np.sin(2 * np.pi * hz * np.arange(size) / RATE.rate))


def noise(size=22050, seed=0):
    return sound(np.random.default_rng(seed).normal(size=size))


def windows(x, size, hop):
    scheme = RATE.windowing_scheme(size, hop)
    return zounds.ArrayWithUnits.concat(list(zounds.SlidingWindow(scheme).run([x])))


def test_a_tone_has_its_frequency_as_centroid_and_no_flatness():
    for hz in (300.0, 1000.0, 5000.0):
        tf = stft(tone(hz))[1:-1]
        assert np.allclose(spectral_centroid(tf), hz, atol=10)
        assert (np.asarray(spectral_spread(tf)) < 150).all()
        assert np.allclose(spectral_rolloff(tf), hz, atol=50)
        assert (np.asarray(spectral_flatness(tf)) < 0.02).all()


def test_noise_has_half_the_nyquist_frequency_as_centroid_and_is_flat():
    tf = stft(noise())
    assert np.asarray(spectral_centroid(tf)).mean() == pytest.approx(11025 / 2, rel=0.02)
    assert np.asarray(spectral_spread(tf)).mean() == pytest.approx(11025 / np.sqrt(12), rel=0.02)
    assert np.asarray(spectral_rolloff(tf)).mean() == pytest.approx(0.85 * 11025, rel=0.02)
    # the mean ratio of a Rayleigh distribution
    assert np.asarray(spectral_flatness(tf)).mean() == pytest.approx(
        np.exp(-np.euler_gamma / 2) / np.sqrt(np.pi) * 2, rel=0.03
    )


def test_results_keep_time_and_drop_frequency():
    tf = stft(noise(), pad=True)
    for describe in OF_SPECTRA:
        result = describe(tf)
        assert result.dimensions[0] == tf.dimensions[0]
        assert result.dimensions[0].n_samples == 22050
        assert result.dimensions[1:] in ((), (IdentityDimension(),))
        assert result[zounds.TimeSlice(zounds.Milliseconds(500))].shape[0] == 22
    assert spectral_centroid(tf)[zounds.TimeSlice(zounds.Seconds(1))].shape == (44,)


def test_one_spectrum_gives_a_number():
    spectrum = fft(tone(1000.0))
    assert isinstance(spectral_centroid(spectrum), float)
    assert spectral_centroid(spectrum) == pytest.approx(1000, abs=1)
    assert rms(tone(1000.0)) == pytest.approx(np.sqrt(0.5), abs=1e-4)


def test_bands_count_at_their_centres():
    scale = BarkScale(FrequencyBand(20, 11025), 100)
    bands = apply_scale(stft(noise()), scale)
    x = np.asarray(bands)
    wanted = (x * scale.center_frequencies).sum(axis=1) / x.sum(axis=1)
    assert np.allclose(spectral_centroid(bands), wanted, rtol=1e-12)
    one = np.zeros((1, 100))
    one[0, 40] = 2
    alone = ArrayWithUnits(one, [None, FrequencyDimension(scale)])
    assert spectral_centroid(alone)[0] == pytest.approx(scale.center_frequencies[40])
    assert spectral_rolloff(alone)[0] == pytest.approx(scale.center_frequencies[40])


def test_the_elements_of_a_band_share_its_centre():
    scale = ExplicitScale([FrequencyBand(0, 100), FrequencyBand(100, 300)])
    axis = ExplicitFrequencyDimension(scale, [slice(0, 2), slice(2, 5)])
    assert spectral_centroid(ArrayWithUnits(np.ones((1, 5)), [None, axis]))[0] == pytest.approx((2 * 50 + 3 * 200) / 5)


def test_a_part_of_the_axis_is_described_by_its_own_frequencies():
    tf = stft(noise())[:, FrequencyBand(2000, 3000)]
    assert np.allclose(spectral_centroid(tf), 2500, atol=150)
    empty = stft(noise())[:, FrequencyBand(20_000, 21_000)]
    assert empty.shape[1] == 0
    for describe in (spectral_centroid, spectral_spread, spectral_rolloff, spectral_flatness):
        assert not np.asarray(describe(empty)).any()


def test_silence_is_no_nan():
    tf = stft(sound(np.zeros(5000)))
    mel = mel_bands(tf, SlaneyMelScale(FrequencyBand(0, 11025), 40))
    results = [describe(tf) for describe in OF_SPECTRA]
    results += [mfcc(mel), mfcc(mel, top_db=None), chroma(tf, ChromaScale(FrequencyBand(50, 5000)))]
    assert all(np.isfinite(np.asarray(result)).all() for result in results)
    assert not np.asarray(chroma_stft(tf)).any()
    assert np.isfinite(np.asarray(rainbowgram(tf, lambda x: np.stack([x, x, x], axis=-1)))).all()


def test_nan_stays_in_the_frames_that_it_touches():
    x = np.asarray(noise(20_000)).copy()
    clean = stft(sound(x))
    x[10_000] = np.nan
    tf = stft(sound(x))
    touched = np.isnan(np.asarray(tf)).any(axis=1)
    assert 0 < touched.sum() <= 2
    mel = SlaneyMelScale(FrequencyBand(0, 11025), 40)
    for describe in (
        *OF_SPECTRA,
        lambda tf: chroma(tf, ChromaScale(FrequencyBand(50, 5000))),
        lambda tf: mfcc(mel_bands(tf, mel), top_db=None),
    ):
        found, wanted = np.asarray(describe(tf)), np.asarray(describe(clean))
        assert np.isnan(found[touched]).all()
        assert np.allclose(found[~touched], wanted[~touched])
    picture = np.asarray(rainbowgram(tf, lambda x: np.stack([x, x, x], axis=-1)))
    assert np.isnan(picture).any(axis=(1, 2)).sum() <= touched.sum() + 2


def test_integer_audio():
    x = zounds.AudioSamples((np.asarray(noise()) * 3000).astype(np.int16), RATE)
    frames = windows(x, 512, 256)
    assert rms(frames).dtype == zero_crossing_rate(frames).dtype == np.float64
    assert np.allclose(rms(frames)[:-1], 3000, rtol=0.2)
    assert spectral_centroid(fft(frames)).dtype == np.float64


def test_zero_crossings_tell_frequency():
    frames = windows(tone(1000.0), 2048, 1024)
    assert np.allclose(np.asarray(zero_crossing_rate(frames))[:-1] * 22050 / 2, 1000, atol=30)


def test_channels_are_described_apart():
    stereo = np.stack([np.asarray(tone(500.0)), np.asarray(tone(3000.0))], axis=1)
    frames = windows(zounds.AudioSamples(stereo, RATE), 2048, 1024)
    levels = rms(frames, axis=1)
    assert levels.shape == (len(frames), 2)
    assert levels.dimensions == (frames.dimensions[0], frames.dimensions[2])


@pytest.mark.parametrize("weighting", [None, AWeighting(), AWeighting(gain=True)])
@pytest.mark.parametrize("first", ["A", "C"])
def test_all_piano_keys_are_in_their_class(weighting, first):
    rate, size = zounds.SR11025(), 8192
    t, window = np.arange(size) / rate.rate, HanningWindowingFunc(periodic=True)
    scale = ChromaScale(FrequencyBand(27.5, 4186.01), first)
    ellis = EllisChromaScale(first)
    for key in range(88):
        tf = fft(zounds.AudioSamples(np.sin(2 * np.pi * 27.5 * 2 ** (key / 12) * t) * window(size), rate))
        wanted = (key - (0 if first == "A" else 3)) % 12
        assert int(np.argmax(chroma(tf, scale, weighting=weighting))) == wanted
        assert int(np.argmax(chroma_stft(tf, ellis))) == wanted


def test_chroma_is_the_weighted_magnitude_summed_by_its_scale():
    tf = stft(noise())
    scale = ChromaScale(FrequencyBand(50, 5000))
    for window in (None, HanningWindowingFunc()):
        wanted = scale.apply(np.abs(tf) * AWeighting(), window)
        assert np.allclose(chroma(tf, scale, window), wanted, rtol=1e-12)


def test_notes_beyond_the_axis_do_not_count():
    axis = stft(noise(), zounds.HalfLapped()).dimensions[1].scale
    low = ChromaScale(FrequencyBand(100, 10_000)).basis(axis)
    assert np.array_equal(ChromaScale(FrequencyBand(100, 40_000)).basis(axis)[:, :450], low[:, :450])
    part = axis[FrequencyBand(400, 500)]
    weights = ChromaScale(FrequencyBand(27.5, 8000)).basis(part)
    assert weights.shape == (12, len(part)) and (weights.sum(axis=0) <= 2).all()


def test_ellis_classes_take_an_axis_of_a_transform_alone():
    with pytest.raises(DimensionError, match="allowed: the axis of fft"):
        EllisChromaScale().basis(LinearScale(FrequencyBand(0, 100), 10))
    with pytest.raises(DeclarationError, match="own shape"):
        EllisChromaScale().basis(fft(noise(512)).dimensions[0].scale, HanningWindowingFunc())
    for wrong in ({"first": "B"}, {"tuning": np.nan}, {"octave_width": 0}):
        with pytest.raises(DeclarationError, match=f"{next(iter(wrong))}="):
            EllisChromaScale(**wrong)


def test_bfcc_tells_the_envelope_but_not_the_level():
    bands = apply_scale(stft(noise()), BarkScale(FrequencyBand(20, 11025), 40))
    assert bfcc(bands).shape == (43, 13)
    assert np.allclose(bfcc(bands * 10), bfcc(bands), atol=1e-6)
    assert np.allclose(bfcc(bands * np.e, 1, 0) - bfcc(bands, 1, 0), 80, atol=1e-6)


def test_rainbowgram():
    tf = stft(tone(1000.0))
    picture = rainbowgram(tf, lambda x: np.stack([x, np.ones_like(x), 1 - x, np.full_like(x, 9.0)], axis=-1))
    assert picture.shape == (*tf.shape, 3)
    assert picture.dimensions[:2] == tf.dimensions
    assert picture.min() >= 0 and picture.max() == 1.0
    magnitude = np.log1p(1000 * np.abs(np.asarray(tf)))
    assert np.allclose(picture[..., 1], (magnitude - magnitude.min()) / (magnitude.max() - magnitude.min()))
    turning = np.gradient(np.unwrap(np.angle(np.asarray(tf)), axis=0), axis=0)
    hue = (turning - turning.min()) / (turning.max() - turning.min())
    assert np.allclose(picture[..., 0], np.asarray(picture[..., 1]) * hue, atol=1e-9)
    # the phase counts, so a spectrum that is all imaginary is no darker
    assert np.allclose(rainbowgram(tf * 1j, lambda x: np.ones((*x.shape, 3)))[..., 0], picture[..., 1])
    assert rainbowgram(tf[:1], lambda x: np.ones((*x.shape, 3))).shape == (1, tf.shape[1], 3)
    assert rainbowgram(tf[:0], lambda x: np.ones((*x.shape, 3))).shape == (0, tf.shape[1], 3)


def test_bad_input():
    for describe in OF_SPECTRA:
        with pytest.raises(DimensionError, match="must have frequencies"):
            describe(tone(440.0))
    for describe in (rms, zero_crossing_rate):
        with pytest.raises(DimensionError, match="no units"):
            describe(np.ones((3, 4)))
    tf = stft(noise(3000))
    with pytest.raises(DeclarationError, match="allowed: a ChromaScale"):
        chroma(tf, LinearScale(FrequencyBand(0, 100), 10))
    with pytest.raises(DeclarationError, match="power=0"):
        chroma_stft(tf, power=0)
    with pytest.raises(DimensionError, match="as many bands are needed"):
        bfcc(tf[:, :10])
    with pytest.raises(DimensionError, match="of one channel"):
        rainbowgram(ArrayWithUnits(np.ones((2, 2, 3)), [None, None, tf[:, :3].dimensions[1]]), np.abs)
    with pytest.raises(DeclarationError, match="one red, green and blue"):
        rainbowgram(tf, lambda x: x)


@pytest.mark.parametrize(
    "node",
    [zounds.SpectralCentroid, zounds.SpectralRolloff, zounds.ZeroCrossingRate, zounds.RMS],
    ids=lambda n: n.__name__,
)
def test_nodes_ask_for_frames(node):
    with pytest.raises(DimensionError, match="described one by one|is that of frames"):
        list(node().run([tone(440.0)]))


def test_bad_arguments_of_nodes():
    for make, match in (
        (lambda: zounds.SpectralRolloff(1.5), "roll_percent"),
        (lambda: zounds.SpectralFlatness(power=0), "power=0"),
        (lambda: zounds.SpectralFlatness(amin=-1), "amin=-1"),
        (lambda: zounds.ZeroCrossingRate(axis=0), "axis of frames"),
        (lambda: zounds.RMS(axis=0), "axis of frames"),
        (lambda: zounds.ZeroCrossingRate(threshold=-1), "threshold=-1"),
        (lambda: zounds.BFCC(n_coeffs=0), "n_coeffs=0"),
        (lambda: zounds.BFCC(exclude=-1), "exclude=-1"),
        (lambda: zounds.MFCC(lifter=-1), "lifter=-1"),
        (lambda: zounds.MFCC(amin=0), "amin=0"),
        (lambda: zounds.MFCC(top_db=-1), "top_db=-1"),
        (lambda: zounds.Chroma(FrequencyBand(0, 100)), "from above 0 Hz"),
        (lambda: zounds.Chroma(first="B"), "first='B'"),
        (lambda: zounds.ChromaSTFT(power=0), "power=0"),
    ):
        with pytest.raises(DeclarationError, match=match):
            make()
