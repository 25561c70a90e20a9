"""The nodes that learn keep the contract of nodes, as far as it asks for anything of what comes out once, at the end.

Those that need scikit-learn or torch are tested where these are.
"""

import numpy as np

import zounds_lite as zounds
from tests.learn.corpora import frames, rows, sounds, train
from zounds_lite import featureflow as ff
from zounds_lite.learn import (
    InfiniteSampler,
    KMeans,
    Learned,
    LogisticRegression,
    Pipeline,
    PreprocessResult,
    SimHash,
    sampling,
    scaling,
    shaping,
)
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.untrained import Untrained
from zounds_lite.spectral import AWeighting
from zounds_lite.spectral.weighting import FrequencyWeighting
from zounds_lite.testing.contracts import NodeContract


class _Learns(NodeContract):
    """What was learned is the same, however the corpus was cut: seen by what it makes of the whole."""

    examples = 5

    def example(self):
        return frames(rows(60, 0, np.float64))

    def join(self, results):
        if not results:
            return None
        [result] = results
        made = result.op(self.example()) if isinstance(result, PreprocessResult) else result
        return getattr(made, "output", made)


class TestPreprocessor(_Learns):
    """The base does not know how to learn, so what it would learn from is looked at."""

    class Rows(Preprocessor):
        def _train(self, corpus):
            return corpus.concatenated()

    node = Preprocessor

    def create(self, needs=None):
        return self.Rows(needs=needs)


class TestUntrained(_Learns):
    class Same(Untrained):
        def _op(self):
            return scaling.Multiplied(1.0)

    node = Untrained

    def create(self, needs=None):
        return self.Same(needs=needs)


class TestMeanStdNormalization(_Learns):
    node = zounds.MeanStdNormalization
    tolerance = 1e-9


class TestUnitNorm(_Learns):
    node = zounds.UnitNorm


class TestInstanceScaling(_Learns):
    node = zounds.InstanceScaling

    def changes(self):
        return {"max_value": 2}


class TestLog(_Learns):
    node = zounds.Log


class TestMuLawCompressed(_Learns):
    node = zounds.MuLawCompressed


class TestMultiply(_Learns):
    node = zounds.Multiply

    def changes(self):
        return {"factor": np.array([1.0, 2.0, 3.0, 4.0])}


class TestWeighted(_Learns):
    node = zounds.Weighted

    def arguments(self):
        return {"weighting": AWeighting()}

    def changes(self):
        return {"weighting": FrequencyWeighting()}


class TestSlicer(_Learns):
    node = shaping.Slicer

    def changes(self):
        return {"slicex": slice(1, 2)}


class TestReshape(_Learns):
    node = shaping.Reshape

    def arguments(self):
        return {"new_shape": (2, -1)}

    def changes(self):
        return {"new_shape": (4, 1)}


class TestAbsoluteValue(_Learns):
    node = shaping.AbsoluteValue


class TestBinarize(_Learns):
    node = shaping.Binarize

    def changes(self):
        return {"threshold": 0.1}


class TestSharpen(_Learns):
    node = shaping.Sharpen

    def changes(self):
        return {"kernel": np.array([1.0, 2.0])}


class TestKMeans(_Learns):
    node = KMeans

    def arguments(self):
        return {"centroids": 3}

    def changes(self):
        return {"centroids": 4, "seed": 1, "iterations": 2, "passes": 1}


class TestLogisticRegression(_Learns):
    node = LogisticRegression
    atomic = True

    def changes(self):
        return {"C": 2.0, "method": "predict_proba", "iterations": 50}

    def example(self):
        return {"data": rows(20, 0, np.float64), "labels": np.array(["a", "b"] * 10)}

    def join(self, results):
        return results[0].weights if results else None


class TestSimHash(_Learns):
    node = SimHash

    def arguments(self):
        return {"bits": 16}

    def changes(self):
        return {"bits": 17, "packbits": True, "seed": 1}


class TestShuffledSamples(_Learns):
    node = sampling.ShuffledSamples

    def arguments(self):
        return {"nsamples": 20}

    def changes(self):
        return {"nsamples": 21, "multiplexed": True, "dtype": np.float32, "seed": 1}


class TestReservoirSampler(_Learns):
    node = sampling.ReservoirSampler

    def arguments(self):
        return {"nsamples": 20}

    def changes(self):
        return {"nsamples": 21, "wrapper": np.sort, "seed": 1}


class TestBalancedSamples(_Learns):
    node = sampling.BalancedSamples
    atomic = True

    def arguments(self):
        return {"nsamples": 5}

    def changes(self):
        return {"nsamples": 6, "labels": ["a", "b"], "dtype": np.float32, "seed": 1}

    def example(self):
        return {"data": rows(20), "labels": np.array(["a", "b"] * 10)}

    def join(self, results):
        return results[0] if results else None


class TestPreprocessingPipeline(NodeContract):
    node = zounds.PreprocessingPipeline
    atomic = True

    def example(self):
        return train(zounds.Multiply(2.0), rows(3)).for_storage()

    def join(self, results):
        return [pipeline.version for pipeline in results]


def _pipeline(factor):
    return Pipeline([train(zounds.Multiply(factor), rows(1)).for_storage()])


class TestLearned(NodeContract):
    node = Learned

    def arguments(self):
        return {"learned": _pipeline(2.0)}

    def changes(self):
        return {
            "learned": _pipeline(3.0),
            "version": "mine",
            "wrapper": np.negative,
            "pipeline_func": lambda pipeline: pipeline + pipeline,
            "dtype": np.float32,
        }

    def example(self):
        return frames(rows(60, 0, np.float64))


class TestInfiniteSampler(NodeContract):
    node = InfiniteSampler
    atomic = True
    Sound = sounds(rows(20), rows(5, 1))

    def arguments(self):
        return {"nsamples": 10, "rounds": 2, "parallel": False}

    def changes(self):
        return {
            "nsamples": 11,
            "dtype": np.float64,
            "feature_filter": np.negative,
            "parallel": True,
            "rounds": 3,
            "seed": 1,
        }

    def example(self):
        return ff.corpus_of(self.Sound, "x")

    def join(self, results):
        return np.concatenate(results)
