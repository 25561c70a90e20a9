"""Cosine transforms and back: any length, window and overlap that can be undone, and errors where they cannot."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import (
    DCT,
    DCTIV,
    MDCT,
    FrequencyBand,
    HanningWindowingFunc,
    IdentityWindowingFunc,
    OggVorbisWindowingFunc,
    SlidingWindow,
    WindowingFunc,
)
from zounds_lite.synthesize import DCTIVSynthesizer, DCTSynthesizer, FFTSynthesizer, MDCTSynthesizer
from zounds_lite.timeseries import SR11025, AudioSamples

HANN, VORBIS, IDENTITY = HanningWindowingFunc(), OggVorbisWindowingFunc(), IdentityWindowingFunc()
PAIRS = {"dct": (DCT, DCTSynthesizer), "dct4": (DCTIV, DCTIVSynthesizer), "mdct": (MDCT, MDCTSynthesizer)}
SCHEMES = {
    "dct": [(512, 256), (512, 128), (743, 372), (743, 186), (5513, 2757), (3, 1), (1, 1)],
    "dct4": [(512, 256), (512, 128), (743, 372), (743, 186), (5513, 2757), (3, 1), (1, 1)],
    "mdct": [(512, 256), (512, 128), (742, 371), (742, 53), (5514, 2757), (4, 1), (2, 1)],
}
CASES = [(name, scheme) for name in PAIRS for scheme in SCHEMES[name]]


def sound(n, dtype=np.float64, channels=()):
    return AudioSamples(np.random.default_rng(n).uniform(-1, 1, (n, *channels)).astype(dtype), SR11025())


def analyse(node, x, scheme, window, pad=True):
    size, hop = scheme
    padding = size - hop if pad else 0
    cut = SlidingWindow(SR11025().windowing_scheme(size, hop), window, padwith=padding, padend=padding)
    node = node(axis=1) if node is DCT else node()
    out = list(node.run(cut.run([x[: len(x) // 3], x[len(x) // 3 :]])))
    return ArrayWithUnits(np.concatenate([np.asarray(part) for part in out]), out[-1].dimensions)


def snr(x, found):
    x, found = np.asarray(x, np.float64), np.asarray(found, np.float64)
    error = np.sum((x - found) ** 2)
    return np.inf if error == 0 else 10 * np.log10(np.sum(x**2) / error)


@pytest.mark.parametrize(("name", "scheme"), CASES)
@pytest.mark.parametrize("window", [VORBIS, IDENTITY, WindowingFunc(np.hamming)], ids=["vorbis", "identity", "hamming"])
@pytest.mark.parametrize(("dtype", "bar"), [(np.float32, 120), (np.float64, 250)])
def test_padded_signals_come_back_whole(name, scheme, window, dtype, bar):
    node, synthesizer = PAIRS[name]
    x = sound(20011, dtype)
    again = synthesizer(window).synthesize(analyse(node, x, scheme, window))
    assert (again.dtype, len(again)) == (dtype, len(x))
    assert snr(x, again) >= bar


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["dct", "dct4"]), st.integers(1, 3000), st.integers(2, 300), st.data())
def test_any_length_window_and_hop(name, n, size, data):
    node, synthesizer = PAIRS[name]
    x = sound(n)
    again = synthesizer().synthesize(analyse(node, x, (size, data.draw(st.integers(1, max(1, size // 2)))), VORBIS))
    assert len(again) == n
    assert snr(x, again) >= 250


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3000), st.integers(1, 150), st.data())
def test_mdct_of_any_length_half_window_and_part_of_it(n, half, data):
    hop = data.draw(st.sampled_from([h for h in range(1, half + 1) if half % h == 0]))
    x = sound(n)
    again = MDCTSynthesizer().synthesize(analyse(MDCT, x, (2 * half, hop), VORBIS))
    assert len(again) == n
    assert snr(x, again) >= 250


@pytest.mark.parametrize(("name", "scheme"), CASES)
def test_the_interior_is_exact_without_padding(name, scheme):
    node, synthesizer = PAIRS[name]
    x = sound(30000)
    again = synthesizer().synthesize(analyse(node, x, scheme, VORBIS, pad=False))
    inside = slice(scheme[0], -scheme[0])
    assert len(again) == len(x)
    assert snr(x[inside], again[inside]) >= 250
    assert np.abs(np.asarray(again)).max() <= 2


def test_the_edges_of_an_mdct_hold_no_more_than_aliasing():
    x = sound(3000)
    again = MDCTSynthesizer().synthesize(analyse(MDCT, x, (512, 256), VORBIS, pad=False))
    window = VORBIS(512)[:256]
    mirrored = window * (window * np.asarray(x)[:256] - (window * np.asarray(x)[:256])[::-1])
    assert np.allclose(again[:256], mirrored, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_channels(name):
    node, synthesizer = PAIRS[name]
    x = sound(3000, channels=(2,))
    again = synthesizer().synthesize(analyse(node, x, (512, 256), VORBIS))
    assert again.shape == (3000, 2)
    assert snr(x, again) >= 250


@pytest.mark.parametrize("name", ["dct", "dct4"])
def test_pairs_of_different_windows(name):
    node, synthesizer = PAIRS[name]
    x = sound(9000)
    tf = analyse(node, x, (512, 128), HANN)
    assert snr(x, synthesizer(IDENTITY, analysis_windowing_func=HANN).synthesize(tf)) >= 250
    assert snr(x, synthesizer(VORBIS, analysis_windowing_func=HANN).synthesize(tf)) >= 250


def test_mdct_with_a_window_on_one_side_only():
    # w / (w^2 + mirrored w^2) after none before
    half = HANN(512)[:256] + 0.1
    after = WindowingFunc(lambda size: np.concatenate([half + half[::-1]] * 2))
    x = sound(9000)
    tf = analyse(MDCT, x, (512, 256), None)
    assert snr(x, MDCTSynthesizer(after, analysis_windowing_func=IDENTITY).synthesize(tf)) >= 250


def test_mdct_refuses_what_cannot_be_undone():
    x = sound(3000)
    with pytest.raises(DimensionError, match="512 samples, 200 apart.*the hop must divide 256"):
        MDCTSynthesizer().synthesize(analyse(MDCT, x, (512, 200), VORBIS))
    with pytest.raises(DimensionError, match="the hop must divide 256"):
        MDCTSynthesizer().synthesize(analyse(MDCT, x, (512, 512), VORBIS))
    with pytest.raises(DeclarationError, match="leave aliasing"):
        MDCTSynthesizer(IDENTITY, analysis_windowing_func=VORBIS).synthesize(analyse(MDCT, x, (512, 256), VORBIS))
    periodic = HanningWindowingFunc(periodic=True)
    with pytest.raises(DeclarationError, match="symmetric window"):
        MDCTSynthesizer(periodic).synthesize(analyse(MDCT, x, (512, 256), periodic))
    with pytest.raises(DimensionError, match="has windows of 2 N samples"):
        MDCTSynthesizer().synthesize(analyse(DCT, x, (511, 73), VORBIS))


@pytest.mark.parametrize("name", PAIRS)
def test_bad_input(name):
    node, synthesizer = PAIRS[name]
    tf = analyse(node, sound(3000), (512, 256), VORBIS)
    with pytest.raises(DimensionError, match="the inverse needs all"):
        synthesizer().synthesize(tf[:, FrequencyBand(100, 1000)])
    with pytest.raises(DimensionError, match="needed: a FrequencyDimension"):
        synthesizer().synthesize(ArrayWithUnits(np.asarray(tf), [tf.dimensions[0], None]))
    with pytest.raises(DeclarationError, match="allowed: a window"):
        synthesizer(np.hanning)
    assert len(synthesizer().synthesize(tf[:0])) == 0


@pytest.mark.parametrize("name", PAIRS)
def test_silence_and_nan(name):
    node, synthesizer = PAIRS[name]
    assert not np.asarray(synthesizer().synthesize(analyse(node, sound(3000) * 0, (512, 256), VORBIS))).any()
    x = sound(5000)
    clean = synthesizer().synthesize(analyse(node, x, (512, 256), VORBIS))
    np.asarray(x)[2000] = np.nan
    broken = np.asarray(synthesizer().synthesize(analyse(node, x, (512, 256), VORBIS)))
    assert np.isnan(broken[2000]) and np.isfinite(broken[:1488]).all() and np.isfinite(broken[2512:]).all()
    assert np.array_equal(broken[:1488], np.asarray(clean)[:1488])


def test_windows_without_weight_give_silence():
    x = AudioSamples(np.ones(5), SR11025())
    tf = analyse(MDCT, x, (2, 1), HANN)  # two samples of it are zeros
    assert np.array_equal(MDCTSynthesizer(HANN).synthesize(tf), np.zeros(5))


def test_synthesizers_are_values():
    for synthesizer in (DCTSynthesizer(), DCTIVSynthesizer(HANN), MDCTSynthesizer(HANN, HANN)):
        assert Declared.from_dict(json.loads(json.dumps(synthesizer.to_dict()))) == synthesizer
    assert DCTSynthesizer() != FFTSynthesizer() and DCTSynthesizer() != DCTIVSynthesizer()
