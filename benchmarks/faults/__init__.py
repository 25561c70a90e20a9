"""What can go wrong while a store is written or read, tried on purpose.

Each row breaks something and counts what is lost.
``python -m benchmarks.faults`` prints the table and ends non-zero on any loss. Each row is a module of its own with
``FAULTS``; ``table`` says what a row is; ``broken`` holds the defects under which a row must report losses
(``--prove``), so that a row that cannot fail is noticed.
"""
