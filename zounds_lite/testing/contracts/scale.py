"""The contract of scales: which band of frequencies each bin of an axis stands for.

Class: ``ScaleContract``.
"""

import abc
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import FFTScale, FrequencyBand, FrequencyDimension, FrequencyScale, Hertz
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts.checks import for_all
from zounds_lite.testing.contracts.declared import DeclaredContract

__all__ = ["ScaleContract"]


class ScaleContract(DeclaredContract):
    """What every scale must do. Inherit it in a class whose name starts with ``Test`` and define ``create``.

    A scale has ``n_bands`` bands with rising starts; a slice in hertz takes the bands that it touches, so slices that
    lie side by side leave none out; a part has the bands of the whole, to the last bit; and what sums a spectrum into
    its bands gives each of them something. A scale is a declared value, so ``DeclaredContract`` holds too.

    Where the defaults do not fit, set or override:

    - ``axis()``: the axis of a transform whose spectra are summed into the bands;
    - ``tiles = True`` where each band must end where the next one starts;
    - ``may_be_empty = True`` where a band may hold nothing of ``axis()``, such as triangles that are narrower than a
      bin;
    - ``is_half_open = True`` where bands are points, so that neighbouring slices share none;
    - ``has_bands = False`` where a bin stands for no band of frequencies, such as a pitch class.
    """

    tiles = False
    may_be_empty = False
    is_half_open = False
    has_bands = True

    @abc.abstractmethod
    def create(self) -> FrequencyScale:
        """Return a new scale of at least four bands."""

    def axis(self) -> FrequencyScale:
        """Return the axis of a transform."""
        return FFTScale(22050, 2048)

    # bands

    def test_there_are_as_many_bands_as_it_says(self) -> None:
        scale = self.create()
        assert len(scale) == scale.n_bands >= 4 and bool(scale)
        if not self.has_bands:
            return
        assert len(scale.bands) == len(list(scale)) == len(scale.band_starts) == len(scale.band_stops) == len(scale)
        assert len(scale.center_frequencies) == len(scale.bandwidths) == len(scale.Q) == len(scale)

    def test_bands_rise_and_hold_their_centres(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()
        starts, stops, centers = scale.band_starts, scale.band_stops, scale.center_frequencies
        assert all(np.isfinite(values).all() for values in (starts, stops, centers))
        assert (np.diff(starts) >= 0).all(), "the starts of the bands must rise"
        assert (np.diff(centers) >= 0).all(), "the centres of the bands must rise"
        assert (stops > starts).all(), "a band must not be empty"
        assert ((starts <= centers) & (centers <= stops)).all(), "a band must hold its centre"
        for band, start, stop in zip(scale.bands, starts, stops, strict=True):
            assert (band.start_hz, band.stop_hz) == (start, stop)
        assert scale.start_hz < scale.stop_hz
        if self.tiles:
            assert np.array_equal(stops[:-1], starts[1:]), "each band must end where the next one starts"

    def test_nobody_can_change_its_numbers(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()
        for name in ("band_starts", "band_stops", "center_frequencies", "bandwidths"):
            try:
                getattr(scale, name)[0] = -1
            except ValueError:
                continue
            raise AssertionError(f"{name} of a scale can be written to")

    # slices

    def test_a_slice_takes_the_bands_that_it_touches(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()
        starts, stops = scale.band_starts, scale.band_stops

        def takes_them(band: FrequencyBand) -> None:
            index = scale.get_slice(band)
            assert type(index) is slice and 0 <= index.start <= index.stop <= len(scale), f"{band} gives {index}"
            inside = np.zeros(len(scale), bool)
            inside[index] = True
            if self.is_half_open:
                centers = scale.center_frequencies
                due = (band.start_hz <= centers) & (centers < band.stop_hz)
                assert np.array_equal(inside, due), f"{band} takes other bins than those with start <= hz < stop"
                return
            due = (stops > band.start_hz) & (starts < band.stop_hz)
            assert inside[due].all(), f"{band} leaves out bands that it touches: {np.flatnonzero(due & ~inside)}"

        for_all(80, takes_them, band=strategies.frequency_bands(0, 12_000))

    def test_neighbouring_slices_leave_no_band_out(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()

        def leave_none_out(at: list[float]) -> None:
            edges: list[Any] = [None, *map(Hertz, sorted(set(at))), None]
            slices = [scale.get_slice(slice(a, b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
            slices = [index if type(index.start) is int else slice(0, len(scale)) for index in slices]
            found = [i for index in slices for i in range(len(scale))[index]]
            assert set(found) == set(range(len(scale))), f"slices at {edges} leave bands out"
            if self.is_half_open:
                assert found == list(range(len(scale))), f"slices at {edges} share bins"

        for_all(40, leave_none_out, at=strategies.frequencies(1, 12_000))

    def test_a_slice_without_bounds_takes_all(self) -> None:
        scale = self.create()
        assert scale.get_slice(slice(None)) == slice(None)
        if self.has_bands:
            whole = scale.get_slice(slice(Hertz(0), None))
            assert whole.stop == len(scale)
            assert scale.get_slice(slice(2, 4)) == slice(2, 4)

    def test_a_part_has_the_bands_of_the_whole(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()
        n = len(scale)
        for index in (slice(1, 3), slice(0, n - 1), slice(n - 2, n), slice(0, n, 2), slice(2, 2)):
            part = scale[index]
            assert part.bands == scale.bands[index], f"[{index}] has other bands"
            assert len(part) == len(scale.bands[index])
        assert scale[:] == scale and len(scale[1:][1:]) == n - 2 and scale[1:][1:].bands == scale.bands[2:]

    def test_a_frequency_belongs_to_the_nearest_band(self) -> None:
        if not self.has_bands:
            return
        scale = self.create()
        for i, center in enumerate(scale.center_frequencies):
            if center < 0:
                continue
            found = scale.index_of(float(center))
            assert scale.center_frequencies[found] == center, f"the centre of band {i} belongs to band {found}"

    # sums

    def test_every_band_gets_something(self) -> None:
        scale, axis = self.create(), self.axis()
        weights = scale.basis(axis)
        assert weights.shape == (len(scale), len(axis))
        assert np.isfinite(weights).all() and (weights >= 0).all()
        if not self.may_be_empty:
            empty = np.flatnonzero(weights.sum(axis=1) == 0)
            assert not len(empty), f"bands {empty} hold nothing of the axis"

    def test_spectra_are_summed_by_its_weights(self) -> None:
        scale, axis = self.create(), self.axis()
        spectra = np.random.default_rng(0).normal(size=(3, len(axis)))
        found = scale.apply(ArrayWithUnits(spectra, [None, FrequencyDimension(axis)]))
        wanted = np.abs(spectra) @ scale.basis(axis).T
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()

    def test_an_axis_can_carry_it(self) -> None:
        scale = self.create()
        array = ArrayWithUnits(np.arange(len(scale)), [FrequencyDimension(scale)])
        assert array.dimensions[0] == FrequencyDimension(self.create())
        assert {scale: "a key"}[self.create()] == "a key"
        if self.has_bands:
            band = FrequencyBand(scale.band_starts[1], scale.band_stops.max())
            assert np.array_equal(np.asarray(array[band]), np.arange(len(scale))[scale.get_slice(band)])
            assert array[band].dimensions[0].scale.bands == scale.bands[scale.get_slice(band)]
