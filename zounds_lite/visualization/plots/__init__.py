"""Pictures with matplotlib: axes in seconds and hertz, and levels in decibels, from the dimensions of an array.

Goal: to look at sound is as easy as to print it. Files: ``choice`` (``plot``, whatever the value), ``waveform``
(samples, curves, onsets and beats), ``spectrogram`` (arrays over time and frequency, pitch classes, amplitudes),
``rainbowgram``, ``similarity``, ``components`` (what was learned), ``figure`` (``save``), ``image`` (axes with units).
Conventions: each function draws on the axes that it is given, or makes a figure, and returns the axes; ``pyplot`` is
never touched. matplotlib, the extra ``plot``, loads on first use.
"""

from zounds_lite.visualization.plots.choice import plot
from zounds_lite.visualization.plots.components import plot_components
from zounds_lite.visualization.plots.figure import save
from zounds_lite.visualization.plots.rainbowgram import plot_rainbowgram
from zounds_lite.visualization.plots.similarity import plot_self_similarity
from zounds_lite.visualization.plots.spectrogram import plot_chromagram, plot_histogram, plot_spectrogram
from zounds_lite.visualization.plots.waveform import plot_curve, plot_onsets, plot_waveform

__all__ = [
    "plot",
    "plot_chromagram",
    "plot_components",
    "plot_curve",
    "plot_histogram",
    "plot_onsets",
    "plot_rainbowgram",
    "plot_self_similarity",
    "plot_spectrogram",
    "plot_waveform",
    "save",
]
