"""Sound as pictures.

Goal: see a feature without a plotting library. Files: ``colours`` (a perceptual colour map), ``png`` (the PNG format,
spectrograms and waveforms as pixels), ``summary`` (values in one line of text), ``notebook`` (values as HTML: figures
of ``svg``, sound of ``players``, tables of ``documents``, the graph of a document class of ``graph``).
Conventions: time runs to the right, frequency
and amplitude upwards.
"""

from zounds_lite.visualization.axes import Axis, axis_of
from zounds_lite.visualization.colours import perceptual_colours
from zounds_lite.visualization.graph import graph_svg
from zounds_lite.visualization.histogram import amplitude_histogram
from zounds_lite.visualization.layouts import MusicPicture
from zounds_lite.visualization.nodes import MusicPictures
from zounds_lite.visualization.notebook import to_html
from zounds_lite.visualization.plots import (
    plot,
    plot_chromagram,
    plot_components,
    plot_curve,
    plot_histogram,
    plot_onsets,
    plot_rainbowgram,
    plot_self_similarity,
    plot_spectrogram,
    plot_waveform,
    save,
)
from zounds_lite.visualization.png import array_pixels, array_png, png_bytes, spectrogram_png, waveform_png
from zounds_lite.visualization.png_reader import png_pixels
from zounds_lite.visualization.summary import axis_summary, summary
from zounds_lite.visualization.svg import figure_svg

__all__ = [
    "Axis",
    "MusicPicture",
    "MusicPictures",
    "amplitude_histogram",
    "array_pixels",
    "array_png",
    "axis_of",
    "axis_summary",
    "figure_svg",
    "graph_svg",
    "perceptual_colours",
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
    "png_bytes",
    "png_pixels",
    "save",
    "spectrogram_png",
    "summary",
    "to_html",
    "waveform_png",
]
