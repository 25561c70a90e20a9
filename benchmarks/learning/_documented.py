"""The documented example of a pipeline, on stores that processes share; run as a module it loads one and says how long.

python -m benchmarks.learning._documented FOLDER ID
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import zounds_lite as zounds
from zounds_lite import featureflow as ff


def models(folder: Path) -> tuple[Any, Any]:
    """Return the documented models of sounds and of a pipeline, with their stores in a folder."""
    stft: Any = zounds.stft(resample_to=zounds.SR44100(), store_ogg=False)

    @zounds.simple_lmdb_settings(folder / "sounds")
    class Sound(stft):
        """Bark bands."""

        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, needs=stft.fft, store=True)

    @zounds.simple_lmdb_settings(folder / "pipelines")
    class ExamplePipeline(ff.BaseModel):
        """Normalized bark bands, and their clusters."""

        docs = ff.PickleFeature(ff.IteratorNode)
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs)
        kmeans = ff.PickleFeature(zounds.KMeans, needs=meanstd, centroids=32)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(meanstd, kmeans), store=True)

    return Sound, ExamplePipeline


def main() -> None:
    """Load a pipeline, and print how long that took."""
    folder, _id = sys.argv[1:]
    _, pipelines = models(Path(folder))
    began = time.perf_counter()
    pipeline = pipelines(_id).pipeline
    loaded_ms = 1e3 * (time.perf_counter() - began)
    print(json.dumps({"loaded_ms": loaded_ms, "version": pipeline.version}))


if __name__ == "__main__":
    main()
