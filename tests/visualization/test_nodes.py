"""Pictures as features of documents: sliced by seconds, stored, computed in parts, and refused without sound."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError, DimensionError, NonFiniteAudio
from zounds_lite.visualization import MusicPicture, MusicPictures

SR = zounds.SR11025()
SCHEME = zounds.SampleRate(zounds.Seconds(1), zounds.Seconds(1))
Windowed = zounds.windowed(wscheme=SCHEME, resample_to=SR, store_ogg=False)
PICTURE = MusicPicture("colour", size=20)


@zounds.simple_in_memory_settings
class Sound(Windowed):
    pictures = zounds.ArrayWithUnitsFeature(MusicPictures, picture=PICTURE, needs=Windowed.windowed, store=True)
    fleeting = zounds.ArrayWithUnitsFeature(
        MusicPictures, picture=MusicPicture("mel", size=20), needs=Windowed.windowed, store=False
    )
    cover = zounds.ArrayWithUnitsFeature(
        MusicPictures, picture=MusicPicture("wrapped", size=30, tempo=120.0), needs=Windowed.resampled, store=True
    )


def melody():
    synth = zounds.SineSynthesizer(SR)
    return zounds.AudioSamples.concat([synth.synthesize(zounds.Seconds(1), [hz]) for hz in (200.0, 800.0, 3000.0)])


@pytest.fixture(scope="module")
def sound():
    return Sound(Sound.process(meta=melody().encode()))


def test_pictures_are_stored_and_sliced_by_seconds(sound):
    assert sound.pictures.shape == (3, 20, 20, 3) and sound.pictures.dtype == np.float32
    second = sound.pictures[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(1))]
    np.testing.assert_array_equal(second, sound.pictures[1:2])
    expected = PICTURE(zounds.AudioSamples(np.asarray(sound.windowed[1]), SR))
    np.testing.assert_array_equal(second[0], expected)


def test_a_part_is_computed_alone(sound):
    whole = np.asarray(sound.fleeting)
    part = sound[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(2))].fleeting
    np.testing.assert_array_equal(part, whole[2:3])


def test_a_whole_recording_has_one_picture(sound):
    assert sound.cover.shape == (1, 30, 30)
    np.testing.assert_array_equal(sound.cover[0], MusicPicture("wrapped", size=30, tempo=120.0)(sound.resampled))


def test_what_is_no_picture_or_no_sound_is_refused():
    with pytest.raises(DeclarationError, match=r'MusicPicture\("hilbert"\)'):
        MusicPictures("hilbert")
    with pytest.raises(DimensionError, match="SlidingWindow"):
        list(MusicPictures(PICTURE).run([np.zeros(10)]))
    with pytest.raises(DimensionError, match="SlidingWindow"):
        list(MusicPictures(PICTURE).run([zounds.spectral.stft(melody())]))
    with pytest.raises(NonFiniteAudio):
        list(MusicPictures(PICTURE).run([zounds.AudioSamples(np.array([np.nan]), SR)]))
