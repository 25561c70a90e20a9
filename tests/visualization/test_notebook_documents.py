"""What notebooks show of documents: a table that tells what is stored and stale, and computes nothing."""

import logging

import numpy as np
import pytest

import zounds_lite as zounds
from tests.markup import read_html, sources
from zounds_lite import featureflow as ff

HOSTILE = '<img src=x onerror=alert(1)>"&\0'
RUNS = []


class Counted(ff.Node):
    """Passes on what it gets, and notes that it ran."""

    def __init__(self, factor=1, needs=None):
        super().__init__(needs=needs)
        self.factor = factor

    def _process(self, data):
        RUNS.append(type(self).__name__)
        yield data


class Decoder:
    """A decoder of a user."""

    def __call__(self, file):
        RUNS.append("decoder")
        return file.read()


def documents(factor=1):
    @zounds.simple_in_memory_settings
    class Words(ff.BaseModel):
        words = ff.JSONFeature(Counted, store=True, version="1")
        kept = ff.JSONFeature(Counted, needs=words, factor=factor, store=True, version="1")
        loose = ff.JSONFeature(Counted, needs=words, store=False, version="1")
        raw = ff.Feature(lambda data: b"0123456789", needs=words, store=True, decoder=Decoder(), version="1")

    return Words


def rows(html):
    """Return the table as the text of each row's cells."""
    elements, _ = read_html(html)
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [row.split("<td")[1:] for row in body.split("<tr>")[1:]]
    return {found[0]: found[1:] for found in ([read_html(f"<td{c}".replace("</tr>", ""))[1] for c in r] for r in cells)}


def test_a_document_tells_what_is_stored_fresh_and_how_large():
    cls = documents()
    _id = cls.process(words=["a", "b"])
    RUNS.clear()
    html = cls(_id)._repr_html_()
    assert RUNS == [], "showing computes and decodes nothing of users"
    found = rows(html)
    assert found["words"] == ["yes", "fresh", "10\N{NO-BREAK SPACE}B", "['a', 'b']"]
    assert found["kept"][:2] == ["yes", "fresh"]
    assert found["loose"] == ["no", "computed when read", "", ""]
    assert found["raw"] == ["yes", "fresh", "10\N{NO-BREAK SPACE}B", "application/octet-stream"]
    assert f"Words({_id!r}): 4 features, 3 of them stored here" in read_html(html)[1]


def test_what_is_stale_says_why_and_is_not_computed():
    cls, changed = documents(), documents(factor=2)
    _id = cls.process(words=["a"])
    changed.database = cls.database
    RUNS.clear()
    found = rows(changed(_id)._repr_html_())
    assert found["words"][1] == "fresh"
    assert found["kept"][0] == "yes" and found["kept"][1].startswith("stale: ") and "factor" in found["kept"][1]
    assert found["kept"][3] == "" and RUNS == []
    assert cls(_id)._repr_html_() == cls(_id)._repr_html_(), "showing changes nothing"


def test_what_was_declared_later_is_missing():
    cls = documents()
    _id = cls.process(words=["a"])

    class More(cls):
        late = ff.JSONFeature(Counted, needs=cls.words, store=True)

    RUNS.clear()
    assert rows(More(_id)._repr_html_())["late"][:2] == ["missing", "computed when read, then stored"]
    assert RUNS == []


def test_what_cannot_be_fingerprinted_is_unknown():
    namespace = {}
    exec("def nameless(data):\n    return data\n", namespace)

    @zounds.simple_in_memory_settings
    class Plain(ff.BaseModel):
        words = ff.JSONFeature(ff.IteratorNode, store=True)
        more = ff.JSONFeature(namespace["nameless"], needs=words, store=True, version="1")

    _id = Plain.process(words=["a"])
    Plain.features["more"].version = None
    assert rows(Plain(_id)._repr_html_())["more"][1].startswith("unknown: ")


@zounds.simple_in_memory_settings
class Sound(zounds.stft(resample_to=zounds.SR11025(), store_resampled=True, store_fft=True)):
    pass


def a_sound(title="", seconds=2.0):
    tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(seconds), [440.0])
    return Sound(Sound.process(meta=zounds.AudioMetaData(uri=tone.encode(), title=title)))


def test_a_recording_is_heard_in_its_table():
    sound = a_sound()
    html = sound._repr_html_()
    clips = [zounds.AudioSamples.from_file(data) for data in sources(read_html(html)[0], "audio")]
    assert [clip.duration_in_seconds for clip in clips] == [2.0, 2.0]
    found = rows(html)
    assert "OggVorbisWrapper(11025 Hz, 1 channels, 2.000 s)" in found["ogg"][3]
    assert "22050 samples at 11025 Hz, 2 s" in found["resampled"][3]
    assert "257 FFT bands" in found["fft"][3] and found["windowed"][0] == "no"


def test_long_recordings_play_their_start_and_the_page_stays_small():
    sound = a_sound(seconds=60)
    html = sound._repr_html_()
    assert read_html(html)[1].count("plays the first 20 of 60 s") == 2


def test_titles_and_ids_are_only_text():
    html = a_sound(title=HOSTILE)._repr_html_()
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    read_html(html)
    read_html(Sound(HOSTILE.replace("\0", ""))._repr_html_())


@pytest.mark.parametrize(("shown", "said"), [(Sound("nothing"), "no document 'nothing'"), (Sound(), "without an id")])
def test_a_document_that_is_not_there_says_so(shown, said):
    assert said in read_html(shown._repr_html_())[1]


def test_a_class_without_a_store_says_so():
    class Nowhere(ff.BaseModel):
        words = ff.JSONFeature(ff.IteratorNode, store=True)

    assert "has no persistence settings" in read_html(Nowhere("a")._repr_html_())[1]


def test_a_damaged_value_says_so_in_its_row():
    cls = documents()
    _id = cls.process(words=["a"])
    record = cls.database.read(_id)
    entry = record.entries["kept"]
    damaged = cls(_id)
    damaged._read(lambda snapshot: None)
    snapshot = damaged.__dict__["_snapshot"]
    snapshot.record.entries["kept"].data = memoryview(bytes(entry.size))
    found = rows(damaged._repr_html_())
    assert found["kept"][1].startswith("unknown: ") and "checksum" in found["kept"][1]
    assert found["words"][1] == "fresh"


def test_damaged_sound_has_no_player():
    @zounds.simple_in_memory_settings
    class Broken(ff.BaseModel):
        ogg = zounds.OggVorbisFeature(ff.IteratorNode, store=True)

    html = Broken(Broken.process(ogg=[b"OggS" + bytes(100)]))._repr_html_()
    assert rows(html)["ogg"][1].startswith("unknown: ") and "<audio" not in html


def test_notes_of_nodes_are_shown():
    class Loud(ff.Node):
        def _process(self, data):
            self.mark("loud", HOSTILE)
            yield data

    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        words = ff.JSONFeature(Loud, store=True, version="1")

    html = Document(Document.process(words=["a"]))._repr_html_()
    assert "&lt;img" in html and "loud" in read_html(html)[1]


@pytest.mark.parametrize("count", [200, 400])
def test_very_wide_documents(count):
    features = {"words": ff.JSONFeature(ff.IteratorNode, store=True)}
    features |= {f"{HOSTILE}{k}": ff.JSONFeature(len, needs=features["words"], store=True) for k in range(count)}
    wide = zounds.simple_in_memory_settings(type("Wide", (ff.BaseModel,), features))
    html = wide(wide.process(words=["a"]))._repr_html_()
    _, words = read_html(html)
    assert words.count("fresh") == min(count + 1, 300)
    assert (f"and {count - 299} more features" in words) == (count > 300)


def test_large_values_are_not_read_to_show_them(monkeypatch):
    cls = documents()
    document = cls(cls.process(words=["x" * 100_000]))
    monkeypatch.setattr(ff.JSONDecoder, "decode", lambda self, value: pytest.fail("it was read"))
    assert rows(document._repr_html_())["words"][3] == "application/json"


def test_stored_arrays_are_summed_up_without_reading_them():
    @zounds.simple_in_memory_settings
    class Arrays(ff.BaseModel):
        plain = ff.NumpyFeature(ff.IteratorNode, store=True)

    document = Arrays(Arrays.process(plain=[np.zeros((4, 3))]))
    assert rows(document._repr_html_())["plain"][3] == "ndarray float64 (4, 3)"


def test_nothing_is_logged_while_a_document_is_shown(caplog):
    with caplog.at_level(logging.DEBUG):
        a_sound()._repr_html_()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
