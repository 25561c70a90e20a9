"""Amplitudes on scales that are closer to hearing than pressure is.

Goal: companding curves and their inverses, units kept. The room is empty so far; plain decibel functions stand in
``zounds_lite.dsp.level``, and these names will live here:

- ``log_modulus``, ``decibel``, ``mu_law``, ``instance_scale`` and the inverses of those that have one;
- ``inverse_one_hot``: quantised amplitudes back to samples;
- ``MuLaw``, ``LogModulus``: the same curves as nodes of a graph.
"""

__all__: list[str] = []
