"""The constant-Q transform as a module, and its inverse.

Goal: ``dsp.ConstantQ`` on tensors, with the same decimation and the same kernels, for whole signals at once. Class:
``ConstantQBank``.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp.constantq import ConstantQ
from zounds_lite.dsp.constantq_atoms import C1_HZ, Window
from zounds_lite.dsp.constantq_inverse import icqt
from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._tables import TableModule, as_bins, as_signal, check_size, rate_of
from zounds_lite.learn.nets._torch import Tensor, functional, torch
from zounds_lite.learn.nets.transforms._declarations import node_of, rate_before
from zounds_lite.spectral import GeometricScale
from zounds_lite.timeseries import TimeDimension

__all__ = ["ConstantQBank"]

_ENOUGH = 1e-12
"""The squared gradient, as a part of the first one, where steps end."""


class ConstantQBank(TableModule):
    """Transforms signals to bands that are spaced like notes, as ``cqt`` and the node ``CQT`` do.

    Args:
        samplerate (AudioSampleRate | int): of the signals.
        hop (int | np.timedelta64): from one frame to the next: samples, or a duration that is rounded up to samples.
        start_hz (float): centre of the first band in Hz; by default the note C1.
        n_bands (int): number of bands; the last one must not reach beyond half the sample rate.
        bands_per_octave (float): bands in an octave, > 0.
        filter_scale (float): factor of all lengths, > 0: below 1 for sharper times and blunter pitches.
        window (str | Callable): "hann", "hamming", or a function of a size.
        exact (bool): compute the definition itself instead of an approximation within 1e-3, many times slower.

    Shape:
        [..., time] -> [..., frames, bands], complex; n samples give 1 + n // hop frames

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: numbers out of range, or bands beyond half the sample rate; an input of another precision or
            device than the module's.

    Examples:
        >>> import torch
        >>> from zounds_lite.timeseries import SR22050
        >>> cqt = ConstantQBank(SR22050(), start_hz=55.0, n_bands=60)
        >>> tone = torch.sin(2 * torch.pi * 440 / 22050 * torch.arange(22050))
        >>> spectra = cqt(tone)
        >>> spectra.shape, int(spectra[20].abs().argmax())
        (torch.Size([44, 60]), 36)

    See Also:
        cqt, CQTSynthesizer: the same on arrays with units.
    """

    def __init__(
        self,
        samplerate: Any,
        hop: Any = 512,
        start_hz: float = C1_HZ,
        n_bands: int = 84,
        bands_per_octave: float = 12,
        filter_scale: float = 1.0,
        window: Window = "hann",
        exact: bool = False,
    ) -> None:
        super().__init__()
        self.samplerate = rate_of(samplerate)
        time = TimeDimension.from_rate(self.samplerate)
        self.hop = time.samples_in(hop) if isinstance(hop, np.timedelta64) else hop
        self.start_hz, self.n_bands, self.bands_per_octave = start_hz, n_bands, bands_per_octave
        self.filter_scale, self.window, self.exact = filter_scale, window, exact
        rate = self.samplerate.rate
        self._definition = ConstantQ(rate, self.hop, start_hz, n_bands, bands_per_octave, filter_scale, window, exact)
        self._make_tables()

    @classmethod
    def from_feature(cls, feature: Any, samplerate: Any = None) -> "ConstantQBank":
        """Return the module that does what a document's feature does.

        Args:
            feature (Feature): one whose node is ``CQT``, of audio.
            samplerate (AudioSampleRate | int | None): of the audio; None: that of the ``Resampler`` before.

        Raises:
            DeclarationError: another feature.
        """
        node = node_of(feature, "CQT")
        rate = rate_before(feature) if samplerate is None else rate_of(samplerate)
        given = ("hop", "start_hz", "n_bands", "bands_per_octave", "filter_scale", "window", "exact")
        return cls(rate, *(getattr(node, name) for name in given))

    def _tables(self) -> dict[str, np.ndarray]:
        tables = {"weights": 1.0 / np.sqrt(self.definition.lengths)}
        levels = self.definition.plan(np.dtype(np.float64)).levels
        # per level its decimation, and per group its first band and where its kernels start
        self._layout = [(level.factor, [(g.bands.start, g.first) for g in level.groups]) for level in levels]
        for i, level in enumerate(levels):
            if level.decimation is not None:
                tables[f"low_pass_{i}"] = level.decimation[: 2 * level.half + 1, 0].copy()
            for j, group in enumerate(level.groups):
                tables[f"kernels_{i}_{j}"] = np.stack(group.kernels)
        return tables

    @property
    def definition(self) -> ConstantQ:
        """The transform of arrays that this one is."""
        return self._definition

    @property
    def scale(self) -> GeometricScale:
        """The bands."""
        bank = self.definition
        start, stop = float(bank.center_hz[0]), float(bank.center_hz[-1])
        # one band alone is as far from the next one as its neighbours would be, as for arrays
        stop = stop if bank.n_bands > 1 else start * 2.0 ** (1.0 / self.bands_per_octave)
        return GeometricScale(start, stop, 1.0 / bank.q, bank.n_bands)

    def frame_count(self, length: int) -> int:
        """Return how many frames a signal of ``length`` samples has."""
        return self.definition.frame_count(length)

    def forward(self, x: Tensor) -> Tensor:
        """Transform signals."""
        x = as_signal(x, self.get_buffer("weights"))
        frames = self.frame_count(x.shape[-1])
        parts = self._parts(x[None] if x.ndim == 1 else x.flatten(0, -2), frames)
        return torch.view_as_complex(parts).reshape(*x.shape[:-1], frames, self.n_bands)

    def _parts(self, x: Tensor, frames: int) -> Tensor:
        """Return real and imaginary parts of frames, [signals, frames, bands, 2]."""
        if not (frames and len(x)):
            return x.new_zeros((len(x), frames, self.n_bands, 2))
        found = []
        samples, origin, above = x, 0, 1
        for i, (factor, groups) in enumerate(self._layout):
            if i:
                taps = self.get_buffer(f"low_pass_{i}")
                samples, origin = _decimated(samples, origin, taps, factor // above)
                above = factor
            for j, (band, first) in enumerate(groups):
                kernels = self.get_buffer(f"kernels_{i}_{j}")
                found.append((band, _products(samples, origin, kernels, first, (self.hop, factor), frames)))
        ordered = [part for _, part in sorted(found, key=lambda pair: pair[0])]
        return torch.cat(ordered, dim=-1).unflatten(-1, (self.n_bands, 2))

    def inverse(self, spectra: Tensor, length: int | None = None, steps: int = 20, allow_gaps: bool = False) -> Tensor:
        """Return the signals that coefficients were made of, as far as their bands reach, by least squares.

        Unlike ``icqt``, which works in stretches, this holds what a signal's whole transform needs, and with gradients
        that of every step.

        Args:
            spectra (Tensor): complex coefficients of all bands.
            length (int | None): samples of the result, >= 0; None: a hop for each frame.
            steps (int): steps of the iteration at most, >= 1: four are enough for 40 dB in most sounds.
            allow_gaps (bool): invert even where the hop is above half the shortest atom.

        Shape:
            [..., frames, bands] -> [..., length]

        Raises:
            DimensionError: another number of bands, or no axis of frames.
            DeclarationError: magnitudes, a hop that leaves gaps, a negative length, or no steps.

        Sources:
            See ``dsp.icqt``.
        """
        weights = self.get_buffer("weights")
        spectra = as_bins(spectra, self.n_bands, weights, "bands")
        if not spectra.is_complex():
            raise DeclarationError(f"coefficients of {spectra.dtype}; allowed: complex ones, not magnitudes")
        check_size("steps", steps)
        frames = spectra.shape[-2] if spectra.ndim > 1 else 0
        # refuses what the numpy side refuses
        shape = (0, self.n_bands) if spectra.ndim > 1 else (self.n_bands,)
        icqt(np.zeros(shape, complex), self.definition, length, steps, allow_gaps)
        size = frames * self.hop if length is None else length
        if not (spectra.numel() and size):
            return weights.new_zeros((*spectra.shape[:-2], size))
        given = torch.view_as_real(spectra.reshape(-1, frames, self.n_bands)) * weights[:, None]
        return self._least_squares(given, size, steps).reshape(*spectra.shape[:-2], size)

    def _least_squares(self, given: Tensor, size: int, steps: int) -> Tensor:
        """Solve for signals of a size by conjugate gradients, all at once."""
        weights = self.get_buffer("weights")
        tracked = torch.is_grad_enabled() and given.requires_grad
        # the transposed transform is the gradient of the transform, which is needed without other gradients too
        with torch.inference_mode(False), torch.enable_grad():
            zeros = given.new_zeros((len(given), size), requires_grad=True)
            parts = self._parts(zeros, given.shape[1]) * weights[:, None]

        def transposed(residual: Tensor) -> Tensor:
            (found,) = torch.autograd.grad(parts, zeros, residual, retain_graph=True, create_graph=tracked)
            return found

        residual = given
        gradient = transposed(residual)
        x, direction = torch.zeros_like(gradient), gradient
        first = power = _energy(gradient)
        for _ in range(steps):
            going = power > _ENOUGH * first
            if not bool(going.any()):
                break
            moved = self._parts(direction, given.shape[1]) * weights[:, None]
            pace = torch.where(going, power / _energy(moved).clamp_min(torch.finfo(power.dtype).tiny), 0.0)
            x = x + pace * direction
            residual = residual - pace[..., None, None] * moved
            gradient = transposed(residual)
            power, before = _energy(gradient), power
            direction = gradient + torch.where(going, power / torch.where(going, before, 1.0), 0.0) * direction
        return x

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        lowest = self.definition.center_hz[0]
        return f"{self.samplerate.rate} Hz, {self.n_bands} bands from {lowest:.2f} Hz, hop={self.hop}"


def _energy(x: Tensor) -> Tensor:
    """Return the energy of each signal, [signals, 1]."""
    return x.flatten(1).square().sum(dim=1, keepdim=True)


def _between(samples: Tensor, origin: int, start: int, stop: int) -> Tensor:
    """Return samples from start to stop of signals that begin at ``origin``, with zeros outside them."""
    return functional.pad(samples, (origin - start, stop - origin - samples.shape[-1]))


def _decimated(samples: Tensor, origin: int, taps: Tensor, step: int) -> tuple[Tensor, int]:
    """Return every ``step``-th sample of filtered signals, as far as they are not zero, and the number of the first."""
    half = len(taps) // 2
    first = -((half - origin) // step)
    last = (origin + samples.shape[-1] - 1 + half) // step
    reached = _between(samples, origin, first * step - half, last * step + half + 1)
    return functional.conv1d(reached[:, None], taps[None, None], stride=step)[:, 0], first


def _products(samples: Tensor, origin: int, kernels: Tensor, first: int, rates: tuple[int, int], frames: int) -> Tensor:
    """Return the coefficients of a group of bands, real and imaginary parts in turn, [signals, frames, 2 * bands].

    ``rates`` are the samples from one frame to the next, and by how much these samples are decimated.
    """
    hop, factor = rates
    phases, size, _ = kernels.shape
    advance, rows = phases * hop // factor, -(-frames // phases)
    found = []
    for phase, kernel in enumerate(kernels):
        start = phase * hop // factor + first
        reached = _between(samples, origin, start, start + (rows - 1) * advance + size)
        found.append(reached.unfold(-1, size, advance) @ kernel)
    return torch.stack(found, dim=2).flatten(1, 2)[:, :frames]
