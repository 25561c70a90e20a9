"""Signal processing on plain arrays: no units, no graphs, no files.

Everything here takes numpy arrays and plain numbers and returns numpy arrays; units are added by the packages above.

- ``framing``: frames of a signal, whole or in chunks, and overlap-add
- ``lapped``: what windows leave of aliasing, and what lapped frames are divided by
- ``windows``: Hann, Hamming and Vorbis windows
- ``transforms``: Fourier and cosine transforms of real signals, whole or lapped, and their inverses
- ``filterbank``: banks of band filters on spectra, and their matrices
- ``cepstra``, ``descriptors``: the shape of a spectrum in a few numbers, or in one
- ``chroma``: filters of pitch classes
- ``adaptive``: spectra cut into bands, each transformed on its own; ``decomposition``: sums of coarser signals
- ``constantq``: the constant-Q transform; ``constantq_inverse``: its inverse
- ``contrast``: what stands out from its neighbourhood
- ``curves``: mel, bark, ERB, MIDI and A-weighting
- ``griffinlim``, ``peakphase``: sound from magnitudes alone
- ``impulses``: filters to convolve with
- ``level``: decibels
- ``companding``: mu-law, log modulus, scaling of instances
- ``nonnegative``: non-negative least squares
- ``onset``, ``beat``, ``tempogram``: where something begins to sound, and the tempo
- ``oscillators``: tones, noise and ticks
- ``resample``: changing the sample rate
- ``similarity``: how alike frames are
- ``stretch``: delays in the spectrum, time stretching, pitch shifting
"""

from zounds_lite.dsp.adaptive import BandSplit, band_window, overlap_add_at
from zounds_lite.dsp.beat import tempo
from zounds_lite.dsp.cepstra import log_cepstrum, power_cepstrum
from zounds_lite.dsp.chroma import chroma_matrix
from zounds_lite.dsp.companding import (
    instance_scale,
    inverse_log_modulus,
    inverse_mu_law,
    inverse_one_hot,
    log_modulus,
    mu_law,
    unit_scale,
)
from zounds_lite.dsp.constantq import ConstantQ, ConstantQStream, cqt
from zounds_lite.dsp.constantq_inverse import icqt
from zounds_lite.dsp.contrast import ContrastStream, LocalContrast, local_contrast_normalization
from zounds_lite.dsp.curves import (
    a_weighting_db,
    a_weighting_factor_db,
    bark_to_hz,
    erb,
    erb_rate_to_hz,
    hz_to_bark,
    hz_to_erb_rate,
    hz_to_mel,
    hz_to_midi,
    hz_to_slaney_mel,
    mel_to_hz,
    midi_to_hz,
    slaney_mel_to_hz,
)
from zounds_lite.dsp.decomposition import decompose, fft_resample, recompose
from zounds_lite.dsp.descriptors import centroid, flatness, rms, rolloff, spread, zero_crossing_rate
from zounds_lite.dsp.filterbank import BLOCK, FilterBank, band_matrix, slaney_mel_matrix
from zounds_lite.dsp.framing import (
    FrameStream,
    divide_by_weights,
    frame_count,
    frames,
    overlap_add,
    weight_sum,
    weighted_overlap_add,
)
from zounds_lite.dsp.griffinlim import griffin_lim, spectral_convergence
from zounds_lite.dsp.impulses import band_pass, gammatone, morlet, peak_hz
from zounds_lite.dsp.lapped import aliasing, divide_by_repeated_weights
from zounds_lite.dsp.level import amplitude_to_db, db_to_amplitude, db_to_power, perceptual_weighting, power_to_db
from zounds_lite.dsp.nonnegative import nonnegative_least_squares
from zounds_lite.dsp.onset import (
    complex_domain,
    measure_of_transience,
    moving_average_peaks,
    pick_peaks,
    relative_flux,
    spectral_distance,
    spectral_flux,
)
from zounds_lite.dsp.oscillators import noise, sample_count, sine, ticks
from zounds_lite.dsp.peakphase import phases_of_peaks
from zounds_lite.dsp.resample import ResampleStream, output_length, resample
from zounds_lite.dsp.similarity import self_similarity
from zounds_lite.dsp.stretch import phase_shift, pitch_shift, time_stretch
from zounds_lite.dsp.tempogram import onset_strength, tempogram, tempogram_tempo
from zounds_lite.dsp.transforms import dct, dct4, dct_basis, idct, imdct, irfft, mdct, rfft, windowed_rfft
from zounds_lite.dsp.windows import hamming, hann, vorbis

__all__ = [
    "BLOCK",
    "BandSplit",
    "ConstantQ",
    "ConstantQStream",
    "ContrastStream",
    "FilterBank",
    "FrameStream",
    "LocalContrast",
    "ResampleStream",
    "a_weighting_db",
    "a_weighting_factor_db",
    "aliasing",
    "amplitude_to_db",
    "band_matrix",
    "band_pass",
    "band_window",
    "bark_to_hz",
    "centroid",
    "chroma_matrix",
    "complex_domain",
    "cqt",
    "db_to_amplitude",
    "db_to_power",
    "dct",
    "dct4",
    "dct_basis",
    "decompose",
    "divide_by_repeated_weights",
    "divide_by_weights",
    "erb",
    "erb_rate_to_hz",
    "fft_resample",
    "flatness",
    "frame_count",
    "frames",
    "gammatone",
    "griffin_lim",
    "hamming",
    "hann",
    "hz_to_bark",
    "hz_to_erb_rate",
    "hz_to_mel",
    "hz_to_midi",
    "hz_to_slaney_mel",
    "icqt",
    "idct",
    "imdct",
    "instance_scale",
    "inverse_log_modulus",
    "inverse_mu_law",
    "inverse_one_hot",
    "irfft",
    "local_contrast_normalization",
    "log_cepstrum",
    "log_modulus",
    "mdct",
    "measure_of_transience",
    "mel_to_hz",
    "midi_to_hz",
    "morlet",
    "moving_average_peaks",
    "mu_law",
    "noise",
    "nonnegative_least_squares",
    "onset_strength",
    "output_length",
    "overlap_add",
    "overlap_add_at",
    "peak_hz",
    "perceptual_weighting",
    "phase_shift",
    "phases_of_peaks",
    "pick_peaks",
    "pitch_shift",
    "power_cepstrum",
    "power_to_db",
    "recompose",
    "relative_flux",
    "resample",
    "rfft",
    "rms",
    "rolloff",
    "sample_count",
    "self_similarity",
    "sine",
    "slaney_mel_matrix",
    "slaney_mel_to_hz",
    "spectral_convergence",
    "spectral_distance",
    "spectral_flux",
    "spread",
    "tempo",
    "tempogram",
    "tempogram_tempo",
    "ticks",
    "time_stretch",
    "unit_scale",
    "vorbis",
    "weight_sum",
    "weighted_overlap_add",
    "windowed_rfft",
    "zero_crossing_rate",
]
