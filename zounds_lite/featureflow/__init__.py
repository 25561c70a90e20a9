"""The dataflow engine: it runs graphs of nodes over chunks, stores what they make, and knows no audio.

``node`` and ``graph`` run; ``feature`` and ``model`` declare; ``run`` computes; ``lineage`` and ``sources`` say what
made a value; ``record`` and ``stores`` keep it; ``codecs`` and ``typed`` write and read it; ``bytestream`` and
``fetch`` bring bytes in. Users write ``from zounds_lite import featureflow as ff``.
"""

from zounds_lite.errors import (
    FeatureNotComputable,
    InvalidProcessMethod,
    LineageError,
    MissingArgument,
    ModelExistsError,
    NoPersistenceSettingsError,
    NotEnoughData,
)
from zounds_lite.featureflow.ahead import in_one_thread
from zounds_lite.featureflow.archivelimits import ArchiveLimits
from zounds_lite.featureflow.archives import (
    ArchiveMember,
    default_archive_limits,
    set_archive_limits,
)
from zounds_lite.featureflow.arrays import (
    BaseNumpyDecoder,
    GreedyNumpyDecoder,
    NumpyEncoder,
    NumpyMetaData,
    PackedNumpyEncoder,
    StreamingNumpyDecoder,
)
from zounds_lite.featureflow.bytestream import ByteStream, Chunk, ZipWrapper, iter_zip
from zounds_lite.featureflow.codecs import (
    BytesDecoder,
    BZ2Decoder,
    BZ2Encoder,
    Decoder,
    Encoder,
    IdentityEncoder,
    JSONDecoder,
    JSONEncoder,
    StoredValue,
    TextDecoder,
    TextEncoder,
)
from zounds_lite.featureflow.corpusof import CorpusOf, corpus_of
from zounds_lite.featureflow.database_iterator import DatabaseIterator
from zounds_lite.featureflow.declaredgraph import FeatureGraph, FeatureNode
from zounds_lite.featureflow.eventlog import EventLog, InMemoryChannel, RedisChannel
from zounds_lite.featureflow.feature import Aspect, Feature, Var
from zounds_lite.featureflow.fetch import Fetcher, default_fetcher, set_fetcher
from zounds_lite.featureflow.fetchcache import FetchCache
from zounds_lite.featureflow.graph import Graph
from zounds_lite.featureflow.kinds import (
    ByteStreamFeature,
    ClobberJSONFeature,
    ClobberPickleFeature,
    CompressedFeature,
    JSONFeature,
    NumpyFeature,
    PickleFeature,
    TextFeature,
)
from zounds_lite.featureflow.lineage import Explanation, Lineage
from zounds_lite.featureflow.locality import Locality, Pointwise, Recent, pointwise
from zounds_lite.featureflow.model import BaseModel
from zounds_lite.featureflow.node import Aggregator, FunctionalNode, IteratorNode, KeySelector, Node
from zounds_lite.featureflow.overview import DocumentInfo, FeatureInfo, StoreInfo, info
from zounds_lite.featureflow.region import Rows
from zounds_lite.featureflow.selection import Selection
from zounds_lite.featureflow.settings import (
    IdProvider,
    IntegerIdProvider,
    KeyBuilder,
    PersistenceSettings,
    StaticIdProvider,
    StringDelimitedKeyBuilder,
    UserSpecifiedIdProvider,
    UuidProvider,
    simple_in_memory_settings,
    simple_lmdb_settings,
)
from zounds_lite.featureflow.stores import Database, FileSystemDatabase, InMemoryDatabase, LmdbDatabase
from zounds_lite.featureflow.stores.base import Damage
from zounds_lite.featureflow.stores.criteria import between
from zounds_lite.featureflow.stores.maintenance import Compaction, CopyReport, compact, copy, merge
from zounds_lite.featureflow.stores.verification import verify
from zounds_lite.featureflow.typed import TypedDecoder, TypedEncoder

PickleEncoder = TypedEncoder
PickleDecoder = TypedDecoder

__all__ = [
    "Aggregator",
    "ArchiveLimits",
    "ArchiveMember",
    "Aspect",
    "BZ2Decoder",
    "BZ2Encoder",
    "BaseModel",
    "BaseNumpyDecoder",
    "ByteStream",
    "ByteStreamFeature",
    "BytesDecoder",
    "Chunk",
    "ClobberJSONFeature",
    "ClobberPickleFeature",
    "Compaction",
    "CompressedFeature",
    "CopyReport",
    "CorpusOf",
    "Damage",
    "Database",
    "DatabaseIterator",
    "Decoder",
    "DocumentInfo",
    "Encoder",
    "EventLog",
    "Explanation",
    "Feature",
    "FeatureGraph",
    "FeatureInfo",
    "FeatureNode",
    "FeatureNotComputable",
    "FetchCache",
    "Fetcher",
    "FileSystemDatabase",
    "FunctionalNode",
    "Graph",
    "GreedyNumpyDecoder",
    "IdProvider",
    "IdentityEncoder",
    "InMemoryChannel",
    "InMemoryDatabase",
    "IntegerIdProvider",
    "InvalidProcessMethod",
    "IteratorNode",
    "JSONDecoder",
    "JSONEncoder",
    "JSONFeature",
    "KeyBuilder",
    "KeySelector",
    "Lineage",
    "LineageError",
    "LmdbDatabase",
    "Locality",
    "MissingArgument",
    "ModelExistsError",
    "NoPersistenceSettingsError",
    "Node",
    "NotEnoughData",
    "NumpyEncoder",
    "NumpyFeature",
    "NumpyMetaData",
    "PackedNumpyEncoder",
    "PersistenceSettings",
    "PickleDecoder",
    "PickleEncoder",
    "PickleFeature",
    "Pointwise",
    "Recent",
    "RedisChannel",
    "Rows",
    "Selection",
    "StaticIdProvider",
    "StoreInfo",
    "StoredValue",
    "StreamingNumpyDecoder",
    "StringDelimitedKeyBuilder",
    "TextDecoder",
    "TextEncoder",
    "TextFeature",
    "TypedDecoder",
    "TypedEncoder",
    "UserSpecifiedIdProvider",
    "UuidProvider",
    "Var",
    "ZipWrapper",
    "between",
    "compact",
    "copy",
    "corpus_of",
    "default_archive_limits",
    "default_fetcher",
    "in_one_thread",
    "info",
    "iter_zip",
    "merge",
    "pointwise",
    "set_archive_limits",
    "set_fetcher",
    "simple_in_memory_settings",
    "simple_lmdb_settings",
    "verify",
]
