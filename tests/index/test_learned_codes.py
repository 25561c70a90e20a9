"""Codes that are learned from a corpus: documents are hashed with a stored pipeline, and indexed."""

import numpy as np

import zounds_lite as zounds
from tests.index.documents import frames
from zounds_lite import featureflow as ff
from zounds_lite.index import HammingIndex
from zounds_lite.learn import Learned, PreprocessingPipeline, SimHash


def test_an_index_follows_what_its_codes_are_learned_from(tmp_path):
    @zounds.simple_lmdb_settings(tmp_path / "sounds", map_size=1e7, user_supplied_id=True)
    class Sound(ff.BaseModel):
        spectrum = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    rng = np.random.default_rng(0)
    for _id in "abc":
        Sound.process(_id=_id, spectrum=[frames(rng.standard_normal((40, 12)))])

    @zounds.simple_lmdb_settings(tmp_path / "learned", map_size=1e7, user_supplied_id=True)
    class Hash(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        hashes = ff.PickleFeature(SimHash, bits=128, packbits=True, seed=ff.Var("seed"), needs=docs, store=False)
        pipeline = ff.PickleFeature(PreprocessingPipeline, needs=(hashes,), store=True)

    def hashed_sounds(seed):
        Hash.process(_id="hash", docs=(sound.spectrum for sound in Sound), seed=seed)

        class Hashed(Sound):
            code = zounds.ArrayWithUnitsFeature(Learned, learned=Hash("hash"), needs=Sound.spectrum, store=True)

        return Hashed

    first = hashed_sounds(1)
    with HammingIndex(first, first.code) as index:
        assert len(index.update().added) == 3 and index.code_size == 16
        results = index.search(first("b").code[7], 5)
        assert results[0] == ("b", zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(7)))
        assert results.distances[0] == 0 < results.distances[1]
        assert index.update().unchanged == 3
    second = hashed_sounds(2)
    with HammingIndex(second, second.code) as index:
        assert sorted(index.update().replaced) == ["a", "b", "c"]
        assert index.search(second("b").code[7], 1)[0].id == "b" and len(index) == 120
    Sound.database.close()
    Hash.database.close()


def test_nearest_codes_are_nearest_spectra():
    rng = np.random.default_rng(0)
    spectra = rng.standard_normal((300, 20))
    (step,) = SimHash(bits=1024, packbits=True).run([spectra])
    codes = zounds.HammingDistanceBruteForceSearch([("a", frames(step.op(spectra)))])
    vectors = zounds.BruteForceSearch([("a", frames(spectra - spectra.mean(axis=0)))], "cosine")
    query = spectra[5] + 0.1 * rng.standard_normal(20)
    near = set(vectors.search(query - spectra.mean(axis=0), 5))
    found = set(codes.search(step.op(query[None])[0], 10))
    assert len(near & found) >= 4
