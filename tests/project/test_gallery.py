"""The gallery of the docs: programs run once, and their pages show and play what they leave."""

import importlib
import sys
from pathlib import Path

import pytest

from zounds_lite import SR8000, AudioSamples, Seconds, SineSynthesizer

pytest.importorskip("sphinx")

from sphinx.errors import ExtensionError  # where it is installed

DOCS = Path(__file__).parents[2] / "docs"

DRAWS = '''"""Two tones and a picture.

It leaves them: in a folder. And it says so.
"""

from pathlib import Path

import numpy as np

import zounds_lite as zounds

tone = zounds.SineSynthesizer(zounds.SR8000())
Path("sounds").mkdir()
Path("store.zl").mkdir()
Path("sounds/broken.wav").write_bytes(b"no sound")
for name, seconds in (("tone 10", 60), ("tone 9", 1), ("../store.zl/hidden", 1)):
    tone.synthesize(zounds.Seconds(seconds), [440.0]).save(f"sounds/{name}.wav")
for name in ("the spectrum.png", "store.zl/hidden.png"):
    zounds.spectrogram_png(zounds.spectral.stft(tone.synthesize(zounds.Seconds(1), [440.0])), name)
print("two tones", "and a picture", sep="\\n")
'''
SAYS = '"""Words alone."""\n\nprint("no picture")\n'


@pytest.fixture
def gallery(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("gallery")
    for name in ("gallery", "sounds"):
        sys.modules.pop(name, None)


def programs(root, monkeypatch, gallery, **texts):
    (root / "examples").mkdir()
    (root / "docs").mkdir()
    for name, text in texts.items():
        (root / "examples" / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.setattr(gallery, "DOCS", root / "docs")
    return root / "docs"


def built(docs):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    (docs / "index.md").write_text("# Start\n\n```{toctree}\nexamples/index\n```\n", "utf-8")
    said = docs.parent / "warnings.txt"
    with said.open("w") as stream, docutils_namespace():
        app = Sphinx(
            docs, None, docs.parent / "html", docs.parent / "trees", "html", status=None, warning=stream,
            confoverrides={"extensions": ["myst_parser", "gallery", "sounds"]},
        )  # fmt: skip
        app.build()
    return said.read_text()


# myst-parser 5.2 resolves links by what Sphinx 9 warns of; drop this when it does not
@pytest.mark.filterwarnings("ignore:'myst_parser.sphinx_ext.myst_refs.MystReferenceResolver.app' is deprecated")
def test_a_page_shows_and_plays_what_its_program_leaves(gallery, monkeypatch, tmp_path):
    docs = programs(tmp_path, monkeypatch, gallery, draws=DRAWS, says=SAYS)
    monkeypatch.setattr(gallery, "ROOT", tmp_path)
    assert built(docs) == ""
    html = tmp_path / "html"
    page = (html / "examples" / "draws.html").read_text("utf-8")
    assert page.count("<audio controls") == 2 and page.index("tone-9.wav") < page.index("tone-10.ogg")
    assert "its first 15 s" in page and "_images/the-spectrum.png" in page
    assert not [file for file in html.rglob("*") if "hidden" in file.name]
    (short,) = html.rglob("sounds-tone-9.wav")
    (cut,) = html.rglob("sounds-tone-10.ogg")
    assert AudioSamples.from_file(short).shape == (8000,)
    assert AudioSamples.from_file(cut).shape == (15 * 8000,) and cut.stat().st_size < 300_000
    assert f'src="../{short.relative_to(html).as_posix()}"' in page
    contents = (html / "examples" / "index.html").read_text("utf-8")
    assert "_images/the-spectrum.png" in contents and "2 to hear" in contents and "no picture" in contents
    assert "It leaves them: in a folder." in contents and "And it says so" not in contents


def test_a_program_that_fails_ends_the_build(gallery, tmp_path):
    path = tmp_path / "fails.py"
    path.write_text("print('so far')\n1 / 0\n")
    with pytest.raises(ExtensionError, match="(?s)fails.py failed with exit status 1.*so far.*ZeroDivisionError"):
        gallery.run_example(path, tmp_path)
    path.write_text("import warnings\nwarnings.warn('that')\n")
    with pytest.raises(ExtensionError, match="UserWarning: that"):
        gallery.run_example(path, tmp_path)


def test_a_program_that_hangs_ends_the_build(gallery, monkeypatch, tmp_path):
    monkeypatch.setattr(gallery, "EXAMPLE_SECONDS", 0.5)
    path = tmp_path / "hangs.py"
    path.write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(ExtensionError, match=r"hangs.py did not end within 0\.5 s"):
        gallery.run_example(path, tmp_path)


def test_what_a_program_leaves_is_counted_and_in_the_order_of_people(gallery, tmp_path):
    for name in ("deep/a.png", "b10.png", "b2.png", "B1.PNG", "x.zl/no.png", ".cache/no.png", "y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    names = [path.name for path in gallery.left_in(tmp_path, gallery.PICTURES)]
    assert names == ["B1.PNG", "b2.png", "b10.png", "a.png"]


def test_large_pictures_and_many_of_them_are_left_out_and_the_page_says_so(gallery, monkeypatch, tmp_path):
    source = (
        '"""Many."""\nfrom pathlib import Path\n'
        'for n in range(14):\n    Path(f"{n}.png").write_bytes(b"x")\nPath("large.png").write_bytes(bytes(2_000_000))\n'
    )
    path = tmp_path / "many.py"
    path.write_text(source)
    (tmp_path / "pages").mkdir()
    shown = gallery.show(path, tmp_path / "pages")
    assert len(shown.pictures) == 12 and shown.left_out == 3
    assert "It leaves 3 more." in gallery.page(shown)
    assert len(list((tmp_path / "pages" / "many").iterdir())) == 12


def test_a_page_that_plays_a_sound_that_is_not_there_fails(gallery, monkeypatch, tmp_path):
    docs = programs(tmp_path, monkeypatch, gallery)
    monkeypatch.setattr(gallery, "ROOT", tmp_path)
    (docs / "plays.md").write_text("# Plays\n\n```{sound} none.wav\nNothing\n```\n", "utf-8")
    assert "sound: there is no file none.wav" in built(docs)


def test_a_sound_of_one_second_is_kept_as_it_is(gallery, tmp_path):
    (tmp_path / "pages").mkdir()
    tone = SineSynthesizer(SR8000()).synthesize(Seconds(1), [440.0])
    tone.save(tmp_path / "a tone.WAV")
    name, says = gallery.keep_sound(tmp_path / "a tone.WAV", tmp_path, tmp_path / "pages")
    assert (name, says) == ("a-tone.wav", "a tone.WAV")
    assert (tmp_path / "pages" / name).read_bytes() == (tmp_path / "a tone.WAV").read_bytes()
