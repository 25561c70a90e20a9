"""Marks: what nodes note about their input stands on the document."""

import pytest

from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.record import Record


class Loud(ff.Node):
    """Passes words on, and notes those in capitals."""

    def _process(self, data):
        for word in data:
            if word.isupper():
                self.mark("loud", f"{word} is in capitals")
            yield word.lower()


class Echo(ff.Node):
    def __init__(self, times=1, needs=None):
        super().__init__(needs=needs)
        self.times = times

    def _process(self, data):
        self.mark("echo", f"repeated {self.times} times")
        yield data * self.times


def document(times=1):
    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        words = ff.JSONFeature(Loud, store=True)
        echo = ff.JSONFeature(Echo, needs=words, times=times, store=False)

    return Document


def test_a_note_stands_on_the_document_once():
    cls = document()
    _id = cls.process(words=["a", "B", "B", "C"])
    notes = [{"kind": "loud", "message": f"{word} is in capitals"} for word in "BC"]
    assert cls(_id).marks == {"words": notes}


def test_a_document_without_notes_has_none():
    cls = document()
    assert cls(cls.process(words=["a"])).marks == {}


def test_a_new_attempt_drops_the_old_notes():
    cls = document()
    cls.id_provider = ff.UserSpecifiedIdProvider("_id")
    cls.process(words=["A"], _id="x")
    assert cls("x").marks
    cls.process(words=["a"], _id="x")
    assert cls("x").marks == {}


def test_notes_of_a_feature_computed_later_are_added():
    first = document()
    _id = first.process(words=["A"])

    class Later(first):
        echo = ff.JSONFeature(Echo, needs=first.words, times=2, store=True)

    found = Later(_id)
    assert found.echo == "aa"
    assert found.marks == Later(_id).marks
    assert Later(_id).marks["echo"] == [{"kind": "echo", "message": "repeated 2 times"}]
    assert Later(_id).marks["words"][0]["kind"] == "loud"


def test_marks_are_written_with_the_record_and_checked():
    record = Record("a", marks={"words": [{"kind": "loud", "message": "A"}]})
    assert Record.from_bytes(record.to_bytes()).marks == record.marks
    for bad in ([], {"words": "loud"}, {"words": [{"kind": "loud"}]}, {"words": [{"kind": 1, "message": "A"}]}):
        record.marks = bad
        raw = record.to_bytes()
        if not bad:
            assert Record.from_bytes(raw).marks == {}
            continue
        with pytest.raises(CorruptValue, match="marks"):
            Record.from_bytes(raw)
