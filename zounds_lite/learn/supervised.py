"""Supervised learning: labelled examples from stored features and metadata, and honest ways to split them.

Goal: from documents to arrays that any classifier takes, without losing whose they are. Conventions: an example is a
row; units are dropped, since classifiers know none. Recordings of one speaker, and frames of one recording, are alike,
so a split keeps groups (and always documents) together; whoever tests on what is like the training set measures
nothing. Numbers of examples count from 0. Classes: ``Labelled`` (the examples), ``Split``; functions: ``labelled``,
``split_by_group``, ``leave_one_group_out``, ``stratified_split``. How good predictions are: ``reports``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus, LabelError, NonFiniteFeatures, RaggedCorpus
from zounds_lite.learn.labels import checked_labels, classes_of, field_values, selected

__all__ = ["Labelled", "Split", "labelled", "leave_one_group_out", "split_by_group", "stratified_split"]

_SUMMARIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda rows: rows.mean(axis=0),
    "mean_std": lambda rows: np.concatenate([rows.mean(axis=0), rows.std(axis=0)]),
}


@dataclass(frozen=True, eq=False)
class Labelled:
    """Examples with labels; ``labelled`` makes one. Indexing with numbers of examples gives those.

    Attributes:
        data (np.ndarray): ``[examples, ...]``, without units.
        labels (np.ndarray): of each example, all of one type.
        documents (np.ndarray): the id of the document that each example is from.
        groups (np.ndarray | None): of each example, for example its speaker.
    """

    data: np.ndarray
    labels: np.ndarray
    documents: np.ndarray
    groups: np.ndarray | None = None

    @property
    def classes(self) -> tuple[Any, ...]:
        """The different labels, in order."""
        return classes_of(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, examples: Any) -> "Labelled":
        groups = None if self.groups is None else self.groups[examples]
        return replace(
            self,
            data=self.data[examples],
            labels=self.labels[examples],
            documents=self.documents[examples],
            groups=groups,
        )

    def __repr__(self) -> str:
        groups = "" if self.groups is None else f", {len(classes_of(self.groups))} groups"
        documents = len(np.unique(self.documents))
        return (
            f"<Labelled: {len(self)} examples of shape {self.data.shape[1:]} from {documents} documents, "
            f"{len(self.classes)} classes{groups}>"
        )


def labelled(
    documents: Any,
    feature: Any,
    label: str = "label",
    group: str | None = None,
    summary: str | Callable[[np.ndarray], np.ndarray] | None = "mean",
) -> Labelled:
    """Return labelled examples: a feature of documents, and a field of their metadata.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` chose.
        feature (Feature | str): their feature: an array with time first.
        label (str): the field of the metadata to learn.
        group (str | None): the field whose documents belong together, such as ``"speaker"``.
        summary (str | Callable | None): what makes one example of all frames of a document: ``"mean"``,
            ``"mean_std"`` (means, then standard deviations), or a function of the plain array; None: each frame is an
            example, with the label of its document.

    Raises:
        EmptyCorpus: there are no documents, or none has frames.
        KeyNotFound: no document has such a field.
        LabelError: labels or groups are missing or of mixed type.
        NonFiniteFeatures: a feature has NaN or infinite values; the message names the document.
        RaggedCorpus: examples of different documents differ in shape, or a document without frames.

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> @zounds.simple_in_memory_settings
        ... class Sound(ff.BaseModel):
        ...     meta = ff.JSONFeature(ff.IteratorNode, store=True)
        ...     bands = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        >>> for label, level in [("loud", 2.0), ("soft", 0.5)]:
        ...     _ = Sound.process(meta=[{"label": label}], bands=[np.full((4, 3), level)])
        >>> data = labelled(Sound, "bands")
        >>> data
        <Labelled: 2 examples of shape (3,) from 2 documents, 2 classes>
        >>> dict(zip(data.labels.tolist(), data.data.tolist()))["soft"]
        [0.5, 0.5, 0.5]
    """
    model, ids = selected(documents)
    labels = checked_labels(field_values(model, ids, label), ids, label)
    groups = None if group is None else checked_labels(field_values(model, ids, group), ids, group)
    name = model._feature(feature).name
    summarise = _SUMMARIES.get(summary, summary) if isinstance(summary, str) else summary
    if isinstance(summarise, str):
        raise DeclarationError(f"summary={summary!r}; allowed: {', '.join(_SUMMARIES)}, a function, or None for frames")
    parts: list[np.ndarray] = []
    counts: list[int] = []
    for _id in ids:
        part = _examples(getattr(model(_id), name), summarise, f"{name} of document {_id!r}")
        if parts and part.shape[1:] != parts[0].shape[1:]:
            raise RaggedCorpus(
                f"{name} of document {_id!r} gives examples of shape {part.shape[1:]}, after {parts[0].shape[1:]} of "
                f"{ids[0]!r}; choose a feature of one shape, or a summary"
            )
        parts.append(part)
        counts.append(len(part))
    if not sum(counts):
        raise EmptyCorpus(f"there is nothing to learn from: {name} of {len(ids)} documents has no frames")
    each = np.repeat(np.arange(len(ids)), counts)
    data = np.concatenate(parts)
    return Labelled(data, labels[each], np.array(ids)[each], None if groups is None else groups[each])


def _examples(value: Any, summarise: Any, what: str) -> np.ndarray:
    """Return the examples of one document."""
    rows = np.asarray(value)
    if rows.dtype.kind not in "biufc" or not rows.ndim:
        raise RaggedCorpus(f"{what} is {type(value).__name__} of {rows.dtype}; needed: an array of numbers, time first")
    if summarise is not None and not len(rows):
        raise RaggedCorpus(f"{what} has no frames, so there is nothing to sum up; leave the document out with where()")
    found = rows if summarise is None else np.asarray(summarise(rows))[None]
    if not np.isfinite(found).all():
        raise NonFiniteFeatures(f"{what} has NaN or infinite values; leave the document out, or mend the feature")
    return found


@dataclass(frozen=True, eq=False)
class Split:
    """Numbers of the examples to learn from, and of those to test on. ``train, test = split`` takes it apart.

    Attributes:
        train (np.ndarray): in order.
        test (np.ndarray): in order.
        groups (tuple): the groups that are tested on; empty where there are none.
        absent_from_train (tuple): classes that the test set has and nothing can be learned about.
        absent_from_test (tuple): classes that are learned and not tested.
    """

    train: np.ndarray
    test: np.ndarray
    groups: tuple[Any, ...] = ()
    absent_from_train: tuple[Any, ...] = ()
    absent_from_test: tuple[Any, ...] = ()

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.train, self.test))

    def __repr__(self) -> str:
        of = f" on {', '.join(map(repr, self.groups))}" if self.groups else ""
        text = f"<Split: train on {len(self.train)}, test on {len(self.test)}{of}"
        for part, absent in (("training", self.absent_from_train), ("test", self.absent_from_test)):
            text += f"; absent from the {part} set: {', '.join(map(repr, absent))}" if absent else ""
        return text + ">"


def _split(labels: np.ndarray, is_test: np.ndarray, groups: tuple[Any, ...], absent: str) -> Split:
    if absent not in ("raise", "allow"):
        raise DeclarationError(f"absent={absent!r}; allowed: 'raise', 'allow'")
    train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    learned, tested = set(classes_of(labels[train])), set(classes_of(labels[test]))
    split = Split(train, test, groups, tuple(sorted(tested - learned)), tuple(sorted(learned - tested)))
    if split.absent_from_train and absent == "raise":
        raise LabelError(
            f"no example to learn from has the classes {', '.join(map(repr, split.absent_from_train))}, which are to "
            f"be tested{' on ' + ', '.join(map(repr, groups)) if groups else ''}; split otherwise, or pass "
            "absent='allow'"
        )
    return split


def _taken_apart(data: Any, groups: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and groups of examples."""
    labels = np.asarray(data.labels if isinstance(data, Labelled) else data)
    found = data.groups if groups is None and isinstance(data, Labelled) else groups
    if found is None:
        raise DeclarationError("there are no groups; pass groups=, or labelled(..., group='speaker')")
    if isinstance(found, str) or len(found) != len(labels):
        raise DeclarationError(f"groups={found!r:.100}; needed: one for each of {len(labels)} examples")
    if not len(labels):
        raise EmptyCorpus("there are no examples to split")
    return labels, np.asarray(found)


def leave_one_group_out(data: Any, groups: Sequence[Any] | None = None, absent: str = "raise") -> Iterator[Split]:
    """Yield, for each group, the split that tests on it and learns from all others.

    Args:
        data (Labelled | Sequence): the examples, or their labels.
        groups (Sequence | None): of each example; None: those of ``data``.
        absent (str): ``"raise"``: a class that only the tested group has is an error; ``"allow"``: the split says it.

    Raises:
        DeclarationError: there are fewer than two groups.
        LabelError: a class to be tested cannot be learned.

    Examples:
        >>> for split in leave_one_group_out(["yes", "no", "yes", "no"], ["ann", "ann", "ben", "ben"]):
        ...     print(split)
        <Split: train on 2, test on 2 on 'ann'>
        <Split: train on 2, test on 2 on 'ben'>
    """
    labels, each = _taken_apart(data, groups)
    names = classes_of(each)
    if len(names) < 2:
        raise DeclarationError(f"all examples are of the group {names[0]!r}; at least two are needed")
    return (_split(labels, each == name, (name,), absent) for name in names)


def split_by_group(
    data: Any, groups: Sequence[Any] | None = None, test: float = 0.2, seed: int = 0, absent: str = "raise"
) -> Split:
    """Return a split that tests on whole groups, picked at random, until they are about a share of all examples.

    Args:
        data (Labelled | Sequence): the examples, or their labels.
        groups (Sequence | None): of each example; None: those of ``data``.
        test (float): share of examples to test on, between 0 and 1; at least one group is tested on, and one learned
            from.
        seed (int): the same seed picks the same groups.
        absent (str): as for ``leave_one_group_out``.

    Raises:
        DeclarationError: there are fewer than two groups, or ``test`` is no share.
        LabelError: a class to be tested cannot be learned.

    Examples:
        >>> split_by_group(["yes", "no"] * 3, ["ann", "ann", "ben", "ben", "cy", "cy"], test=0.3)
        <Split: train on 4, test on 2 on 'cy'>
    """
    labels, each = _taken_apart(data, groups)
    _check_share(test)
    names, number, counts = np.unique(each, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DeclarationError(f"all examples are of the group {names[0]!r}; at least two are needed")
    order = np.random.default_rng(seed).permutation(len(names))
    shares = np.cumsum(counts[order])[:-1] / len(labels)  # one group is left to learn from
    chosen = order[: 1 + int(np.argmin(abs(shares - test)))]
    return _split(labels, np.isin(number, chosen), tuple(names[np.sort(chosen)].tolist()), absent)


def stratified_split(data: Any, test: float = 0.2, seed: int = 0) -> Split:
    """Return a random split in which every class has the same share of test examples, as nearly as can be.

    Of a ``Labelled`` whole documents are split, so that frames of one are never on both sides. Where there are speakers
    or sessions, ``split_by_group`` is the honest one.

    Args:
        data (Labelled | Sequence): the examples, or their labels.
        test (float): share of examples to test on, between 0 and 1; each class has at least one on either side.
        seed (int): the same seed gives the same split.

    Raises:
        LabelError: a class has a single example (or document), which cannot be on both sides.
        DeclarationError: ``test`` is no share.
        EmptyCorpus: there are no examples.

    Examples:
        >>> split = stratified_split(["yes"] * 8 + ["no"] * 4, test=0.25)
        >>> split, split.test.tolist()
        (<Split: train on 9, test on 3>, [4, 6, 10])
    """
    labels = np.asarray(data.labels if isinstance(data, Labelled) else data)
    _check_share(test)
    if not len(labels):
        raise EmptyCorpus("there are no examples to split")
    units = np.unique(data.documents, return_inverse=True)[1] if isinstance(data, Labelled) else np.arange(len(labels))
    _, first = np.unique(units, return_index=True)
    rng, chosen = np.random.default_rng(seed), []
    for name in classes_of(labels):
        members = np.flatnonzero(labels[first] == name)
        if len(members) < 2:
            what = "document" if isinstance(data, Labelled) else "example"
            raise LabelError(
                f"the class {name!r} has a single {what}, so it would be absent from the training set or from the test "
                "set; add some, or leave the class out"
            )
        count = min(len(members) - 1, max(1, round(test * len(members))))
        chosen.append(rng.permutation(members)[:count])
    return _split(labels, np.isin(units, np.concatenate(chosen)), (), "raise")


def _check_share(test: float) -> None:
    if not 0 < test < 1:
        raise DeclarationError(f"test={test!r}; allowed: a share of the examples, between 0 and 1")
