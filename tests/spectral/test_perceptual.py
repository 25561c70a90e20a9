import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    HanningWindowingFunc,
    LinearScale,
    MelScale,
    OggVorbisWindowingFunc,
    SlaneyMelScale,
    WindowingFunc,
)

SPAN = FrequencyBand(20, 5000)


def test_known_centres():
    assert np.allclose(BarkScale(SPAN, 5).center_frequencies, [20, 477.3711, 1175.415, 2466.0596, 5000], atol=1e-3)
    assert np.allclose(MelScale(SPAN, 5).center_frequencies, [20, 507.7251, 1325.8332, 2698.1243, 5000], atol=1e-3)


def test_bands_are_one_erb_wide():
    first = BarkScale(SPAN, 5).bands[0]
    assert (first.start_hz, first.stop_hz) == pytest.approx((6.57, 33.43))
    scale = MelScale(SPAN, 9)
    assert np.allclose(scale.bandwidths, 0.108 * scale.center_frequencies + 24.7)


def test_slaney_corners_are_librosas():
    librosa = pytest.importorskip("librosa")
    scale = SlaneyMelScale(FrequencyBand(50, 8000), 24)
    corners = librosa.mel_frequencies(26, fmin=50, fmax=8000)
    assert np.allclose(scale.center_frequencies, corners[1:-1], rtol=1e-12)
    assert np.allclose(scale.band_starts, corners[:-2], rtol=1e-12)
    assert np.allclose(scale.band_stops, corners[2:], rtol=1e-12)


@pytest.mark.parametrize(("sr", "n_fft", "n", "band"), [(22050, 2048, 128, (0, 11025)), (11025, 743, 40, (50, 5000))])
def test_slaney_filters_are_librosas(sr, n_fft, n, band):
    librosa = pytest.importorskip("librosa")
    scale = SlaneyMelScale(FrequencyBand(*band), n)
    theirs = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n, fmin=band[0], fmax=band[1], dtype=np.float64)
    axis = FFTScale(sr, n_fft)
    assert np.allclose(scale.basis(axis), theirs, rtol=1e-9, atol=1e-15)
    assert np.array_equal(scale.basis(axis[5:50]), scale.basis(axis)[:, 5:50])


def test_slaney_filters_need_a_transform_and_no_window():
    scale = SlaneyMelScale(SPAN, 10)
    with pytest.raises(DimensionError, match="axis of fft"):
        scale.basis(LinearScale(SPAN, 100))
    with pytest.raises(DeclarationError, match="have their own shape"):
        scale.basis(FFTScale(11025, 512), HanningWindowingFunc())


@pytest.mark.parametrize("window", [None, HanningWindowingFunc(), OggVorbisWindowingFunc(), WindowingFunc(np.hamming)])
@pytest.mark.parametrize("n_fft", [64, 1024])
def test_filters_are_never_empty(window, n_fft):
    axis = FFTScale(22050, n_fft)
    for scale in (BarkScale(FrequencyBand(20, 11025), 100), MelScale(SPAN, 60), LinearScale(SPAN, 300)):
        weights = scale.basis(axis, window)
        assert weights.shape == (len(scale), len(axis))
        assert (weights.max(axis=1) > 0).all()
        assert weights.min() >= 0


def test_plain_functions_are_windows():
    scale, axis = LinearScale(SPAN, 30), FFTScale(22050, 1024)
    assert np.allclose(scale.basis(axis, np.hanning), scale.basis(axis, HanningWindowingFunc()), atol=1e-5)


def test_the_window_lies_at_its_place_in_the_band():
    scale = LinearScale(FrequencyBand(1000, 2000), 1)
    axis = FFTScale(8000, 800)
    weights = scale.basis(axis, HanningWindowingFunc())[0]
    inside = (axis.bin_frequencies >= 1000) & (axis.bin_frequencies < 2000)
    expected = np.sin(np.pi * (axis.bin_frequencies - 1000) / 1000) ** 2
    assert np.allclose(weights, np.where(inside, expected, 0))
    assert axis.bin_frequencies[weights.argmax()] == 1500


@pytest.mark.parametrize("first", ["A", "C"])
def test_all_piano_keys_land_in_their_class(first):
    sr, n_fft = 11025, 2**16
    axis = FFTScale(sr, n_fft)
    scale = ChromaScale(FrequencyBand(27.5, 4186.1), first)
    for key in range(88):
        spectrum = np.zeros((1, len(axis)))
        spectrum[0, round(27.5 * 2 ** (key / 12) * n_fft / sr)] = 1
        tf = ArrayWithUnits(spectrum, [IdentityDimension(), FrequencyDimension(axis)])
        for window in (None, HanningWindowingFunc()):
            chroma = scale.apply(tf, window)[0]
            wanted = key % 12 if first == "A" else (key + 9) % 12
            assert chroma[wanted] == chroma.max()


def test_chroma_counts_each_octave():
    axis = FFTScale(11025, 2**16)
    weights = ChromaScale(FrequencyBand(100, 4000)).basis(axis, HanningWindowingFunc())
    peaks = [weights[0, round(f * 2**16 / 11025)] for f in (110, 220, 440, 880, 1760, 3520)]
    assert np.allclose(peaks, 1, atol=0.01)


def test_chroma_has_no_bands():
    scale = ChromaScale(SPAN)
    assert len(scale) == 12
    with pytest.raises(UnitIndexError, match="gathers all octaves"):
        _ = scale.bands
    with pytest.raises(UnitIndexError, match="gathers all octaves"):
        scale.get_slice(FrequencyBand(100, 200))
    assert scale.get_slice(slice(0, 3)) == slice(0, 3)
    assert ChromaScale.from_dict(scale.to_dict()) == scale
