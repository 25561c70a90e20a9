"""Filter banks between scales.

Goal: the weights that sum one frequency axis into the bands of another are built once and applied fast. Conventions:
the frequency axis is the last one; magnitudes in, magnitudes out. Functions: ``filter_bank``, ``frequency_scale``,
``sum_bands``.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from zounds_lite.dsp.filterbank import FilterBank
from zounds_lite.errors import DimensionError

if TYPE_CHECKING:
    from zounds_lite.spectral.scales import FrequencyScale
    from zounds_lite.spectral.windows import WindowingFunc

__all__ = ["filter_bank", "frequency_scale", "sum_bands"]


# typed: the axis of a transform equals the linear scale that documents it, but its bins lie elsewhere
@lru_cache(maxsize=32, typed=True)
def filter_bank(scale: "FrequencyScale", other: "FrequencyScale", window: "WindowingFunc | None" = None) -> FilterBank:
    """Return the filter bank that sums the axis ``other`` into the bands of ``scale``.

    Args:
        scale (FrequencyScale): the bands to sum into.
        other (FrequencyScale): the scale of the axis to sum.
        window (WindowingFunc | None): the shape of a band between its edges; None weights all of it alike.
    """
    return FilterBank(scale.basis(other, window))


def frequency_scale(tf: Any) -> "FrequencyScale":
    """Return the scale of an array's last axis.

    Raises:
        DimensionError: the last axis has no frequencies.
    """
    dimensions = getattr(tf, "dimensions", ())
    scale = getattr(dimensions[-1], "scale", None) if dimensions else None
    if scale is None:
        given = ", ".join(type(dimension).__name__ for dimension in dimensions) or "no units at all"
        raise DimensionError(
            f"an array with {given} where the last axis must have frequencies; "
            "give the result of fft or stft, or set a FrequencyDimension(scale)"
        )
    return scale


def sum_bands(tf: Any, scale: "FrequencyScale", window: "WindowingFunc | None" = None) -> np.ndarray:
    """Sum magnitudes into bands.

    Args:
        tf (ArrayWithUnits): a spectrum, complex or real, whose last axis has frequencies.
        scale (FrequencyScale): the bands to sum into.
        window (WindowingFunc | None): the shape of a band between its edges.

    Shape:
        [..., bins] -> [..., bands], plain numbers

    Raises:
        DimensionError: the last axis has no frequencies.
    """
    bank = filter_bank(scale, frequency_scale(tf), window)
    return bank.apply(np.abs(np.asarray(tf)))
