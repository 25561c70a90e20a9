"""The command line: ``zounds-lite``.

Exit codes: 0, all went well; 1, some recordings failed, each with its reason on stderr; 2, the command was not
understood; 3, it could not be done (no such store, document or file, and the like); 130, it was interrupted; 141, what
read its output went away.
"""

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, KeyNotFound, ZoundsError

__all__ = ["main"]

_DEFAULT_DOCUMENT = "zounds_lite.graphs:Recording"


def _say(text: str) -> None:
    """Print a line; what the terminal cannot show (an id may be any text) is escaped."""
    if sys.stdout is not None:  # it was closed before the program began
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _complain(text: str) -> None:
    """Print a line to stderr, which escapes what it cannot show."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def _document(name: str | None, store: str) -> Any:
    """Import a document class and bind it to the store at a path."""
    from zounds_lite.featureflow import BaseModel, simple_lmdb_settings

    name = name or _DEFAULT_DOCUMENT
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise DeclarationError(f"--document {name!r}: give it as MODULE:CLASS")
    cls = getattr(_imported(module, name), attribute, None)
    if cls is None:
        raise KeyNotFound(f"--document {name!r}: module {module!r} has no {attribute!r}; give it as MODULE:CLASS")
    if not (isinstance(cls, type) and issubclass(cls, BaseModel)):
        raise KeyNotFound(f"--document {name!r} is no document class (a subclass of BaseModel)")
    return simple_lmdb_settings(store, user_supplied_id=True)(cls)


def _imported(module: str, name: str) -> Any:
    """Import the module of a document, the current folder first; functions in it may import neighbours later."""
    if sys.path[:1] != [os.getcwd()]:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(module)
    except Exception as error:  # anything may happen in a module of the user
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name is not None
            and f"{module}.".startswith(f"{error.name}.")
        ):
            raise KeyNotFound(
                f"--document {name!r}: no module {module!r} in this folder or among the installed ones; "
                "give it as MODULE:CLASS, where MODULE is what import takes"
            ) from error
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, SyntaxError) else f" ({place.filename}, line {place.lineno})"
        raise DeclarationError(
            f"--document {name!r}: {module!r} cannot be imported: {type(error).__name__}: {error}{where}"
        ) from error


def _check_maker(arguments: argparse.Namespace, cls: Any, _id: str | None) -> None:
    """Refuse the default document where another class made what is stored: it would replace features."""
    if _id is not None and arguments.document is None and _is_foreign(cls, _id):
        raise DeclarationError(
            f"{arguments.store!r} was made with another document class than the default, {_DEFAULT_DOCUMENT}; name the "
            "one that you want: --document MODULE:CLASS"
        )


def _is_foreign(cls: Any, _id: str) -> bool:
    """Whether a document holds other features than its class stores."""
    return set(cls.database.read(_id).entries) != {feature.key for feature in cls.features.values() if feature.store}


def _existing(arguments: argparse.Namespace) -> Any:
    """The document class, bound to a store that must exist."""
    if not (Path(arguments.store) / "data.mdb").is_file():
        raise FileNotFoundError(
            f"{arguments.store!r} is no store; make one with: zounds-lite ingest FOLDER --store PATH"
        )
    return _document(arguments.document, arguments.store)


def _find(cls: Any, wanted: str) -> str:
    """Return the id that is ``wanted``, or the only one that ends with it, best with all of a file's name."""
    if wanted in cls.database:
        return wanted
    ids = [_id for _id in cls.database if _id.endswith(wanted)]
    ids = [_id for _id in ids if _id.endswith((f"/{wanted}", f"{os.sep}{wanted}"))] or ids
    if len(ids) != 1:
        found = f"{len(ids)} ids end with it" if ids else "no id is or ends with it"
        raise KeyNotFound(f"no document {wanted!r} in {str(cls.database.path)!r}: {found}; see: zounds-lite ls STORE")
    return str(ids[0])


def _ingest(arguments: argparse.Namespace) -> int:
    from zounds_lite.datasets import ingest

    recordings = _listed(arguments.folder)
    cls = _document(arguments.document, arguments.store)
    _check_maker(arguments, cls, next(iter(cls.database), None))
    report = ingest(recordings, cls, workers=arguments.workers)
    done = len(report.processed) + len(report.skipped)
    for failure in report.failed:
        _complain(f"failed: {failure.id}: {failure.reason}")
    _say(f"{done} of {report.total} recordings are in {arguments.store}")
    _say(f"{len(report.processed)} processed, {len(report.skipped)} skipped, {len(report.failed)} failed")
    return 1 if report.failed else 0


def _listed(folder: str) -> list[Any]:
    """List the recordings of a folder once, since each listing looks into files of unclear names."""
    from zounds_lite.datasets import Directory

    recordings = list(_bar(Directory(folder), "file", "listing"))
    if not recordings:
        raise FileNotFoundError(f"{folder!r} holds no audio files")
    return recordings


def _bar(items: Iterable[Any], unit: str, description: str | None = None) -> Iterable[Any]:
    """Show progress on stderr, if that is a terminal."""
    from tqdm import tqdm

    total = len(items) if isinstance(items, list) else 0  # a Directory would be listed to be counted
    bar: Iterable[Any] = tqdm(items, desc=description, unit=unit, total=total or None, disable=None)
    return bar


def _ls(arguments: argparse.Namespace) -> int:
    cls = _existing(arguments)
    for _id in sorted(cls.database):
        _say(_id)
    return 0


def _stored_value(cls: Any, _id: str, name: str) -> Any:
    """Read a value that the document class does not declare, by what its header says."""
    from zounds_lite.featureflow import Decoder, JSONDecoder, TextDecoder
    from zounds_lite.persistence import ArrayWithUnitsDecoder

    entry = cls.database.read(_id).entries.get(name)
    if entry is None:
        raise KeyNotFound(
            f"document {_id!r} has no feature {name!r}; see: zounds-lite show STORE ID; those that are not stored need "
            "--document MODULE:CLASS"
        )
    value = cls(_id)._read(lambda snapshot: snapshot.value(entry, name, cls.database))
    if "dimensions" in entry.header:
        return ArrayWithUnitsDecoder().decode(value)
    decoders: dict[str, Decoder] = {"application/json": JSONDecoder(), "text/plain": TextDecoder()}
    return decoders[entry.content_type].decode(value) if entry.content_type in decoders else value.bytes()


def _show(arguments: argparse.Namespace) -> int:
    from zounds_lite.visualization import summary

    cls = _existing(arguments)
    _id = _find(cls, arguments.id)
    # the default document knows nothing of what another class made
    features = {} if arguments.document is None and _is_foreign(cls, _id) else cls.features
    if arguments.feature is None:
        _say(_id)
        for name in cls.database.read(_id).entries:
            stored = name in features and features[name].store
            state = "" if not stored else " (stale)" if cls.explain(_id, name).stale else ""
            _say(f"  {name}{state}: {summary(_stored_value(cls, _id, name))}")
        return 0
    name = arguments.feature
    value = getattr(cls(_id), name) if name in features else _stored_value(cls, _id, name)
    _say(f"{name}: {_in_full(value)}")
    if isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.size:
        from zounds_lite.visualization import array_png

        out = arguments.out or f"{name}.png"
        array_png(value, out)
        _say(f"picture: {out}")
    return 0


def _in_full(value: Any) -> str:
    """A value where it is text or JSON, else one line on it."""
    from zounds_lite.visualization import summary

    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError):
        return summary(value)


def _explain(arguments: argparse.Namespace) -> int:
    cls = _existing(arguments)
    _id = _find(cls, arguments.id)
    _check_maker(arguments, cls, _id)
    _say(str(cls.explain(_id, arguments.feature)))
    return 0


def _update(arguments: argparse.Namespace) -> int:
    from zounds_lite.datasets.workers import in_flight

    cls = _existing(arguments)
    features = None if arguments.feature is None else [arguments.feature]
    if features and features[0] not in cls.features:
        raise KeyNotFound(f"{cls.__name__} has no feature {features[0]!r}; it has: {', '.join(cls.features)}")
    ids = list(cls.database)
    for _id in ids:
        _check_maker(arguments, cls, _id)
    updated = failed = 0
    documents = iter(_bar(ids, "document"))
    for _id, future in in_flight(documents, lambda _id: cls.update(_id, features), arguments.workers):
        try:
            updated += bool(future.result())
        except Exception as error:  # noqa: BLE001 - any fault of one document, of user code too, is its own
            failed += 1
            _complain(f"failed: {_id}: {type(error).__name__}: {error}")
    _say(f"{updated} of {len(ids)} documents had something stale and were recomputed, {failed} failed")
    return 1 if failed else 0


def _quickstart(arguments: argparse.Namespace) -> int:
    from zounds_lite.datasets import ingest
    from zounds_lite.synthesize import FFTSynthesizer
    from zounds_lite.visualization import spectrogram_png

    out = Path(arguments.out)
    folder = Path(arguments.folder or out / "sounds")
    if not arguments.folder:
        _make_sounds(folder)
    store = out / "store"
    cls = _document(_DEFAULT_DOCUMENT, str(store))
    report = ingest(_listed(str(folder)), cls)
    for failure in report.failed:
        _complain(f"failed: {failure.id}: {failure.reason}")
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


def _make_sounds(folder: Path) -> None:
    """Write a minute of tones, noise and ticks."""
    from zounds_lite.synthesize import NoiseSynthesizer, SineSynthesizer, TickSynthesizer
    from zounds_lite.timeseries import SR44100, Milliseconds, Seconds

    rate, seconds = SR44100(), Seconds(20)
    folder.mkdir(parents=True, exist_ok=True)
    sounds: dict[str, Any] = {
        "1 tones": SineSynthesizer(rate).synthesize(seconds, [220.0, 440.0, 880.0]),
        "2 noise": NoiseSynthesizer(rate, seed=0).synthesize(seconds) * 0.5,
        "3 ticks": TickSynthesizer(rate, seed=0).synthesize(seconds, Milliseconds(500)),
    }
    for name, samples in sounds.items():
        if not (folder / f"{name}.wav").exists():
            samples.save(str(folder / f"{name}.wav"))


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
            sub.add_argument(
                "--document", metavar="MODULE:CLASS", help=f"the document class (default: {_DEFAULT_DOCUMENT})"
            )
        return sub

    sub = command(
        "quickstart", _quickstart, "ingest a folder, or a minute of made-up sound, and look at it", store=False
    )
    sub.add_argument("folder", nargs="?", metavar="FOLDER", help="recordings; made up where left out")
    sub.add_argument(
        "--out", default="zounds-quickstart", metavar="PATH", help="where everything goes (default: %(default)s)"
    )
    sub = command("ingest", _ingest, "process the audio files of a folder into a store", store=False)
    sub.add_argument("folder", metavar="FOLDER", help="recordings, in sub-folders too")
    sub.add_argument("--store", required=True, metavar="PATH", help="the store's folder; made where it is missing")
    _add_workers(sub, "recordings")
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
    _add_workers(sub, "documents")
    return parser


def _add_workers(parser: argparse.ArgumentParser, what: str) -> None:
    words = f"{what} processed at the same time (default: %(default)s)"
    parser.add_argument("--workers", type=int, default=1, metavar="N", help=words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments (Sequence[str] | None): its words; None takes them from the process.

    Returns:
        int: the exit code.
    """
    parsed = _parser().parse_args(arguments)
    try:
        code = int(parsed.action(parsed))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _complain(f"zounds-lite {parsed.command}: interrupted; what was stored stays, and the same command goes on")
        return 130
    except BrokenPipeError:
        _drop_output()
        return 141
    except (ZoundsError, OSError) as error:
        _complain(f"zounds-lite {parsed.command}: {error}")
        _drop_output()
        return 3


def _drop_output() -> None:
    """Let go of output that cannot be written, or the interpreter tries again at its end and changes the exit code."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
