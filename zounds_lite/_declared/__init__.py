"""One declaration, many uses.

Goal: what a user configures is stated once, as constructor arguments. From them follow repr, equality, hash, JSON and
fingerprint. Files: ``declared`` (the base class), ``values`` (arguments to strict JSON and back), ``source``
(fingerprints of functions and classes).
"""

from zounds_lite._declared.declared import Declared
from zounds_lite._declared.source import describe_code, is_library, parameters_of
from zounds_lite._declared.values import canonical, decode, describe, digest, encode

__all__ = [
    "Declared",
    "canonical",
    "decode",
    "describe",
    "describe_code",
    "digest",
    "encode",
    "is_library",
    "parameters_of",
]
