"""What is learned from a feature of other documents is stale when that feature is made another way."""

import json

import pytest

from zounds_lite import featureflow as ff
from zounds_lite.errors import FeatureNotComputable, KeyNotFound
from zounds_lite.featureflow import corpusof
from zounds_lite.featureflow.sources import describe_source, refreshed, restore_source, what_changed


class Total(ff.Aggregator, ff.Node):
    def _process(self, data):
        yield sum(data if isinstance(data, list) else [data])  # one chunk comes as it is


def texts(**features):
    """A model of texts; each call declares it anew, with the same name and other features."""
    text = ff.JSONFeature(ff.IteratorNode, store=True)
    length = ff.JSONFeature(len, needs=text)
    namespace = {"__module__": __name__, "__qualname__": "Text", "text": text, "length": length, **features}
    return ff.simple_in_memory_settings(type(ff.BaseModel)("Text", (ff.BaseModel,), namespace))


@ff.simple_in_memory_settings
class Sum(ff.BaseModel):
    lengths = ff.PickleFeature(ff.IteratorNode)
    total = ff.JSONFeature(Total, needs=lengths, store=True)


@pytest.fixture
def text():
    made = texts()
    for words in ("a", "bc", "def"):
        made.process(text=[words])
    return made


def is_stale(_id):
    return Sum.explain(_id, "total").stale


def test_a_corpus_is_read_as_often_as_wanted(text):
    corpus = ff.corpus_of(text, text.length)
    assert sorted(corpus) == sorted(corpus) == [1, 2, 3] and len(corpus) == 3
    assert repr(corpus) == "<length of 3 documents of Text>" and set(corpus.ids) == {d._id for d in text}
    with pytest.raises(KeyNotFound, match="no feature 'size'"):
        ff.corpus_of(text, "size")


def test_what_is_learned_is_fresh_while_the_feature_is_made_alike(text):
    _id = Sum.process(lengths=ff.corpus_of(text, "length"))
    assert Sum(_id).total == 6 and not is_stale(_id)
    text.process(text=["another"])
    assert not is_stale(_id)
    again = texts()  # declared alike
    assert again is not text and not is_stale(_id)


def test_it_is_stale_and_learned_anew_when_the_feature_is_made_another_way(text):
    _id = Sum.process(lengths=ff.corpus_of(text, "length"))
    other = texts(length=ff.JSONFeature(lambda words: 10 * len(words), needs=text.text))
    other.process(text=["ab"])
    assert is_stale(_id) and "length of Text" in str(Sum.explain(_id, "total"))
    assert Sum(_id).total == 20 and not is_stale(_id)


def test_documents_count_where_they_are_told_to(text):
    _id = Sum.process(lengths=ff.corpus_of(text, "length", counts_documents=True))
    assert not is_stale(_id)
    text.process(text=["another"])
    assert is_stale(_id) and Sum(_id).total == 13 and not is_stale(_id)


def test_chosen_documents_stay_the_chosen_ones():
    meta = ff.JSONFeature(ff.IteratorNode, store=True)
    made = texts(meta=meta, length=ff.JSONFeature(lambda words: len(words["text"]), needs=meta))
    for words in ("a", "bc", "bcd"):
        made.process(text=[words], meta=[{"text": words, "first": words[0]}])
    corpus = ff.corpus_of(made.where(first="b"), "length")
    _id = Sum.process(lengths=corpus)
    assert Sum(_id).total == 5 and len(corpus) == 2
    made.process(text=["b"], meta=[{"text": "b", "first": "b"}])
    assert not is_stale(_id)
    described = describe_source(corpus)
    assert sorted(restore_source(described)) == [2, 3]
    assert describe_source(ff.corpus_of(made, "length"))["hash"] != described["hash"]


def test_more_chosen_documents_than_a_record_holds_are_not_had_again(text, monkeypatch):
    monkeypatch.setattr(corpusof, "_LONGEST", 10)
    described = describe_source(corpusof.CorpusOf(text, "length", [d._id for d in text]))
    assert described["chosen"] is None and json.dumps(described) and refreshed(described) == described
    with pytest.raises(FeatureNotComputable, match="which this process has not declared"):
        restore_source(described)


def test_a_model_that_is_not_declared_here_counts_as_unchanged(text):
    described = describe_source(ff.corpus_of(text, "length"))
    described["model"] = "elsewhere:Text"
    assert refreshed(described) is described and what_changed(described) == "length of Text"
    with pytest.raises(FeatureNotComputable, match="length of elsewhere:Text"):
        restore_source(described)


def test_what_a_plain_generator_yields_cannot_be_known(text):
    _id = Sum.process(lengths=(document.length for document in text))
    texts(length=ff.JSONFeature(str.upper, needs=text.text))
    assert not is_stale(_id)
