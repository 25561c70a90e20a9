"""The node of ``visualization`` keeps the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import joined, samples
from zounds_lite.testing.contracts import NodeContract
from zounds_lite.visualization.layouts import MusicPicture
from zounds_lite.visualization.nodes import MusicPictures

PICTURE = MusicPicture("hilbert", size=16, grid=4)


def windows(channels=1):
    scheme = zounds.SampleRate(zounds.Milliseconds(100), zounds.Milliseconds(200))
    return joined(zounds.SlidingWindow(scheme).run([samples(12_000, channels)]))


class TestMusicPictures(NodeContract):
    node = MusicPictures
    examples = 10

    def arguments(self):
        return {"picture": PICTURE}

    def changes(self):
        return {"picture": PICTURE.replace(white_db=-10.0)}

    def dtype(self, dtype):
        return np.dtype(np.float32)

    def example(self):
        return windows()

    def offline(self, whole):
        rate = zounds.SR11025()
        drawn = [PICTURE(zounds.AudioSamples(np.asarray(window), rate)) for window in whole]
        return zounds.ArrayWithUnits(np.array(drawn), [whole.dimensions[0], None, None])


class TestMusicPicturesOfColoursAndChannels(TestMusicPictures):
    def arguments(self):
        return {"picture": MusicPicture("colour", size=16)}

    def example(self):
        return windows(channels=2)

    def offline(self, whole):
        return NodeContract.offline(self, whole)


class TestMusicPicturesOfWholeRecordings(TestMusicPictures):
    def example(self):
        return samples(8_000)

    def offline(self, whole):
        return zounds.ArrayWithUnits(PICTURE(whole)[None], [None, None, None])
