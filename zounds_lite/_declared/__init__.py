"""One declaration, many uses.

Goal: what a user configures is stated once, as constructor arguments. From them follow repr, equality, hash, JSON and
fingerprint. Files: ``declared`` (the base class), ``values`` (arguments to strict JSON and back), ``description``
(values and code as JSON for lineage; its describers: ``functions``, ``classes``, ``objects``), ``source`` and
``syntax`` (what source text says), ``library`` (what counts by name).
"""

from zounds_lite._declared import classes as classes, objects as objects  # they register their describers
from zounds_lite._declared.declared import Declared, key_of
from zounds_lite._declared.description import describe, describe_argument
from zounds_lite._declared.functions import describe_code, parameters_of
from zounds_lite._declared.library import is_library
from zounds_lite._declared.values import canonical, decode, digest, encode

__all__ = [
    "Declared",
    "canonical",
    "decode",
    "describe",
    "describe_argument",
    "describe_code",
    "digest",
    "encode",
    "is_library",
    "key_of",
    "parameters_of",
]
