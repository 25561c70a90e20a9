"""The constant-Q transform against its definition, streams against wholes, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.signal import fftconvolve

from zounds_lite.dsp import ConstantQ, cqt
from zounds_lite.dsp.constantq_atoms import atom, relative_bandwidth
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError

CONFIGURATIONS = {
    "notes": {"sr": 22050},
    "quarter tones": {"sr": 22050, "hop": 1024, "start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24},
    "odd hop": {"sr": 22050, "hop": 441},
    "tiny hop": {"sr": 8000, "hop": 3, "start_hz": 110.0, "n_bands": 24, "bands_per_octave": 7},
    "hop beyond the atoms": {"sr": 22050, "hop": 9001, "n_bands": 60},
    "few wide bands": {"sr": 44100, "hop": 256, "start_hz": 50.0, "n_bands": 9, "bands_per_octave": 1},
    "short atoms": {"sr": 16000, "hop": 100, "n_bands": 80, "filter_scale": 0.5},
    "hamming": {"sr": 11025, "hop": 512, "n_bands": 72, "window": "hamming"},
    "no window": {"sr": 11025, "hop": 512, "n_bands": 72, "window": np.ones},
    "one band": {"sr": 22050, "n_bands": 1},
}


def direct(x, bank):
    """Correlate with the atoms, one by one, in float64."""
    out = np.empty((bank.frame_count(len(x)), bank.n_bands), complex)
    for k, (hz, length) in enumerate(zip(bank.center_hz, bank.lengths, strict=True)):
        first, numbers = atom(hz, length, bank.sr, bank.window)
        correlation = fftconvolve(np.asarray(x, np.float64), numbers[::-1])
        at = np.arange(len(out)) * bank.hop + first + len(numbers) - 1
        inside = (at >= 0) & (at < len(correlation))
        out[:, k] = np.where(inside, correlation[np.where(inside, at, 0)], 0)
    return out


def worst(found, wanted):
    """The largest error of each band as a part of its largest magnitude."""
    return float((np.abs(found - wanted).max(axis=0) / np.abs(wanted).max(axis=0)).max())


def sound(size, seed=0):
    """Noise whose low frequencies are as strong as its high ones are weak, as in music."""
    rng = np.random.default_rng(seed)
    white = rng.normal(size=size + 1)[:size]
    return white if not size else white + np.convolve(white, np.ones(50) / 5)[24 : 24 + size]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_band_is_within_a_thousandth_of_its_definition(name):
    bank, x = ConstantQ(**CONFIGURATIONS[name]), sound(50_000)
    wanted = direct(x, bank)
    assert worst(bank.transform(x), wanted) < 5e-4
    single = bank.transform(x.astype(np.float32))
    assert single.dtype == np.complex64
    assert worst(single, wanted) < 5e-4


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_exact_transform_is_its_definition(name):
    bank, x = ConstantQ(**CONFIGURATIONS[name], exact=True), sound(9000)
    assert worst(bank.transform(x), direct(x, bank)) < 1e-12


def test_no_tone_of_any_frequency_comes_through_wrongly():
    # the response of the whole chain against that of the atoms, both as parts of an atom's peak
    bank, centre = ConstantQ(22050, hop=512), 16384
    atoms = [atom(hz, length, bank.sr) for hz, length in zip(bank.center_hz, bank.lengths, strict=True)]
    scale, largest = np.sqrt(bank.lengths), 0.0
    for hz in np.linspace(5, 11020, 60):
        tone = np.exp(2j * np.pi * hz / bank.sr * (np.arange(2 * centre) - centre))
        found = bank.transform(tone.real)[centre // 512] + 1j * bank.transform(tone.imag)[centre // 512]
        wanted = np.array([tone[centre + first :][: len(a)] @ a for first, a in atoms])
        assert (np.abs(found - wanted) < 3e-5 * scale).all()
        largest = max(largest, float((np.abs(wanted) / scale).max()))
    assert largest > 0.9


def test_the_documented_numbers():
    bank = ConstantQ(22050, hop=1024, start_hz=65.4064, n_bands=96, bands_per_octave=24)
    assert bank.q == pytest.approx(34.6343, abs=1e-4)
    assert bank.lengths[[0, 10, 50, 95]] == pytest.approx([11676.02, 8747.13, 2755.17, 751.13], abs=0.01)
    for k in (0, 10, 50, 95):
        t = np.arange(40_000) / 22050
        spectra = np.abs(bank.transform(np.sin(2 * np.pi * bank.center_hz[k] * t)))[20]
        assert spectra[k] == pytest.approx(math.sqrt(bank.lengths[k]) / 2, rel=2e-3)
        assert spectra.argmax() == k
        neighbours = [spectra[j] / spectra[k] for j in (k - 1, k + 1) if 0 <= j < 96]
        assert neighbours == pytest.approx([0.495] * len(neighbours), abs=0.015)


def test_every_piano_key_has_its_band():
    bank = ConstantQ(44100, hop=4096, start_hz=27.5, n_bands=88)
    t = np.arange(3 * 44100) / 44100
    for key, hz in enumerate(27.5 * 2 ** (np.arange(88) / 12)):
        spectra = np.abs(bank.transform(np.sin(2 * np.pi * hz * t).astype(np.float32)))
        assert (spectra[10:-10].argmax(axis=1) == key).all(), key


def test_librosa_agrees():
    librosa = pytest.importorskip("librosa")
    x = sound(30_000).astype(np.float32)
    for arguments in ({"hop": 512}, {"hop": 512, "n_bands": 48, "bands_per_octave": 24, "start_hz": 100.0}):
        ours = cqt(x, 22050, **arguments, exact=True)
        theirs = librosa.cqt(
            x, sr=22050, hop_length=512, fmin=arguments.get("start_hz", ConstantQ(22050).center_hz[0]), sparsity=0,
            n_bins=arguments.get("n_bands", 84), bins_per_octave=arguments.get("bands_per_octave", 12), tuning=0,
        ).T  # fmt: skip
        assert ours.shape == theirs.shape
        # it resamples octave by octave, and its windows with them
        assert np.abs(ours - theirs).max() < 0.03 * np.abs(ours).max()
    # at the full rate only what it leaves out is between them: atoms at negative frequencies
    top = {"hop": 511, "n_bands": 12, "start_hz": 2000.0}
    theirs = librosa.vqt(
        x, sr=22050, hop_length=511, fmin=2000.0, n_bins=12, bins_per_octave=12, tuning=0, sparsity=0, gamma=0
    ).T
    ours = cqt(x, 22050, **top, exact=True)
    assert np.abs(ours - theirs).max() < 1e-3 * np.abs(ours).max()


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 60_000), max_size=6),
    hop=st.sampled_from([1, 7, 64, 441, 512, 3000]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_streams_are_wholes_to_the_last_bit(sizes, hop, dtype):
    bank = ConstantQ(8000, hop=hop, start_hz=110.0, n_bands=20, bands_per_octave=8)
    x = sound(sum(sizes) if hop > 1 else min(sum(sizes), 3000)).astype(dtype)
    stream, at, parts = bank.stream(), 0, []
    for size in sizes:
        parts.append(stream.push(x[at : at + size]))
        at += size
    parts.append(stream.finish())
    whole = bank.transform(x)
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert stream.n_samples == len(x) and len(whole) == bank.frame_count(len(x))


def test_channels_are_signals_of_their_own():
    bank, x = ConstantQ(8000, hop=200, n_bands=30), np.stack([sound(9000), sound(9000, 1)])
    both = bank.transform(x)
    assert both.shape == (2, 46, 30)
    for channel, alone in zip(both, x, strict=True):
        assert np.array_equal(channel, bank.transform(alone))
    stream = bank.stream()
    parts = [stream.push(x[:, :4000]), stream.push(x[:, 4000:]), stream.finish()]
    assert np.array_equal(np.concatenate(parts, axis=1), both)
    assert np.array_equal(bank.transform(x.T.copy().T), both), "in any layout"


@pytest.mark.parametrize("name", ["notes", "odd hop", "few wide bands"])
def test_nan_stays_near(name):
    bank, x = ConstantQ(**CONFIGURATIONS[name]), sound(300_000)
    clean = bank.transform(x)
    x[150_000] = np.nan
    touched = np.isnan(bank.transform(x)).any(axis=1)
    away = np.abs(np.arange(len(clean)) * bank.hop - 150_000)
    assert touched[away < bank.lengths[0] / 2 - 2].all()
    assert not touched[away > (2 if bank.q > 11 else 4) * bank.lengths[0]].any()
    assert np.array_equal(bank.transform(x)[~touched], clean[~touched])


def test_silence_and_nothing():
    bank = ConstantQ(8000, hop=100, n_bands=12)
    assert not bank.transform(np.zeros(1000)).any()
    assert bank.transform(np.zeros(0, np.float32)).shape == (0, 12)
    assert bank.transform(np.zeros((0, 500))).shape == (0, 6, 12)
    assert bank.transform(np.ones((2, 0))).shape == (2, 0, 12)
    stream = bank.stream()
    assert stream.push(np.zeros(0, np.float32)).dtype == np.complex64
    assert stream.finish().shape == (0, 12) and stream.finish().shape == (0, 12)


def test_integers_count_as_float64():
    x = np.arange(-500, 500)
    assert np.array_equal(cqt(x, 8000, n_bands=24), cqt(x.astype(float), 8000, n_bands=24))
    assert cqt(x.astype(np.float16), 8000, n_bands=24).dtype == np.complex64


def test_the_signal_stays_as_it_was():
    x = sound(5000)
    before = x.copy()
    x.flags.writeable = False
    cqt(x, 8000, n_bands=24)
    assert np.array_equal(x, before)


def test_bands_end_at_half_the_sample_rate():
    most = 1 + math.floor(12 * math.log2(4000 / 100 / (1 + relative_bandwidth(12) / 2)))
    assert cqt(np.ones(100), 8000, start_hz=100.0, n_bands=most).shape == (1, most)
    with pytest.raises(DeclarationError, match=f"at most {most}$"):
        ConstantQ(8000, start_hz=100.0, n_bands=most + 1)
    with pytest.raises(DeclarationError, match="at most 0$"):
        ConstantQ(8000, start_hz=5000.0, n_bands=1)
    with pytest.raises(DeclarationError, match="at most"):
        ConstantQ(8000, n_bands=10**9)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"hop": 0}, "hop=0"),
        ({"hop": 1.5}, "hop=1.5"),
        ({"n_bands": 0}, "n_bands=0"),
        ({"n_bands": 2.5}, "n_bands=2.5"),
        ({"start_hz": 0.0}, "start_hz=0.0"),
        ({"start_hz": math.nan}, "start_hz=nan"),
        ({"bands_per_octave": -1}, "bands_per_octave=-1"),
        ({"filter_scale": math.inf}, "filter_scale=inf"),
        ({"window": "kaiser"}, "'hann', 'hamming'"),
        ({"window": 3}, "window=3"),
        ({"window": np.zeros}, "only zeros"),
        ({"window": lambda n: np.ones(n + 1)}, "one number per sample"),
    ],
)
def test_what_no_transform_can_be(arguments, match):
    with pytest.raises(DeclarationError, match=match):
        ConstantQ(22050, **arguments)


def test_what_is_no_signal():
    with pytest.raises(SampleRateError, match="sr=0"):
        ConstantQ(0)
    with pytest.raises(DeclarationError, match="complex128"):
        cqt(np.ones(10, complex), 22050)
    with pytest.raises(DimensionError, match="single number"):
        cqt(np.float64(1), 22050)


def test_what_no_stream_takes():
    stream = ConstantQ(22050).stream()
    stream.push(np.ones((2, 10)))
    with pytest.raises(DimensionError, match="all chunks of one signal"):
        stream.push(np.ones((3, 10)))
    with pytest.raises(DeclarationError, match="float32 after chunks of float64"):
        stream.push(np.ones((2, 10), np.float32))
    stream.finish()
    with pytest.raises(DeclarationError, match="finished"):
        stream.push(np.ones((2, 10)))
