"""Folders of labelled pictures, as examples to learn from.

Goal: pictures whose names say what they show become arrays that any classifier takes. Conventions: a label is what a
pattern finds in a file's own name, never in those of its folders; labels that all are whole numbers are numbers. Names
are sorted by their numbers, so 2 comes before 10. Brightness is 0 to 1, the top row first. Function:
``labelled_images``.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus, LabelError, RaggedCorpus
from zounds_lite.learn.supervised import Labelled
from zounds_lite.visualization.png_reader import png_pixels

__all__ = ["labelled_images"]


def labelled_images(folder: str | Path, label: str = r"label_(\w+)", pattern: str = "*.png") -> Labelled:
    """Read the PNG pictures of a folder with their labels.

    Args:
        folder (str | Path): where they are.
        label (str): a regular expression with one group, the label, to be found in each file's name without its ending.
        pattern (str): which files, as for ``Path.glob``; ``"**/*.png"`` looks into folders too.

    Returns:
        Labelled: ``data`` is float32 ``[images, rows, columns]``, or ``[images, rows, columns, channels]`` for colours;
        ``documents`` are the files, by their paths in the folder.

    Raises:
        EmptyCorpus: there are no such files.
        LabelError: a name without a label.
        RaggedCorpus: pictures of different sizes or kinds; the message names the file.
        DecodeError: a file that is no PNG of 8 bits a channel.
        DeclarationError: ``label`` is no expression with one group.

    Examples:
        >>> import tempfile
        >>> from zounds_lite.visualization import png_bytes
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for number, label in ((10, 1), (2, 0)):
        ...         pixels = np.full((3, 4), 255 * label, np.uint8)
        ...         _ = Path(folder, f"second_{number}_label_{label}.png").write_bytes(png_bytes(pixels))
        ...     images = labelled_images(folder)
        >>> images, images.labels.tolist(), images.documents.tolist()[0]
        (<Labelled: 2 examples of shape (3, 4) from 2 documents, 2 classes>, [0, 1], 'second_2_label_0.png')

    See Also:
        stratified_split, LogisticRegression, SklearnModel.
    """
    expression = _expression(label)
    paths = sorted((path for path in Path(folder).glob(pattern) if path.is_file()), key=_by_number)
    if not paths:
        raise EmptyCorpus(f"there is nothing to learn from: {folder} has no files {pattern!r}")
    labels = _labels(paths, expression)
    images: list[np.ndarray] = []
    for path in paths:
        pixels = png_pixels(path)
        if images and pixels.shape != images[0].shape:
            raise RaggedCorpus(
                f"{path.name} is {list(pixels.shape)}, {paths[0].name} {list(images[0].shape)} (rows, columns, "
                "channels); needed: pictures of one size and kind"
            )
        images.append(pixels)
    names = [path.relative_to(folder).as_posix() for path in paths]
    return Labelled(np.stack(images).astype(np.float32) / np.float32(255), labels, np.array(names))


def _expression(label: str) -> re.Pattern[str]:
    try:
        expression = re.compile(label)
    except re.error as error:
        raise DeclarationError(f"label={label!r} is no regular expression: {error}") from error
    if expression.groups != 1:
        raise DeclarationError(f"label={label!r} has {expression.groups} groups; needed: one, such as r'label_(\\d+)'")
    return expression


def _labels(paths: list[Path], expression: re.Pattern[str]) -> np.ndarray:
    found = {path.name: expression.search(path.stem) for path in paths}
    missing = [name for name, match in found.items() if match is None or not match[1]]
    if missing:
        raise LabelError(
            f"{len(missing)} of {len(paths)} names have no label {expression.pattern!r}, such as {missing[0]!r}"
        )
    texts = [match[1] for path in paths if (match := found[path.name])]
    return np.array([int(text) for text in texts] if all(map(_is_whole, texts)) else texts)


def _is_whole(text: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,18}", text))


def _by_number(path: Path) -> list[Any]:
    # text and digits take turns, so that like is compared with like
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", path.as_posix()))]
