"""A document of sound that other processes can import."""

import zounds_lite as zounds
from zounds_lite import featureflow as ff


class Clip(ff.BaseModel):
    """Metadata and samples."""

    meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
    raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=100_000, needs=meta)
    pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw, store=True)


def bound(path):
    """The document, kept in the store at a path."""
    return zounds.simple_lmdb_settings(str(path), user_supplied_id=True)(Clip)
