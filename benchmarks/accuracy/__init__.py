"""How exact the library is: a section a file, each with ``rows()``; run with ``python -m benchmarks.accuracy``."""
