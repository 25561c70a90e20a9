"""The nodes of ``timeseries`` keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import samples, spectra
from zounds_lite.featureflow import Feature, Node
from zounds_lite.testing.contracts import NodeContract

STRETCHES = [
    zounds.TimeSlice(zounds.Milliseconds(n), start=zounds.Milliseconds(start))
    for start, n in ((0, 100), (50, 400), (50, 10), (300, 0), (400, 90), (1000, 9000), (99_999, 1))
] + [zounds.TimeSlice(start=zounds.Milliseconds(99_999))]


class Between(Node):
    """Feeds a node that pools with rows, and with stretches before, between or after them."""

    def __init__(self, when, op, axis, needs=None):
        super().__init__(needs=needs)
        self.rows, self.slices = Node(), Node()
        self.pooled = zounds.Pooled(op, axis, needs=(self.rows, self.slices))
        self.left = list(STRETCHES)
        self.when = when

    def _some(self, count):
        now, self.left = self.left[:count], self.left[count:]
        yield from self.pooled.push(zounds.VariableRateTimeSeries((ts, 0) for ts in now), self.slices)

    def _process(self, data):
        if self.when == "before":
            yield from self._some(len(self.left))
        yield from self.pooled.push(data, self.rows)
        if self.when == "between":
            yield from self._some(1)

    def _last_chunk(self):
        if not self.has_input:
            return
        yield from self.pooled.end(self.rows)
        yield from self._some(len(self.left))
        yield from self.pooled.end(self.slices)


class TestPooled(NodeContract):
    node = zounds.Pooled
    when, op, axis = "before", np.max, 0

    def arguments(self):
        return {"op": type(self).op, "axis": self.axis}

    def changes(self):
        return {"op": np.min, "axis": 1}

    def create(self, needs=None):
        return Between(self.when, type(self).op, self.axis, needs)

    def declare(self, **changes):
        return Feature(zounds.Pooled, needs=(Feature(Node), Feature(np.abs)), **{**self.arguments(), **changes})

    def example(self):
        return np.abs(spectra())

    def join(self, results):
        return zounds.VariableRateTimeSeries(entry for series in results for entry in series)

    def offline(self, whole):
        found = ((ts, whole[ts]) for ts in STRETCHES)
        op = type(self).op
        return zounds.VariableRateTimeSeries((ts, op(part, axis=self.axis)) for ts, part in found if len(part))

    def test_the_dtype_is_kept(self):
        results = self.create().run([self.example().astype(np.float32)])
        assert self.join(list(results)).slicedata.dtype == np.float32


class TestPooledWhereStretchesComeLast(TestPooled):
    when, op = "after", np.mean


class TestPooledWhereStretchesComeOneByOne(TestPooled):
    when = "between"

    def test_almost_nothing_gives_results_of_the_same_kind(self):
        (empty, *_) = self.create().run([self.example()[:0]])
        assert isinstance(empty, zounds.VariableRateTimeSeries) and len(empty) == 0


class TestPooledSound(TestPooled):
    op, axis = np.std, None

    def example(self):
        return samples(20_000)

    def changes(self):
        return {"op": np.min, "axis": 0}
