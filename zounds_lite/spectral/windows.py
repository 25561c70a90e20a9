"""Windows of any size, as values.

Goal: a window is chosen once and then multiplied with frames of whatever size comes. Conventions: windows multiply
along the last axis, keep units and keep the dtype (float32 stays float32; integers become float64). Types:
``WindowingFunc``, ``IdentityWindowingFunc``, ``HanningWindowingFunc``, ``OggVorbisWindowingFunc``.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.windows import hann, vorbis
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["HanningWindowingFunc", "IdentityWindowingFunc", "OggVorbisWindowingFunc", "WindowingFunc"]

_KEPT_SIZES = 16
"""How many sizes of one window are kept."""


class WindowingFunc(Declared):
    """A window that multiplies arrays of any size.

    Args:
        windowing_func (Callable | None): takes a size and returns that many factors, for example ``np.hanning``; None
            leaves arrays as they are.

    Raises:
        DeclarationError: ``windowing_func`` cannot be called, or returns another size than it was asked for.

    Examples:
        >>> np.ones(5) * WindowingFunc(np.hanning)
        array([0. , 0.5, 1. , 0.5, 0. ])
    """

    # arrays leave the product to __rmul__, whatever their class
    __array_ufunc__ = None

    windowing_func: Callable[[int], Any] | None

    def __init__(self, windowing_func: Callable[[int], Any] | None = None) -> None:
        super().__init__(windowing_func=windowing_func)

    def validate(self) -> None:
        """Refuse what cannot be called."""
        if self.windowing_func is not None and not callable(self.windowing_func):
            raise DeclarationError(f"windowing_func={self.windowing_func!r}; allowed: a function of a size, or None")

    @classmethod
    def of(cls, window: Any) -> "WindowingFunc":
        """Return a window as it is, a plain function of a size as a window, and None as the identity.

        Raises:
            DeclarationError: something else.
        """
        return window if isinstance(window, WindowingFunc) else WindowingFunc(window)

    @cached_property
    def _sizes(self) -> dict[int, np.ndarray]:
        return {}

    def __call__(self, size: int) -> np.ndarray:
        """Return the window of ``size`` samples, read-only float64."""
        window = self._sizes.get(size)
        if window is None:
            window = np.asarray(self._make(size), dtype=np.float64)
            if window.shape != (size,):
                raise DeclarationError(f"{self!r} gave shape {window.shape} for size {size}; needed: ({size},)")
            window = window.view()
            window.flags.writeable = False
            if len(self._sizes) >= _KEPT_SIZES:
                self._sizes.clear()
            self._sizes[size] = window
        return window

    def _make(self, size: int) -> Any:
        return np.ones(size) if self.windowing_func is None else self.windowing_func(size)

    @property
    def is_identity(self) -> bool:
        """True where the window leaves arrays as they are."""
        return self.windowing_func is None

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return the window as a curve: its value at relative positions.

        Args:
            positions (np.ndarray): 0 is the window's first sample and 1 its last; it is zero outside.
        """
        table = self(_CURVE_POINTS)
        return np.interp(positions, np.linspace(0, 1, _CURVE_POINTS), table, left=0.0, right=0.0)

    def apply(self, x: Any, axis: int = -1) -> Any:
        """Multiply an array with the window along one axis, keeping units and precision.

        Args:
            x (np.ndarray): any real or complex array.
            axis (int): the axis to multiply along.

        Raises:
            DimensionError: a single number, which has no axis.
        """
        x = x if isinstance(x, np.ndarray) else np.asarray(x)
        if x.ndim == 0:
            raise DimensionError(
                f"a window times the single number {x!r}; give an array with an axis to multiply along"
            )
        if self.is_identity:
            return x
        window = self(x.shape[axis])
        if x.dtype.kind in "fc":
            window = window.astype(x.real.dtype)
        return x * window.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])

    def __mul__(self, x: Any) -> Any:
        return self.apply(x)

    __rmul__ = __mul__


_CURVE_POINTS = 4097
"""Samples of a window that is read as a curve; linear interpolation between them is within 1e-6 for a Hann window."""


class IdentityWindowingFunc(WindowingFunc):
    """The window that leaves arrays as they are.

    Examples:
        >>> np.arange(3) * IdentityWindowingFunc()
        array([0, 1, 2])
    """

    def __init__(self) -> None:
        super(WindowingFunc, self).__init__()

    def validate(self) -> None:
        """Accept: there is nothing to choose."""

    def _make(self, size: int) -> np.ndarray:
        return np.ones(size)

    @property
    def is_identity(self) -> bool:
        """Always true."""
        return True


class HanningWindowingFunc(WindowingFunc):
    """The Hann window.

    Args:
        periodic (bool): True gives the window that adds up to a constant at 50 % overlap and that librosa and
            ``scipy.signal`` use for spectra; False, the default, the symmetric one of ``np.hanning``.

    Examples:
        >>> HanningWindowingFunc()(5)
        array([0. , 0.5, 1. , 0.5, 0. ])
        >>> HanningWindowingFunc(periodic=True)(4)
        array([0. , 0.5, 1. , 0.5])
    """

    periodic: bool

    def __init__(self, periodic: bool = False) -> None:
        super(WindowingFunc, self).__init__(periodic=periodic)

    def validate(self) -> None:
        """Accept: both choices are fine."""

    def _make(self, size: int) -> np.ndarray:
        return hann(size, periodic=bool(self.periodic))

    @property
    def is_identity(self) -> bool:
        """Always false."""
        return False

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return the window as a curve: sin^2 of pi times the relative position, zero outside 0..1."""
        positions = np.asarray(positions, dtype=np.float64)
        inside = (positions >= 0) & (positions <= 1)
        return np.where(inside, np.sin(np.pi * positions) ** 2, 0.0)


class OggVorbisWindowingFunc(WindowingFunc):
    """The window of the Ogg Vorbis specification.

    Its square, added at 50 % overlap, is one to the last bit for every even size, so that the same window before and
    after a transform reconstructs the signal.

    Examples:
        >>> w = OggVorbisWindowingFunc()(8)
        >>> bool(np.allclose(w[:4] ** 2 + w[4:] ** 2, 1, rtol=0, atol=1e-15))
        True

    Sources:
        Vorbis I specification, section 4.3.1: w[n] = sin(pi/2 sin^2(pi (n + 1/2) / N)).
    """

    def __init__(self) -> None:
        super(WindowingFunc, self).__init__()

    def validate(self) -> None:
        """Accept: there is nothing to choose."""

    def _make(self, size: int) -> np.ndarray:
        return vorbis(size)

    @property
    def is_identity(self) -> bool:
        """Always false."""
        return False
