"""Descriptors of plain arrays: known answers, silence, NaN, and frames that do not know of each other."""

import numpy as np
import pytest

from zounds_lite.dsp import centroid, flatness, log_cepstrum, power_cepstrum, rms, rolloff, spread, zero_crossing_rate
from zounds_lite.errors import DeclarationError, DimensionError

HZ = np.arange(257) * 8000 / 512
OF_SPECTRA = {
    "centroid": lambda x: centroid(x, HZ),
    "spread": lambda x: spread(x, HZ),
    "rolloff": lambda x: rolloff(x, HZ),
    "flatness": flatness,
    "power flatness in dB": lambda x: flatness(x, 2.0, 1e-10, db=True),
    "log cepstrum": log_cepstrum,
    "power cepstrum": lambda x: power_cepstrum(np.abs(x) ** 2, lifter=22, top_db=None),
}
OF_SAMPLES = {"zero crossings": zero_crossing_rate, "rms": rms}
ALL = OF_SPECTRA | OF_SAMPLES


def spectra(n=150, dtype="complex128"):
    rng = np.random.default_rng(n)
    return (rng.normal(size=(n, 257)) + 1j * rng.normal(size=(n, 257))).astype(dtype)


def frames(name, n=150):
    return spectra(n) if name in OF_SPECTRA else spectra(n).real


@pytest.mark.parametrize("name", ALL)
def test_a_frame_does_not_know_of_the_others(name):
    x = frames(name)
    whole = ALL[name](x)
    for size in (1, 7, 64, 65):
        parts = np.concatenate([ALL[name](x[i : i + size]) for i in range(0, len(x), size)])
        assert np.array_equal(parts, whole)


@pytest.mark.parametrize("name", ALL)
def test_nothing_and_silence_are_numbers(name):
    assert len(ALL[name](frames(name)[:0])) == 0
    assert np.isfinite(ALL[name](np.zeros((3, 257)))).all()
    if name not in ("log cepstrum", "power cepstrum"):
        assert np.isfinite(ALL[name](np.full((1, 257), 5e-324))).all()


@pytest.mark.parametrize("name", ALL)
def test_nan_stays_in_its_frame(name):
    x = frames(name)
    wanted = ALL[name](x)
    x[70, 3] = np.nan
    found = ALL[name](x)
    assert np.isnan(found[70]).all()
    rest = np.arange(len(x)) != 70
    assert np.array_equal(found[rest], wanted[rest])


@pytest.mark.parametrize("name", ALL)
def test_precision_is_kept_and_used(name):
    x = frames(name)
    wanted = ALL[name](x)
    single = ALL[name](x.astype(np.complex64 if np.iscomplexobj(x) else np.float32))
    assert (wanted.dtype, single.dtype) == (np.float64, np.float32)
    assert np.allclose(single, wanted, rtol=2e-5, atol=2e-5 * np.abs(wanted).max())
    assert ALL[name](np.ones((2, 257), np.int16)).dtype == np.float64


@pytest.mark.parametrize("name", ALL)
def test_input_is_not_changed_and_may_lie_anywhere(name):
    x = frames(name)
    copied, wanted = x.copy(), ALL[name](x)
    wide = np.zeros((300, 514), x.dtype)
    wide[::2, ::2] = x
    wide.flags.writeable = False
    for same in (np.asfortranarray(x), wide[::2, ::2]):
        assert np.allclose(ALL[name](same), wanted, rtol=1e-12)
    assert np.array_equal(x, copied)


def test_leading_axes_and_single_frames():
    x = spectra(60).reshape(3, 20, 257)
    for describe in OF_SPECTRA.values():
        found = describe(x)
        assert found.shape[:2] == (3, 20)
        assert np.array_equal(found[1, 4], describe(x[1, 4]))
    assert rms(x.real, axis=1).shape == (3, 257)
    assert rms(x.real, axis=1)[2, 5] == rms(x.real[2, :, 5])


def test_a_line_is_where_it_is():
    x = np.zeros((257, 257))
    np.fill_diagonal(x, 3.0)
    assert np.allclose(centroid(x, HZ), HZ)
    assert not spread(x, HZ).any()
    assert np.array_equal(rolloff(x, HZ), HZ)


def test_loudness_does_not_move_what_is_no_level():
    x = spectra()
    for name in ("centroid", "spread", "rolloff", "flatness"):
        assert np.allclose(OF_SPECTRA[name](x * 1e-3), OF_SPECTRA[name](x), rtol=1e-12), name


def test_flatness_is_the_ratio_of_means():
    from scipy.stats import gmean

    x = np.abs(spectra())
    assert np.allclose(flatness(x), gmean(x, axis=-1) / x.mean(axis=-1), rtol=1e-12)
    assert np.allclose(flatness(x, db=True), 20 * np.log10(flatness(x)))
    assert np.allclose(flatness(x, 2.0, db=True), 10 * np.log10(flatness(x, 2.0)))
    assert flatness(np.ones((1, 9)))[0] == 1.0
    assert flatness([[1.0, 0.0]])[0] == 0.0
    assert flatness([[0.0, 0.0]], db=True)[0] == -100.0
    assert flatness([[0.0, 0.0]], 2.0, 1e-10)[0] == pytest.approx(1.0)


def test_flatness_rises_from_a_tone_to_noise():
    rng = np.random.default_rng(0)
    tone, noise = np.sin(2 * np.pi * 0.1 * np.arange(512)) * np.hanning(512), rng.normal(size=512) * np.hanning(512)
    mixed = [np.fft.rfft(tone * (1 - a) + noise * a) for a in np.linspace(0, 1, 9)]
    assert (np.diff(flatness(np.array(mixed))) > 0).all()


def test_a_tone_crosses_zero_twice_a_period():
    x = np.sin(2 * np.pi * 100 * (np.arange(8000) + 0.5) / 8000)
    assert zero_crossing_rate(x) == pytest.approx(199 / 8000)  # no change before the first sample
    assert zero_crossing_rate(x * 1e-12) == 0.0
    assert zero_crossing_rate(x * 1e-12, threshold=0.0) > 0.02
    assert rms(x) == pytest.approx(np.sqrt(0.5))
    assert rms(np.array([3, -3], np.int8)) == 3.0


def test_cepstra_are_the_cosine_transform_that_they_say():
    import scipy.fft

    x = np.abs(spectra())[:, :40]
    logs = scipy.fft.dct(np.log(x + 1e-12), type=2, axis=1)
    assert np.allclose(log_cepstrum(x), logs[:, 1:14], rtol=1e-12, atol=1e-10)
    assert np.allclose(log_cepstrum(x, 5, 0), logs[:, :5], rtol=1e-12, atol=1e-10)
    level = scipy.fft.dct(10 * np.log10(np.maximum(x, 1e-10)), type=2, axis=1, norm="ortho")
    assert np.allclose(power_cepstrum(x, 20, top_db=None), level[:, :20], rtol=1e-12, atol=1e-10)
    raised = 1 + 11 * np.sin(np.pi * np.arange(1, 21) / 22)
    assert np.allclose(power_cepstrum(x, 20, 22, top_db=None), level[:, :20] * raised, rtol=1e-12, atol=1e-10)


def test_bad_arguments():
    with pytest.raises(DimensionError, match="one per bin"):
        centroid(np.ones((2, 3)), [1.0, 2.0])
    with pytest.raises(DimensionError, match="axis=-1"):
        flatness(3.0)
    with pytest.raises(DimensionError, match="axis=2"):
        rms(np.ones((2, 3)), axis=2)
    for part in (0, 1, np.nan):
        with pytest.raises(DeclarationError, match="between 0 and 1"):
            rolloff(np.ones((2, 3)), [1.0, 2.0, 3.0], part)
    with pytest.raises(DeclarationError, match="power=0"):
        flatness(np.ones(3), 0)
    with pytest.raises(DeclarationError, match="amin=-1"):
        flatness(np.ones(3), amin=-1)
    with pytest.raises(DeclarationError, match="threshold=-1"):
        zero_crossing_rate(np.ones(3), threshold=-1)
    for describe in (rms, zero_crossing_rate):
        with pytest.raises(DeclarationError, match="only real numbers"):
            describe(spectra())
    for cepstrum in (log_cepstrum, power_cepstrum):
        with pytest.raises(DimensionError, match="as many bands are needed"):
            cepstrum(np.ones((2, 12)))
        with pytest.raises(DeclarationError, match="n_coeffs=0"):
            cepstrum(np.ones((2, 20)), 0)
    with pytest.raises(DeclarationError, match="exclude=-1"):
        log_cepstrum(np.ones((2, 20)), exclude=-1)
    with pytest.raises(DeclarationError, match="lifter=-1"):
        power_cepstrum(np.ones((2, 20)), lifter=-1)
