"""Models that are trained on the features of a whole corpus.

Goal: preprocessing steps that learn their parameters from documents, are stored like any other feature, transform new
sounds and, where it is possible, invert the result with its units. The room is empty so far. It needs no torch to be
imported; what needs torch or scikit-learn will load it on first use. These names will live here:

- steps: ``MeanStdNormalization``, ``UnitNorm``, ``InstanceScaling``, ``Log``, ``Multiply``, ``Slicer``, ``Reshape``,
  ``AbsoluteValue``, ``Binarize``, ``SimHash``, ``KMeans``, ``SklearnModel``, ``WithComponents``;
- pipelines: ``PreprocessingPipeline``, ``PreprocessResult``, ``Pipeline``, ``Learned``, ``learning_pipeline``;
- samplers: ``ShuffledSamples``, ``ReservoirSampler``;
- ``nets`` (torch): ``PyTorchNetwork``, ``PyTorchAutoEncoder``, ``PyTorchGan``, their trainers, ``FilterBank``,
  ``SincLayer``, ``PerceptualLoss``.
"""

__all__: list[str] = []
