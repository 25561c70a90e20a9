"""Estimators: models of scikit-learn as bytes that hold data and no code.

Goal: what a model has learned is read in another process without unpickling anything. Layout: that of skops (a zip of
JSON and of arrays), made anew so that equal models have equal bytes. Only types on a list are ever made: the estimators
of scikit-learn and what skops trusts with them, numbers and arrays, and decision trees, whose nodes are checked, since
scikit-learn follows them without looking. A model is read by the version of scikit-learn that wrote it (its first two
numbers), since others keep other attributes. Functions: ``dump_estimator``, ``load_estimator``.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.errors import CorruptValue, DeclarationError, ModelVersionError, UntrustedValue

__all__ = ["dump_estimator", "load_estimator"]

_TRUSTED = (
    "sklearn.tree._tree.Tree",  # safe once its nodes are checked
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.feature_selection._univariate_selection.chi2",
    "numpy.dtype",
)
"""Types and functions beyond those that skops trusts: plain Python, which does nothing that its name does not say."""

_SCHEMA = "schema.json"
_LARGEST_RATIO = 100
"""Bytes that a byte of a model may unpack to; ours are not packed at all."""

_MALFORMED = (
    ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, MemoryError,
    NotImplementedError, OSError, RecursionError, RuntimeError, TypeError, ValueError, zipfile.BadZipFile,
)  # fmt: skip


def dump_estimator(estimator: Any) -> bytes:
    """Return a fitted estimator as bytes: the contents of a ``.skops`` file.

    Args:
        estimator (sklearn.base.BaseEstimator): any estimator of scikit-learn, or a pipeline of them.

    Raises:
        UntrustedValue: a part of it could not be read again safely; the message names the types.
        OptionalDependencyError: scikit-learn or skops is not installed.
    """
    sklearn, skops = optional("sklearn.base"), optional("skops.io")
    if not isinstance(estimator, sklearn.BaseEstimator):
        raise DeclarationError(f"{type(estimator).__name__} is no estimator of scikit-learn")
    try:
        data = _canonical(skops.dumps(estimator))
        untrusted = sorted({*skops.get_untrusted_types(data=data)} - {*_TRUSTED})
    except (TypeError, ValueError, AttributeError, NotImplementedError, RecursionError) as error:
        raise UntrustedValue(
            f"{type(estimator).__name__} cannot be stored without pickle ({error}); use another estimator, or an Op of "
            "your own"
        ) from error
    _refuse(untrusted, type(estimator).__name__)
    return data


def load_estimator(source: Any) -> Any:
    """Return the estimator that ``dump_estimator``, or ``skops.io.dump``, wrote.

    Args:
        source (bytes | str | Path): the bytes, or a path to a file of them.

    Raises:
        UntrustedValue: it is a pickle, or holds a type that is not on the list; nothing of it was made.
        ModelVersionError: another version of scikit-learn wrote it.
        CorruptValue: it is no such file.
        OptionalDependencyError: scikit-learn or skops is not installed.
    """
    is_path = isinstance(source, (str, os.PathLike))
    what = str(source) if is_path else "the model"
    data = Path(source).read_bytes() if is_path else bytes(source)
    _refuse_pickle(data, what)
    skops, sklearn = optional("skops.io"), optional("sklearn.base")
    try:
        _check_versions(_schema(data), what)
        untrusted = sorted({*skops.get_untrusted_types(data=data)} - {*_TRUSTED})
        _refuse(untrusted, what)
        estimator = skops.loads(data, trusted=list(_TRUSTED))
    except _MALFORMED as error:
        if isinstance(error, (UntrustedValue, ModelVersionError)):
            raise
        raise CorruptValue(f"{what} is no model that can be read: {repr(error)[:300]}") from error
    if not isinstance(estimator, sklearn.BaseEstimator):
        raise UntrustedValue(f"{what} holds {type(estimator).__name__}, which is no estimator of scikit-learn")
    _check_trees(estimator, what)
    return estimator


def _refuse_pickle(data: bytes, what: str) -> None:
    if data[:2] == b"PK":
        return
    if data[:1] == b"\x80" or data.rstrip()[-1:] == b".":
        raise UntrustedValue(
            f"{what} is a pickle, which runs whatever it says when it is read; store models with dump_estimator or "
            "skops.io.dump"
        )
    raise CorruptValue(f"{what} is no .skops file: it begins with {data[:8]!r}")


def _refuse(untrusted: list[str], what: str) -> None:
    if untrusted:
        raise UntrustedValue(
            f"{what} holds {', '.join(untrusted)[:400]}; allowed: estimators of scikit-learn, arrays and plain values. "
            "Use another estimator, or an Op of your own"
        )


def _schema(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST_RATIO * len(data):
            raise ValueError(f"{len(data)} bytes claim to unpack to {size}")
        found = json.loads(archive.read(_SCHEMA))
    if not isinstance(found, dict):
        raise TypeError("its schema is no object")
    return found


def _canonical(data: bytes) -> bytes:
    """Return the same model without memory addresses, random names and times of day, which mean nothing."""
    buffer, made = io.BytesIO(), dict[str, str]()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as canonical:

        def named(old: str) -> str:
            """Return the name of a file by its place and contents; equal files are written once."""
            content = _without_padding(archive.read(old))
            key = hashlib.blake2b(content, digest_size=16).hexdigest()
            if key not in made:
                made[key] = f"{len(made)}.{old.rpartition('.')[2]}"
                canonical.writestr(zipfile.ZipInfo(made[key]), content)
            return made[key]

        def cleaned(value: Any) -> Any:
            if isinstance(value, list):
                return [cleaned(item) for item in value]
            if not isinstance(value, dict):
                return value
            is_node = "__loader__" in value
            out = {key: cleaned(item) for key, item in value.items() if not (is_node and key == "__id__")}
            if is_node and isinstance(value.get("file"), str):
                out["file"] = named(value["file"])
            return out

        canonical.writestr(zipfile.ZipInfo(_SCHEMA), json.dumps(cleaned(_schema(data)), separators=(",", ":")))
    return buffer.getvalue()


def _without_padding(content: bytes) -> bytes:
    """Return a file of an array with zeros between its fields, where memory has whatever was there before."""
    if content[:6] != b"\x93NUMPY":
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _check_versions(schema: dict[str, Any], what: str) -> None:
    installed = optional("sklearn").__version__
    for version in sorted(set(_versions(schema))):
        if version.split(".")[:2] != installed.split(".")[:2]:
            raise ModelVersionError(
                f"{what} was stored by scikit-learn {version}, and {installed} is installed; train it again, or "
                f"pip install 'scikit-learn=={version}'"
            )
    written, known = schema.get("protocol"), optional("skops.io._protocol").PROTOCOL
    if isinstance(written, int) and written > known:
        raise ModelVersionError(
            f"{what} was stored by skops {schema.get('_skops_version')}, and {optional('skops').__version__} is "
            "installed; pip install --upgrade skops"
        )


def _versions(value: Any) -> Iterator[str]:
    """Yield the versions of scikit-learn that are noted in a schema."""
    if isinstance(value, list):
        for item in value:
            yield from _versions(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "_sklearn_version" and isinstance(item, dict):
                yield str(json.loads(item["content"]))
            else:
                yield from _versions(item)


def _check_trees(estimator: Any, what: str) -> None:
    """Refuse decision trees that lead out of their arrays, or in circles."""
    tree, trees = optional("sklearn.tree._tree").Tree, optional("sklearn.tree").BaseDecisionTree
    forests = optional("sklearn.ensemble").BaseEnsemble
    for part, owner in _parts(estimator, optional("sklearn.base").BaseEstimator):
        features = getattr(owner, "n_features_in_", None)
        if isinstance(part, tree):
            _check_tree(part, features, what)
            continue
        # a forest hands rows to its trees without looking at their width, unless it chooses features for each
        is_handed = (
            isinstance(part, trees) and isinstance(owner, forests) and not hasattr(owner, "estimators_features_")
        )
        if is_handed and getattr(part, "n_features_in_", features) != features:
            raise CorruptValue(f"{what} has a tree of other features than its forest")


def _parts(estimator: Any, base: type) -> Iterator[tuple[Any, Any]]:
    """Yield everything that an estimator is made of, each with the estimator that holds it."""
    waiting, seen = [(estimator, estimator)], {(id(estimator), id(estimator))}
    while waiting:
        part, owner = waiting.pop()
        yield part, owner
        inner: Any = ()
        if isinstance(part, base):
            owner, inner = part, vars(part).values()
        elif isinstance(part, dict):
            inner = part.values()
        elif isinstance(part, (list, tuple)):
            inner = part
        elif isinstance(part, np.ndarray) and part.dtype.hasobject:
            inner = part.reshape(-1).tolist()
        for item in inner:
            if (id(item), id(owner)) not in seen and not isinstance(item, (str, bytes, int, float)):
                seen.add((id(item), id(owner)))
                waiting.append((item, owner))


def _check_tree(tree: Any, features: Any, what: str) -> None:
    """Check the nodes of one tree: children come after their parent, and features are there."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    numbers = np.arange(tree.node_count)
    inner = left != -1
    is_sound = (
        tree.node_count > 0
        and tree.n_features == features
        and bool(((right != -1) == inner).all())
        and bool((left[inner] > numbers[inner]).all() and (right[inner] > numbers[inner]).all())
        and bool((left[inner] < tree.node_count).all() and (right[inner] < tree.node_count).all())
        and bool((feature[inner] >= 0).all() and (feature[inner] < tree.n_features).all())
    )
    if not is_sound:
        raise CorruptValue(f"{what} has a decision tree whose nodes lead nowhere; it was damaged, or made to do harm")
