"""The documented examples of the soundfile module; only imports and prints are changed."""

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

chunksize = zounds.ChunkSizeBytes(samplerate=zounds.SR44100(), duration=zounds.Seconds(30), bit_depth=16, channels=2)


def test_chunk_size():
    size = zounds.ChunkSizeBytes(zounds.SR44100(), zounds.Seconds(30))
    assert repr(size).startswith("ChunkSizeBytes(samplerate=SR44100(f=2.2675736e-05, d=2.2675736e-05)")
    assert int(size) == 5292000


def test_audio_stream():
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=chunksize, needs=meta, store=False)
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw, store=True)

    synth = zounds.NoiseSynthesizer(zounds.SR11025())
    samples = synth.synthesize(zounds.Seconds(10))
    raw_bytes = samples.encode()
    _id = Document.process(meta=raw_bytes)
    doc = Document(_id)
    assert doc.pcm.__class__.__name__ == "AudioSamples"
    assert doc.pcm.shape == (110250,)
    assert doc.meta["samplerate"] == 11025
    assert np.abs(np.asarray(doc.pcm) - np.asarray(samples)).max() <= 1 / 32768


def test_resampler():
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=chunksize, needs=meta, store=False)
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw, store=True)
        resampled = zounds.AudioSamplesFeature(zounds.Resampler, samplerate=zounds.SR22050(), needs=pcm, store=True)

    synth = zounds.NoiseSynthesizer(zounds.SR11025())
    samples = synth.synthesize(zounds.Seconds(10))
    raw_bytes = samples.encode()
    _id = Document.process(meta=raw_bytes)
    doc = Document(_id)
    assert doc.pcm.samplerate.__class__.__name__ == "SR11025"
    assert doc.resampled.samplerate.__class__.__name__ == "SR22050"


def test_ogg_vorbis():
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=chunksize, needs=meta, store=False)
        ogg = zounds.OggVorbisFeature(zounds.OggVorbis, needs=raw, store=True)

    synth = zounds.NoiseSynthesizer(zounds.SR11025())
    samples = synth.synthesize(zounds.Seconds(10))
    raw_bytes = samples.encode()
    _id = Document.process(meta=raw_bytes)
    doc = Document(_id)
    # fetch and decode a section of audio
    ts = zounds.TimeSlice(zounds.Seconds(2))
    assert doc.ogg[ts].shape == (22050,)
