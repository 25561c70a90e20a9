"""Local contrast with units.

Goal: the normalisation of ``dsp.contrast`` on spectra that know seconds and hertz, whatever their scale. Conventions:
frames are the first axis, bands the second one; further axes, such as channels, are pictures of their own; all units
are kept. Functions: ``local_contrast_normalization``, ``check_picture``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.contrast import LocalContrast
from zounds_lite.errors import DimensionError

__all__ = ["check_picture", "local_contrast_normalization"]


def local_contrast_normalization(
    x: Any,
    size: tuple[int, int] = (9, 9),
    sigma: float | tuple[float, float] = 2.0,
    floor: float | str = "mean",
) -> ArrayWithUnits:
    """Return how far each magnitude stands out from its neighbourhood, in units of how much that varies.

    From each number, the weighted mean of its neighbours is taken; what is left is divided by its own weighted root
    mean square, or by the floor where that is larger. Loud and quiet passages, and bands, look alike afterwards.

    Args:
        x (ArrayWithUnits): magnitudes, power or decibels; frames first, then bands.
        size (tuple[int, int]): frames and bands of the neighbourhood, both odd; (1, n) looks at each frame alone.
        sigma (float | tuple[float, float]): standard deviation of the Gaussian weights, in frames and bands, > 0.
        floor (float | str): what to divide by at least: ``"mean"``, the mean deviation over all frames and bands, or a
            number above 0, in units of ``x``.

    Shape:
        [frames, bands, ...] -> [frames, bands, ...]

    Returns:
        ArrayWithUnits: 0 for silence and for constants, and never a NaN that was not in ``x``.

    Raises:
        DimensionError: an array without units, or of one axis.
        DeclarationError: an argument out of range, or complex values.

    Examples:
        >>> from zounds_lite.spectral import cqt
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR22050, Seconds
        >>> tone = SineSynthesizer(SR22050()).synthesize(Seconds(1), [440.0])
        >>> magnitude = np.abs(cqt(tone, start_hz=55.0, n_bands=60))
        >>> sharp = local_contrast_normalization(magnitude)
        >>> sharp.shape == magnitude.shape, sharp.dimensions == magnitude.dimensions, int(sharp[20].argmax())
        (True, True, 36)

    See Also:
        LocalContrastNormalization: the node.

    Sources:
        K. Jarrett et al., ICCV 2009, section 2.1; M. Henaff et al., ISMIR 2011; see ``zounds_lite.dsp.contrast``.
    """
    contrast = LocalContrast(size, sigma, floor)
    check_picture(x)
    found = contrast.transform(np.moveaxis(np.asarray(x), (0, 1), (-2, -1)))
    return ArrayWithUnits(np.moveaxis(found, (-2, -1), (0, 1)), x.dimensions)


def check_picture(x: Any) -> None:
    """Refuse what has no units, or not two axes.

    Raises:
        DimensionError: says what was given.
    """
    if len(getattr(x, "dimensions", ())) < 2:
        raise DimensionError(
            f"{type(x).__name__} of shape {np.shape(x)} with dimensions {getattr(x, 'dimensions', None)!r}; needed are "
            "frames and bands with units, such as np.abs(cqt(sound))"
        )
