"""What documents are to hold, as the command line says it: ``label=7``. Function ``criteria``."""

import json
import re
from collections.abc import Sequence
from typing import Any

from zounds_lite.errors import DeclarationError

__all__ = ["criteria"]

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")


def criteria(words: Sequence[str]) -> dict[str, Any]:
    """Read ``FIELD=VALUE``; one field several times means any of its values.

    A value that is a number, ``true``, ``false`` or ``null`` is one; all else is text, as what stands in double quotes.
    ``FIELD=LOW..HIGH`` is a range of numbers.

    Args:
        words (Sequence[str]): what was given.

    Raises:
        DeclarationError: one of them is no criterion.

    Examples:
        >>> criteria(["label=7", "speaker=theo", "take=\\"7\\"", "fold=1", "fold=2"])
        {'label': 7, 'speaker': 'theo', 'take': '7', 'fold': [1, 2]}
    """
    found: dict[str, list[Any]] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise DeclarationError(f"--where {word!r}; allowed: FIELD=VALUE, such as label=7, speaker=theo, take=0..4")
        found.setdefault(name, []).append(_value(text, word))
    for name, values in found.items():
        if len(values) > 1 and not all(value is None or isinstance(value, (str, int, float)) for value in values):
            raise DeclarationError(f"--where {name}=...: a range stands alone; leave out the other values")
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(text: str, word: str) -> Any:
    from zounds_lite.featureflow import between

    limits = _RANGE.fullmatch(text)
    if limits is not None and any(limits.groups()):
        low, high = (None if limit is None else json.loads(limit.lstrip("+")) for limit in limits.groups())
        return between(low, high)
    if text.startswith('"') or re.fullmatch(_NUMBER, text) or text in ("true", "false", "null"):
        try:
            return json.loads(text.lstrip("+"))
        except ValueError as error:
            if not text.startswith('"'):
                return text  # 007 is no number
            raise DeclarationError(f"--where {word!r}: {text} is no text in double quotes ({error})") from error
    return text
