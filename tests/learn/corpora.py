"""What the tests of learning share: models in memory whose features are made here."""

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.spectral import FrequencyBand, FrequencyDimension, LinearScale
from zounds_lite.timeseries import Milliseconds, TimeDimension

BANDS = FrequencyDimension(LinearScale(FrequencyBand(0, 4000), 4))


def frames(data):
    """Rows as frames of 100 ms, with bands where there are four."""
    data = np.asarray(data)
    bands = [BANDS] if data.shape[1:] == (4,) else [None] * (data.ndim - 1)
    return zounds.ArrayWithUnits(data, [TimeDimension(Milliseconds(100)), *bands])


def rows(n, seed=0, dtype=np.float32, scale=1.0, shape=(4,)):
    """Random rows with a mean and a deviation of their own for each feature."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    data = rng.standard_normal((n, size)) * (1 + np.arange(size)) + 10 * np.arange(size)
    return (scale * data).reshape(n, *shape).astype(dtype)


def sounds(*features):
    """A model with one document per array, whose feature ``x`` it is."""

    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        x = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    for data in features:
        Sound.process(x=[frames(data)])
    return Sound


def train(node, *chunks):
    """Run a preprocessor alone, and return its result."""
    [result] = node.run(chunks)
    return result
