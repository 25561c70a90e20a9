"""Colours from hue, saturation and lightness.

Goal: three features make one picture. Conventions: all numbers are in 0..1. Function: ``hsl_to_rgb``.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["hsl_to_rgb"]


def hsl_to_rgb(hue: ArrayLike, saturation: ArrayLike, lightness: ArrayLike) -> np.ndarray:
    """Convert hue, saturation and lightness to red, green and blue.

    With c the middle of a channel's range and r its reach, every channel is a trapezoid of the hue, one third of a
    turn from the next: it rises from c - r to c + r in a sixth of a turn, stays for a third, and falls again.

    Args:
        hue (ArrayLike): 0 is red, 1/3 green, 2/3 blue and 1 red again; any finite number, of which the fraction counts.
        saturation (ArrayLike): 0 (grey) to 1.
        lightness (ArrayLike): 0 (black) to 1 (white).

    Shape:
        [...], [...], [...], of shapes that numpy broadcasts -> [..., 3]

    Returns:
        np.ndarray: 0..1; float32 where no argument is more precise, float64 otherwise.

    Raises:
        DimensionError: shapes that do not fit each other.
        DeclarationError: saturation or lightness out of range, or anything that is not finite and real.

    Examples:
        >>> hsl_to_rgb([0.0, 1 / 3, 0.5], 1.0, 0.5).round(9).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]

    Sources:
        G. H. Joblove, D. Greenberg, "Color spaces for computer graphics", Proc. SIGGRAPH (1978), the double hexcone.
    """
    h, s, light = (_finite(name, x) for name, x in (("hue", hue), ("saturation", saturation), ("lightness", lightness)))
    for name, values in (("saturation", s), ("lightness", light)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise DeclarationError(f"{name} from {values.min():g} to {values.max():g}; allowed: 0 to 1")
    dtype = np.result_type(np.float32, h, s, light)
    try:
        shape = np.broadcast_shapes(h.shape, s.shape, light.shape)
    except ValueError as error:
        raise DimensionError(f"hue {h.shape}, saturation {s.shape} and lightness {light.shape} do not fit") from error
    reach = s * np.minimum(light, 1 - light)
    out = np.empty((*shape, 3), dtype)
    for channel, turn in enumerate((1 / 3, 0.0, -1 / 3)):
        sixth = 6 * ((h + turn) % 1)
        out[..., channel] = light + reach * np.clip(2 * np.minimum(sixth, 4 - sixth) - 1, -1, 1)
    return np.clip(out, 0, 1, out=out)


def _finite(name: str, values: Any) -> np.ndarray:
    x = np.asarray(values)
    if x.dtype.kind not in "fiub" or not np.isfinite(x).all():
        raise DeclarationError(f"{name} is not real and finite everywhere; allowed: numbers, without NaN")
    return x if x.dtype.kind == "f" else x.astype(np.float64)
