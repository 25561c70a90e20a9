"""Where one sound ends and the next begins.

Goal: turn a spectrum into a detection function, and its peaks into time slices. The room is empty so far; the plain
mathematics will stand in ``zounds_lite.dsp.onset``, and these names here:

- ``MeasureOfTransience``, ``ComplexDomain``: detection functions, one value per spectral frame;
- ``MovingAveragePeakPicker``: peaks of a detection function as consecutive ``TimeSlice`` values;
- ``TimeSliceFeature``: how such slices are stored, without the sound in them.
"""

__all__: list[str] = []
