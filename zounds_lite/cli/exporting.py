"""The command ``export``: what a store holds, or the frames of a corpus of clips, in other formats.

Functions: ``export_command``, ``add_export``; table ``FORMATS``.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from zounds_lite.cli.criteria import criteria
from zounds_lite.cli.documents import check_maker, existing
from zounds_lite.cli.output import complain, say
from zounds_lite.errors import DeclarationError, EmptyDataset

__all__ = ["FORMATS", "add_export", "export_command"]

_CORPUS = "gtzan:"
_HDF5_FILES = (".h5", ".hdf5", ".hdf")


class Format(NamedTuple):
    """What can be written.

    Args:
        metavar (str): FILE or FOLDER.
        help (str): what it is.
        options (tuple[str, ...]): the options that are for it.
    """

    metavar: str
    help: str
    options: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "hdf5": Format("FILE", "features of all documents in one HDF5 file", ("feature", "compression")),
    "npz": Format("FOLDER", "features in numpy files, one for each document", ("feature",)),
    "parquet": Format("FILE", "features in a table, .parquet or .arrow", ("feature",)),
    "webdataset": Format(
        "FOLDER", "features in tar files for trainers, and the sound with --audio",
        ("feature", "audio", "format", "per_shard"),
    ),
    "csv": Format("FILE", "what documents are labelled with", ("for_spreadsheets",)),
    "clips": Format("FOLDER", "audio files, of all or of stretches", ("audio", "format", "slices", "seconds")),
    "npy": Format("FOLDER", "of gtzan:PATH, the same as --hdf5 without h5py"),
}  # fmt: skip
"""By the name of its option, without dashes."""

_OF_CLIPS = ("compression", "samples", "workers")
_DEFAULTS = {"workers": 1, "feature": None, "where": None, "for_spreadsheets": False}


def add_export(command: Callable[..., Any], action: Callable[[argparse.Namespace], int]) -> None:
    """Declare the command."""
    words = "write features, labels or sounds of a store, or frames of the clips of a corpus, in another format"
    sub = command("export", action, words, store=False, document=True)
    sub.add_argument("source", metavar="SOURCE", help="a store's folder; or gtzan:PATH, a folder of genres or HDF5")
    group = sub.add_mutually_exclusive_group(required=True)
    for name, kind in FORMATS.items():
        group.add_argument(f"--{name}", metavar=kind.metavar, help=kind.help)
    sub.add_argument(
        "--where", action="append", metavar="FIELD=VALUE", help="only documents whose metadata hold that, as in ls"
    )
    sub.add_argument("--feature", action="append", metavar="NAME", help="a feature (default: all stored arrays)")
    sub.add_argument("--audio", metavar="NAME", help="the feature that is the sound")
    sub.add_argument("--slices", metavar="NAME", help="of --clips: a feature whose slices of time to write")
    sub.add_argument("--seconds", type=float, metavar="X", help="of --clips: stretches of X seconds, side by side")
    sub.add_argument("--format", metavar="NAME", help="of sounds: wav, flac, ogg, mp3")
    sub.add_argument("--compression", metavar="NAME", help="of --hdf5: gzip or lzf")
    sub.add_argument("--samples", type=int, metavar="N", help="of gtzan: samples to use of each clip, at 22,050 Hz")
    sub.add_argument("--workers", type=int, default=1, metavar="N", help="of gtzan: processes (default: %(default)s)")
    sub.add_argument("--per-shard", type=int, metavar="N", help="of --webdataset: documents in a file (1000)")
    sub.add_argument(
        "--for-spreadsheets", action="store_true", help="of --csv: a quote before text that would be a formula"
    )


def export_command(arguments: argparse.Namespace) -> int:
    """Write what was asked for; say how much, and what is missing."""
    name, target = next((name, getattr(arguments, name)) for name in FORMATS if getattr(arguments, name) is not None)
    source = arguments.source
    is_corpus = source.startswith(_CORPUS) or (os.path.isfile(source) and source.lower().endswith(_HDF5_FILES))
    _check_options(arguments, name, is_corpus)
    report = _frames(arguments, target) if is_corpus else _documents(arguments, name, target)
    for failure in report.failed:
        complain(f"failed: {failure.id}: {failure.reason}")
    say(str(report))
    return 1 if report.failed else 0


def _check_options(arguments: argparse.Namespace, name: str, is_corpus: bool) -> None:
    """Refuse options that would do nothing."""
    if is_corpus and name not in ("hdf5", "npy"):
        raise DeclarationError(f"--{name} of {arguments.source!r}: allowed for a corpus: --hdf5, --npy")
    if not is_corpus and name == "npy":
        raise DeclarationError(f"--npy is for gtzan:PATH; allowed for a store: --npz {arguments.npy}")
    allowed = _OF_CLIPS if is_corpus else ("where", "document", *FORMATS[name].options)
    every = {"where", "document", *_OF_CLIPS, *(option for kind in FORMATS.values() for option in kind.options)}
    for option in sorted(every - set(allowed)):
        if getattr(arguments, option) != _DEFAULTS.get(option):
            shown = ", ".join(f"--{one.replace('_', '-')}" for one in allowed)
            raise DeclarationError(f"--{option.replace('_', '-')} does nothing here; allowed are: {shown}")


def _frames(arguments: argparse.Namespace, target: str) -> Any:
    from zounds_lite.datasets import GTZAN
    from zounds_lite.datasets.exports import export_frames

    if arguments.npy is not None and os.path.splitext(target)[1]:
        raise DeclarationError(f"--npy {target!r}: a folder's name has no suffix here; allowed: {target.split('.')[0]}")
    if arguments.hdf5 is not None and not target.lower().endswith(_HDF5_FILES):
        raise DeclarationError(f"--hdf5 {target!r}; allowed: a name that ends with {', '.join(_HDF5_FILES)}")
    return export_frames(
        GTZAN(arguments.source.removeprefix(_CORPUS)),
        target,
        samples=arguments.samples,
        compression=arguments.compression,
        workers=arguments.workers,
    )


def _documents(arguments: argparse.Namespace, name: str, target: str) -> Any:
    from zounds_lite.datasets import exports
    from zounds_lite.timeseries import Seconds

    arguments.store = arguments.source
    cls = existing(arguments)
    first = next(iter(cls.database), None)
    if first is None:
        raise EmptyDataset(f"{arguments.store!r} holds no documents; there is nothing to export")
    if arguments.feature or arguments.audio or arguments.slices or name != "csv":
        check_maker(arguments, cls, first)
    documents = cls.where(**criteria(arguments.where)) if arguments.where else cls
    if name == "csv":
        return exports.export_csv(documents, target, for_spreadsheets=arguments.for_spreadsheets)
    if name == "clips":
        if arguments.slices is not None and arguments.seconds is not None:
            raise DeclarationError("--slices and --seconds are both given; allowed: one of them")
        slices = arguments.slices if arguments.seconds is None else Seconds(arguments.seconds)
        return exports.export_clips(documents, target, slices, arguments.audio, fmt=arguments.format or "wav")
    if name == "webdataset":
        how = {"audio": arguments.audio, "fmt": arguments.format or "flac", "per_shard": arguments.per_shard or 1000}
        return exports.export_webdataset(documents, target, arguments.feature, **how)
    if name == "hdf5":
        return exports.export_hdf5(documents, target, arguments.feature, arguments.compression)
    write = exports.export_npz if name == "npz" else exports.export_parquet
    return write(documents, target, arguments.feature)
