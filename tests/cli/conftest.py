"""A current folder with recordings and a document class, and a way to run commands in it."""

import importlib
import linecache
import sys
import textwrap

import pytest

from tests.sounds import noise, sine, write
from zounds_lite.cli import main

MODULE = """
    import zounds_lite as zounds
    from zounds_lite import featureflow as ff

    Base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)

    class Sound(Base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=Base.fft, store=True)
        loud = zounds.ArrayWithUnitsFeature(lambda bark: bark * 2, needs=bark, store=True)
        mean = ff.JSONFeature(lambda pcm: float(abs(pcm).mean()), needs=Base.pcm, store=True)

    class NoDocument:
        pass
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A current folder with two recordings and a module that declares a document; returns a way to change it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "sounds" / "sub").mkdir(parents=True)
    write(tmp_path / "sounds" / "one.wav", sine(440, 1.0, 22050), 22050)
    write(tmp_path / "sounds" / "sub" / "two.flac", noise(0.5, channels=2))

    def change(*changes):
        text = MODULE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mine.py").write_text(textwrap.dedent(text))
        sys.modules.pop("mine", None)
        importlib.invalidate_caches()
        linecache.clearcache()

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    change()
    yield change
    sys.modules.pop("mine", None)


@pytest.fixture
def cli(capsys):
    """Run a command; returns its exit code and what it wrote to stdout and stderr."""

    def run(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:  # argparse leaves this way
            code = error.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
