"""Every error that zounds_lite raises on purpose.

Each error is also the builtin that a caller would expect, so it can be caught either way. A message says what was
given, what is allowed, and what to do next.

::

    ZoundsError
    +-- DeclarationError (ValueError)        an argument of a declared value is out of range
    |   +-- UnknownTypeError (LookupError)   a stored header names a type that is not registered
    +-- UnitsError (ValueError)              units or sizes do not fit each other
    |   +-- DimensionError                   number, size or kind of dimensions
    |   +-- UnitIndexError (IndexError)      a slice in units that this axis does not have
    |   +-- SampleRateError                  sample rates that should be equal are not
    |   +-- FrequencyBandError               an empty or inverted band, or bands that do not overlap
    +-- GraphError
    |   +-- NotEnoughData                    a node waits for more input (control flow, never shown)
    |   +-- InvalidProcessMethod (TypeError) ``_process`` is not a generator
    |   +-- MissingArgument (KeyError)       ``process`` was not given a root or a Var
    |   +-- FeatureNotComputable (AttributeError)   neither stored nor computable
    |   +-- ModelExistsError (ValueError)    the id is taken and ``raise_if_exists`` was set
    |   +-- NoPersistenceSettingsError (TypeError)  a model without settings was asked to store or read
    |   +-- LineageError (ValueError)        code or a parameter that cannot be fingerprinted
    +-- StoreError
    |   +-- KeyNotFound (KeyError)           no document or value of that name
    |   +-- InvalidId (ValueError)           an id that no store can hold (empty, or not text)
    |   +-- CorruptValue (ValueError)        stored bytes that fail their checksum or their format
    |   +-- ValueTooLarge (ValueError)       a value that the stored format cannot hold
    |   +-- StoreFull (OSError)              no room left; what was acknowledged is safe
    |   +-- StoreLocked (OSError)            another program holds the store
    |   +-- StoreFormatError (ValueError)    not a store, or one made by a newer version
    |   +-- UntrustedValue (TypeError)       only pickle could hold it, and ``trust=True`` was not given
    |   +-- WriteOnlyIndex (RuntimeError)    an index that was opened to be written is searched
    +-- MediaError
    |   +-- DecodeError (ValueError)
    |   |   +-- EmptyAudio                   no bytes, or no samples
    |   |   +-- NotAudio                     the bytes are no audio file
    |   |   +-- TruncatedAudio               fewer samples than the header promises
    |   |   +-- RejectedAudio                claims that no honest file makes (channels, rate, size)
    |   |   +-- NonFiniteAudio               NaN or infinite samples
    |   +-- ArchiveError (ValueError)        an archive, or a member of it, that cannot be read, or not safely
    |   +-- EncodeError (ValueError)         samples that the encoder cannot take
    |   +-- UnsupportedCodec (ValueError)    a format or subtype that libsndfile does not know
    +-- FetchError (OSError)                 a URL that could not be fetched
    |   +-- RateLimited                      the server asks for a longer pause than is allowed
    |   +-- ForbiddenAddress                 a URL that leads to this machine or its network
    |   +-- ChecksumMismatch                 what came is not what the source promises
    +-- DatasetError (ValueError)            a source of recordings that cannot be listed
    |   +-- UnknownDataset (LookupError)     it has no item of that name
    |   +-- EmptyDataset (LookupError)       nothing in it is what was asked for
    |   +-- InvalidItem (ValueError)         a row of a table, or the name of a file, that gives no item
    +-- IngestError (RuntimeError)           an item failed where that was to end the run
    +-- LearnError (ValueError)              a model cannot be trained, or not applied
    |   +-- EmptyCorpus (LookupError)        there is nothing to learn from
    |   +-- RaggedCorpus                     features of different shapes, or no numbers
    |   +-- NonFiniteFeatures                features with NaN or infinite values
    |   +-- NotTrained (LookupError, RuntimeError)   a pipeline or a network that was not trained yet was used
    |   +-- NotInvertible (NotImplementedError)   a step that has no way back
    |   +-- NonFiniteLoss (ArithmeticError)  training went out of bounds: a loss that is NaN or infinite
    |   +-- CheckpointError                  a file from which training cannot go on
    |   +-- NetworkMismatch                  a network that cannot be stored, or does not fit what is stored
    |   +-- LabelError                       labels of mixed type, missing ones, or a class that a part of a split lacks
    |   +-- ModelVersionError                a model that another version of its library stored
    +-- OptionalDependencyError (ImportError)   an extra that is not installed
    +-- OutputError (OSError)                a file that cannot be written, such as a picture
    +-- WorkerError (RuntimeError)           worker processes that do not start, or an executor that broke
"""

__all__ = [
    "ArchiveError",
    "CheckpointError",
    "ChecksumMismatch",
    "CorruptValue",
    "DatasetError",
    "DeclarationError",
    "DecodeError",
    "DimensionError",
    "EmptyAudio",
    "EmptyCorpus",
    "EmptyDataset",
    "EncodeError",
    "FeatureNotComputable",
    "FetchError",
    "ForbiddenAddress",
    "FrequencyBandError",
    "GraphError",
    "IngestError",
    "InvalidId",
    "InvalidItem",
    "InvalidProcessMethod",
    "KeyNotFound",
    "LabelError",
    "LearnError",
    "LineageError",
    "MediaError",
    "MissingArgument",
    "ModelExistsError",
    "ModelVersionError",
    "NetworkMismatch",
    "NoPersistenceSettingsError",
    "NonFiniteAudio",
    "NonFiniteFeatures",
    "NonFiniteLoss",
    "NotAudio",
    "NotEnoughData",
    "NotInvertible",
    "NotTrained",
    "OptionalDependencyError",
    "OutputError",
    "RaggedCorpus",
    "RateLimited",
    "RejectedAudio",
    "SampleRateError",
    "StoreError",
    "StoreFormatError",
    "StoreFull",
    "StoreLocked",
    "TruncatedAudio",
    "UnitIndexError",
    "UnitsError",
    "UnknownDataset",
    "UnknownTypeError",
    "UnsupportedCodec",
    "UntrustedValue",
    "ValueTooLarge",
    "WorkerError",
    "WriteOnlyIndex",
    "ZoundsError",
]


class ZoundsError(Exception):
    """The root of the tree: catches everything that zounds_lite raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message
        return str(self.args[0]) if len(self.args) == 1 else super().__str__()


class DeclarationError(ZoundsError, ValueError):
    """An argument of a declared value is out of range."""


class UnknownTypeError(DeclarationError, LookupError):
    """A stored header names a type that is not registered in this process."""


class UnitsError(ZoundsError, ValueError):
    """Units or sizes do not fit each other."""


class DimensionError(UnitsError):
    """The number, size or kind of dimensions does not fit the array."""


class UnitIndexError(UnitsError, IndexError):
    """An axis was indexed in units that it does not have."""


class SampleRateError(UnitsError):
    """Sample rates that should be equal are not, or a rate is impossible."""


class FrequencyBandError(UnitsError):
    """A frequency band is empty or inverted, or two bands do not overlap."""


class GraphError(ZoundsError):
    """Something is wrong with a processing graph or its use."""


class NotEnoughData(GraphError):
    """Raised by a node's ``_dequeue`` to say that it waits for more input."""


class InvalidProcessMethod(GraphError, TypeError):
    """A node's ``_process`` is not a generator function."""


class MissingArgument(GraphError, KeyError):
    """``process`` was called without a value for a root feature or a ``Var``."""


class FeatureNotComputable(GraphError, AttributeError):
    """A feature is not stored and nothing stored leads to it."""


class ModelExistsError(GraphError, ValueError):
    """A document of that id exists and ``raise_if_exists=True`` was given."""


class NoPersistenceSettingsError(GraphError, TypeError):
    """A model without persistence settings was asked to store or read."""


class LineageError(GraphError, ValueError):
    """Code or a parameter cannot be fingerprinted; ``version=`` is the way out."""


class StoreError(ZoundsError):
    """Something is wrong with a store or a stored value."""


class KeyNotFound(StoreError, KeyError):
    """There is no document or value of that name in the store."""


class InvalidId(StoreError, ValueError):
    """An id that no store can hold: empty, or not text."""


class CorruptValue(StoreError, ValueError):
    """Stored bytes fail their checksum or do not follow the format."""


class ValueTooLarge(StoreError, ValueError):
    """A value that the stored format cannot hold: too long, nested too deeply, or no plain data."""


class StoreFull(StoreError, OSError):
    """No room is left on the disk or in the map; what was acknowledged is safe."""


class StoreLocked(StoreError, OSError):
    """Another program holds the store."""


class StoreFormatError(StoreError, ValueError):
    """A folder that is no store, or a store made by a newer version."""


class UntrustedValue(StoreError, TypeError):
    """A value that only pickle can hold, in a feature declared without ``trust=True``."""


class WriteOnlyIndex(StoreError, RuntimeError):
    """An index that was opened with ``writeonly=True`` is searched."""


class MediaError(ZoundsError):
    """Something is wrong with encoded audio, or an encoded picture."""


class DecodeError(MediaError, ValueError):
    """Bytes that cannot be decoded to samples, or to pixels."""


class EmptyAudio(DecodeError):
    """The source holds no bytes, or no samples."""


class NotAudio(DecodeError):
    """The bytes are no audio file that we know."""


class TruncatedAudio(DecodeError):
    """The source holds fewer samples than its header promises."""


class RejectedAudio(DecodeError):
    """The header makes claims that no honest file makes."""


class NonFiniteAudio(DecodeError):
    """The source holds NaN or infinite samples."""


class ArchiveError(MediaError, ValueError):
    """An archive, or a member of it, that is damaged, or that no reader should be let loose on."""


class EncodeError(MediaError, ValueError):
    """Samples that the encoder cannot take."""


class UnsupportedCodec(MediaError, ValueError):
    """A format or subtype that libsndfile does not know."""


class FetchError(ZoundsError, OSError):
    """A URL that could not be fetched.

    Args:
        message (str): what was asked for, what came, and what to do.
        passing (bool): it may pass without any change, so that trying again later makes sense.

    Attributes:
        status (int | None): what the server answered, such as 404; None where that is not what went wrong.
    """

    status: int | None = None

    def __init__(self, message: str = "", passing: bool | None = None) -> None:
        super().__init__(message)
        if passing is not None:
            self.passing = passing


class RateLimited(FetchError):
    """A server that asks for a pause that is longer than what is allowed; it passes.

    Args:
        message (str): what was asked for, and how long the pause is.
        retry_after_s (float): the pause, in seconds; 0 where the server does not say.
        passing (bool): as in ``FetchError``.
    """

    def __init__(self, message: str = "", retry_after_s: float = 0.0, passing: bool = True) -> None:
        super().__init__(message, passing)
        self.retry_after_s = retry_after_s


class ForbiddenAddress(FetchError):
    """A URL that leads to this machine or its network, which is not allowed unless asked for."""


class ChecksumMismatch(FetchError):
    """What was fetched is not what its source promises."""


class DatasetError(ZoundsError, ValueError):
    """A source of recordings cannot be listed: what it says of itself is not what it should be."""


class UnknownDataset(DatasetError, LookupError):
    """A source of recordings has no item of that name, or shows it to nobody."""


class EmptyDataset(DatasetError, LookupError):
    """A source of recordings holds nothing of what was asked for; the message says what it holds."""


class InvalidItem(DatasetError, ValueError):
    """A row of a table, or the name of a file, gives no item; the rest of its dataset does."""


class IngestError(ZoundsError, RuntimeError):
    """An item of a dataset failed, and ``ingest`` was told to stop there; ``report`` says what was done until then."""


class LearnError(ZoundsError, ValueError):
    """A model cannot be trained on what it was given, or not be applied to it."""


class EmptyCorpus(LearnError, LookupError):
    """There is nothing to learn from: no chunk came, or none has rows."""


class RaggedCorpus(LearnError):
    """Chunks of a corpus that do not fit each other: rows of different shapes, or no numbers."""


class NonFiniteFeatures(LearnError):
    """Features with NaN or infinite values, from which nothing can be learned."""


class NotTrained(LearnError, LookupError, RuntimeError):
    """A pipeline that holds no trained step, or is not in its store yet, was applied; or a trainer has not begun."""


class NotInvertible(LearnError, NotImplementedError):
    """A result was to be inverted through a step that has no way back."""


class NonFiniteLoss(LearnError, ArithmeticError):
    """A loss became NaN or infinite, so training stopped; the message names the epoch and the batch."""


class CheckpointError(LearnError):
    """A file from which training cannot go on: no checkpoint, or that of another training."""


class NetworkMismatch(LearnError):
    """A network that cannot be stored as data, or whose class no longer fits what is stored."""


class LabelError(LearnError):
    """Labels from which nothing can be learned: missing, of mixed type, or a class that no training example has."""


class ModelVersionError(LearnError):
    """A stored model was made by a version of a library that this one does not read safely."""


class OptionalDependencyError(ZoundsError, ImportError):
    """An optional library is missing; the message holds the install line."""


class OutputError(ZoundsError, OSError):
    """A file that was asked for, such as a picture, cannot be written there."""


class WorkerError(ZoundsError, RuntimeError):
    """Worker processes that do not start or end again at once, or an executor that broke."""
