"""Frames: the counting rule, streams against batch, and overlap-add as the inverse."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from zounds_lite.dsp import (
    FrameStream,
    frame_count,
    frames,
    hann,
    irfft,
    overlap_add,
    rfft,
    vorbis,
    weight_sum,
    weighted_overlap_add,
)
from zounds_lite.errors import DeclarationError, DimensionError


def naive_frames(x, window, hop):
    """The rule, word by word."""
    length = len(x)
    if length == 0:
        return np.zeros((0, window, *x.shape[1:]), x.dtype)
    starts = [0]
    if length > window:
        starts = [k * hop for k in range(length) if k * hop + window <= length]
        if length - len(starts) * hop > 0:
            starts.append(len(starts) * hop)
    rows = []
    for start in starts:
        row = x[start : start + window]
        rows.append(np.concatenate([row, np.zeros((window - len(row), *x.shape[1:]), x.dtype)]))
    return np.stack(rows)


def naive_overlap_add(pieces, hop):
    n, window = pieces.shape[:2]
    out = np.zeros(((n - 1) * hop + window if n else 0, *pieces.shape[2:]), pieces.dtype)
    for k in range(n):
        out[k * hop : k * hop + window] += pieces[k]
    return out


def streamed(x, sizes, **scheme):
    stream = FrameStream(**scheme)
    parts, at = [], 0
    for size in sizes:
        parts.append(stream.push(x[at : at + size]))
        at += size
    parts.append(stream.push(x[at:]))
    before_finish = stream.n_samples
    last = stream.finish()
    assert before_finish == stream.n_samples == len(x)
    assert (last is None) == (len(x) == 0)
    assert last is None or len(last) >= 1
    assert stream.finish() is None
    parts = [part for part in (*parts, last) if part is not None]
    return np.concatenate(parts) if parts else None


@pytest.mark.parametrize(
    ("length", "window", "hop", "count"),
    [(0, 4, 2, 0), (1, 4, 2, 1), (3, 4, 2, 1), (4, 4, 2, 1), (10, 4, 2, 5), (11, 4, 2, 5), (12, 4, 2, 6)]
    + [(12, 4, 4, 3), (13, 4, 4, 4), (11, 4, 3, 4), (11, 4, 1, 9), (5, 1, 1, 5), (10, 2, 5, 2), (11, 2, 5, 3)],
)
def test_counts_of_the_reference(length, window, hop, count):
    assert frame_count(length, window, hop) == count


@settings(deadline=None, max_examples=300)
@given(length=st.integers(0, 60), window=st.integers(1, 25), hop=st.integers(1, 25))
def test_frames_follow_the_rule(length, window, hop):
    x = np.arange(1, length + 1)
    got = frames(x, window, hop)
    assert len(got) == frame_count(length, window, hop)
    np.testing.assert_array_equal(got, naive_frames(x, window, hop))


def test_frames_are_a_read_only_view_where_complete():
    x = np.arange(12.0)
    got = frames(x, 4, 4)
    assert np.shares_memory(got, x) and not got.flags.writeable
    np.testing.assert_array_equal(got, sliding_window_view(x, 4)[::4])
    assert not np.shares_memory(frames(x, 5, 5), x)
    assert x.flags.writeable


def test_further_axes_ride_along():
    x = np.random.default_rng(0).standard_normal((23, 2, 3)).astype("float32")
    got = frames(x, 5, 2)
    assert got.shape == (11, 5, 2, 3) and got.dtype == np.float32
    np.testing.assert_array_equal(got[3], x[6:11])


@settings(deadline=None, max_examples=400)
@given(
    length=st.integers(0, 70),
    window=st.integers(1, 20),
    hop=st.integers(1, 30),
    pad_start=st.integers(0, 25),
    pad_end=st.integers(0, 25),
    sizes=st.lists(st.integers(0, 30), max_size=30),
    channels=st.sampled_from([(), (2,)]),
)
def test_any_chunking_equals_batch(length, window, hop, pad_start, pad_end, sizes, channels):
    x = np.random.default_rng(length).standard_normal((length, *channels)).astype("float32")
    got = streamed(x, sizes, window=window, hop=hop, pad_start=pad_start, pad_end=pad_end)
    if length == 0:
        assert got is None
        return
    padded = np.pad(x, [(pad_start, pad_end), *[(0, 0) for _ in channels]])
    expected = frames(padded, window, hop)
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("window", "hop"), [(2048, 1024), (4, 4), (3, 7), (1, 1), (100, 1), (5000, 3)])
def test_single_samples_equal_batch(window, hop):
    x = np.arange(300)
    np.testing.assert_array_equal(streamed(x, [1] * 300, window=window, hop=hop), frames(x, window, hop))


def test_the_last_complete_frame_waits():
    stream = FrameStream(4, 4)
    assert stream.push(np.arange(4)) is None
    assert len(stream.push(np.arange(1))) == 1
    stream = FrameStream(4, 2)
    assert len(stream.push(np.arange(8))) == 2
    assert len(stream.finish()) == 2


def test_a_stream_keeps_little_and_its_own():
    x = np.ones(100_000, "float32")
    stream = FrameStream(512, 256)
    got = stream.push(x)
    assert np.shares_memory(got, x)
    kept = sum(part.size for part in stream._kept)
    assert kept <= 512
    x[:] = 7.0  # a reused buffer
    assert stream.finish().max() == 1


def test_bad_schemes_and_chunks_are_refused():
    with pytest.raises(DeclarationError, match="at least 1"):
        frame_count(5, 0, 1)
    with pytest.raises(DeclarationError, match="hop=0"):
        FrameStream(4, 0)
    with pytest.raises(DeclarationError, match="pad_start=-1"):
        FrameStream(4, 2, pad_start=-1)
    with pytest.raises(DeclarationError, match="0 or more"):
        frame_count(-1, 4, 2)
    with pytest.raises(DimensionError, match="no time axis"):
        frames(np.float64(3), 4, 2)
    stream = FrameStream(4, 2)
    stream.push(np.zeros((3, 2), "float32"))
    with pytest.raises(DimensionError, match="share all axes"):
        stream.push(np.zeros((3, 1), "float32"))
    with pytest.raises(DeclarationError, match="one dtype"):
        stream.push(np.zeros((3, 2), "float64"))
    stream.finish()
    with pytest.raises(DeclarationError, match="finished"):
        stream.push(np.zeros((3, 2), "float32"))


@settings(deadline=None, max_examples=200)
@given(n=st.integers(0, 12), window=st.integers(1, 20), hop=st.integers(1, 25), channels=st.sampled_from([(), (2,)]))
def test_overlap_add_equals_a_loop_over_frames(n, window, hop, channels):
    pieces = np.random.default_rng(n).standard_normal((n, window, *channels))
    np.testing.assert_array_equal(overlap_add(pieces, hop), naive_overlap_add(pieces, hop))


def snr_db(signal, recovered):
    error = np.sum((signal.astype("float64") - recovered) ** 2)
    return np.inf if error == 0 else 10 * np.log10(np.sum(signal.astype("float64") ** 2) / error)


@pytest.mark.parametrize(("dtype", "bar_db"), [("float64", 250.0), ("float32", 120.0)])
@pytest.mark.parametrize("shape", [hann, vorbis])
@pytest.mark.parametrize(
    ("window", "hop"), [(512, 256), (512, 128), (743, 372), (743, 186), (5513, 2757), (1025, 300), (64, 1), (9, 4)]
)
def test_any_window_and_hop_reconstructs_when_padded(dtype, bar_db, shape, window, hop):
    x = np.random.default_rng(1).uniform(-1, 1, 20_011).astype(dtype)
    pad = window - hop
    stream = FrameStream(window, hop, pad_start=pad, pad_end=pad)
    parts = [stream.push(x[:7000]), stream.push(x[7000:]), stream.finish()]
    w = shape(window).astype(dtype)
    spectra = rfft(np.concatenate([part for part in parts if part is not None]) * w)
    back = weighted_overlap_add(irfft(spectra, n=window) * w, hop, shape(window) ** 2, length=pad + len(x))[pad:]
    assert back.dtype == dtype and len(back) == len(x)
    assert snr_db(x, back) >= bar_db


def test_unpadded_reconstruction_is_exact_inside_and_bounded_at_the_edges():
    x = np.random.default_rng(2).uniform(-1, 1, 10_000)
    w = hann(512)
    pieces = irfft(rfft(frames(x, 512, 128) * w), 512) * w
    back = weighted_overlap_add(pieces, 128, w * w, length=len(x))
    assert np.abs(back - x)[512:-512].max() < 1e-13
    assert back[0] == 0 and np.abs(back).max() <= 1.001


@settings(deadline=None, max_examples=150)
@given(n=st.integers(0, 15), window=st.integers(1, 20), hop=st.integers(1, 25), channels=st.sampled_from([(), (2,)]))
def test_the_divisor_is_the_sum_of_weights(n, window, hop, channels):
    rng = np.random.default_rng(n)
    pieces, weights = rng.standard_normal((n, window, *channels)), rng.uniform(0.1, 1.0, window)
    divisor = naive_overlap_add(np.tile(weights, (n, 1)), hop)
    np.testing.assert_array_equal(weight_sum(weights, hop, n), divisor)
    covered = divisor > 0
    got = weighted_overlap_add(pieces, hop, weights)
    total = naive_overlap_add(pieces, hop)
    expected = total[covered] / divisor[covered].reshape(-1, *[1] * len(channels))
    np.testing.assert_allclose(got[covered], expected, rtol=1e-12)
    assert not got[~covered].any()


def test_weighted_overlap_add_fits_the_length_and_refuses_nonsense():
    pieces = np.ones((2, 4))
    assert weighted_overlap_add(pieces, 4, np.ones(4), length=20).tolist() == [1.0] * 8 + [0.0] * 12
    assert len(weighted_overlap_add(pieces, 4, np.ones(4), length=3)) == 3
    for weights in ([0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0]):
        windowed = pieces.astype("float32") * np.array(weights, "float32")
        assert weighted_overlap_add(windowed, 4, weights, floor=0).tolist() == weights * 2
    with pytest.raises(DimensionError, match="one number per sample"):
        weighted_overlap_add(pieces, 4, np.ones(3))
    with pytest.raises(DeclarationError, match="floor=2"):
        weighted_overlap_add(pieces, 4, np.ones(4), floor=2)
    with pytest.raises(DeclarationError, match="length=-1"):
        weighted_overlap_add(pieces, 4, np.ones(4), length=-1)
    with pytest.raises(DimensionError, match="one row of numbers"):
        weight_sum(pieces, 2, 3)
    with pytest.raises(DimensionError, match="frames, window"):
        overlap_add(np.ones(4), 2)
