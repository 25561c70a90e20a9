"""Models learned from stored features: a section a file with ``rows()``; run by ``python -m benchmarks.learning``.

``rows(is_quick)`` yields rows of the table; a section that is short anyway may take no argument.
"""
