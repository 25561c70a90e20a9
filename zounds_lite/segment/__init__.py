"""Where one sound ends and the next begins.

Goal: turn spectra into a detection function, and its peaks into time slices; the plain mathematics stands in
``zounds_lite.dsp.onset`` and ``zounds_lite.dsp.beat``.

- ``functional``: detection functions and tempo, with units; they share their names with those of ``dsp``
- ``slices``: from peaks to slices of time
- ``nodes``: ``MeasureOfTransience``, ``ComplexDomain``, ``SpectralFlux``, ``Flux`` (detection functions),
  ``MovingAveragePeakPicker`` (slices), ``Tempo``
- ``features``: ``TimeSliceFeature``, how slices are stored, without the sound in them
"""

from zounds_lite.segment.features import TimeSliceEncoder, TimeSliceFeature
from zounds_lite.segment.functional import (
    complex_domain,
    measure_of_transience,
    relative_flux,
    spectral_distance,
    spectral_flux,
    tempo,
)
from zounds_lite.segment.nodes import (
    ComplexDomain,
    Flux,
    MeasureOfTransience,
    MovingAveragePeakPicker,
    SpectralFlux,
    Tempo,
)
from zounds_lite.segment.slices import SliceStream

__all__ = [
    "ComplexDomain",
    "Flux",
    "MeasureOfTransience",
    "MovingAveragePeakPicker",
    "SliceStream",
    "SpectralFlux",
    "Tempo",
    "TimeSliceEncoder",
    "TimeSliceFeature",
    "complex_domain",
    "measure_of_transience",
    "relative_flux",
    "spectral_distance",
    "spectral_flux",
    "tempo",
]
