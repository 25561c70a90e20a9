"""What can be written: formats, their subtypes, and the rates and channels that each can hold.

Goal: the encoders' limits in one place; some of them crash rather than refuse. Encodings that pad a recording to whole
blocks (ADPCM, GSM) are left out: they change its length. Conventions: names are libsndfile's; rates in hertz.
Functions: ``formats``, ``choose``.

Sources:
    Measured with libsndfile 1.2.2; RFC 9639 (FLAC: 8 channels, 655,350 Hz); ISO/IEC 13818-3 (MP3 rates); RFC 6716 (Opus
    rates).
"""

from zounds_lite.errors import UnsupportedCodec
from zounds_lite.media.claims import MAX_CHANNELS, MAX_RATE

__all__ = ["FLOATS", "LOSSY", "choose", "formats"]

_PCM = ("PCM_16", "PCM_24", "PCM_32")
_WAVE = (*_PCM, "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_SUBTYPES = {
    "WAV": _WAVE,
    "WAVEX": _WAVE,
    "RF64": _WAVE,
    "W64": _WAVE,
    "FLAC": ("PCM_16", "PCM_24", "PCM_S8"),
    "OGG": ("VORBIS", "OPUS"),
    "MP3": ("MPEG_LAYER_III",),
    "AIFF": (*_PCM, "PCM_S8", "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "CAF": (*_PCM, "PCM_S8", "FLOAT", "DOUBLE", "ULAW", "ALAW", "ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"),
    "AU": (*_PCM, "PCM_S8", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
}
_KNOWN = frozenset(subtype for subtypes in _SUBTYPES.values() for subtype in subtypes)
LOSSY = ("VORBIS", "OPUS", "MPEG_LAYER_III")
"""Encodings that do not keep every bit, by their names in libsndfile."""

FLOATS = ("FLOAT", "DOUBLE")
"""Encodings that keep floating-point samples as they are."""

_CHANNELS = {"FLAC": 8, "MP3": 2, "ALAC_16": 8, "ALAC_20": 8, "ALAC_24": 8, "ALAC_32": 8}
_RATES = {
    "MP3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
}
_TOP_RATE = {"VORBIS": 200_000, "FLAC": 655_350}


def formats() -> dict[str, tuple[str, ...]]:
    """Return the formats that can be written, each with its subtypes; the first one is its default.

    Examples:
        >>> formats()["OGG"]
        ('VORBIS', 'OPUS')
    """
    return dict(_SUBTYPES)


def choose(fmt: str, subtype: str | None, samplerate: int, channels: int) -> tuple[str, str]:
    """Check format, subtype, rate and channels.

    Returns:
        tuple: format and subtype to write: the default where the format does not hold the given one

    Raises:
        UnsupportedCodec: an unknown format or subtype, or a rate or channel count that it cannot hold.

    Examples:
        >>> choose("ogg", "PCM_16", 44100, 2)
        ('OGG', 'VORBIS')
    """
    name = str(fmt).upper()
    if name not in _SUBTYPES:
        raise UnsupportedCodec(f"cannot write the format {fmt!r}; allowed: {', '.join(_SUBTYPES)}")
    chosen = _SUBTYPES[name][0] if subtype is None else str(subtype).upper()
    if chosen not in _KNOWN:
        raise UnsupportedCodec(f"cannot write the subtype {subtype!r}; allowed in {name}: {', '.join(_SUBTYPES[name])}")
    if chosen not in _SUBTYPES[name]:
        chosen = _SUBTYPES[name][0]
    most = min(_CHANNELS.get(name, MAX_CHANNELS), _CHANNELS.get(chosen, MAX_CHANNELS))
    if not 1 <= channels <= most:
        raise UnsupportedCodec(f"{name} {chosen} cannot hold {channels} channels; allowed: 1 to {most}")
    rates = _RATES.get(name) or _RATES.get(chosen)
    if rates is not None and samplerate not in rates:
        listed = ", ".join(map(str, rates))
        raise UnsupportedCodec(f"{name} {chosen} cannot hold {samplerate} Hz; allowed: {listed}. Resample first")
    top = min(_TOP_RATE.get(name, MAX_RATE), _TOP_RATE.get(chosen, MAX_RATE))
    if not 1 <= samplerate <= top:
        raise UnsupportedCodec(f"{name} {chosen} cannot hold {samplerate} Hz; allowed: 1 to {top}")
    return name, chosen
