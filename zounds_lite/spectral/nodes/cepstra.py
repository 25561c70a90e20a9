"""Cepstra of streams. Nodes: ``BFCC``, ``MFCC``."""

from collections.abc import Iterator
from typing import Any

from zounds_lite.core import ArrayWithUnits
from zounds_lite.core.buffers import Aligned
from zounds_lite.dsp.cepstra import check_coefficients
from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import Locality, Node, Pointwise
from zounds_lite.spectral.functional.cepstra import bfcc, mfcc

__all__ = ["BFCC", "MFCC"]

_NEVER_FULL = 2**62
"""Rows of a block that no stream completes."""


class BFCC(Node):
    """Cepstral coefficients of bands that follow the ear: the shape of a spectrum in a few numbers.

    They are 2 sum_j ln(|x_j| + 1e-12) cos(pi k (j + 1/2) / n), of ``BarkBands`` or of any other bands.

    Args:
        needs (Node): gives magnitudes of bands; frequency is the last axis.
        n_coeffs (int): coefficients to return, >= 1.
        exclude (int): coefficients to leave out before those, >= 0; the first one is the level.

    Shape:
        [frames, bands] -> [frames, n_coeffs]

    Raises:
        DimensionError: the last axis has no frequencies, or fewer bands than coefficients.
        DeclarationError: counts out of range.

    See Also:
        bfcc: the function.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, needs: Any = None, n_coeffs: int = 13, exclude: int = 1) -> None:
        super().__init__(needs=needs)
        check_coefficients(n_coeffs, exclude)
        self.n_coeffs = n_coeffs
        self.exclude = exclude

    def _process(self, data: Any) -> Iterator[Any]:
        yield bfcc(data, self.n_coeffs, self.exclude)


class MFCC(Node):
    """Cepstral coefficients of mel bands, as ``librosa.feature.mfcc``.

    Args:
        needs (Node): gives power of mel bands, as ``MelBands`` does.
        n_coeffs (int): coefficients to return, >= 1.
        lifter (float): length of a half sine that raises the coefficients in the middle, > 0; 0 leaves them alone.
        amin (float): smallest power, > 0.
        top_db (float | None): range below the loudest value of the whole stream, in dB. None: no limit; results come
            chunk by chunk. With librosa's 80 the end of the stream must be known first, so all bands are kept until
            then.

    Shape:
        [frames, bands] -> [frames, n_coeffs]

    Raises:
        DimensionError: the last axis has no frequencies, or fewer bands than coefficients.
        DeclarationError: an argument out of range.

    See Also:
        mfcc: the function.
    """

    revision = 1

    def __init__(
        self,
        needs: Any = None,
        n_coeffs: int = 13,
        lifter: float = 0.0,
        amin: float = 1e-10,
        top_db: float | None = None,
    ) -> None:
        super().__init__(needs=needs)
        check_coefficients(n_coeffs, lifter=lifter)
        if not amin > 0 or (top_db is not None and not top_db >= 0):
            raise DeclarationError(f"amin={amin!r}, top_db={top_db!r}; allowed: above 0, and 0 or more or None")
        self.n_coeffs = n_coeffs
        self.lifter = lifter
        self.amin = amin
        self.top_db = top_db

    def locality(self, example: Any) -> Locality | None:
        return Pointwise() if self.top_db is None else None  # the loudest value may be anywhere

    def _first_chunk(self, data: Any) -> Any:
        self._kept = Aligned(_NEVER_FULL)
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if self.top_db is None:
            yield self._cepstra(data)
        else:
            self._kept.push(data)

    def _last_chunk(self) -> Iterator[Any]:
        kept = self._kept.finish() if hasattr(self, "_kept") else None
        if kept is not None:
            yield self._cepstra(kept)

    def _cepstra(self, mel: Any) -> ArrayWithUnits:
        return mfcc(mel, self.n_coeffs, self.lifter, self.amin, self.top_db)
