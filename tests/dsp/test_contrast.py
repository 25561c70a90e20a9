"""Local contrast: the definition by a double loop, what follows from it, and chunks."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp.contrast import LocalContrast, local_contrast_normalization
from zounds_lite.errors import DeclarationError, DimensionError


def by_definition(x, size, sigma, floor="mean"):
    """Sums over neighbours, one number at a time."""
    frames, bands = x.shape
    v, s = np.zeros(x.shape), np.zeros(x.shape)
    for target, source, is_power in ((v, x, False), (s, v, True)):
        for f in range(frames):
            for b in range(bands):
                total = weighted = 0.0
                for i in range(-(size[0] // 2), size[0] // 2 + 1):
                    for j in range(-(size[1] // 2), size[1] // 2 + 1):
                        if 0 <= f + i < frames and 0 <= b + j < bands:
                            w = np.exp(-0.5 * ((i / sigma[0]) ** 2 + (j / sigma[1]) ** 2))
                            total += w
                            weighted += w * (source[f + i, b + j] ** 2 if is_power else source[f + i, b + j])
                target[f, b] = np.sqrt(weighted / total) if is_power else x[f, b] - weighted / total
    divisor = np.maximum(s.mean() if floor == "mean" else floor, s)
    return np.divide(v, divisor, out=np.zeros(x.shape), where=divisor > 0)


def picture(frames=23, bands=14, seed=0):
    return np.random.default_rng(seed).gamma(0.5, size=(frames, bands))


@pytest.mark.parametrize("floor", ["mean", 0.5, 1e-4])
@pytest.mark.parametrize(
    ("size", "sigma"), [((9, 9), 2.0), ((5, 3), (0.7, 4.0)), ((1, 7), 1.5), ((7, 1), 1.5), ((1, 1), 1.0), ((51, 9), 9)]
)
def test_the_definition(size, sigma, floor):
    x = picture()
    wanted = by_definition(x, size, sigma if isinstance(sigma, tuple) else (sigma, sigma), floor)
    assert np.allclose(local_contrast_normalization(x, size, sigma, floor), wanted, atol=1e-12)


@pytest.mark.parametrize(("frames", "bands"), [(1, 14), (23, 1), (1, 1), (2, 3)])
def test_small_pictures(frames, bands):
    x = picture(frames, bands)
    assert np.allclose(local_contrast_normalization(x), by_definition(x, (9, 9), (2, 2)), atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (2, 0, 3)])
def test_empty_pictures(shape):
    assert local_contrast_normalization(np.zeros(shape)).shape == shape


def test_a_long_picture_is_the_same_in_blocks():
    x = picture(5000, 96)
    whole = local_contrast_normalization(x, floor=0.1)
    for start, stop in ((0, 700), (1300, 1500), (4300, 5000)):  # a block has 1365 frames
        around = slice(max(0, start - 8), stop + 8)
        part = local_contrast_normalization(x[around], floor=0.1)[start - around.start :][: stop - start]
        assert np.array_equal(part, whole[start:stop])


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -3e7, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("floor", ["mean", 1e-6])
def test_a_constant_gives_nothing_at_all(value, dtype, floor):
    assert not local_contrast_normalization(np.full((30, 20), value, dtype), floor=floor).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_gain_and_offset_do_not_count(seed, gain, offset):
    x = picture(seed=seed)
    plain = local_contrast_normalization(x)
    assert np.allclose(local_contrast_normalization(gain * x + offset), plain, atol=1e-6)
    louder = local_contrast_normalization(gain * x, floor=gain * 0.2)
    assert np.allclose(louder, local_contrast_normalization(x, floor=0.2), atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.sampled_from([(9, 9), (1, 5), (3, 3)]), st.sampled_from(["mean", 1e-9, 3.0]))
def test_the_bound_holds(seed, size, floor):
    x = np.random.default_rng(seed).gamma(0.02, size=(40, 30)) ** 3
    contrast = LocalContrast(size, 1.5, floor)
    assert np.abs(contrast.transform(x)).max() <= contrast.bound * (1 + 1e-9)


def test_a_click_reaches_it():
    x = np.zeros((41, 41))
    x[20, 20] = 1.0
    contrast = LocalContrast()
    assert contrast.bound > contrast.transform(x)[20, 20] > 0.5 * contrast.bound


def test_dtypes_are_kept_and_the_input_is_left_alone():
    for dtype, wanted in ((np.float32, np.float32), (np.float64, np.float64), (np.float16, np.float16), (int, float)):
        x = (10 * picture()).astype(dtype)
        x.flags.writeable = False
        assert local_contrast_normalization(x).dtype == wanted
    x = picture()
    assert np.allclose(local_contrast_normalization(x.astype(np.float32)), local_contrast_normalization(x), atol=1e-5)


def test_further_axes_are_pictures_of_their_own():
    x = np.stack([picture(seed=seed) * 10.0**seed for seed in range(3)])
    found = local_contrast_normalization(x)
    assert all(np.array_equal(part, local_contrast_normalization(one)) for part, one in zip(found, x, strict=True))


def test_what_is_not_finite_spoils_its_neighbourhood_alone():
    x, broken = picture(60, 40), picture(60, 40)
    broken[30, 20], broken[31, 20] = np.nan, np.inf
    found = local_contrast_normalization(broken, floor=0.3)
    spoilt = ~np.isfinite(found)
    assert spoilt[30, 20] and not spoilt[:22].any() and not spoilt[40:].any() and not spoilt[:, :12].any()
    whole = local_contrast_normalization(x, floor=0.3)
    assert np.array_equal(found[~spoilt], whole[~spoilt])
    assert np.isfinite(local_contrast_normalization(broken)[~spoilt]).all()
    assert np.isnan(local_contrast_normalization(np.full((3, 3), np.nan))).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.lists(st.integers(0, 60), max_size=6), st.sampled_from([(9, 9), (3, 5), (1, 3)]))
def test_chunks_give_the_same_bits(frames, cuts, size):
    x, contrast = picture(frames, 7, seed=frames), LocalContrast(size, 1.5, floor=0.2)
    stream = contrast.stream()
    at = [0, *sorted(min(cut, frames) for cut in cuts), frames]
    parts = [stream.push(x[a:b]) for a, b in zip(at, at[1:], strict=False)]
    ready = sum(map(len, parts))
    assert ready == max(0, frames - contrast.reach)
    assert np.array_equal(np.concatenate([*parts, stream.finish()]), contrast.transform(x))


def test_a_stream_keeps_no_more_than_it_needs():
    stream = LocalContrast(floor=1.0).stream()
    for _ in range(50):
        stream.push(picture(100, 4))
    assert len(stream._kept) == 16


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": (9, 8)}, "two odd numbers"), ({"size": 9}, "two odd numbers"), ({"size": (9, -1)}, "two odd numbers"),
        ({"size": (9, True)}, "two odd numbers"), ({"size": (3.0, 3)}, "two odd numbers"),
        ({"sigma": 0}, "a number above 0"), ({"sigma": (1, 2, 3)}, "a number above 0"),
        ({"sigma": (1, np.inf)}, "a number above 0"), ({"sigma": np.nan}, "a number above 0"),
        ({"floor": 0}, "floor=0; allowed: 'mean', or a number above 0"), ({"floor": "median"}, "allowed: 'mean'"),
        ({"floor": -1.0}, "allowed: 'mean'"), ({"floor": np.nan}, "allowed: 'mean'"),
    ],
)  # fmt: skip
def test_arguments_out_of_range(arguments, words):
    with pytest.raises(DeclarationError, match=words):
        LocalContrast(**arguments)


def test_what_is_no_picture():
    with pytest.raises(DimensionError, match=r"shape \(5,\); needed are frames and bands"):
        local_contrast_normalization(np.zeros(5))
    with pytest.raises(DeclarationError, match="complex128: only real numbers are taken here; take np.abs"):
        local_contrast_normalization(np.zeros((2, 2), complex))
    with pytest.raises(DeclarationError, match="floor='mean' needs all frames"):
        LocalContrast().stream()
    with pytest.raises(DimensionError, match="no chunk at all"):
        LocalContrast(floor=1.0).stream().finish()
