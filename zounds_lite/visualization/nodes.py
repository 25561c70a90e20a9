"""Pictures of recordings in streams, stored like any other feature.

Goal: documents hold the pictures that a classifier learns from. Conventions: a picture for each window of samples, with
time first, so that pictures are sliced by seconds. Node: ``MusicPictures``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.featureflow import Locality, Node, Pointwise
from zounds_lite.timeseries import AudioSamples, TimeDimension, audio_sample_rate
from zounds_lite.visualization.layouts.music import MusicPicture

__all__ = ["MusicPictures"]


class MusicPictures(Node):
    """Draws a picture of each window of samples; of a whole recording where it gets samples that are not cut.

    With ``SlidingWindow`` before it, pictures come one by one and little memory is needed. Without it, the samples of
    the recording are kept until it ends.

    Args:
        picture (MusicPicture): what to draw. With ``white_db`` set, loud and quiet windows stay so; otherwise the
            loudest of each window is white.
        needs (Node): gives windows, such as those of ``SlidingWindow``, or ``AudioSamples``.

    Shape:
        [windows, time] or [windows, time, channels] -> [windows, size, size], or [windows, size, size, 3] for colour;
        [time] or [time, channels] -> the same with one window, on an axis without units

    Raises:
        DimensionError: neither samples nor windows of samples.
        DeclarationError: ``picture`` is none.
        NonFiniteAudio: samples that are NaN or infinite.

    Examples:
        >>> import zounds_lite as zounds
        >>> SR = zounds.SR11025()
        >>> Resampled = zounds.windowed(wscheme=zounds.SampleRate(zounds.Seconds(2), zounds.Seconds(2)), resample_to=SR)
        >>> @zounds.simple_in_memory_settings
        ... class Sound(Resampled):
        ...     pictures = zounds.ArrayWithUnitsFeature(
        ...         MusicPictures, picture=MusicPicture("hilbert", size=64), needs=Resampled.windowed, store=True)
        >>> tone = zounds.SineSynthesizer(SR).synthesize(zounds.Seconds(4), [440.0])
        >>> pictures = Sound(Sound.process(meta=tone.encode())).pictures
        >>> pictures.shape, pictures[zounds.TimeSlice(zounds.Seconds(1))].shape
        ((2, 64, 64), (1, 64, 64))

    See Also:
        MusicPicture: the same for a recording in memory.
    """

    revision = 1

    def __init__(self, picture: MusicPicture, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not isinstance(picture, MusicPicture):
            raise DeclarationError(f'picture={picture!r}; allowed: a MusicPicture, such as MusicPicture("hilbert")')
        self.picture = picture

    def locality(self, example: Any) -> Locality | None:
        return Pointwise() if _is_windows(example) else None

    def _first_chunk(self, data: Any) -> Any:
        self._kept: list[Any] = []
        if not _is_windows(data) and not isinstance(data, AudioSamples):
            raise DimensionError(
                f"{type(data).__name__} with dimensions {getattr(data, 'dimensions', ())!r}; allowed: AudioSamples, or "
                "windows of them, as SlidingWindow cuts them"
            )
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if isinstance(data, AudioSamples):
            self._kept.append(data.copy())
            return
        rate = audio_sample_rate(data.dimensions[1].rate)
        drawn = [self.picture(AudioSamples(window, rate)) for window in np.asarray(data)]
        yield self._with_units(drawn, data.dimensions[0])

    def _last_chunk(self) -> Iterator[Any]:
        if getattr(self, "_kept", None):
            parts = [np.asarray(part) for part in self._kept]
            whole = AudioSamples(np.concatenate(parts), self._kept[0].samplerate)
            if len(whole):
                yield self._with_units([self.picture(whole)], IdentityDimension())

    def _with_units(self, pictures: list[np.ndarray], time: Dimension) -> ArrayWithUnits:
        size = self.picture.size
        shape = (len(pictures), size, size, 3) if self.picture.kind == "colour" else (len(pictures), size, size)
        stacked = np.array(pictures, np.float32).reshape(shape)
        return ArrayWithUnits(stacked, [time, *(IdentityDimension() for _ in shape[1:])])


def _is_windows(data: Any) -> bool:
    dimensions: Any = getattr(data, "dimensions", ())
    if len(dimensions) not in (2, 3) or not all(isinstance(dimension, TimeDimension) for dimension in dimensions[:2]):
        return False
    return bool(dimensions[1].is_audio)
