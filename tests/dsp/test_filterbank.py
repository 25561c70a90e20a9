"""Filter banks: the dense product as reference, streams against batch, librosa's mel filters."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import BLOCK, FilterBank, band_matrix, hann, slaney_mel_matrix
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError

MEL = FilterBank(slaney_mel_matrix(22050, 2048))
CHROMA = FilterBank(np.random.default_rng(0).uniform(0, 1, (12, 257)))
ODD = FilterBank(slaney_mel_matrix(11025, 512, n_bands=49))
BANKS = {"mel": MEL, "chroma": CHROMA, "odd": ODD}


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 3e-6), ("float64", 1e-13)])
@pytest.mark.parametrize("n_frames", [0, 1, 63, 64, 65, 300, 700])
def test_apply_equals_the_dense_product(name, dtype, rtol, n_frames):
    bank = BANKS[name]
    x = np.random.default_rng(n_frames).uniform(0, 1, (n_frames, bank.n_bins)).astype(dtype)
    got = bank.apply(x)
    assert got.dtype == dtype and got.shape == (n_frames, bank.n_bands)
    np.testing.assert_allclose(got, x.astype("float64") @ bank.matrix.T, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("name", BANKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(deadline=None, max_examples=20)
@given(sizes=st.lists(st.integers(1, 5), max_size=8), tail=st.integers(0, BLOCK - 1), offset=st.integers(0, 7))
def test_aligned_chunks_are_bit_equal_to_batch(name, dtype, sizes, tail, offset):
    bank = BANKS[name]
    n = sum(sizes) * BLOCK + tail
    x = np.random.default_rng(n).standard_normal((n, bank.n_bins)).astype(dtype)
    whole = bank.apply(x)
    at = 0
    for size in (*[size * BLOCK for size in sizes], tail):
        # chunks of a stream lie anywhere in memory
        memory = np.empty(size * bank.n_bins + offset, dtype)
        chunk = memory[offset:].reshape(size, bank.n_bins)
        chunk[:] = x[at : at + size]
        np.testing.assert_array_equal(bank.apply(chunk), whole[at : at + size])
        at += size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_memory_layout_does_not_matter(dtype):
    x = np.random.default_rng(5).standard_normal((200, 1025)).astype(dtype)
    whole = MEL.apply(x)
    wide = np.zeros((400, 2050), dtype)
    wide[::2, ::2] = x
    for same in (np.asfortranarray(x), wide[::2, ::2], np.broadcast_to(x, (2, 200, 1025))[1]):
        np.testing.assert_array_equal(MEL.apply(same), whole)


def test_unaligned_chunks_are_close():
    x = np.random.default_rng(6).uniform(0, 1, (200, 1025)).astype("float32")
    parts = np.concatenate([MEL.apply(x[i : i + 7]) for i in range(0, 200, 7)])
    np.testing.assert_allclose(parts, MEL.apply(x), rtol=1e-6)


def test_leading_axes_single_spectra_and_integers():
    x = np.random.default_rng(7).uniform(0, 1, (2, 3, 70, 257))
    got = CHROMA.apply(x)
    assert got.shape == (2, 3, 70, 12)
    np.testing.assert_array_equal(got[1, 2], CHROMA.apply(x[1, 2]))
    np.testing.assert_array_equal(CHROMA.apply(x[0, 0, 5]), CHROMA.apply(x[0, 0, 5:6])[0])
    assert FilterBank([[1, 1]]).apply(np.array([[1, 2]])).tolist() == [[3.0]]
    assert CHROMA.apply(np.zeros((1, 257), "float16")).dtype == np.float32


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("dtype", ["complex64", "complex128", "float32", "int16"])
@pytest.mark.parametrize("n_frames", [0, 1, 64, 300])
def test_magnitudes_to_a_power_are_summed(power, dtype, n_frames):
    rng = np.random.default_rng(4)
    x = 100 * rng.standard_normal((n_frames, 257)) + 100j * rng.standard_normal((n_frames, 257))
    x = (x if dtype.startswith("complex") else x.real).astype(dtype)
    bands = CHROMA.apply(x, power)
    assert bands.dtype == (np.float32 if dtype in ("complex64", "float32") else np.float64)
    np.testing.assert_allclose(bands, CHROMA.apply(np.abs(x.astype(complex)) ** power), rtol=3e-6)
    for size in (64, 128):
        parts = [CHROMA.apply(x[i : i + size], power) for i in range(0, max(1, n_frames), size)]
        np.testing.assert_array_equal(np.concatenate(parts), bands)


def test_bad_powers_are_refused():
    for power in (0, -1, float("nan")):
        with pytest.raises(DeclarationError, match="exponent of the magnitude"):
            MEL.apply(np.zeros((2, 1025)), power)
    with pytest.raises(DeclarationError, match="or give power="):
        MEL.apply(np.zeros((2, 1025), complex))
    with pytest.raises(DeclarationError, match="spectra"):
        MEL.apply(np.zeros((2, 1025), object), 2)


def test_bands_of_zeros_give_zeros():
    matrix = np.zeros((40, 8))
    matrix[39, 7] = 2.0
    got = FilterBank(matrix).apply(np.ones((3, 8), "float32"))
    assert not got[:, :39].any() and (got[:, 39] == 2).all()


def test_bad_banks_and_spectra_are_refused():
    with pytest.raises(DimensionError, match="bands, bins"):
        FilterBank(np.zeros(4))
    with pytest.raises(DeclarationError, match="magnitudes of the filters"):
        FilterBank(np.zeros((2, 2), complex))
    with pytest.raises(DeclarationError, match="finite"):
        FilterBank([[np.nan]])
    with pytest.raises(DimensionError, match="257 bins"):
        CHROMA.apply(np.zeros((3, 256)))
    with pytest.raises(DeclarationError, match=r"np\.abs"):
        CHROMA.apply(np.zeros((3, 257), "complex64"))
    with pytest.raises(ValueError, match="read-only"):
        CHROMA.matrix[0, 0] = 1.0


@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("sr", "n_fft", "n_bands", "start_hz", "stop_hz"),
    [
        (22050, 2048, 128, 0.0, None),
        (44100, 2048, 40, 20.0, 16000.0),
        (11025, 743, 24, 50.0, 5000.0),
        (8000, 64, 128, 0, None),
    ],
)
def test_mel_matrix_equals_librosa(sr, n_fft, n_bands, start_hz, stop_hz, norm):
    librosa = pytest.importorskip("librosa")
    got = slaney_mel_matrix(sr, n_fft, n_bands, start_hz, stop_hz, norm)
    if n_bands == 128 and n_fft == 64:
        with pytest.warns(UserWarning, match="Empty filters"):
            want = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_bands, fmin=start_hz, fmax=stop_hz, norm=norm)
    else:
        want = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_bands, fmin=start_hz, fmax=stop_hz, norm=norm)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-8)


def test_mel_bands_peak_at_a_tone():
    bins = np.arange(1025) * 22050 / 2048
    spectrum = np.exp(-(((bins - 1000.0) / 20.0) ** 2))
    corners = 200 / 3 * np.arange(1, 16)
    bank = FilterBank(slaney_mel_matrix(22050, 2048, 14, start_hz=200 / 3, stop_hz=1066.0, norm=None))
    assert abs(corners[1 + np.argmax(bank.apply(spectrum))] - 1000.0) <= 200 / 3


def test_bad_mel_banks_are_refused():
    with pytest.raises(SampleRateError, match=r"sr=22050\.0"):
        slaney_mel_matrix(22050.0, 2048)
    with pytest.raises(DeclarationError, match="both are at least 1"):
        slaney_mel_matrix(22050, 2048, 0)
    with pytest.raises(DeclarationError, match="stops above"):
        slaney_mel_matrix(22050, 2048, start_hz=100, stop_hz=100)
    with pytest.raises(DeclarationError, match="norm='l2'"):
        slaney_mel_matrix(22050, 2048, norm="l2")


def test_adjacent_rectangular_bands_partition_the_bins():
    bins = np.arange(101) * 10.0
    edges = np.array([0.0, 33.0, 100.0, 500.0, 1000.1])
    matrix = band_matrix(edges[:-1], edges[1:], bins)
    np.testing.assert_array_equal(matrix.sum(0), np.ones(101))
    assert matrix.sum(1).tolist() == [4, 6, 40, 51]


def test_a_window_is_evaluated_at_the_position_in_the_band():
    bins = np.arange(100) * 1.0
    triangle = band_matrix([10], [20], bins, window=lambda p: 1 - np.abs(2 * p - 1))
    sampled = band_matrix([10], [20], bins, window=[0.0, 1.0, 0.0])
    np.testing.assert_allclose(triangle, sampled, atol=1e-15)
    assert triangle[0, 15] == 1.0 and np.flatnonzero(triangle[0]).tolist() == list(range(11, 20))


@settings(deadline=None, max_examples=100)
@given(
    starts=st.lists(st.floats(-500, 20_000), min_size=1, max_size=20),
    width=st.floats(0.01, 2000),
    n_bins=st.integers(1, 600),
)
def test_no_band_is_ever_empty(starts, width, n_bins):
    starts = np.array(starts)
    bins = np.arange(n_bins) * 11025 / n_bins
    matrix = band_matrix(starts, starts + width, bins, window=hann(65), normalize=True)
    np.testing.assert_allclose(matrix.sum(1), 1.0, rtol=1e-12)
    assert (matrix >= 0).all()


def test_a_narrow_band_takes_the_nearest_bin():
    bins = np.arange(513) * 22050 / 1024
    matrix = band_matrix([100.0], [101.0], bins, window=hann(9))
    assert np.flatnonzero(matrix[0]).tolist() == [np.argmin(np.abs(bins - 100.5))]
    assert matrix.max() == 1.0


def test_bad_bands_are_refused():
    with pytest.raises(DimensionError, match="one start and one stop"):
        band_matrix([1, 2], [3], [0, 1])
    with pytest.raises(DeclarationError, match=r"band 1 is 5\.0\.\.5\.0"):
        band_matrix([1, 5], [2, 5], [0, 1])
    with pytest.raises(DeclarationError, match="must increase"):
        band_matrix([1], [2], [0, 0])
    with pytest.raises(DeclarationError, match="one finite number per position"):
        band_matrix([0], [2], [0, 1], window=lambda p: np.ones(7))
    with pytest.raises(DimensionError, match="one row of numbers"):
        band_matrix([0], [2], [0, 1], window=np.ones((2, 2)))
    with pytest.raises(DeclarationError, match="normalize=False"):
        band_matrix([0], [2], [0, 1], window=lambda p: -np.ones_like(p), normalize=True)
