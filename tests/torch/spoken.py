"""A store of short sounds that spawned workers find by its name in the environment."""

import os

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

STORE = "ZOUNDS_TEST_STORE"
RATE = zounds.SampleRate(zounds.Milliseconds(10), zounds.Milliseconds(10))


def document(store=None):
    """Return a class with rows of numbers that say whose they are and where, in memory or at a path."""

    class Sound(ff.BaseModel):
        meta = ff.JSONFeature(ff.IteratorNode, store=True)
        bands = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        doubled = zounds.ArrayWithUnitsFeature(twice, needs=bands, store=False)

    settings = zounds.simple_lmdb_settings(store, user_supplied_id=True) if store else zounds.simple_in_memory_settings
    return settings(Sound)


@ff.pointwise
def twice(rows):
    return rows * 2


def rows(number, count, width=3):
    """Return frames of 10 ms: whose they are, where they are, and zeros."""
    values = np.zeros((count, width), np.float32)
    values[:, 0], values[:, 1] = number, np.arange(count)
    return zounds.ArrayWithUnits(values, [zounds.TimeDimension(*RATE), zounds.IdentityDimension()])


def add(model, number, count, label="x", **ids):
    """Store a document."""
    return model.process(meta=[{"label": label, "number": number}], bands=[rows(number, count)], **ids)


if STORE in os.environ:
    Spoken = document(os.environ[STORE])
    Spoken.__qualname__ = "Spoken"
