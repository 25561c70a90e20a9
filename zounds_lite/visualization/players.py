"""Sound in a page: a player that holds what it plays.

Goal: audio is heard where it is looked at. Conventions: a clip is the start of a recording, compressed (Ogg Vorbis; WAV
where that cannot be), and never larger than it was allowed to be, so that a notebook stays small; what differs from the
recording is said. The recording is read no further than the clip goes. Names: ``Clip``, ``clip_of``, ``wrapped_clip``,
``player_html``.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np

from zounds_lite.errors import DecodeError, EncodeError, UnsupportedCodec
from zounds_lite.featureflow.display import escaped
from zounds_lite.media import Encoder, mix_to_mono
from zounds_lite.media.decode import BLOCK
from zounds_lite.soundfile import OggVorbisWrapper
from zounds_lite.timeseries import AudioSamples

__all__ = ["MOST_BYTES", "MOST_SECONDS", "Clip", "clip_of", "player_html", "wrapped_clip"]

MOST_SECONDS = 30.0
"""How much of a recording is played."""

MOST_BYTES = 450_000
"""How much a clip may take; in a page it takes a third more."""

_QUALITY = 0.4
_LOUD = 10 ** (0.5 / 20)
"""What is turned down by half a decibel or less, as decoded sound often is, is not worth a remark."""

_PLAYED_RATES = 3_000, 384_000
"""Sample rates that browsers play, hertz."""

_ENCODINGS = (("OGG", "VORBIS", _QUALITY, "audio/ogg"), ("WAV", "PCM_16", None, "audio/wav"))


@dataclass(frozen=True)
class Clip:
    """The start of a recording, ready to be played.

    Attributes:
        data (bytes): a file; empty where there is nothing to play.
        media_type (str): what kind of file.
        remarks (tuple[str, ...]): what differs from the recording.
    """

    data: bytes
    media_type: str = ""
    remarks: tuple[str, ...] = ()


def clip_of(samples: AudioSamples, most_seconds: float = MOST_SECONDS, most_bytes: int = MOST_BYTES) -> Clip:
    """Return the start of a recording as a file that browsers play.

    What is not finite is played as silence, what is louder than full scale is turned down, and more than two channels
    are mixed to one.

    Args:
        samples (AudioSamples): real samples; those behind the clip are not read.
        most_seconds (float): how much is played, > 0.
        most_bytes (int): size of the file, give or take a second of compressed sound, > 0.

    Examples:
        >>> from zounds_lite.timeseries import SR8000
        >>> clip = clip_of(AudioSamples(np.zeros((8000, 3)), SR8000()), most_seconds=0.5)
        >>> clip.data[:4], clip.media_type, clip.remarks
        (b'OggS', 'audio/ogg', ('plays the first 0.5 of 1 s', '3 channels mixed to one'))
    """
    return _clip(samples[: max(1, int(most_seconds * samples.samples_per_second))], len(samples), most_bytes)


def wrapped_clip(recording: OggVorbisWrapper, most_seconds: float = MOST_SECONDS, most_bytes: int = MOST_BYTES) -> Clip:
    """Return the start of an encoded recording; only that is decoded, and where it is damaged, that is said.

    Args:
        recording (OggVorbisWrapper): the recording.
        most_seconds (float): see ``clip_of``.
        most_bytes (int): see ``clip_of``.
    """
    try:
        start = recording[: max(1, int(most_seconds * recording.samplerate))]
    except DecodeError as error:
        return Clip(b"", remarks=(f"no player: {error}",))
    return _clip(start, len(recording), most_bytes)


def _clip(samples: AudioSamples, frames_in_all: int, most_bytes: int) -> Clip:
    rate, kind = samples.samples_per_second, samples.dtype.kind
    if not len(samples) or kind not in "fiu":
        return Clip(b"", remarks=("no sound to play",))
    if not _PLAYED_RATES[0] <= rate <= _PLAYED_RATES[1]:
        low, high = _PLAYED_RATES
        return Clip(b"", remarks=(f"no player: browsers play {low} to {high} Hz; resample it to listen",))
    sound, remarks = _playable(np.asarray(samples))
    data, frames, media_type = _encoded(sound, rate, most_bytes)
    if not data:
        return Clip(b"", remarks=("no player: this cannot be encoded",))
    if frames < frames_in_all:
        remarks = [f"plays the first {frames / rate:.3g} of {frames_in_all / rate:,.6g} s", *remarks]
    return Clip(data, media_type, tuple(remarks))


def _playable(samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return samples that encoders take, float32 within full scale, in one or two channels; and what was changed."""
    remarks = []
    if samples.ndim == 2 and samples.shape[1] > 2:
        remarks.append(f"{samples.shape[1]} channels mixed to one")
        samples = mix_to_mono(samples if samples.dtype.kind == "f" else samples.astype(np.float64))
    full = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
    sound: np.ndarray = np.divide(samples, full, dtype=np.float64 if samples.dtype.itemsize > 4 else np.float32)
    bad = ~np.isfinite(sound)
    if bad.any():
        count = int(np.count_nonzero(bad))
        remarks.append(f"{count} {'sample that is' if count == 1 else 'samples that are'} not finite played as silence")
        sound[bad] = 0.0
    peak = float(abs(sound).max())
    if peak > _LOUD:
        remarks.append(f"turned down by {20 * np.log10(peak):.3g} dB to full scale")
    sound = sound / max(1.0, peak)
    return sound.astype(np.float32), remarks


def _encoded(sound: np.ndarray, rate: int, most_bytes: int) -> tuple[bytes, int, str]:
    """Encode block by block until the file is as large as it may be; return it, its frames, and its media type."""
    channels, block = 1 if sound.ndim == 1 else sound.shape[1], min(BLOCK, rate // 4)
    for fmt, subtype, quality, media_type in _ENCODINGS:
        out = io.BytesIO()
        try:
            with Encoder(out, rate, channels, fmt, subtype, quality) as encoder:
                for start in range(0, len(sound), block):
                    encoder.write(sound[start : start + block])
                    if len(out.getbuffer()) >= most_bytes:
                        break
        except (UnsupportedCodec, EncodeError):
            continue  # a rate that Vorbis does not know, or a libsndfile without it
        return out.getvalue(), encoder.frames, media_type
    return b"", 0, ""


def player_html(clip: Clip) -> str:
    """Return HTML that plays a clip, and says what differs from the recording.

    Args:
        clip (Clip): what to play; without sound there are only the remarks.

    Examples:
        >>> player_html(Clip(b"", remarks=("no sound to play",)))
        '<div><small>no sound to play</small></div>'
    """
    said = f"<div><small>{escaped('; '.join(clip.remarks))}</small></div>" if clip.remarks else ""
    if not clip.data:
        return said
    data = base64.b64encode(clip.data).decode("ascii")
    source = f"data:{clip.media_type};base64,{data}"
    return f'<audio controls preload="metadata" style="display:block" src="{source}"></audio>{said}'
