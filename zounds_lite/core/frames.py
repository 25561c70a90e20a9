"""Arrays with units as the labelled arrays of pandas and xarray.

Goal: seconds and hertz go along where other libraries take over. Conventions: axes are labelled by ``coordinates`` of
their dimensions: elements of time by where they start, in seconds, and bands by their centres, in hertz; an axis
without units counts. Values are viewed, not copied. Both libraries are optional (the extra ``frames``) and load when
they are asked for. Functions: ``to_pandas``, ``to_xarray``, which arrays have as methods.
"""

from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.core.dimension import Coordinates
from zounds_lite.errors import DimensionError

__all__ = ["to_pandas", "to_xarray"]


def to_pandas(array: Any) -> Any:
    """Return an array as a ``Series``, or a ``DataFrame`` with the first axis downwards.

    Args:
        array (ArrayWithUnits): one or two axes.

    Returns:
        pandas.Series | pandas.DataFrame: its axes are named "time / s", "frequency / Hz", or have no name.

    Raises:
        DimensionError: another number of axes.
        OptionalDependencyError: pandas is not installed.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> ArrayWithUnits(np.zeros((2, 2, 2)), [None] * 3).to_pandas()
        Traceback (most recent call last):
        zounds_lite.errors.DimensionError: an array of shape (2, 2, 2) is no table; allowed: one or two axes. ...

    See Also:
        to_xarray: for any number of axes.
    """
    if array.ndim not in (1, 2):
        raise DimensionError(
            f"an array of shape {array.shape} is no table; allowed: one or two axes. Slice it first, or use to_xarray()"
        )
    pandas = optional("pandas")
    labels = [_index(pandas, found) for found in _coordinates(array)]
    if array.ndim == 1:
        return pandas.Series(np.asarray(array), index=labels[0], copy=False)
    return pandas.DataFrame(np.asarray(array), index=labels[0], columns=labels[1], copy=False)


def _index(pandas: Any, found: Coordinates | None) -> Any:
    if found is None:
        return None
    return pandas.Index(found.values, name=f"{found.name} / {found.unit}" if found.unit else found.name)


def to_xarray(array: Any, name: str | None = None) -> Any:
    """Return an array as a ``DataArray``.

    Args:
        array (ArrayWithUnits): any number of axes.
        name (str | None): its name.

    Returns:
        xarray.DataArray: its dimensions are "time" and "frequency", with coordinates whose attribute ``units`` is "s"
            or "Hz"; others are called "axis_0", "axis_1" and so on, and a second "time" is "time_1".

    Raises:
        OptionalDependencyError: xarray is not installed.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> silence = AudioSamples(np.zeros(3), SR8000())
        >>> silence.dimensions[0].coordinates(3)  # what the axes are labelled with
        Coordinates(name='time', unit='s', values=array([0.      , 0.000125, 0.00025 ]))

    See Also:
        to_pandas: for one or two axes.
    """
    xarray = optional("xarray")
    names: list[str] = []
    coordinates = {}
    for axis, found in enumerate(_coordinates(array)):
        plain = f"axis_{axis}" if found is None else found.name.replace(" ", "_")
        names.append(plain if plain not in names else f"{plain}_{axis}")
        if found is not None:
            coordinates[names[-1]] = (names[-1], found.values, {"units": found.unit} if found.unit else {})
    return xarray.DataArray(np.asarray(array), dims=names, coords=coordinates, name=name)


def _coordinates(array: Any) -> list[Coordinates | None]:
    return [dimension.coordinates(size) for dimension, size in zip(array.dimensions, array.shape, strict=True)]
