"""Arrays with units and torch tensors: samples cross the border unchanged, and units come back."""

import numpy as np
import torch

from zounds_lite import (
    SR11025,
    ArrayWithUnits,
    AudioSamples,
    FrequencyBand,
    FrequencyDimension,
    LinearScale,
    Seconds,
    TimeDimension,
    TimeSlice,
)


def _spectrum():
    rate = SR11025()
    scale = LinearScale.from_sample_rate(rate, 65)
    values = np.random.default_rng(0).standard_normal((40, 65)).astype(np.float32)
    return ArrayWithUnits(values, [TimeDimension(Seconds(1)), FrequencyDimension(scale)])


def test_a_tensor_shares_the_samples_of_an_array():
    samples = AudioSamples(np.zeros(11025, np.float32), SR11025())
    tensor = torch.from_numpy(np.asarray(samples))
    assert tensor.dtype == torch.float32 and tuple(tensor.shape) == samples.shape
    tensor[100] = 0.5
    assert samples[100] == 0.5


def test_to_a_tensor_and_back_with_units():
    spectrum = _spectrum()
    tensor = torch.as_tensor(np.asarray(spectrum))
    back = ArrayWithUnits.from_example((tensor * 2).numpy(), spectrum)
    assert isinstance(back, ArrayWithUnits) and back.dimensions == spectrum.dimensions
    np.testing.assert_array_equal(back, np.asarray(spectrum) * 2)
    band, second = FrequencyBand(1000, 2000), TimeSlice(Seconds(1), start=Seconds(3))
    np.testing.assert_array_equal(back[second, band], spectrum[second, band] * 2)


def test_a_batch_of_slices_by_time_is_a_tensor():
    samples = AudioSamples(np.arange(11025 * 4, dtype=np.float32), SR11025())
    slices = [TimeSlice(Seconds(1), start=Seconds(i)) for i in range(4)]
    batch = torch.stack([torch.from_numpy(np.asarray(samples[s])) for s in slices])
    assert tuple(batch.shape) == (4, 11025)
    assert batch[:, 0].tolist() == [0, 11025, 22050, 33075]


def test_complex_spectra_keep_their_precision():
    spectrum = ArrayWithUnits((_spectrum() * (1 + 1j)).astype(np.complex64), _spectrum().dimensions)
    tensor = torch.from_numpy(np.asarray(spectrum))
    assert tensor.dtype == torch.complex64
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(spectrum))
