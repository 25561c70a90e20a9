"""Results: lists that know their distances, and play."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.markup import read_html
from zounds_lite.errors import DeclarationError, KeyNotFound
from zounds_lite.index import BruteForceSearch, HammingDistanceBruteForceSearch, SearchResults, VectorIndex

RATE = zounds.SR11025()
STFT = zounds.stft(resample_to=RATE, store_ogg=False)


@pytest.fixture(scope="module")
def sounds():
    @zounds.simple_in_memory_settings
    class Sound(STFT):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=32, needs=STFT.fft, store=True)

    synthesizer = zounds.SineSynthesizer(RATE)
    for hz in (220.0, 880.0, 3520.0):
        samples = synthesizer.synthesize(zounds.Seconds(2), [hz])
        samples[: RATE.rate] = 0  # a second of silence, then the tone
        Sound.process(meta=samples.encode())
    return Sound


def test_results_play_exactly_the_stretch_that_was_found(sounds):
    document = next(iter(sounds))
    with VectorIndex(sounds, sounds.bark, metric="cosine") as index:
        index.update()
        results = index.search(document.bark[60], 4)
        assert results[0].id == document._id
        for result, samples in zip(results, results.samples(), strict=True):
            whole = sounds(result.id).resampled[result.timeslice]
            assert isinstance(samples, zounds.AudioSamples) and len(samples) == 512
            np.testing.assert_array_equal(samples, whole)
        (part,) = results[:1].samples(feature="bark")
        assert document.bark[60].tolist() in np.asarray(part).tolist()
        assert results._repr_html_().count("<audio controls") == 4
        sounds.delete(results[-1].id)
        with pytest.raises(KeyNotFound, match="no document"):
            results[-1].samples()
        assert "(deleted)" in results._repr_html_()


def test_a_page_of_results_stays_small_and_holds_only_text(sounds):
    long = zounds.TimeSlice(duration=zounds.Seconds(2))
    _id = next(iter(sounds))._id
    results = SearchResults("q", [(_id, long)] * 1000, np.arange(1000), sounds)
    elements, words = read_html(results._repr_html_())
    assert [tag for tag, _ in elements].count("audio") == 10 and "and 700 more" in words
    hostile = SearchResults("q", [("<img src=x onerror=alert(1)>\0", long)])
    assert "<img src=x" in read_html(hostile._repr_html_())[1]


def test_results_are_lists():
    slices = [zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(n)) for n in range(3)]
    results = SearchResults("q", [("a", ts) for ts in slices], np.arange(3))
    assert len(results) == 3 and results[1] == ("a", slices[1]) and results[-1].timeslice == slices[2]
    assert list(results) == list(results) and results[1:].distances.tolist() == [1, 2] and results[1:].query == "q"
    assert ("a", slices[0]) in results and results.index(("a", slices[2])) == 2
    assert repr(results).splitlines()[0] == "SearchResults(3)" and results[0].extra == {}
    assert np.isnan(SearchResults("q", ["x"]).distances).all() and "<li>" in SearchResults("q", ["x"])._repr_html_()
    for wanted in (lambda: results.samples(), lambda: results[0].samples()):
        with pytest.raises(DeclarationError, match=r"samples\(.*\) .*needs the class"):
            wanted()
    with pytest.raises(DeclarationError, match="stretches of documents"):
        SearchResults("q", ["x"], [0]).samples(object)
    with pytest.raises(DeclarationError, match="2 distances for 1 results"):
        SearchResults("q", ["x"], [0, 1])


def series(rows):
    return zounds.ArrayWithUnits(rows, [zounds.TimeDimension(zounds.Seconds(1)), *[None] * (np.ndim(rows) - 1)])


@pytest.mark.parametrize(
    "metric", ["euclidean", "sqeuclidean", "cosine", "cityblock", "chebyshev", "seuclidean", "correlation"]
)
def test_brute_force_measures_as_scipy_does(metric):
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(0)
    corpus = {_id: rng.standard_normal((50, 2, 3)).astype(np.float32) for _id in "abc"}
    search = BruteForceSearch(((_id, series(rows)) for _id, rows in corpus.items()), metric)
    everything = np.concatenate(list(corpus.values())).reshape(150, 6).astype(float)
    query = corpus["b"][7] + np.float32(0.01)
    wanted = cdist(query.reshape(1, 6).astype(float), everything, metric)[0]
    results = search.search(query, 20)
    np.testing.assert_allclose(results.distances, np.sort(wanted)[:20], rtol=1e-9, atol=1e-12)
    assert results[0] == ("b", zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(7)))
    assert len(search.search(query, 999)) == 150 and len(search) == 150
    assert list(search.search_batch(corpus["b"][:2], 1)[1]) == list(search.search(corpus["b"][1], 1))
    assert search.random_search(1, np.random.default_rng(0)).distances[0] == pytest.approx(0, abs=1e-9)


def test_brute_force_by_hamming_distance():
    bits = np.random.default_rng(0).integers(0, 2, (40, 128)).astype(bool)
    words = np.packbits(bits, axis=1).view(np.uint64)
    search = HammingDistanceBruteForceSearch([("a", series(words[:20])), ("b", series(words[20:]))])
    wanted = (bits != bits[25]).sum(axis=1)
    results = search.search(words[25], 40)
    assert results.distances.tolist() == sorted(wanted) and results[0].id == "b"
    assert search.random_search(1).distances.tolist() == [0]
    unpacked = HammingDistanceBruteForceSearch([("a", series(bits))])
    assert unpacked.search(bits[3], 3).distances.tolist() == sorted((bits != bits[3]).sum(axis=1))[:3]
    with pytest.raises(ValueError, match="codes of 8 bytes; allowed: 16"):
        search.search(words[0, :1], 1)


def test_brute_force_refuses_what_it_cannot_compare():
    for empty in (BruteForceSearch([]), HammingDistanceBruteForceSearch([])):
        assert list(empty.search(np.ones(8, np.uint8), 5)) == [] and list(empty.random_search(5)) == []
    with pytest.raises(ValueError, match="no axis of time"):
        BruteForceSearch([("a", np.ones((2, 2)))])
    with pytest.raises(ValueError, match="the frames of 'b' are of another size"):
        BruteForceSearch([("a", series(np.ones((2, 2)))), ("b", series(np.ones((2, 3))))])
    with pytest.raises(ValueError, match="the frames of 'a': row 1"):
        BruteForceSearch([("a", series(np.array([[1.0], [np.nan]])))])
    with pytest.raises(ValueError, match="distance_metric='nothing'; allowed"):
        BruteForceSearch([], "nothing")
    search = BruteForceSearch([("a", series(np.ones((2, 2))))])
    with pytest.raises(ValueError, match="another size than the frames"):
        search.search(np.ones(3))
    with pytest.raises(ValueError, match="n_results=-2"):
        search.search(np.ones(2), -2)
