"""Time: durations, rates, slices, and arrays that live in time.

Goal: exact seconds on every axis that is time. Files: ``durations``, ``samplerate``, ``audiorate``, ``timeslice``,
``clock`` (exact arithmetic between picoseconds and samples), ``dimension`` (``TimeDimension``), ``audio_samples``,
``constantrate``, ``variablerate``.
"""

from zounds_lite.timeseries.audio_samples import AudioSamples
from zounds_lite.timeseries.audiorate import (
    SR8000,
    SR11025,
    SR16000,
    SR22050,
    SR24000,
    SR32000,
    SR44100,
    SR48000,
    SR88200,
    SR96000,
    SR192000,
    AudioSampleRate,
    audio_sample_rate,
    nearest_audio_sample_rate,
)
from zounds_lite.timeseries.constantrate import ConstantRateTimeSeries
from zounds_lite.timeseries.dimension import TimeDimension
from zounds_lite.timeseries.durations import (
    Hours,
    Microseconds,
    Milliseconds,
    Minutes,
    Nanoseconds,
    Picoseconds,
    Seconds,
)
from zounds_lite.timeseries.samplerate import HalfLapped, SampleRate, Stride
from zounds_lite.timeseries.timeslice import TimeSlice
from zounds_lite.timeseries.variablerate import VariableRateTimeSeries

__all__ = [
    "SR8000",
    "SR11025",
    "SR16000",
    "SR22050",
    "SR24000",
    "SR32000",
    "SR44100",
    "SR48000",
    "SR88200",
    "SR96000",
    "SR192000",
    "AudioSampleRate",
    "AudioSamples",
    "ConstantRateTimeSeries",
    "HalfLapped",
    "Hours",
    "Microseconds",
    "Milliseconds",
    "Minutes",
    "Nanoseconds",
    "Picoseconds",
    "SampleRate",
    "Seconds",
    "Stride",
    "TimeDimension",
    "TimeSlice",
    "VariableRateTimeSeries",
    "audio_sample_rate",
    "nearest_audio_sample_rate",
]
