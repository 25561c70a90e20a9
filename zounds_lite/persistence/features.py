"""Features that hold arrays with units and series.

``ArrayWithUnitsFeature``, ``AudioSamplesFeature``, ``PackedArrayWithUnitsFeature``, ``VariableRateTimeSeriesFeature``.
"""

from zounds_lite.featureflow.feature import Feature
from zounds_lite.persistence.codecs import (
    ArrayWithUnitsDecoder,
    ArrayWithUnitsEncoder,
    AudioSamplesDecoder,
    PackedArrayWithUnitsDecoder,
    PackedArrayWithUnitsEncoder,
)
from zounds_lite.persistence.variablerate import VariableRateTimeSeriesDecoder, VariableRateTimeSeriesEncoder

__all__ = [
    "ArrayWithUnitsFeature",
    "AudioSamplesFeature",
    "PackedArrayWithUnitsFeature",
    "VariableRateTimeSeriesFeature",
]


class ArrayWithUnitsFeature(Feature):
    """A feature whose chunks are arrays with units; reads back as one read-only ``ArrayWithUnits``.

    Args: as for ``featureflow.Feature``.

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> @zounds.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     signal = zounds.AudioSamplesFeature(ff.IteratorNode, store=True)
        ...     loud = zounds.ArrayWithUnitsFeature(lambda x: x * 2, needs=signal, store=True)
        >>> samples = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1))
        >>> document = Document(Document.process(signal=[samples]))
        >>> document.loud.shape, document.loud.dimensions[0].samples_per_second
        ((11025,), 11025)
    """

    encoder = ArrayWithUnitsEncoder
    decoder = ArrayWithUnitsDecoder()
    objects = False


class AudioSamplesFeature(ArrayWithUnitsFeature):
    """A feature whose chunks are ``AudioSamples``; reads back as one."""

    decoder = AudioSamplesDecoder()


class PackedArrayWithUnitsFeature(ArrayWithUnitsFeature):
    """Boolean arrays with units, stored as bits of the last axis."""

    encoder = PackedArrayWithUnitsEncoder
    decoder = PackedArrayWithUnitsDecoder()


class VariableRateTimeSeriesFeature(Feature):
    """A feature whose chunks are ``VariableRateTimeSeries``; reads back as one, sorted."""

    encoder = VariableRateTimeSeriesEncoder
    decoder = VariableRateTimeSeriesDecoder()
    objects = False
