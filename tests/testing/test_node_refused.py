"""The contract of nodes refuses nodes that are broken on purpose, each by the test that names its fault."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise
from tests.testing.library import refusals
from zounds_lite.core import ArrayWithUnits
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.testing.contracts import NodeContract


class _OfSamples(NodeContract):
    examples = 10

    def example(self):
        return zounds.AudioSamples(noise(0.05, 8000), zounds.SR8000())


class DependsOnChunks(Node):
    def _process(self, data):
        yield data - np.mean(data)


class Mutates(Node):
    def _process(self, data):
        if data.flags.writeable:
            data *= 2
        yield data * 1


class ReusesItsBuffer(Node):
    def _process(self, data):
        if not hasattr(self, "buffer"):
            self.buffer = np.zeros(1000, data.dtype)
        self.buffer[: len(data)] = data
        yield self.buffer[: len(data)]


class Widens(Node):
    def _process(self, data):
        yield data.astype(np.float64)


class LosesUnitsAtTheEnd(Node):
    def _process(self, data):
        self.last = data
        yield data

    def _last_chunk(self):
        if hasattr(self, "last"):
            yield np.asarray(self.last[-1:])


class LosesTheTail(Node):
    """Hands on whole blocks of seven and forgets what is left."""

    def _process(self, data):
        yield data[: len(data) // 7 * 7]


class Shares(Node):
    seen = []

    def _process(self, data):
        self.seen.append(len(data))
        yield data + sum(self.seen)


class FailsOnNothing(Node):
    def _process(self, data):
        yield data / np.asarray(data)[0]


class FailsAtTheEnd(Node):
    def _process(self, data):
        self.last = data
        yield data

    def _last_chunk(self):
        yield self.last[:0]


class FailsWithoutUnits(Node):
    def _process(self, data):
        yield np.lib.stride_tricks.as_strided(data, data.shape, (data.itemsize,))


class WithoutARevision(Node):
    revision = "1.0"


class IgnoresAnArgument(Node):
    neutral_parameters = ("factor",)

    def __init__(self, factor=2, needs=None):
        super().__init__(needs=needs)
        self.factor = factor

    def _process(self, data):
        yield data * self.factor


class TakesAnArgument(Node):
    def __init__(self, factor=2, offset=0, needs=None):
        super().__init__(needs=needs)
        self.factor, self.offset = factor, offset


class RemembersRows(Node):
    """Yields the same rows in chunks that know different things of their end."""

    def _process(self, data):
        time = data.dimensions[0]
        yield ArrayWithUnits(np.asarray(data), [time.replace(n_samples=len(data))])


class LiesAboutItsLocality(Node):
    """Looks at the row before, and says that it does not."""

    def locality(self, example):
        return Pointwise()

    def _process(self, data):
        before = np.concatenate([getattr(self, "last", np.zeros(1, data.dtype)), np.asarray(data)])[: len(data)]
        self.last = np.asarray(data)[-1:] if len(data) else getattr(self, "last", np.zeros(1, data.dtype))
        yield data - before


BROKEN = {
    DependsOnChunks: {"streaming_equals_offline", "single_elements_are_chunks_too"},
    LosesTheTail: {"streaming_equals_offline", "single_elements_are_chunks_too"},
    Mutates: {"chunks_are_never_changed"},
    ReusesItsBuffer: {"results_stay_as_they_were_handed_on"},
    Widens: {"the_dtype_is_kept"},
    LosesUnitsAtTheEnd: {"streaming_equals_offline"},
    Shares: {"two_nodes_share_nothing", "it_works_where_a_graph_forks"},
    FailsOnNothing: {"almost_nothing_gives_results_of_the_same_kind"},
    FailsAtTheEnd: {"no_chunk_gives_nothing"},
    FailsWithoutUnits: {"read_only_chunks_in_any_layout_will_do"},
    WithoutARevision: {"the_revision_is_a_number"},
    TakesAnArgument: {"every_argument_moves_the_lineage"},
    RemembersRows: {"streaming_equals_offline"},
    LiesAboutItsLocality: {"a_region_is_that_part_of_the_whole"},
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    suite = type("Broken", (_OfSamples,), {"node": broken})
    assert refusals(suite, BROKEN[broken]) == BROKEN[broken]


def test_the_contract_refuses_arguments_that_should_count():
    suite = type("Broken", (_OfSamples,), {"node": IgnoresAnArgument, "changes": lambda self: {"factor": 3}})
    assert refusals(suite) == {"neutral_arguments_change_no_result"}


def test_the_contract_takes_a_node_that_does_nothing_wrong():
    assert refusals(type("Good", (_OfSamples,), {"node": Node})) == set()
