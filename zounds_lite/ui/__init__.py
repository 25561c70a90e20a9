"""A store in the browser: hear and see documents, search them, watch a training run.

Goal: small local web applications on the standard library's HTTP server, with all their assets in this package. The
room is empty so far; these names will live here:

- ``ZoundsApp``: pictures and sound of any feature of any document, by time range;
- ``ZoundsSearch``: the same over the answers of an index;
- ``TrainingMonitorApp`` and its kinds: curves of a running training.
"""

__all__: list[str] = []
