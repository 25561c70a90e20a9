"""Ready-made documents: functions that return a model class to subclass and decorate.

Each graph begins with ``meta``, the root, whose value is what ``process(meta=...)`` is given: a path, a URL, bytes, a
binary file, a zip member or an ``AudioMetaData``.
"""

from zounds_lite.graphs.adaptive import frequency_adaptive
from zounds_lite.graphs.audio import resampled, stft, windowed
from zounds_lite.graphs.descriptors import audio_graph
from zounds_lite.graphs.onsets import with_flux_onsets, with_onsets
from zounds_lite.graphs.recording import Recording

__all__ = [
    "Recording",
    "audio_graph",
    "frequency_adaptive",
    "resampled",
    "stft",
    "windowed",
    "with_flux_onsets",
    "with_onsets",
]
