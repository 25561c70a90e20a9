"""The picture on the page of image layouts: one recording, drawn in every way.

``python docs/layouts_picture.py`` writes ``docs/image_layouts.png`` anew; it needs the extra ``plot``, which brings
Pillow.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import zounds_lite as zounds

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "examples"))

import workflow_3_music_pictures as workflow  # noqa: E402  # after its folder is known


def recording():
    """A minute: a lullaby, a march and the lullaby again."""
    slow, fast = (piece(20, np.random.default_rng(0)) for piece in (workflow.lullaby, workflow.march))
    parts = [0.5 * part / np.abs(part).max() for part in (slow, fast, slow)]
    return zounds.AudioSamples(np.concatenate(parts), workflow.RATE)


if __name__ == "__main__":
    drawn = {kind: zounds.MusicPicture(kind, workflow.SIZE)(recording()) for kind in zounds.MusicPicture.kinds}
    pixels = workflow.pixels_of(workflow.sheet(drawn))
    path = Path(__file__).with_name("image_layouts.png")
    # few colours, so that a clone stays small
    Image.fromarray(pixels).quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)
