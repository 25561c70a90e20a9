"""Transforms as modules: equal to those of arrays in both precisions, for batches and channels, and differentiable."""

import copy
import io

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import zounds_lite as zounds
from zounds_lite import dsp
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.featureflow import JSONFeature
from zounds_lite.learn import BandBank, ConstantQBank, MelBank, ModifiedCosine, ShortTimeFourier
from zounds_lite.spectral import (
    BarkScale,
    FFTScale,
    FrequencyBand,
    HanningWindowingFunc,
    IdentityWindowingFunc,
    MelScale,
    OggVorbisWindowingFunc,
    SlaneyMelScale,
    apply_scale,
    cqt,
    mdct,
    mel_bands,
    mel_to_magnitude,
    stft,
)

LENGTH = 9001
BOUNDS = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# 48 kHz cuts windows of 2 * 1115 samples, so that an MDCT has an odd number of coefficients
every_rate = pytest.mark.parametrize("rate", [zounds.SR11025(), zounds.SR48000()], ids=lambda rate: str(rate.rate))


def _sound(rate, dtype=np.float64, seed=0):
    return zounds.AudioSamples(np.random.default_rng(seed).standard_normal(LENGTH).astype(dtype), rate)


def _tensor(x):
    return torch.from_numpy(np.array(x))


def _assert_equal(found, wanted):
    wanted = np.asarray(wanted)
    found = found.detach().numpy()
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    real = np.dtype(wanted.real.dtype)
    assert np.abs(found - wanted).max() <= BOUNDS[real] * np.abs(wanted).max()


def _windows(sound, window, padding):
    cut = zounds.SlidingWindow(zounds.HalfLapped(), window, padding, padding)
    return np.concatenate([np.asarray(chunk) for chunk in cut.run([sound])])


@every_dtype
@every_rate
@pytest.mark.parametrize("pad", [False, True])
def test_a_short_time_fourier_transform_is_that_of_arrays(rate, dtype, pad):
    sound = _sound(rate, dtype)
    module = ShortTimeFourier(rate, pad=pad).to(_tensor(sound).dtype)
    spectra, wanted = module(_tensor(sound)), stft(sound, pad=pad)
    _assert_equal(spectra, wanted)
    assert module.scale == wanted.dimensions[1].scale and module.frame_count(LENGTH) == len(wanted)
    assert module.time_dimension(LENGTH) == wanted.dimensions[0]
    again = zounds.FFTSynthesizer(HanningWindowingFunc()).synthesize(wanted, LENGTH)
    inner = slice(None) if pad else slice(module.hop, -module.window_size)
    _assert_equal(module.inverse(spectra, LENGTH)[inner], np.asarray(again)[inner])
    np.testing.assert_allclose(module.inverse(spectra, LENGTH)[inner], np.asarray(sound)[inner], atol=1e-5)


@every_dtype
@every_rate
@pytest.mark.parametrize("pad", [False, True])
def test_a_modified_cosine_transform_is_that_of_arrays(rate, dtype, pad):
    sound = _sound(rate, dtype)
    module = ModifiedCosine(rate, pad=pad).to(_tensor(sound).dtype)
    coefficients = module(_tensor(sound))
    _assert_equal(coefficients, mdct(_windows(sound, OggVorbisWindowingFunc(), module.padding)))
    inner = slice(None) if pad else slice(module.hop, -module.window_size)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(
        module.inverse(coefficients, LENGTH)[inner], np.asarray(sound)[inner], rtol=0, atol=tolerance
    )


def test_more_overlap_and_other_windows_come_back_too():
    sound = _sound(zounds.SR8000())
    scheme = zounds.SR8000().windowing_scheme(240, 60)
    for window in (None, HanningWindowingFunc(periodic=True), np.hanning):
        module = ShortTimeFourier(zounds.SR8000(), scheme, window, pad=True, padding_samples=16).double()
        np.testing.assert_allclose(module.inverse(module(_tensor(sound)), LENGTH), np.asarray(sound), atol=1e-11)
    module = ModifiedCosine(zounds.SR8000(), scheme, pad=True).double()
    np.testing.assert_allclose(module.inverse(module(_tensor(sound)), LENGTH), np.asarray(sound), atol=1e-11)


def test_gaps_between_windows_are_cut_as_arrays_are():
    sound = _sound(zounds.SR8000())
    scheme = zounds.SR8000().windowing_scheme(100, 150)
    module = ShortTimeFourier(zounds.SR8000(), scheme, None).double()
    _assert_equal(module(_tensor(sound)), stft(sound, scheme, None))
    assert module.inverse(module(_tensor(sound)), LENGTH).shape == (LENGTH,)


@every_dtype
def test_bands_are_those_of_arrays(dtype):
    rate = zounds.SR11025()
    spectra = stft(_sound(rate, dtype))
    axis, given = spectra.dimensions[1].scale, _tensor(spectra)
    mel, bark = SlaneyMelScale(FrequencyBand(0, 5512.5), 40), BarkScale(FrequencyBand(20, 5512), 30)
    for power in (1.0, 1.5, 2.0):
        module = MelBank(mel, axis, power).to(given.real.dtype)
        _assert_equal(module(given), mel_bands(spectra, mel, power))
        _assert_equal(module(given.abs()), mel_bands(spectra, mel, power))
    for window in (None, HanningWindowingFunc()):
        module = BandBank(bark, axis, window).to(given.real.dtype)
        _assert_equal(module(given), apply_scale(spectra, bark, window))


def test_magnitudes_from_mel_bands_are_those_of_arrays():
    spectra = stft(_sound(zounds.SR11025()))
    scale = SlaneyMelScale(FrequencyBand(0, 5512.5), 40)
    mel = mel_bands(spectra, scale)
    module = MelBank(scale, spectra.dimensions[1].scale).double()
    _assert_equal(module.inverse(_tensor(mel)), mel_to_magnitude(mel))


@every_dtype
@pytest.mark.parametrize(
    "arguments",
    [{}, {"hop": 100, "n_bands": 60, "bands_per_octave": 9}, {"exact": True, "n_bands": 24}, {"n_bands": 1}],
    ids=["decimated", "phases", "exact", "one"],
)
def test_a_constant_q_transform_is_that_of_arrays(arguments, dtype):
    arguments = {"n_bands": 70, **arguments}
    sound = _sound(zounds.SR22050(), dtype)
    module = ConstantQBank(zounds.SR22050(), **arguments).to(_tensor(sound).dtype)
    wanted = cqt(sound, **arguments)
    _assert_equal(module(_tensor(sound)), wanted)
    assert module.scale == wanted.dimensions[1].scale


def test_a_constant_q_transform_is_within_a_thousandth_of_its_definition():
    sound = _tensor(_sound(zounds.SR22050(), np.float32))
    arguments = {"start_hz": 55.0, "n_bands": 72}
    found = ConstantQBank(zounds.SR22050(), **arguments)(sound)
    exact = ConstantQBank(zounds.SR22050(), **arguments, exact=True)(sound)
    errors = (found - exact).abs().amax(dim=0) / exact.abs().amax(dim=0)
    assert float(errors.max()) <= 1e-3


def test_signals_from_constant_q_coefficients():
    module = ConstantQBank(zounds.SR8000(), hop=16, start_hz=220.0, n_bands=48).double()
    x = torch.sin(2 * torch.pi * 440.0 * torch.arange(4000) / 8000) * torch.hann_window(4000)
    x = torch.stack([x, x.flip(0), torch.zeros(4000)]).double()
    again = module.inverse(module(x), 4000)
    assert float((again - x).abs().max()) < 1e-3 and not again[2].any()
    wanted = dsp.icqt(module(x).numpy(), module.definition, 4000, steps=6)
    _assert_equal(module.inverse(module(x), 4000, steps=6), wanted)
    with torch.inference_mode():
        assert module.inverse(module(x), steps=2).shape == (3, 251 * 16)


MODULES = [
    ShortTimeFourier(8000, zounds.SR8000().windowing_scheme(16, 8), pad=True),
    ModifiedCosine(8000, zounds.SR8000().windowing_scheme(16, 8), pad=True),
    ModifiedCosine(8000, zounds.SR8000().windowing_scheme(18, 9), pad=True),
    ConstantQBank(8000, hop=4, start_hz=1000, n_bands=6, bands_per_octave=6, filter_scale=0.5),
]
every_module = pytest.mark.parametrize("module", MODULES, ids=repr)


def _inverse(module, coefficients, length):
    more = {"allow_gaps": True, "steps": 2} if isinstance(module, ConstantQBank) else {}
    return module.inverse(coefficients, length, **more)


@every_module
def test_gradients_flow_forwards_and_backwards(module):
    module = copy.deepcopy(module).double()
    x = torch.randn(2, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert gradcheck(module, x)
    coefficients = module(x[:1]).detach().requires_grad_()
    assert gradcheck(lambda given: _inverse(module, given, 16), coefficients)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_gradients_flow_through_bands(power):
    spectra = MODULES[0]
    x = torch.randn(24, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    fourier = copy.deepcopy(spectra).double()
    mel = MelBank(SlaneyMelScale(FrequencyBand(0, 4000), 4), spectra.scale, power).double()
    assert gradcheck(lambda given: mel(fourier(given)), x)
    bands = torch.full((2, 4), 30.0, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda given: mel.inverse(given, 4), bands)


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5, 2.0])
def test_silence_has_finite_gradients(power):
    fourier = MODULES[0]
    bank = MelBank(SlaneyMelScale(FrequencyBand(0, 4000), 4), fourier.scale, power)
    x = torch.zeros(48, requires_grad=True)
    bank.inverse(bank(fourier(x))).sum().backward()
    assert torch.isfinite(x.grad).all()


@every_module
def test_batches_and_channels_are_transformed_one_by_one(module):
    x = torch.randn(2, 3, 50)
    coefficients = module(x)
    assert coefficients.shape[:2] == (2, 3)
    torch.testing.assert_close(coefficients[1, 2], module(x[1, 2]))
    torch.testing.assert_close(_inverse(module, coefficients, 50)[1, 2], _inverse(module, coefficients[1, 2], 50))


@every_module
@pytest.mark.parametrize("length", [0, 1, 5])
def test_signals_of_any_length_come_back_as_long(module, length):
    coefficients = module(torch.ones(2, length))
    assert coefficients.shape[:2] == (2, module.frame_count(length))
    assert _inverse(module, coefficients, length).shape == (2, length)
    assert _inverse(module, coefficients, length + 100).shape == (2, length + 100)
    assert module(torch.ones(0, length)).shape[0] == 0


@every_module
def test_modules_change_their_precision_without_loss_and_hold_no_state(module):
    module = copy.deepcopy(module)
    there = {name: buffer.clone() for name, buffer in module.double().named_buffers()}
    back = dict(module.half().float().double().named_buffers())
    assert there.keys() == back.keys() and all(torch.equal(there[name], back[name]) for name in there)
    assert module.state_dict() == {} and list(module.parameters()) == []
    assert torch.nn.Sequential(module).to(torch.float32)[0](torch.ones(50)).real.dtype == torch.float32
    torch.save(module.state_dict(), io.BytesIO())


@every_module
def test_modules_that_were_made_without_memory_are_filled(module):
    x = torch.randn(50)
    wanted = module(x)
    empty = copy.deepcopy(module).to("meta")
    assert {buffer.device.type for buffer in empty.buffers()} == {"meta"}
    torch.testing.assert_close(empty.to_empty(device="cpu")(x), wanted)


@every_module
def test_inputs_that_no_module_takes(module):
    with pytest.raises(DeclarationError, match="an input of torch.float64 on cpu for a module of torch.float32"):
        module(torch.ones(50, dtype=torch.float64))
    with pytest.raises(DeclarationError, match="samples of torch.complex64; allowed: real ones"):
        module(torch.ones(50, dtype=torch.complex64))
    with pytest.raises(DimensionError, match=r"ndarray where a tensor is needed: torch.as_tensor"):
        module(np.ones(50))
    with pytest.raises(DimensionError, match="a single number is no signal"):
        module(torch.tensor(1.0))
    with pytest.raises(DimensionError, match="needed: .* on the last axis"):
        _inverse(module, module(torch.ones(50))[..., 1:], 50)
    with pytest.raises(DeclarationError, match="length=-1"):
        _inverse(module, module(torch.ones(50)), -1)
    assert module(torch.ones(50, dtype=torch.int16)).shape == module(torch.ones(50)).shape


def test_arguments_that_no_module_takes():
    with pytest.raises(SampleRateError, match="samplerate='8000'; allowed"):
        ShortTimeFourier("8000")
    with pytest.raises(DeclarationError, match="window_sample_rate=512; allowed"):
        ShortTimeFourier(8000, 512)
    with pytest.raises(DeclarationError, match="padding_samples=-1"):
        ShortTimeFourier(8000, padding_samples=-1)
    with pytest.raises(DimensionError, match="windows of 17 samples: an MDCT takes 2 N samples"):
        ModifiedCosine(8000, zounds.SR8000().windowing_scheme(17, 8))
    with pytest.raises(DeclarationError, match="leaves aliasing"):
        module = ModifiedCosine(8000, zounds.SR8000().windowing_scheme(16, 8), lambda size: np.arange(size) + 1.0)
        module.inverse(torch.ones(3, 8))
    with pytest.raises(DimensionError, match="so the hop must divide 8"):
        ModifiedCosine(8000, zounds.SR8000().windowing_scheme(16, 6)).inverse(torch.ones(3, 8))
    with pytest.raises(DeclarationError, match="scale='mel'; allowed: a scale"):
        BandBank("mel", FFTScale(8000, 16))
    with pytest.raises(DeclarationError, match="power=0; allowed"):
        MelBank(SlaneyMelScale(FrequencyBand(0, 4000), 4), FFTScale(8000, 16), 0)
    with pytest.raises(DeclarationError, match="allowed: a SlaneyMelScale and an FFTScale, or BandBank"):
        MelBank(MelScale(FrequencyBand(0, 4000), 4), FFTScale(8000, 16))
    with pytest.raises(DeclarationError, match="reach beyond 4000.0 Hz"):
        ConstantQBank(8000)
    with pytest.raises(DeclarationError, match="allowed: complex ones, not magnitudes"):
        MODULES[3].inverse(torch.ones(3, 6))
    with pytest.raises(DeclarationError, match="frames leave gaps"):
        ConstantQBank(8000, n_bands=40).inverse(torch.ones(3, 40, dtype=torch.complex64))


def test_a_nan_stays_in_its_frames():
    x = torch.zeros(160)
    x[80] = torch.nan
    for module in MODULES[:2]:
        hurt = torch.isnan(module(x)).any(dim=-1)
        assert hurt.any() and int(hurt.sum()) == 2
        assert not torch.isnan(module(torch.stack([x, torch.zeros(160)]))[1]).any()


def _document():
    base = zounds.stft(resample_to=zounds.SR11025(), store_resampled=True, store_fft=True, store_ogg=False, pad=True)

    @zounds.simple_in_memory_settings
    class Described(base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, needs=base.fft, n_bands=20, store=True)
        mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, needs=base.fft, n_bands=20, power=1.0, store=True)
        mdct = zounds.ArrayWithUnitsFeature(zounds.MDCT, needs=base.windowed, store=True)
        notes = zounds.ArrayWithUnitsFeature(
            zounds.CQT, needs=base.resampled, hop=zounds.Milliseconds(10), n_bands=48, store=True
        )

    return Described


def test_modules_are_made_from_features_and_equal_what_is_stored():
    document = _document()
    samples = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1), [440.0, 1000.0])
    sound = document(document.process(meta=samples.encode()))
    x = _tensor(sound.resampled)
    fourier = ShortTimeFourier.from_feature(document.fft)
    assert fourier.pad and fourier.windowing_func == OggVorbisWindowingFunc()
    _assert_equal(fourier(x), sound.fft)
    for feature in (document.bark, document.mel):
        _assert_equal(torch.nn.Sequential(fourier, BandBank.from_feature(feature))(x), getattr(sound, feature.name))
    _assert_equal(ModifiedCosine.from_feature(document.mdct)(x), sound.mdct)
    _assert_equal(ConstantQBank.from_feature(document.notes)(x), sound.notes)


def test_features_that_no_module_stands_for():
    document = _document()
    with pytest.raises(DeclarationError, match="the feature 'bark' .*; allowed: a feature whose node is FFT"):
        ShortTimeFourier.from_feature(document.bark)
    with pytest.raises(DeclarationError, match="'fft'; allowed: a feature whose node is BarkBands or MelBands"):
        BandBank.from_feature("fft")

    class Direct(zounds.featureflow.BaseModel):
        meta = JSONFeature(zounds.MetaData)
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=meta)
        windowed = zounds.ArrayWithUnitsFeature(zounds.SlidingWindow, needs=pcm, wscheme=zounds.HalfLapped(), padwith=3)
        whole = zounds.ArrayWithUnitsFeature(zounds.SlidingWindow, needs=pcm, wscheme=zounds.HalfLapped())
        fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=windowed)
        spectra = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=whole, padding_samples=4)

    with pytest.raises(DeclarationError, match="audio at the rate of each recording; give samplerate="):
        ShortTimeFourier.from_feature(Direct.fft)
    with pytest.raises(DeclarationError, match="3 zeros before and 0 after the signal; allowed: none, or window - hop"):
        ShortTimeFourier.from_feature(Direct.fft, 8000)
    module = ShortTimeFourier.from_feature(Direct.spectra, 8000)
    assert (module.n_fft, module.windowing_func.is_identity) == (module.window_size + 4, True)
    assert module.windowing_func(4).tolist() == IdentityWindowingFunc()(4).tolist()
