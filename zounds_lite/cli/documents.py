"""Which document class, which store and which document a command is about.

Functions: ``document``, ``existing``, ``check_maker``, ``is_foreign``, ``find``.
"""

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from zounds_lite.errors import CorruptValue, DeclarationError, KeyNotFound

__all__ = ["DEFAULT_DOCUMENT", "check_maker", "document", "existing", "find", "is_foreign"]

DEFAULT_DOCUMENT = "zounds_lite.graphs:Recording"
"""The class of documents where ``--document`` names none."""


def document(name: str | None, store: str) -> Any:
    """Import a document class and bind it to the store at a path."""
    from zounds_lite.featureflow import BaseModel, simple_lmdb_settings

    if not store:
        raise DeclarationError("the path of the store is empty; pass the folder that it is in, or is to be in")
    name = name or DEFAULT_DOCUMENT
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


def check_maker(arguments: argparse.Namespace, cls: Any, _id: str | None) -> None:
    """Refuse the default document where another class made what is stored: it would replace features."""
    if _id is not None and arguments.document is None and is_foreign(cls, _id):
        raise DeclarationError(
            f"{arguments.store!r} was made with another document class than the default, {DEFAULT_DOCUMENT}; name the "
            "one that you want: --document MODULE:CLASS"
        )


def is_foreign(cls: Any, _id: str) -> bool:
    """Whether a document holds other features than its class stores; one that cannot be read does not tell."""
    try:
        found = set(cls.database.read(_id).entries)
    except (CorruptValue, KeyNotFound):
        return False
    return found != {feature.key for feature in cls.features.values() if feature.store}


def existing(arguments: argparse.Namespace) -> Any:
    """The document class, bound to a store that must exist."""
    if not (Path(arguments.store) / "data.mdb").is_file():
        raise FileNotFoundError(
            f"{arguments.store!r} is no store; make one with: zounds-lite ingest FOLDER --store PATH"
        )
    return document(arguments.document, arguments.store)


def find(cls: Any, wanted: str) -> str:
    """Return the id that is ``wanted``, or the only one that ends with it, best with all of a file's name."""
    if wanted in cls.database:
        return wanted
    ids = [_id for _id in cls.database if _id.endswith(wanted)]
    ids = [_id for _id in ids if _id.endswith((f"/{wanted}", f"{os.sep}{wanted}"))] or ids
    if len(ids) != 1:
        found = f"{len(ids)} ids end with it" if ids else "no id is or ends with it"
        raise KeyNotFound(f"no document {wanted!r} in {str(cls.database.path)!r}: {found}; see: zounds-lite ls STORE")
    return str(ids[0])
