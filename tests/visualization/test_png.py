"""Pictures are read back with a decoder of their own, written from the standard and independent of the encoder."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from zounds_lite import SR11025, AudioSamples
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.visualization import array_png, perceptual_colours, png_bytes, spectrogram_png, waveform_png


def read_png(data):
    """Decode an 8-bit PNG without filters, checking every chunk's checksum."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks.append((kind, body))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, rest) == (8, [0, 0, 0])
    samples = {0: 1, 2: 3}[colour]
    lines = np.frombuffer(zlib.decompress(chunks[1][1]), np.uint8).reshape(height, 1 + width * samples)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape((height, width) if samples == 1 else (height, width, 3))


def picture(path):
    return read_png(path.read_bytes())


def small(image, rows, columns):
    """Undo the enlargement of a small picture, checking that it was by whole factors."""
    down, right = image.shape[0] // rows, image.shape[1] // columns
    found = image[::down, ::right]
    np.testing.assert_array_equal(np.repeat(np.repeat(found, down, 0), right, 1), image)
    return found


def level(pixels):
    """Map colours back to levels 0..255."""
    table = {tuple(colour): index for index, colour in enumerate(perceptual_colours().tolist())}
    return np.array([[table[tuple(pixel)] for pixel in row] for row in pixels.tolist()])


pixels = st.one_of(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)),
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))),
)


@given(pixels)
def test_pixels_read_back(image):
    np.testing.assert_array_equal(read_png(png_bytes(image)), image)


@pytest.mark.parametrize("shape", [(4,), (0, 4), (4, 0), (2, 2, 4), (2, 2, 2, 2)])
def test_shapes_that_are_no_picture(shape):
    with pytest.raises(DimensionError, match="allowed: uint8"):
        png_bytes(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_that_number_the_colours_of_a_palette(channels, tmp_path):
    image = pytest.importorskip("PIL.Image")
    palette = np.random.default_rng(0).integers(0, 256, (256, channels), dtype=np.uint8)
    pixels = np.arange(256, dtype=np.uint8).reshape(8, 32)
    (tmp_path / "a.png").write_bytes(png_bytes(pixels, palette))
    with image.open(tmp_path / "a.png") as found:
        np.testing.assert_array_equal(np.asarray(found.convert("RGBA"))[..., :channels], palette[pixels])


@pytest.mark.parametrize(
    ("pixels", "palette"),
    [
        (np.full((2, 2), 3, np.uint8), np.zeros((3, 3), np.uint8)),
        (np.zeros((2, 2), np.uint8), np.zeros((3, 2), np.uint8)),
        (np.zeros((2, 2), np.uint8), np.zeros((3, 3))),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((3, 3), np.uint8)),
    ],
)
def test_palettes_that_do_not_fit(pixels, palette):
    with pytest.raises(DimensionError, match="palette"):
        png_bytes(pixels, palette)


def test_floats_are_no_pixels():
    with pytest.raises(DimensionError, match="float64"):
        png_bytes(np.zeros((2, 2)))


def test_time_to_the_right_and_low_frequencies_at_the_bottom(tmp_path):
    spectrum = np.full((5, 3), 1e-9)
    spectrum[4, 0] = 1.0  # last frame, lowest band
    image = level(small(picture(spectrogram_png(spectrum, tmp_path / "a.png")), 3, 5))
    assert image.shape == (3, 5)
    assert np.argwhere(image == 255).tolist() == [[2, 4]]
    assert np.count_nonzero(image) == 1


def test_levels_are_linear_in_decibels(tmp_path):
    db = np.array([[0.0, -20.0, -40.0, -60.0, -80.0, -100.0]])
    image = level(small(picture(spectrogram_png(10 ** (db / 20), tmp_path / "a.png", floor_db=-80)), 6, 1))
    assert image[::-1, 0].tolist() == [255, 191, 128, 64, 0, 0]


def test_values_in_decibels_are_drawn_as_they_are(tmp_path):
    db = np.array([[-120.0, -90.0, -60.0, -30.0, 0.0, -np.inf, np.nan]])
    image = level(small(picture(array_png(db, tmp_path / "a.png")), 7, 1))
    assert image[::-1, 0].tolist() == [0, 64, 128, 191, 255, 0, 0]
    positive = np.log1p(np.arange(5.0))[None] - 1.0  # most are above zero: not magnitudes all the same
    image = level(small(picture(array_png(positive, tmp_path / "a.png")), 5, 1))
    assert (np.diff(image[::-1, 0]) > 0).all() and image[-1, 0] == 0 and image[0, 0] == 255


def test_the_largest_of_a_group_of_decibels_is_the_loudest(tmp_path):
    db = np.full((4000, 3), -100.0)
    db[1001] = -1.0
    image = level(small(picture(array_png(db, tmp_path / "a.png")), 3, 2000))
    assert np.argwhere(image == 255)[:, 1].tolist() == [500, 500, 500]


@pytest.mark.parametrize("power", [1, 2])
def test_the_chosen_floor_gives_power_and_amplitude_the_same_picture(tmp_path, power):
    db = np.linspace(-60, 0, 101)[None]
    image = level(small(picture(array_png(10 ** (db * power / 20), tmp_path / "a.png")), 101, 1))[::-1, 0]
    assert image[:21].max() == 0 and image[22] > 0  # a fifth is darkest
    assert abs(int(image[60]) - 128) <= 1


def test_small_pictures_are_enlarged_by_whole_factors(tmp_path):
    assert small(picture(array_png(np.eye(7, 9), tmp_path / "a.png")), 9, 7).shape == (9, 7, 3)
    for shape, wanted in {(7, 9): (378, 798), (801, 385): (385, 801), (399, 128): (384, 798)}.items():
        assert picture(array_png(np.ones(shape), tmp_path / "a.png")).shape == (*wanted, 3)


def test_the_phase_is_not_seen(tmp_path):
    magnitudes = np.random.default_rng(0).random((7, 9))
    turned = magnitudes * np.exp(1j * np.arange(9))
    one, two = spectrogram_png(magnitudes, tmp_path / "a.png"), spectrogram_png(turned, tmp_path / "b.png")
    np.testing.assert_array_equal(picture(one), picture(two))


def test_large_arrays_show_the_largest_value_of_each_group(tmp_path):
    spectrum = np.full((5000, 3000), 1e-9, np.float32)
    spectrum[2500, 1500] = 1.0
    image = level(picture(spectrogram_png(spectrum, tmp_path / "a.png")))
    assert image.shape == (1024, 2000)
    assert np.argwhere(image).tolist() == [[1023 - 512, 1000]]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e-300, 1e300])
def test_constant_and_non_finite_spectra_are_drawn(tmp_path, value):
    image = small(picture(spectrogram_png(np.full((3, 4), value), tmp_path / "a.png")), 4, 3)
    assert np.unique(level(image)).tolist() == [255 if 0 < value < np.inf else 0]


def test_what_is_no_spectrogram(tmp_path):
    with pytest.raises(DimensionError, match=r"frames x bands.*\(3,\)"):
        spectrogram_png(np.zeros(3), tmp_path / "a.png")
    with pytest.raises(DimensionError, match=r"\(0, 4\)"):
        spectrogram_png(np.zeros((0, 4)), tmp_path / "a.png")
    with pytest.raises(DeclarationError, match="for example -80"):
        spectrogram_png(np.eye(3), tmp_path / "a.png", floor_db=0)


def test_a_waveform_fills_what_its_samples_span(tmp_path):
    image = small(picture(waveform_png(np.array([0.0, 1.0, -1.0, 0.0]), tmp_path / "a.png", height=101)), 101, 4)
    inked = [np.flatnonzero((column != 255).any(axis=-1)).tolist() for column in image.transpose(1, 0, 2)]
    assert inked == [[50], [0], [100], [50]]


def test_a_long_waveform_keeps_its_peaks(tmp_path):
    samples = np.zeros(100_000, np.float32)
    samples[[30_000, 70_000]] = 0.5, -0.5
    image = picture(waveform_png(samples, tmp_path / "a.png", height=101))
    assert image.shape == (101, 2000, 3)
    height = (image != 255).any(axis=-1).sum(axis=0)
    assert np.flatnonzero(height > 1).tolist() == [600, 1400]


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.complex64, bool])
def test_samples_of_every_kind_are_drawn(tmp_path, dtype):
    assert picture(waveform_png(np.ones(10, dtype), tmp_path / "a.png")).shape == (256, 800, 3)


def test_samples_that_are_no_numbers_leave_a_zero_line(tmp_path):
    image = picture(waveform_png(np.full(5, np.nan, np.float32), tmp_path / "a.png", height=101))
    assert np.unique(np.argwhere((image != 255).any(axis=-1))[:, 0]).tolist() == [50]


def test_each_channel_has_its_band(tmp_path):
    stereo = AudioSamples(np.zeros((50, 2), np.float32), SR11025())
    assert picture(array_png(stereo, tmp_path / "a.png")).shape == (512, 800, 3)


def test_the_picture_that_fits(tmp_path):
    assert picture(array_png(np.zeros(50), tmp_path / "a.png")).shape == (256, 800, 3)
    assert picture(array_png(np.zeros((50, 7)), tmp_path / "b.png")).shape == (378, 800, 3)
    with pytest.raises(DimensionError, match="slice the array first"):
        array_png(np.zeros((2, 2, 2)), tmp_path / "c.png")


def _oklab(colours):
    """sRGB to OKLab by the forward matrices of the source, where the library uses the inverse ones."""
    srgb = colours / 255.0
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lms = (
        linear
        @ np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        ).T
    )
    return (
        np.cbrt(lms)
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


def test_equal_steps_of_level_look_equal():
    path = _oklab(perceptual_colours()[::15].astype(float))
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.25
    lightness = np.diff(path[:, 0])
    assert lightness.min() > 0 and lightness.max() / lightness.min() < 1.15
