"""Frames, constant-Q magnitudes and their local contrast, of one clip: what the job in ``frames`` computes.

Goal: the input of an auto-encoder that looks at short pieces of sound. Conventions, for frames of n samples:

- ``Xa``, the samples themselves: frame f is ``y[f n:(f + 1) n]``, and, half a frame later, ``y[n / 2 + f n:...]``;
- ``Xs``, magnitudes of the constant-Q transform with hop n, of ``y`` and of ``y[n / 2:]``, each for itself; the
  transform has a column or two more than there are frames, of which the first ones are kept;
- ``Xn``, the local contrast of ``Xs``, its frames in the order of time: both kinds take turns.

All are [frames, 2, n or bands], float32. Classes: ``ClipFrames``, ``ClipResult``; functions ``read_clip``,
``name_of``.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.constantq import ConstantQ
from zounds_lite.dsp.contrast import LocalContrast
from zounds_lite.errors import DeclarationError, InvalidItem, ZoundsError
from zounds_lite.timeseries import AudioSamples

__all__ = ["C2_HZ", "ClipFrames", "ClipResult", "name_of", "read_clip"]

C2_HZ = 440.0 * 2.0 ** (-33 / 12)
"""The note C2, MIDI 36; called C3 where middle C is C5."""


class ClipFrames(Declared):
    """How a clip is cut into frames, and what is computed of them.

    Args:
        samplerate (int): hertz; clips at other rates are resampled.
        frame (int): samples in a frame, even.
        start_hz (float): centre of the lowest band.
        n_bands (int): bands of the constant-Q transform.
        bands_per_octave (int): bands in an octave.
        size (tuple[int, int]): frames and bands of the neighbourhood whose contrast is normalised, both odd.
        sigma (float): standard deviation of its Gaussian weights, in frames and bands.
        floor (float | str): the smallest deviation to divide by: ``"mean"`` over the clip, or a number above 0.

    Raises:
        DeclarationError: a number out of range, or bands beyond half the sample rate.

    Examples:
        >>> plan = ClipFrames()
        >>> plan.octaves, round(plan.stop_hz, 4), plan.count(660_000), plan.count(10_240)
        (4.0, 1046.5023, 644, 9)
        >>> {name: (array.shape, array.dtype.name) for name, array in plan.of(np.zeros(22_050)).items()}
        {'Xa': ((21, 2, 1024), 'float32'), 'Xs': ((21, 2, 96), 'float32'), 'Xn': ((21, 2, 96), 'float32')}
    """

    samplerate: int
    frame: int
    start_hz: float
    n_bands: int
    bands_per_octave: int
    size: tuple[int, int]
    sigma: float
    floor: float | str

    def __init__(
        self,
        samplerate: int = 22_050,
        frame: int = 1024,
        start_hz: float = C2_HZ,
        n_bands: int = 96,
        bands_per_octave: int = 24,
        size: tuple[int, int] = (9, 9),
        sigma: float = 2.0,
        floor: float | str = "mean",
    ) -> None:
        super().__init__(
            samplerate=samplerate, frame=frame, start_hz=start_hz, n_bands=n_bands, bands_per_octave=bands_per_octave,
            size=tuple(size) if isinstance(size, list) else size, sigma=sigma, floor=floor,
        )  # fmt: skip

    def validate(self) -> None:
        """Refuse what the transforms would refuse, before any clip is read."""
        if isinstance(self.frame, bool) or not isinstance(self.frame, int) or self.frame < 2 or self.frame % 2:
            raise DeclarationError(f"frame={self.frame!r}; allowed: an even number of samples, 2 or more")
        self._transforms  # noqa: B018 - made now, so that wrong numbers are refused here

    @cached_property
    def _transforms(self) -> tuple[ConstantQ, LocalContrast]:
        bands = (self.start_hz, self.n_bands, self.bands_per_octave)
        return ConstantQ(self.samplerate, self.frame, *bands), LocalContrast(self.size, self.sigma, self.floor)

    @property
    def octaves(self) -> float:
        """How many octaves the bands cover; ``stop_hz / start_hz`` is two to that power."""
        return self.n_bands / self.bands_per_octave

    @property
    def stop_hz(self) -> float:
        """Where a band behind the last one would lie."""
        return float(self.start_hz * 2.0**self.octaves)

    @property
    def widths(self) -> dict[str, int]:
        """The last axis of each array."""
        return {"Xa": self.frame, "Xs": self.n_bands, "Xn": self.n_bands}

    def count(self, n_samples: int) -> int:
        """Return how many frames a clip has: as many as fit both from its start and from half a frame on."""
        return max(0, n_samples - self.frame // 2) // self.frame

    def of(self, y: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays of a clip.

        Args:
            y (np.ndarray): samples at the sample rate, one channel.

        Shape:
            [time] -> [frames, 2, n or bands] each

        Raises:
            InvalidItem: it is shorter than one and a half frames, or not one channel.
        """
        y = np.asarray(y, np.float32)
        self._check(y)
        bank, contrast = self._transforms
        count = self.count(len(y))
        parts = (y, y[self.frame // 2 :])
        samples = [part[: count * self.frame].reshape(count, self.frame) for part in parts]
        spectra = np.stack([np.abs(bank.transform(part)[:count]) for part in parts], axis=1)
        in_time = spectra.reshape(2 * count, self.n_bands)
        normalised = contrast.transform(in_time).reshape(spectra.shape)
        return {"Xa": np.stack(samples, axis=1), "Xs": spectra, "Xn": normalised}

    def _check(self, y: np.ndarray) -> None:
        if y.ndim != 1 or not self.count(len(y)):
            raise InvalidItem(
                f"a clip of shape {y.shape} has no frame; needed is one channel of at least {3 * self.frame // 2} "
                "samples"
            )

    def compute(self, source: Any, samples: int | None = None, frames: bool = True) -> "ClipResult":
        """Read a clip and return its arrays, or why there are none.

        Args:
            source (str | BinaryIO): a path, or an HDF5Clip.
            samples (int | None): how many samples to use; None: all.
            frames (bool): False only reads the clip, and sees whether there is a frame in it.
        """
        given = None
        try:
            y = read_clip(source, self.samplerate)
            given = len(y)
            if samples is not None and given < samples:
                raise InvalidItem(f"it has {given:,} samples at {self.samplerate} Hz; {samples:,} are wanted of each")
            self._check(y[:samples])
            return ClipResult(self.of(y[:samples]) if frames else {}, given)
        except (ZoundsError, OSError) as error:
            return ClipResult({}, given, f"{type(error).__name__}: {error}")


class ClipResult(NamedTuple):
    """What came of a clip.

    Args:
        arrays (Mapping[str, np.ndarray]): what was computed; empty where it failed.
        samples (int | None): how many samples the clip has; None where it could not be read.
        reason (str): why it failed.
    """

    arrays: Mapping[str, np.ndarray]
    samples: int | None
    reason: str = ""


def read_clip(source: Any, samplerate: int) -> np.ndarray:
    """Return the samples of a recording as one channel at a sample rate, float32.

    Args:
        source (str | BinaryIO): a path, or an HDF5Clip.
        samplerate (int): hertz.

    Raises:
        DecodeError, InvalidItem, FileNotFoundError: there is no sound in it that can be decoded.
    """
    try:
        return np.asarray(AudioSamples.from_file(source).mono.resample(samplerate), np.float32)
    finally:
        if hasattr(source, "close"):
            source.close()


def name_of(source: Any) -> str:
    """Return what tells a clip apart."""
    return str(getattr(source, "filename", None) or os.fspath(source))
