"""Short-time transforms and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_least, snr_db
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import stft

VORBIS = zounds.OggVorbisWindowingFunc()
RATE = zounds.SR22050()
FREE = {"50 %": ((512, 256), (511, 256), (743, 372), (5513, 2757)), "75 %": ((512, 128), (743, 186), (5513, 1379))}
LAPPED = {"50 %": ((512, 256), (742, 371), (5514, 2757)), "75 %": ((512, 128), (744, 186), (5512, 1378))}
PAIRS: dict[str, tuple[Any, Any, Any]] = {
    "FFT": (zounds.FFT, zounds.FFTSynthesizer, FREE),
    "DCT": (zounds.DCT, zounds.DCTSynthesizer, FREE),
    "DCT-IV": (zounds.DCTIV, zounds.DCTIVSynthesizer, FREE),
    "MDCT": (zounds.MDCT, zounds.MDCTSynthesizer, LAPPED),
}
"""Node, synthesizer, and windows and hops: odd and even ones, but for the MDCT, which takes even ones."""


def rows() -> Iterator[Row]:
    """Analysed, and back: the worst of several windows and random lengths; and the documented examples."""
    for dtype, bar in ((np.float64, 250.0), (np.float32, 120.0)):
        for name in PAIRS:
            for overlap in FREE:
                yield from _returned(name, overlap, dtype, bar)
    yield _function()
    yield from _documented()


def _returned(name: str, overlap: str, dtype: Any, bar: float) -> Iterator[Row]:
    node, synthesizer, schemes = PAIRS[name]
    rng = np.random.default_rng(len(name))
    whole, interior, lengths_right = np.inf, np.inf, True
    for window, hop in schemes[overlap]:
        for length in rng.integers(2 * window + 1, 60_000, 3):
            x = zounds.AudioSamples(rng.normal(size=length).astype(dtype), RATE)
            for padding in (window - hop, 0):
                cut = zounds.SlidingWindow(RATE.windowing_scheme(window, hop), VORBIS, padding, padding)
                chunks = list(node().run(cut.run([x[:10_000], x[10_000:]])))
                frames = np.concatenate([np.asarray(chunk) for chunk in chunks])
                back = synthesizer().synthesize(ArrayWithUnits(frames, chunks[-1].dimensions))
                lengths_right &= len(back) == length and back.dtype == dtype
                if padding:
                    whole = min(whole, snr_db(x, back[:length]))
                else:
                    interior = min(interior, snr_db(x[window:-window], back[window:-window]))
    what = f"{name} and back, {np.dtype(dtype).name}, {overlap} overlap"
    yield at_least(f"{what}, padded, whole", whole, bar, "dB", also=lengths_right)
    yield at_least(f"{what}, interior", interior, bar, "dB", also=lengths_right)


def _function() -> Row:
    """The function ``stft``, of two channels at once."""
    x = zounds.AudioSamples(np.random.default_rng(0).normal(size=(44_101, 2)), RATE)
    back = zounds.FFTSynthesizer().synthesize(stft(x, RATE.windowing_scheme(743, 186), VORBIS, pad=True))
    return at_least("stft of two channels and back", snr_db(x, back), 250, "dB", also=back.shape == x.shape)


def _documented() -> Iterator[Row]:
    """The documented examples: sines, resampled in float32, against ``resampled``, inside."""
    half_second = zounds.SampleRate(frequency=zounds.Milliseconds(250), duration=zounds.Milliseconds(500))
    second = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))
    schemes = {"half-lapped": (zounds.HalfLapped(), 512), "250/500 ms": (half_second, 5513), "0.5/1 s": (second, 11025)}
    sines = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(4), freqs_in_hz=[220, 400, 880]).encode()
    for name, (node, synthesizer, _) in PAIRS.items():
        for scheme, (wscheme, window) in schemes.items():
            if name == "MDCT" and window % 2:
                continue
            snd = _document(node, wscheme, sines)
            back = synthesizer().synthesize(snd.coefficients)
            inside = slice(window, -window)
            figure = snr_db(snd.resampled[inside], back[inside])
            same = len(back) == len(snd.resampled)
            yield at_least(f"documented example, {name}, {scheme}", figure, 120, "dB", also=same)


def _document(node: Any, wscheme: Any, encoded: Any) -> Any:
    base = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(base):  # type: ignore[valid-type, misc]  # a class made by a function
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow, needs=base.resampled, wscheme=wscheme, wfunc=VORBIS, store=False
        )
        coefficients = zounds.ArrayWithUnitsFeature(node, needs=windowed, store=True)

    return Sound(Sound.process(meta=encoded))
