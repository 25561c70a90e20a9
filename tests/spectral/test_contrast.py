"""Local contrast with units: axes are kept, and a tone stands out where it is."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.contrast import local_contrast_normalization as plain
from zounds_lite.errors import DeclarationError, DimensionError, UnitsError
from zounds_lite.spectral import LocalContrastNormalization, cqt, local_contrast_normalization


@pytest.fixture(scope="module")
def magnitude():
    rate = zounds.SR22050()
    t = np.arange(4 * rate.rate) / rate.rate
    # a loud second, then a quiet one, of the same two tones
    loudness = np.where((t % 2) < 1, 1.0, 1e-2)
    sound = loudness * (np.sin(2 * np.pi * 110 * t) + 0.1 * np.sin(2 * np.pi * 440 * t))
    return np.abs(cqt(zounds.AudioSamples(sound, rate), start_hz=65.4064, n_bands=96, bands_per_octave=24))


def test_units_are_kept(magnitude):
    found = local_contrast_normalization(magnitude)
    assert isinstance(found, ArrayWithUnits) and found.dimensions == magnitude.dimensions
    assert found.dimensions[0].n_samples == magnitude.dimensions[0].n_samples
    assert np.array_equal(np.asarray(found), plain(np.asarray(magnitude)))
    tone = found[:, zounds.Hertz(440)]
    assert tone.shape == found.shape[:1] and (tone > 0).mean() > 0.9


def test_quiet_and_loud_tones_look_alike(magnitude):
    found = local_contrast_normalization(magnitude, floor=1e-6)
    bands = [18, 66]  # 110 and 440 Hz
    loud, quiet = slice(10, 33), slice(55, 75)
    for band in bands:
        assert np.asarray(magnitude)[loud, band].mean() > 50 * np.asarray(magnitude)[quiet, band].mean()
        assert np.asarray(found)[loud, band].mean() == pytest.approx(np.asarray(found)[quiet, band].mean(), rel=0.1)


def test_channels_are_pictures_of_their_own(magnitude):
    both = ArrayWithUnits(np.stack([magnitude, 5 * np.asarray(magnitude)[::-1]], axis=2), [*magnitude.dimensions, None])
    found = local_contrast_normalization(both)
    assert found.shape == both.shape
    assert np.array_equal(np.asarray(found)[..., 0], plain(np.asarray(both)[..., 0]))
    assert np.array_equal(np.asarray(found)[..., 1], plain(np.asarray(both)[..., 1]))


def test_a_feature_of_a_document(magnitude, tmp_path):
    base = zounds.resampled(resample_to=zounds.SR22050(), store_ogg=False)
    bands = {"start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24, "hop": 1024}

    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(base):
        cqt = zounds.ArrayWithUnitsFeature(zounds.CQT, needs=base.resampled, store=False, **bands)
        magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=cqt, store=True)
        mean = zounds.ArrayWithUnitsFeature(LocalContrastNormalization, needs=magnitude, store=True)
        local = zounds.ArrayWithUnitsFeature(LocalContrastNormalization, needs=magnitude, floor=1e-3, store=True)

    sound = zounds.AudioSamples(np.random.default_rng(0).normal(0, 0.1, 300_000), zounds.SR22050())
    Sound.process(meta=sound.encode(), _id="noise")
    document = Sound("noise")
    assert np.array_equal(document.mean, local_contrast_normalization(document.magnitude))
    assert np.array_equal(document.local, local_contrast_normalization(document.magnitude, floor=1e-3))
    assert document.local.dimensions == document.magnitude.dimensions


def test_a_stretch_of_a_document_is_computed_alone_where_the_floor_is_a_number(magnitude):
    assert LocalContrastNormalization().locality(magnitude[:1]) is None
    locality = LocalContrastNormalization((7, 9), floor=1e-3).locality(magnitude[:1])
    assert locality.needs(50, 60, 100) == (44, 66) and locality.needs(2, 100, 100) == (0, 100)


def test_what_is_refused(magnitude):
    for wrong in (np.zeros((5, 5)), magnitude[:, 0]):
        with pytest.raises(DimensionError, match="needed are frames and bands with units"):
            local_contrast_normalization(wrong)
        with pytest.raises(DimensionError, match="needed are frames and bands with units"):
            list(LocalContrastNormalization().run([wrong]))
    with pytest.raises(UnitsError, match="all chunks of a stream have the same"):
        list(LocalContrastNormalization().run([magnitude, magnitude[:, :5]]))
    with pytest.raises(DeclarationError, match="two odd numbers"):
        LocalContrastNormalization(size=(2, 2))
    with pytest.raises(DeclarationError, match="take np.abs"):
        local_contrast_normalization(magnitude * 1j)
