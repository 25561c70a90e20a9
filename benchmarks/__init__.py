"""Benchmarks: scripts that print ratios, with peers interleaved in one run.

``python -m benchmarks.ingest`` and ``python -m benchmarks.slices`` run one each; ``python -m benchmarks`` runs all.
``--quick`` is a small run that checks that everything works; its figures mean little.
"""
