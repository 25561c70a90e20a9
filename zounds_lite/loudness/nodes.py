"""Amplitudes of streams on other scales. Nodes: ``Decibel``, ``LogModulus``, ``MuLaw``.

Each number is mapped by itself, so chunks of any size give the bits of the whole.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.loudness.functional import decibel, log_modulus, mu_law

__all__ = ["Decibel", "LogModulus", "MuLaw"]


class MuLaw(Node):
    """Compresses amplitudes by the mu-law.

    Args:
        mu (float): how strong quiet sounds are raised, > 0.
        needs (Node): gives real arrays.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: mu is not above 0, or the numbers are complex.

    Examples:
        >>> list(MuLaw().run([np.array([0.0, 1.0])]))
        [array([0., 1.])]

    See Also:
        mu_law, inverse_mu_law.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, mu: float = 255, needs: Any = None) -> None:
        super().__init__(needs=needs)
        _check_positive("mu", mu)
        self.mu = mu

    def _process(self, data: Any) -> Iterator[Any]:
        yield mu_law(data, self.mu)


class LogModulus(Node):
    """Compresses numbers of any size and sign by the logarithm of their magnitude.

    Args:
        factor (float): multiplies the numbers first, > 0.
        needs (Node): gives real arrays.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: the factor is not above 0, or the numbers are complex.

    Examples:
        >>> list(LogModulus(factor=10).run([np.array([-1.0, 0.0])]))
        [array([-2.39789527,  0.        ])]

    See Also:
        log_modulus, inverse_log_modulus.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, factor: float = 1, needs: Any = None) -> None:
        super().__init__(needs=needs)
        _check_positive("factor", factor)
        self.factor = factor

    def _process(self, data: Any) -> Iterator[Any]:
        yield log_modulus(data, self.factor)


class Decibel(Node):
    """Gives the level of amplitudes in dB.

    The reference is fixed, and there is no range below the loudest number: what is loudest is known at the end of a
    stream only. For such a range use ``decibel`` on the stored feature.

    Args:
        ref (float): the amplitude at 0 dB, > 0.
        floor_db (float): the lowest level, in dB; silence has it.
        needs (Node): gives arrays, real or complex; the magnitude counts.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: a reference not above 0, or a floor that is no number.

    Examples:
        >>> list(Decibel(floor_db=-80).run([np.array([1.0, 0.1, 0.0])]))
        [array([  0., -20., -80.])]

    See Also:
        decibel, dsp.db_to_amplitude.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, ref: float = 1.0, floor_db: float = -200.0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if callable(ref):
            raise DeclarationError(
                f"ref={ref!r}; allowed: an amplitude above 0. What a function finds in the whole, no stream knows: use "
                "decibel(x, ref=...) on the stored feature"
            )
        _check_positive("ref", ref)
        if not np.isfinite(floor_db):
            raise DeclarationError(f"floor_db={floor_db!r}; allowed: a number of dB, such as -200")
        self.ref = ref
        self.floor_db = floor_db

    def _process(self, data: Any) -> Iterator[Any]:
        yield decibel(data, self.ref, self.floor_db)


def _check_positive(name: str, value: float) -> None:
    if not (value > 0 and np.isfinite(value)):
        raise DeclarationError(f"{name}={value!r}; allowed: a number above 0")
