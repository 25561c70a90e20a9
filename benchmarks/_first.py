"""What ``start`` times in a new process: nothing is imported here before the clock runs."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def bare() -> None:
    """Import the library, which loads its rooms when they are first used."""
    import zounds_lite  # noqa: F401


def declared() -> Any:
    """Import the library and declare a document, which loads what that needs."""
    import zounds_lite as zounds

    base: Any = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)

    @zounds.simple_in_memory_settings
    class Sound(base):
        """A sound in memory."""

    return Sound


def first_feature() -> None:
    """Do so, process five seconds of sound and read from its spectra."""
    document_class = declared()
    import zounds_lite as zounds

    samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(5), [440.0])
    document = document_class(document_class.process(meta=samples.encode()))
    part = document.fft[zounds.TimeSlice(zounds.Seconds(1)), zounds.FrequencyBand(400, 500)]
    if part.shape != (44, 5) or not abs(part).max() > 1:
        raise ValueError(f"the slice has shape {part.shape} and a largest magnitude of {abs(part).max()}")


def parts() -> None:
    """Import the two packages without which no spectrum is computed: what a first feature cannot take less than."""
    import numpy  # noqa: F401
    import scipy.fft  # noqa: F401


STEPS: dict[str, Callable[[], Any]] = {
    "numpy and scipy.fft alone": parts,
    "import zounds_lite": bare,
    "import and declare a document": declared,
    "first feature": first_feature,
}


def milliseconds(step: str) -> float:
    """Run a step.

    Raises:
        RuntimeError: what is to be timed is loaded already.
    """
    loaded = {name.partition(".")[0] for name in sys.modules} & {"zounds_lite", "numpy", "scipy", "lmdb", "soundfile"}
    if loaded:
        raise RuntimeError(f"loaded before the clock ran: {', '.join(sorted(loaded))}")
    began = time.perf_counter()
    STEPS[step]()
    return 1e3 * (time.perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps({"milliseconds": milliseconds(sys.argv[1])}))
