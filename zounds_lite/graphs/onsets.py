"""From a short-time Fourier transform to slices of time that begin where something begins to sound.

================= ============================================================= =====================
function          features, each computed from the one before                   stored
================= ============================================================= =====================
with_onsets       onset_prep, complex_domain, sliding_detection, slices         slices
with_flux_onsets  flux, sliding_flux, slices; tempo (from flux)                 slices, tempo
================= ============================================================= =====================

Both return a class to inherit from beside the graph that has the transform. ``with_onsets`` is the documented wiring,
good for percussive sounds; ``with_flux_onsets`` is as good for those, and for notes that are blown, bowed or sung, too.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError
from zounds_lite.persistence import ArrayWithUnitsFeature
from zounds_lite.segment import ComplexDomain, MovingAveragePeakPicker, SpectralFlux, Tempo, TimeSliceFeature
from zounds_lite.spectral import SlidingWindow
from zounds_lite.timeseries import Milliseconds, SampleRate, Seconds

__all__ = ["with_flux_onsets", "with_onsets"]

_COMPARED = 4
"""Frames in a window, of which three are compared; the fourth keeps the zeros that fill the last window out of them."""

_AROUND = 5, Milliseconds(116)
"""Surroundings of a peak of ``ComplexDomain`` on each side: as many values as documented, or as long at short hops."""

_SPACING = Milliseconds(60)
"""Less than a sixteenth at 240 beats a minute: what is nearer is the same onset, seen twice by short frames."""

_FLUX_HALF_LIFE = Milliseconds(500)
_FLUX_AROUND = 5, Seconds(1)
_FLUX_FACTOR = 1.5
_FLUX_DELTA = 0.015
"""What makes a peak of ``SpectralFlux``: found on notes and drums with known onsets (``benchmarks.accuracy``)."""


def with_onsets(fft_feature: Any, scheme: SampleRate | None = None) -> type[ff.BaseModel]:
    """Return a class with slices between the onsets that ``ComplexDomain`` finds.

    Args:
        fft_feature (Feature): a short-time Fourier transform, such as that of ``stft``.
        scheme (SampleRate | None): hop and length of the frames of the transform; None: those of the ``SlidingWindow``
            that the transform was made from.

    Raises:
        DeclarationError: no scheme, and no ``SlidingWindow`` among what the feature needs.

    Examples:
        >>> import zounds_lite as zounds
        >>> STFT = zounds.stft(resample_to=zounds.SR11025())
        >>> @zounds.simple_in_memory_settings
        ... class Sound(STFT, zounds.with_onsets(STFT.fft)):
        ...     pass
        >>> synth = zounds.TickSynthesizer(zounds.SR11025(), seed=1)
        >>> ticks = synth.synthesize(zounds.Seconds(4), tick_frequency=zounds.Seconds(1))
        >>> sound = Sound(Sound.process(meta=ticks.encode()))
        >>> [round(float(ts.start / zounds.Seconds(1)), 1) for ts in sound.slices.slices], sound.slices.end
        ([0.0, 1.0, 2.0, 3.0], np.timedelta64(4000000000000,'ps'))

    See Also:
        with_flux_onsets: for music.
    """
    hop, padding = _frames_of(fft_feature, scheme)

    class WithOnsets(ff.BaseModel):
        """Onsets by magnitude and phase."""

        onset_prep = ArrayWithUnitsFeature(
            SlidingWindow, needs=fft_feature, wscheme=SampleRate(hop, hop * _COMPARED), padwith=1, store=False
        )
        complex_domain = ArrayWithUnitsFeature(ComplexDomain, needs=onset_prep, store=False)
        sliding_detection = _surroundings(complex_domain, hop, *_AROUND)
        slices = TimeSliceFeature(
            MovingAveragePeakPicker,
            needs=sliding_detection,
            aggregate=np.median,
            spacing=_SPACING,
            padding=padding,
            store=True,
        )

    return WithOnsets


def with_flux_onsets(fft_feature: Any, scheme: SampleRate | None = None) -> type[ff.BaseModel]:
    """Return a class with slices between the onsets that ``SpectralFlux`` finds, and the tempo.

    Args:
        fft_feature (Feature): a short-time Fourier transform, such as that of ``stft``.
        scheme (SampleRate | None): as for ``with_onsets``.

    Raises:
        DeclarationError: no scheme, and no ``SlidingWindow`` among what the feature needs.

    Examples:
        >>> import zounds_lite as zounds
        >>> STFT = zounds.stft(resample_to=zounds.SR11025())
        >>> @zounds.simple_in_memory_settings
        ... class Sound(STFT, zounds.with_flux_onsets(STFT.fft)):
        ...     pass
        >>> synth = zounds.TickSynthesizer(zounds.SR11025(), seed=1)
        >>> ticks = synth.synthesize(zounds.Seconds(8), tick_frequency=zounds.Milliseconds(500))
        >>> sound = Sound(Sound.process(meta=ticks.encode()))
        >>> len(sound.slices), round(sound.tempo, 1)
        (16, 120.0)

    See Also:
        with_onsets: by magnitude and phase.
    """
    hop, padding = _frames_of(fft_feature, scheme)

    class WithFluxOnsets(ff.BaseModel):
        """Onsets by rises of the magnitude, and the tempo."""

        flux = ArrayWithUnitsFeature(SpectralFlux, needs=fft_feature, half_life=_FLUX_HALF_LIFE, store=False)
        sliding_flux = _surroundings(flux, hop, *_FLUX_AROUND)
        slices = TimeSliceFeature(
            MovingAveragePeakPicker,
            needs=sliding_flux,
            factor=_FLUX_FACTOR,
            delta=_FLUX_DELTA,
            spacing=_SPACING,
            padding=padding,
            store=True,
        )
        tempo = ff.JSONFeature(Tempo, needs=flux, store=True)

    return WithFluxOnsets


def _surroundings(detection: Any, hop: np.timedelta64, least: int, duration: np.timedelta64) -> ArrayWithUnitsFeature:
    """Return windows with each value of a detection function in the centre of one."""
    around = max(least, round(duration / hop))
    scheme = SampleRate(hop, hop * (2 * around + 1))
    return ArrayWithUnitsFeature(
        SlidingWindow, needs=detection, wscheme=scheme, padwith=around, padend=around, store=False
    )


def _frames_of(feature: Any, scheme: SampleRate | None) -> tuple[np.timedelta64, int]:
    """Return the hop of the frames that a feature was made from, and the samples of padding before them.

    Windows of frames are as many hops long as they have frames, whatever the overlap of the frames.
    """
    cut = next((need for need in _upstream(feature) if need.extractor is SlidingWindow), None)
    arguments = {} if cut is None else cut.extractor_args
    scheme = arguments.get("wscheme") if scheme is None else scheme
    if not isinstance(scheme, SampleRate):
        raise DeclarationError(
            f"{feature!r} does not come from a SlidingWindow that says its scheme; "
            "give it: scheme=HalfLapped(), or whatever cut the frames"
        )
    return scheme.frequency, arguments.get("padwith", 0)


def _upstream(feature: Any) -> Iterator[Any]:
    """Yield what a feature needs, nearest first."""
    for need in feature.named_needs().values():
        need = getattr(need, "feature", need)  # of an aspect
        yield need
        yield from _upstream(need)
