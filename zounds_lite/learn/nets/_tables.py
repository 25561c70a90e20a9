"""Modules whose buffers follow from their arguments.

Goal: windows, filters and bands of the numpy side as buffers that move with their module, and stay exact when it
changes its precision. Class: ``TableModule``; functions that check arguments: ``as_signal``, ``as_signals``,
``as_bins``, ``rate_of``, ``check_size``, ``check_positive``.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.learn.nets._torch import Tensor, nn, torch
from zounds_lite.timeseries import AudioSampleRate, audio_sample_rate

__all__ = ["TableModule", "as_bins", "as_signal", "as_signals", "check_positive", "check_size", "rate_of"]


class TableModule(nn.Module):
    """A module with buffers that its arguments determine, so that they are no part of its ``state_dict``.

    A subclass overrides ``_tables`` and calls ``_make_tables`` at the end of its constructor.
    """

    def _tables(self) -> dict[str, np.ndarray]:
        """Return the buffers by name, in double precision."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its buffers are")

    def _make_tables(self) -> None:
        for name, table in self._tables().items():
            values = torch.tensor(table, dtype=torch.get_default_dtype())
            self.register_buffer(name, values, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        before = {name: (b.dtype, b.device.type) for name, b in self._buffers.items() if b is not None}
        super()._apply(fn, recurse)
        stale = {
            name: buffer
            for name, buffer in self._buffers.items()
            if buffer is not None
            and buffer.device.type != "meta"
            and (before[name][0] != buffer.dtype or before[name][1] == "meta")
        }
        if stale:
            # a buffer that was rounded to single precision does not get its digits back by a cast
            tables = self._tables()
            with torch.no_grad():
                for name in stale.keys() & tables.keys():
                    stale[name].copy_(torch.tensor(tables[name]))
        return self


def as_signal(x: Any, table: Tensor) -> Tensor:
    """Return real samples in the precision of a module.

    Args:
        x (Tensor): real samples; integers are taken too.
        table (Tensor): any buffer of the module.

    Raises:
        DimensionError: no tensor, or one without axes.
        DeclarationError: complex samples, or another precision or device than the module's.
    """
    _check_tensor(x)
    if x.is_complex():
        raise DeclarationError(f"samples of {x.dtype}; allowed: real ones, so take real and imaginary part apart")
    if not x.is_floating_point():
        x = x.to(table.dtype)
    _check_like(x, x.dtype, table)
    return x


def as_signals(x: Any, table: Tensor) -> Tensor:
    """Return real samples as a row of signals with one channel, whatever axes they had before that of time.

    Shape:
        [..., time] -> [signals, 1, time]

    Raises:
        DimensionError, DeclarationError: as ``as_signal``.
    """
    x = as_signal(x, table)
    return x[None, None] if x.ndim == 1 else x.flatten(0, -2)[:, None]


def as_bins(x: Any, n_bins: int, table: Tensor, what: str = "bins") -> Tensor:
    """Return coefficients, complex or real, of which there must be a number, in the precision of a module.

    Args:
        x (Tensor): coefficients; frequency is the last axis.
        n_bins (int): how many there have to be.
        table (Tensor): any buffer of the module.
        what (str): what they are called.

    Raises:
        DimensionError: no tensor, or another number of coefficients.
        DeclarationError: another precision or device than the module's.
    """
    _check_tensor(x)
    if x.shape[-1] != n_bins:
        raise DimensionError(f"an input of shape {tuple(x.shape)}; needed: {n_bins} {what} on the last axis")
    _check_like(x, x.real.dtype if x.is_complex() else x.dtype, table)
    return x


def _check_tensor(x: Any) -> None:
    if not isinstance(x, torch.Tensor):
        raise DimensionError(f"{type(x).__name__} where a tensor is needed: torch.as_tensor(np.asarray(x))")
    if x.ndim == 0:
        raise DimensionError("a single number is no signal: give a tensor with an axis of samples")


def _check_like(x: Tensor, dtype: Any, table: Tensor) -> None:
    if dtype != table.dtype or x.device != table.device:
        raise DeclarationError(
            f"an input of {x.dtype} on {x.device} for a module of {table.dtype} on {table.device}; "
            f"move the module, module.to(x.device, {dtype}), or the input, x.to({table.device!s}, {table.dtype})"
        )


def rate_of(samplerate: Any) -> AudioSampleRate:
    """Return a sample rate of audio, from itself or from a number of hertz.

    Raises:
        SampleRateError: something else.
    """
    if isinstance(samplerate, AudioSampleRate):
        return samplerate
    if isinstance(samplerate, (int, np.integer)) and not isinstance(samplerate, bool):
        return audio_sample_rate(int(samplerate))
    raise SampleRateError(f"samplerate={samplerate!r}; allowed: one of audio, such as SR44100(), or 44100")


def check_size(name: str, value: Any, least: int = 1) -> None:
    """Refuse what is no whole number of at least ``least``.

    Raises:
        DeclarationError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise DeclarationError(f"{name}={value!r}; allowed: a whole number, {least} or more")


def check_positive(name: str, value: Any) -> None:
    """Refuse what is no finite number above 0.

    Raises:
        DeclarationError: it is none.
    """
    if not (isinstance(value, (int, float, np.number)) and 0 < value < math.inf):
        raise DeclarationError(f"{name}={value!r}; allowed: a finite number above 0")
