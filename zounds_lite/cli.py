"""The command line: ``zounds-lite``.

Exit codes: 0, all went well; 1, some recordings failed, each with its reason on stderr; 2, the command was not
understood; 3, it could not be done (no such store, document or file, and the like).
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import KeyNotFound, ZoundsError

__all__ = ["main"]

_DEFAULT_DOCUMENT = "zounds_lite.graphs:Recording"


def _say(text: str) -> None:
    """Print a line; what the terminal cannot show (an id may be any text) is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _document(name: str, store: str) -> Any:
    """Import a document class and bind it to the store at a path."""
    from zounds_lite.featureflow import BaseModel, simple_lmdb_settings

    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise KeyNotFound(f"--document {name!r}: {error}; give it as MODULE:CLASS") from error
    finally:
        sys.path.remove(os.getcwd())
    if not (isinstance(cls, type) and issubclass(cls, BaseModel)):
        raise KeyNotFound(f"--document {name!r} is no document class (a subclass of BaseModel)")
    return simple_lmdb_settings(store, user_supplied_id=True)(cls)


def _existing(arguments: argparse.Namespace) -> Any:
    """The document class, bound to a store that must exist."""
    if not (Path(arguments.store) / "data.mdb").is_file():
        raise FileNotFoundError(
            f"{arguments.store!r} is no store; make one with: zounds-lite ingest FOLDER --store PATH"
        )
    return _document(arguments.document, arguments.store)


def _find(cls: Any, wanted: str) -> str:
    """Return the id that is ``wanted``, or the only one that ends with it."""
    if wanted in cls.database:
        return wanted
    ids = [_id for _id in cls.database if _id.endswith(wanted)]
    if len(ids) != 1:
        found = f"{len(ids)} ids end with it" if ids else "no id is or ends with it"
        raise KeyNotFound(f"no document {wanted!r} in {str(cls.database.path)!r}: {found}; see: zounds-lite ls STORE")
    return str(ids[0])


def _ingest(arguments: argparse.Namespace) -> int:
    from zounds_lite.datasets import Directory, ingest

    directory = Directory(arguments.folder)
    if not len(directory):
        raise FileNotFoundError(f"{arguments.folder!r} holds no audio files")
    report = ingest(directory, _document(arguments.document, arguments.store), workers=arguments.workers)
    done = len(report.processed) + len(report.skipped)
    _say(f"{done} of {report.total} recordings are in {arguments.store}")
    _say(f"{len(report.processed)} processed, {len(report.skipped)} skipped, {len(report.failed)} failed")
    for failure in report.failed:
        sys.stderr.write(f"failed: {failure.id}: {failure.reason}\n")
    return 1 if report.failed else 0


def _ls(arguments: argparse.Namespace) -> int:
    cls = _existing(arguments)
    for _id in sorted(cls.database):
        _say(_id)
    return 0


def _summary(value: Any) -> str:
    """One line on a value: its shape and units, or itself."""
    if not hasattr(value, "dimensions"):
        text = repr(value)
        return text if len(text) <= 200 else f"{text[:200]}..."
    axes = ", ".join(f"{size} {dimension!r}" for size, dimension in zip(value.shape, value.dimensions, strict=True))
    return f"{type(value).__name__} {value.dtype} {value.shape}: {' '.join(axes.split())}"


def _stored_value(cls: Any, _id: str, name: str) -> Any:
    """Read a value that the document class does not declare, by what its header says."""
    from zounds_lite.featureflow import Decoder, JSONDecoder, TextDecoder
    from zounds_lite.persistence import ArrayWithUnitsDecoder

    entry = cls.database.read(_id).entries.get(name)
    if entry is None:
        raise KeyNotFound(f"document {_id!r} has no feature {name!r}; see: zounds-lite show STORE ID")
    value = cls(_id)._read(lambda snapshot: snapshot.value(entry, name, cls.database))
    if "dimensions" in entry.header:
        return ArrayWithUnitsDecoder().decode(value)
    decoders: dict[str, Decoder] = {"application/json": JSONDecoder(), "text/plain": TextDecoder()}
    return decoders[entry.content_type].decode(value) if entry.content_type in decoders else value.bytes()


def _show(arguments: argparse.Namespace) -> int:
    cls = _existing(arguments)
    _id = _find(cls, arguments.id)
    document = cls(_id)
    if arguments.feature is None:
        _say(_id)
        for name in cls.database.read(_id).entries:
            stored = name in cls.features and cls.features[name].store
            state = "" if not stored else " (stale)" if cls.explain(_id, name).stale else ""
            _say(f"  {name}{state}: {_summary(_stored_value(cls, _id, name))}")
        return 0
    name = arguments.feature
    value = getattr(document, name) if name in cls.features else _stored_value(cls, _id, name)
    _say(f"{name}: {_summary(value)}")
    if isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.size:
        from zounds_lite.visualization import array_png

        out = arguments.out or f"{name}.png"
        array_png(value, out)
        _say(f"picture: {out}")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    cls = _existing(arguments)
    _say(str(cls.explain(_find(cls, arguments.id), arguments.feature)))
    return 0


def _update(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    cls = _existing(arguments)
    features = None if arguments.feature is None else [arguments.feature]
    if features and features[0] not in cls.features:
        raise KeyNotFound(f"{cls.__name__} has no feature {features[0]!r}; it has: {', '.join(cls.features)}")
    updated = failed = 0
    for _id in tqdm(list(cls.database), unit="document", disable=None):
        try:
            updated += bool(cls.update(_id, features))
        except Exception as error:  # noqa: BLE001 - any fault of one document, of user code too, is its own
            failed += 1
            sys.stderr.write(f"failed: {_id}: {type(error).__name__}: {error}\n")
    _say(f"{updated} of {len(cls.database)} documents had something stale and were recomputed, {failed} failed")
    return 1 if failed else 0


def _quickstart(arguments: argparse.Namespace) -> int:
    from zounds_lite.datasets import Directory, ingest
    from zounds_lite.synthesize import FFTSynthesizer
    from zounds_lite.visualization import spectrogram_png

    out = Path(arguments.out)
    folder = Path(arguments.folder) if arguments.folder else _make_sounds(out / "sounds")
    store = out / "store"
    cls = _document(_DEFAULT_DOCUMENT, str(store))
    report = ingest(Directory(folder), cls)
    for failure in report.failed:
        sys.stderr.write(f"failed: {failure.id}: {failure.reason}\n")
    done = sorted(report.processed + report.skipped)
    if not done:
        raise FileNotFoundError(f"{str(folder)!r} holds no recording that could be read")
    document = cls(done[0])
    picture, sound = out / "mel.png", out / "resynthesised.wav"
    spectrogram_png(document.mel, picture)
    FFTSynthesizer().synthesize(document.fft).save(str(sound))
    _say(f"{len(done)} of {report.total} recordings from {folder}")
    _say(f"store:   {store}   (zounds-lite ls {store})")
    _say(f"picture: {picture}   (mel bands of {done[0]})")
    _say(f"sound:   {sound}   (the same recording, back from its Fourier transform)")
    return 1 if report.failed else 0


def _make_sounds(folder: Path) -> Path:
    """Write a minute of tones, noise and ticks."""
    from zounds_lite.synthesize import NoiseSynthesizer, SineSynthesizer, TickSynthesizer
    from zounds_lite.timeseries import SR44100, Milliseconds, Seconds

    rate, seconds = SR44100(), Seconds(20)
    folder.mkdir(parents=True, exist_ok=True)
    sounds: dict[str, Any] = {
        "tones": SineSynthesizer(rate).synthesize(seconds, [220.0, 440.0, 880.0]),
        "noise": NoiseSynthesizer(rate, seed=0).synthesize(seconds) * 0.5,
        "ticks": TickSynthesizer(rate, seed=0).synthesize(seconds, Milliseconds(500)),
    }
    for name, samples in sounds.items():
        if not (folder / f"{name}.wav").exists():
            samples.save(str(folder / f"{name}.wav"))
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zounds-lite", description="Recordings into a store of features, and back.",
                                     epilog=__doc__.partition("\n\n")[2] if __doc__ else None)  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, action: Callable[[argparse.Namespace], int], help: str, store: bool = True) -> Any:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(action=action)
        if store:
            sub.add_argument("store", metavar="PATH", help="the store's folder")
        if name != "quickstart":
            sub.add_argument("--document", default=_DEFAULT_DOCUMENT, metavar="MODULE:CLASS", help="the document class")
        return sub

    sub = command(
        "quickstart", _quickstart, "ingest a folder, or a minute of made-up sound, and look at it", store=False
    )
    sub.add_argument("folder", nargs="?", metavar="FOLDER", help="recordings; made up where left out")
    sub.add_argument("--out", default="zounds-quickstart", metavar="PATH", help="where everything goes")
    sub = command("ingest", _ingest, "process the audio files of a folder into a store", store=False)
    sub.add_argument("folder", metavar="FOLDER", help="recordings, in sub-folders too")
    sub.add_argument("--store", required=True, metavar="PATH", help="the store's folder; made where it is missing")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="recordings processed at the same time")
    command("ls", _ls, "list the ids of a store's documents")
    sub = command("show", _show, "show a document's features, or one of them with a picture")
    sub.add_argument("id", metavar="ID", help="a document's id, or how it ends")
    sub.add_argument("feature", nargs="?", metavar="FEATURE", help="one feature")
    sub.add_argument("--out", metavar="FILE", help="the picture's file (default: FEATURE.png)")
    sub = command("explain", _explain, "say whether a stored feature is fresh and, if not, what changed")
    sub.add_argument("id", metavar="ID", help="a document's id, or how it ends")
    sub.add_argument("feature", metavar="FEATURE", help="one feature")
    sub = command("update", _update, "recompute what is stale")
    sub.add_argument("feature", nargs="?", metavar="FEATURE", help="only this feature")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments (Sequence[str] | None): its words; None takes them from the process.

    Returns:
        int: the exit code.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.action(parsed))
    except (ZoundsError, OSError) as error:
        sys.stderr.write(f"zounds-lite {parsed.command}: {error}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main())
