"""A document that other processes can import, made from metadata and bytes alone."""

import zounds_lite as zounds
from zounds_lite import featureflow as ff


class Copy(ff.BaseModel):
    """The metadata and the bytes of a recording: nothing is decoded."""

    meta = ff.JSONFeature(zounds.MetaData, encoder=zounds.AudioMetaDataEncoder, store=True)
    raw = ff.ByteStreamFeature(ff.ByteStream, needs=meta, store=True)


def bound(path):
    """The document, kept in the store at a path."""
    return zounds.simple_lmdb_settings(str(path), user_supplied_id=True)(Copy)
