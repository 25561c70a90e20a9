"""Documents with features that are made by hand, for the tests of indexes."""

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

BITS = 64


def frames(rows, hop=1.0):
    """Return rows as an array with units, one each ``hop`` seconds."""
    rows = np.asarray(rows)
    dimensions = [zounds.TimeDimension(zounds.Seconds(hop)), *[None] * (rows.ndim - 1)]
    return zounds.ArrayWithUnits(rows, dimensions)


def random_bits(n, bits=BITS, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, bits)).astype(bool)


def sound_class(path=None, event_log=None):
    """Return a class of documents with a binary feature and a feature of numbers, in memory or in a store."""

    class Sound(ff.BaseModel):
        code = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        numbers = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        halved = zounds.ArrayWithUnitsFeature(lambda x: x / 2, needs=numbers, store=False)

    if path is None:
        made = zounds.simple_in_memory_settings(Sound)
        made.id_provider = ff.UserSpecifiedIdProvider("_id")
    else:
        made = zounds.simple_lmdb_settings(path, map_size=1e7, user_supplied_id=True)(Sound)
    made.event_log = event_log
    return made


def put(model, _id, bits=None, numbers=None):
    """Process a document; returns its bits."""
    bits = random_bits(5, seed=sum(map(ord, _id))) if bits is None else np.asarray(bits)
    numbers = bits.astype(np.float32) if numbers is None else numbers
    model.process(_id=_id, code=[frames(bits)], numbers=[frames(numbers)])
    return bits
