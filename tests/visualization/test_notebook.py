import base64
import re

import numpy as np
import pytest

from zounds_lite import SR11025, AudioSamples
from zounds_lite.visualization import array_pixels, png_bytes, to_html


@pytest.mark.parametrize("shape", [(50,), (50, 7)])
def test_the_html_holds_the_picture(shape):
    array = np.random.default_rng(0).random(shape)
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', to_html(array))
    assert base64.b64decode(data) == png_bytes(array_pixels(array))


def test_the_caption_tells_type_shape_and_units():
    text = to_html(AudioSamples(np.zeros(100, np.float32), SR11025()))
    wanted = "AudioSamples float32 (100,): 100 samples at 11025 Hz, 0.00907 s"
    assert re.sub("<[^>]+>", "", text) == wanted


@pytest.mark.parametrize("value", [np.zeros(0), np.zeros((2, 2, 2)), np.array(1.0), np.array(["a"]), "text", None])
def test_what_has_no_picture_is_text(value):
    assert to_html(value).startswith("<pre>")


def test_html_in_a_value_is_only_text():
    assert "<script>" not in to_html("<script>alert(1)</script>")


def test_arrays_show_themselves_by_it():
    samples = AudioSamples(np.zeros(100, np.float32), SR11025())
    assert samples.plot()._repr_html_() == to_html(samples)
