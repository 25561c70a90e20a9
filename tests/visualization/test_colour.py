"""Hue, saturation and lightness against the standard library."""

import colorsys

import numpy as np
import pytest

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.visualization.layouts import hsl_to_rgb


def test_colours_are_those_of_colorsys():
    rng = np.random.default_rng(0)
    some = np.concatenate(
        [rng.random((3000, 3)), [[h / 12, s, light] for h in range(13) for s in (0, 1) for light in (0, 0.5, 1)]]
    )
    found = hsl_to_rgb(*some.T)
    expected = [colorsys.hls_to_rgb(h, light, s) for h, s, light in some]
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)
    assert found.min() >= 0 and found.max() <= 1


def test_planes_are_broadcast_and_left_as_they_were():
    hue, saturation, lightness = np.linspace(-1, 2, 5)[None], np.ones((1, 1)), np.linspace(0, 1, 4)[:, None]
    before = [plane.copy() for plane in (hue, saturation, lightness)]
    found = hsl_to_rgb(hue, saturation, lightness)
    assert found.shape == (4, 5, 3)
    for plane, kept in zip((hue, saturation, lightness), before, strict=True):
        np.testing.assert_array_equal(plane, kept)
    np.testing.assert_allclose(found, hsl_to_rgb(hue % 1, saturation, lightness), atol=1e-12)


def test_float32_stays_and_grey_is_grey():
    plane = np.linspace(0, 1, 9, dtype=np.float32)
    found = hsl_to_rgb(plane, np.zeros_like(plane), plane)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.repeat(plane[:, None], 3, axis=1), atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((0.0, 1.5, 0.5), DeclarationError, "saturation from 1.5"),
        ((0.0, 0.5, -0.1), DeclarationError, "lightness from -0.1"),
        ((np.nan, 0.5, 0.5), DeclarationError, "hue is not real and finite"),
        ((0.0, 0.5, [np.nan]), DeclarationError, "lightness is not"),
        ((0.0, 1j, 0.5), DeclarationError, "saturation is not real"),
        ((np.zeros(2), np.zeros(3), 0.5), DimensionError, "do not fit"),
    ],
)
def test_what_is_no_colour_is_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        hsl_to_rgb(*arguments)
