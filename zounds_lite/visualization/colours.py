"""A colour map in which equal steps of level look like equal steps of colour.

Goal: dark to light, so that it also reads in grey and to the colour-blind. Convention: colours are 8-bit sRGB rows.
Function: ``perceptual_colours``.

The path is drawn in OKLab, whose lightness and distances follow perception: lightness rises on a straight line while
the hue turns from violet over red to yellow. Chroma is largest in the middle and stays inside what sRGB can show.

Sources:
    B. Ottosson, "A perceptual color space for image processing", 2020 (OKLab and its matrices).
    IEC 61966-2-1:1999, 5.2 (the sRGB transfer curve).
"""

from functools import cache

import numpy as np

__all__ = ["perceptual_colours"]

_LIGHTNESS = (0.12, 0.96)
_HUE_DEGREES = (-80.0, 105.0)
_CHROMA = ((0.0, 0.2, 0.45, 0.65, 0.85, 1.0), (0.05, 0.125, 0.175, 0.155, 0.13, 0.09))

_LMS_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_RGB_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def _path(steps: int) -> np.ndarray:
    """The colours in OKLab: lightness, and the two colour axes."""
    t = np.linspace(0.0, 1.0, steps)
    hue = np.deg2rad(np.interp(t, (0.0, 1.0), _HUE_DEGREES))
    chroma = np.interp(t, *_CHROMA)
    return np.stack([np.interp(t, (0.0, 1.0), _LIGHTNESS), chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)


def _linear_rgb(lab: np.ndarray) -> np.ndarray:
    return (lab @ _LMS_FROM_LAB.T) ** 3 @ _RGB_FROM_LMS.T


@cache
def perceptual_colours(steps: int = 256) -> np.ndarray:
    """Return the colour map, darkest first.

    Args:
        steps (int): how many colours, >= 2.

    Returns:
        ndarray: uint8, read-only, sRGB.

    Shape:
        ``[steps, 3]``

    Examples:
        >>> perceptual_colours(3).tolist()
        [[4, 3, 24], [188, 54, 83], [250, 246, 175]]
    """
    linear = np.clip(_linear_rgb(_path(steps)), 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colours = np.rint(encoded * 255).astype(np.uint8)
    colours.flags.writeable = False
    return colours
