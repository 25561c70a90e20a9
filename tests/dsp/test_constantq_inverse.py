"""The inverse of the constant-Q transform: the transpose, the sound that comes back, and what is refused."""

import numpy as np
import pytest

from zounds_lite.dsp import ConstantQ, constantq_inverse, icqt
from zounds_lite.dsp.constantq_inverse import _System
from zounds_lite.errors import DeclarationError, DimensionError

BANK = {"sr": 8000, "hop": 16, "start_hz": 100.0, "n_bands": 60}


def inside(x, bank, bands=0):
    """What of a signal lies between the first and the last band, without some more at both ends."""
    spectrum = np.fft.rfft(x)
    hz = np.fft.rfftfreq(len(x), 1 / bank.sr)
    low, high = bank.center_hz[[bands, -1 - bands]]
    return np.fft.irfft(np.where((hz >= low) & (hz <= high), spectrum, 0), len(x))


def snr_db(wanted, found):
    return 10 * np.log10(np.sum(wanted**2) / np.sum((found - wanted) ** 2))


def music(size, sr=8000, seed=0):
    """Notes that fade, with overtones."""
    rng = np.random.default_rng(seed)
    t, out = np.arange(size) / sr, np.zeros(size)
    for at in range(0, size, sr // 4):
        hz = 110 * 2 ** (rng.integers(0, 36) / 12)
        note = sum(np.sin(2 * np.pi * hz * h * (t - t[at])) / h for h in range(1, 5) if hz * h < sr / 2)
        out += note * np.exp(-3 * (t - t[at])) * (t >= t[at])
    return out


@pytest.mark.parametrize("hop", [16, 512, 441])
@pytest.mark.parametrize("exact", [False, True])
def test_the_transpose_is_exact(hop, exact):
    bank, rng = ConstantQ(22050, hop, 130.0, 36, exact=exact), np.random.default_rng(0)
    plan = bank.plan(np.float64)
    for size, first, n_frames in ((5000, 0, 1 + 5000 // hop), (9000, 7, 50), (100, 0, 3)):
        system = _System(plan, size, first, n_frames)
        x, y = rng.normal(size=size), rng.normal(size=(n_frames, 72))
        one, other = np.vdot(system.apply(x), y), np.vdot(x, system.transpose(y))
        assert one == pytest.approx(other, rel=1e-10)


@pytest.mark.parametrize(("dtype", "complex_dtype"), [(np.float32, np.complex64), (np.float64, np.complex128)])
def test_music_comes_back(dtype, complex_dtype):
    bank, x = ConstantQ(**BANK), music(24_000).astype(dtype)
    spectra = bank.transform(x)
    assert spectra.dtype == complex_dtype
    found = icqt(spectra, bank, len(x))
    assert found.dtype == dtype and found.shape == x.shape
    assert snr_db(inside(x, bank), inside(found, bank)) > 45


def test_more_steps_come_closer():
    bank, x = ConstantQ(**BANK), inside(music(24_000), ConstantQ(**BANK), 2)
    found = [snr_db(x, icqt(bank.transform(x), bank, len(x), steps)) for steps in (1, 4, 12)]
    assert 20 < found[0] < found[1] - 5 < found[2] - 10 and found[2] > 60


def test_stretches_join(monkeypatch):
    bank = ConstantQ(**BANK)
    x = inside(music(60_000), bank, 2)
    whole = icqt(bank.transform(x), bank, len(x))
    monkeypatch.setattr(constantq_inverse, "_STRETCH", 16_000)
    parts = icqt(bank.transform(x), bank, len(x))
    assert snr_db(whole, parts) > 60
    assert snr_db(x, parts) > 55


def test_channels_are_signals_of_their_own():
    bank = ConstantQ(**BANK)
    x = np.stack([music(6000), music(6000, seed=1)])
    both = icqt(bank.transform(x), bank, 6000)
    assert np.array_equal(both[1], icqt(bank.transform(x[1]), bank, 6000))


def test_silence_and_nothing():
    bank = ConstantQ(**BANK)
    assert not icqt(np.zeros((10, 60), np.complex64), bank).any()
    assert icqt(np.zeros((10, 60), np.complex64), bank).shape == (160,)
    assert icqt(np.zeros((0, 60), complex), bank).shape == (0,)
    assert icqt(np.zeros((0, 60), complex), bank, 7).tolist() == [0] * 7
    assert icqt(np.ones((3, 60), complex), bank, 0).shape == (0,)


def test_a_length_of_its_own():
    bank, x = ConstantQ(**BANK), music(6000)
    spectra = bank.transform(x)
    for length in (1, 100, 5990, 6015, 9000):
        found = icqt(spectra, bank, length)
        assert found.shape == (length,) and np.isfinite(found).all()


def test_gaps_are_refused_and_can_be_allowed():
    shortest = ConstantQ(**BANK).lengths[-1]
    bank = ConstantQ(**{**BANK, "hop": int(shortest / 2) + 1})
    with pytest.raises(DeclarationError, match=f"at most {int(shortest / 2)} or with fewer bands.*allow_gaps=True"):
        icqt(bank.transform(music(3000)), bank)
    assert icqt(bank.transform(music(3000)), bank, allow_gaps=True).any()


def test_what_cannot_be_inverted():
    bank = ConstantQ(**BANK)
    with pytest.raises(DimensionError, match="60 bands"):
        icqt(np.zeros((5, 59), complex), bank)
    with pytest.raises(DimensionError, match=r"shape \(60,\)"):
        icqt(np.zeros(60, complex), bank)
    with pytest.raises(DeclarationError, match="length=-1"):
        icqt(np.zeros((5, 60), complex), bank, -1)
    with pytest.raises(DeclarationError, match="steps=0"):
        icqt(np.zeros((5, 60), complex), bank, steps=0)
