"""Names of the room and where they come from; ``__init__.py`` loads them from here on first use."""

from zounds_lite.errors import (
    FeatureNotComputable as FeatureNotComputable,
    InvalidProcessMethod as InvalidProcessMethod,
    LineageError as LineageError,
    MissingArgument as MissingArgument,
    ModelExistsError as ModelExistsError,
    NoPersistenceSettingsError as NoPersistenceSettingsError,
    NotEnoughData as NotEnoughData,
)
from zounds_lite.featureflow.ahead import in_one_thread as in_one_thread
from zounds_lite.featureflow.archivelimits import ArchiveLimits as ArchiveLimits
from zounds_lite.featureflow.archives import (
    ArchiveMember as ArchiveMember,
    default_archive_limits as default_archive_limits,
    set_archive_limits as set_archive_limits,
)
from zounds_lite.featureflow.arrays import (
    BaseNumpyDecoder as BaseNumpyDecoder,
    GreedyNumpyDecoder as GreedyNumpyDecoder,
    NumpyEncoder as NumpyEncoder,
    NumpyMetaData as NumpyMetaData,
    PackedNumpyEncoder as PackedNumpyEncoder,
    StreamingNumpyDecoder as StreamingNumpyDecoder,
)
from zounds_lite.featureflow.bytestream import (
    ByteStream as ByteStream,
    Chunk as Chunk,
    ZipWrapper as ZipWrapper,
    iter_zip as iter_zip,
)
from zounds_lite.featureflow.codecs import (
    BytesDecoder as BytesDecoder,
    BZ2Decoder as BZ2Decoder,
    BZ2Encoder as BZ2Encoder,
    Decoder as Decoder,
    Encoder as Encoder,
    IdentityEncoder as IdentityEncoder,
    JSONDecoder as JSONDecoder,
    JSONEncoder as JSONEncoder,
    StoredValue as StoredValue,
    TextDecoder as TextDecoder,
    TextEncoder as TextEncoder,
)
from zounds_lite.featureflow.corpusof import (
    CorpusOf as CorpusOf,
    corpus_of as corpus_of,
)
from zounds_lite.featureflow.database_iterator import DatabaseIterator as DatabaseIterator
from zounds_lite.featureflow.declaredgraph import (
    FeatureGraph as FeatureGraph,
    FeatureNode as FeatureNode,
)
from zounds_lite.featureflow.eventlog import (
    EventLog as EventLog,
    InMemoryChannel as InMemoryChannel,
    RedisChannel as RedisChannel,
)
from zounds_lite.featureflow.feature import (
    Aspect as Aspect,
    Feature as Feature,
    Var as Var,
)
from zounds_lite.featureflow.fetch import (
    Fetcher as Fetcher,
    default_fetcher as default_fetcher,
    set_fetcher as set_fetcher,
)
from zounds_lite.featureflow.fetchcache import FetchCache as FetchCache
from zounds_lite.featureflow.graph import Graph as Graph
from zounds_lite.featureflow.kinds import (
    ByteStreamFeature as ByteStreamFeature,
    ClobberJSONFeature as ClobberJSONFeature,
    ClobberPickleFeature as ClobberPickleFeature,
    CompressedFeature as CompressedFeature,
    JSONFeature as JSONFeature,
    NumpyFeature as NumpyFeature,
    PickleFeature as PickleFeature,
    TextFeature as TextFeature,
)
from zounds_lite.featureflow.lineage import (
    Explanation as Explanation,
    Lineage as Lineage,
)
from zounds_lite.featureflow.locality import (
    Locality as Locality,
    Pointwise as Pointwise,
    Recent as Recent,
    pointwise as pointwise,
)
from zounds_lite.featureflow.model import BaseModel as BaseModel
from zounds_lite.featureflow.node import (
    Aggregator as Aggregator,
    FunctionalNode as FunctionalNode,
    IteratorNode as IteratorNode,
    KeySelector as KeySelector,
    Node as Node,
)
from zounds_lite.featureflow.overview import (
    DocumentInfo as DocumentInfo,
    FeatureInfo as FeatureInfo,
    StoreInfo as StoreInfo,
    info as info,
)
from zounds_lite.featureflow.region import Rows as Rows
from zounds_lite.featureflow.selection import Selection as Selection
from zounds_lite.featureflow.settings import (
    IdProvider as IdProvider,
    IntegerIdProvider as IntegerIdProvider,
    KeyBuilder as KeyBuilder,
    PersistenceSettings as PersistenceSettings,
    StaticIdProvider as StaticIdProvider,
    StringDelimitedKeyBuilder as StringDelimitedKeyBuilder,
    UserSpecifiedIdProvider as UserSpecifiedIdProvider,
    UuidProvider as UuidProvider,
    simple_in_memory_settings as simple_in_memory_settings,
    simple_lmdb_settings as simple_lmdb_settings,
)
from zounds_lite.featureflow.stores import (
    Database as Database,
    FileSystemDatabase as FileSystemDatabase,
    InMemoryDatabase as InMemoryDatabase,
    LmdbDatabase as LmdbDatabase,
)
from zounds_lite.featureflow.stores.base import Damage as Damage
from zounds_lite.featureflow.stores.criteria import between as between
from zounds_lite.featureflow.stores.maintenance import (
    Compaction as Compaction,
    CopyReport as CopyReport,
    compact as compact,
    copy as copy,
    merge as merge,
)
from zounds_lite.featureflow.stores.verification import verify as verify
from zounds_lite.featureflow.typed import (
    PickleDecoder as PickleDecoder,
    PickleEncoder as PickleEncoder,
    TypedDecoder as TypedDecoder,
    TypedEncoder as TypedEncoder,
)
