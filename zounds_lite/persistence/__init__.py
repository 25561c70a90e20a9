"""How arrays with units are written and read: raw little-endian rows, with dimensions and dtype in a JSON header."""

from zounds_lite.persistence.codecs import (
    ArrayWithUnitsDecoder,
    ArrayWithUnitsEncoder,
    AudioSamplesDecoder,
    PackedArrayWithUnitsDecoder,
    PackedArrayWithUnitsEncoder,
)
from zounds_lite.persistence.features import (
    ArrayWithUnitsFeature,
    AudioSamplesFeature,
    PackedArrayWithUnitsFeature,
    VariableRateTimeSeriesFeature,
)
from zounds_lite.persistence.variablerate import VariableRateTimeSeriesDecoder, VariableRateTimeSeriesEncoder

__all__ = [
    "ArrayWithUnitsDecoder",
    "ArrayWithUnitsEncoder",
    "ArrayWithUnitsFeature",
    "AudioSamplesDecoder",
    "AudioSamplesFeature",
    "PackedArrayWithUnitsDecoder",
    "PackedArrayWithUnitsEncoder",
    "PackedArrayWithUnitsFeature",
    "VariableRateTimeSeriesDecoder",
    "VariableRateTimeSeriesEncoder",
    "VariableRateTimeSeriesFeature",
]
