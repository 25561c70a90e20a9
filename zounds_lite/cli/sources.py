"""Where recordings come from, as the command line says it: ``internet-archive:ID``, ``manifest:FILE``, a folder, ...

Functions: ``datasets_of``, ``check_sources``, ``listed``; table ``SCHEMES``.
"""

import argparse
import getpass
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from zounds_lite.cli.output import bar
from zounds_lite.errors import DeclarationError

__all__ = ["KEY_VARIABLE", "SCHEMES", "Scheme", "check_sources", "datasets_of", "listed"]

KEY_VARIABLE = "FREESOUND_API_KEY"
"""The environment variable that holds the key of freesound.org."""


class Scheme(NamedTuple):
    """A kind of source.

    Args:
        what (str): what stands behind the colon.
        open (Callable): makes the dataset, from what stands there and the options of the command.
        options (tuple[str, ...]): the options that are for this kind.
    """

    what: str
    open: Callable[[str, argparse.Namespace], Any]
    options: tuple[str, ...] = ()


def _internet_archive(rest: str, arguments: argparse.Namespace) -> Any:
    from zounds_lite.datasets import InternetArchive

    return InternetArchive(rest, format_filter=arguments.format)


def _freesound(rest: str, arguments: argparse.Namespace) -> Any:
    from zounds_lite.datasets import FreeSoundSearch

    if arguments.n_results is not None:
        return FreeSoundSearch(_key(), rest, n_results=arguments.n_results)
    return FreeSoundSearch(_key(), rest)


def _key() -> str:
    """The key from the environment, or from a prompt that does not show it; never from the command line."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key and sys.stdin is not None and sys.stdin.isatty():
        with warnings.catch_warnings(), suppress(EOFError, getpass.GetPassWarning):
            warnings.simplefilter("error", getpass.GetPassWarning)  # of a terminal that would show it
            key = getpass.getpass("freesound.org API key (not shown): ").strip()
    if not key:
        raise DeclarationError(
            f"freesound.org wants a key: set {KEY_VARIABLE} in the environment, or use a terminal, where "
            "the command asks for one; keys are made at https://freesound.org/apiv2/apply/"
        )
    return key


def _on_disk(name: str) -> Callable[[str, argparse.Namespace], Any]:
    def open_dataset(rest: str, arguments: argparse.Namespace) -> Any:
        from zounds_lite import datasets

        return getattr(datasets, name)(rest)

    return open_dataset


def _url(rest: str, arguments: argparse.Namespace) -> Any:
    from zounds_lite import AudioMetaData

    if not rest.startswith(("http://", "https://")):
        raise DeclarationError(f"url:{rest}: allowed: url:http://... or url:https://...")
    return [AudioMetaData(uri=rest)]


SCHEMES: dict[str, Scheme] = {
    "internet-archive": Scheme("ID", _internet_archive, ("format",)),
    "freesound": Scheme("QUERY", _freesound, ("n_results",)),
    "manifest": Scheme("FILE", _on_disk("Manifest")),
    "zip": Scheme("FILE", _on_disk("Archive")),
    "tar": Scheme("FILE", _on_disk("Archive")),
    "gtzan": Scheme("PATH", _on_disk("GTZAN")),
    "esc50": Scheme("PATH", _on_disk("ESC50")),
    "spoken-digits": Scheme("PATH", _on_disk("SpokenDigits")),
    "url": Scheme("URL", _url),
}
"""What may stand before the colon of a source, and what it means.

:meta hide-value:
"""


def _split(source: str) -> tuple[Scheme | None, str]:
    """Return the kind of a source and what is behind its colon; a folder has no kind, whatever its name holds."""
    name, colon, rest = source.partition(":")
    if os.path.isdir(source) or not colon:
        return None, source
    if name in ("http", "https"):
        return SCHEMES["url"], source
    scheme = SCHEMES.get(name)
    if scheme is None:
        known = ", ".join(f"{name}:{scheme.what}" for name, scheme in SCHEMES.items())
        raise DeclarationError(f"{source!r} is no folder, and no known kind of source; allowed: FOLDER, {known}")
    if not rest:
        raise DeclarationError(f"{source!r}: nothing stands behind the colon; allowed: {name}:{scheme.what}")
    return scheme, rest


def check_sources(arguments: argparse.Namespace) -> None:
    """Refuse sources that are of no known kind, and options that none of them has, before anything is asked or listed.

    Raises:
        DeclarationError: it says which, and what is allowed.
    """
    kinds = [_split(source)[0] for source in arguments.sources]
    for name, scheme in SCHEMES.items():
        for option in scheme.options:
            if getattr(arguments, option) is not None and scheme not in kinds:
                raise DeclarationError(f"--{option.replace('_', '-')} is for {name}:{scheme.what}, which is not given")


def datasets_of(arguments: argparse.Namespace) -> Any:
    """Return the dataset of all sources of a command, in their order.

    Raises:
        DeclarationError: one of them is of no known kind, or a key is missing.
        FileNotFoundError: a folder is not there, or holds no audio.
    """
    from zounds_lite.datasets import CompositeDataset

    check_sources(arguments)
    datasets = []
    for source in arguments.sources:
        scheme, rest = _split(source)
        datasets.append(listed(source) if scheme is None else scheme.open(rest, arguments))
    return datasets[0] if len(datasets) == 1 else CompositeDataset(*datasets)


def listed(folder: str) -> list[Any]:
    """Return the recordings of a folder, listed once, since each listing looks into files of unclear names."""
    from zounds_lite.datasets import Directory

    recordings = list(bar(Directory(folder), "file", "listing"))
    if not recordings:
        raise FileNotFoundError(f"{folder!r} holds no audio files")
    return recordings
