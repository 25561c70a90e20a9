"""Names of the room and where they come from; ``__init__.py`` loads them from here on first use."""

from zounds_lite.featureflow.corpusof import corpus_of as corpus_of
from zounds_lite.learn.corpus import Corpus as Corpus
from zounds_lite.learn.estimators import (
    dump_estimator as dump_estimator,
    load_estimator as load_estimator,
)
from zounds_lite.learn.hashing import (
    SimHash as SimHash,
    hyperplanes as hyperplanes,
    simhash as simhash,
)
from zounds_lite.learn.images import labelled_images as labelled_images
from zounds_lite.learn.kmeans import KMeans as KMeans
from zounds_lite.learn.learned import Learned as Learned
from zounds_lite.learn.logistic import LogisticRegression as LogisticRegression
from zounds_lite.learn.nets import (
    BandBank as BandBank,
    ConstantQBank as ConstantQBank,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    ConvTranspose1d as ConvTranspose1d,
    ConvTranspose2d as ConvTranspose2d,
    FilterBank as FilterBank,
    GatedConvLayer as GatedConvLayer,
    GatedConvTransposeLayer as GatedConvTransposeLayer,
    GatedLinearLayer as GatedLinearLayer,
    MelBank as MelBank,
    ModifiedCosine as ModifiedCosine,
    MultiResolutionConvLayer as MultiResolutionConvLayer,
    PerceptualLoss as PerceptualLoss,
    ShortTimeFourier as ShortTimeFourier,
    SincLayer as SincLayer,
    apply_network as apply_network,
    batchwise_mean_std_normalization as batchwise_mean_std_normalization,
    batchwise_unit_norm as batchwise_unit_norm,
    feature_map_size as feature_map_size,
    sample_norm as sample_norm,
)
from zounds_lite.learn.nets.networks import (
    PyTorchAutoEncoder as PyTorchAutoEncoder,
    PyTorchGan as PyTorchGan,
    PyTorchNetwork as PyTorchNetwork,
)
from zounds_lite.learn.nets.supervised import SupervisedTrainer as SupervisedTrainer
from zounds_lite.learn.nets.trainers import Trainer as Trainer
from zounds_lite.learn.nets.triplet import TripletEmbeddingTrainer as TripletEmbeddingTrainer
from zounds_lite.learn.nets.wasserstein import WassersteinGanTrainer as WassersteinGanTrainer
from zounds_lite.learn.ops import (
    ForwardResult as ForwardResult,
    Op as Op,
)
from zounds_lite.learn.pipeline import (
    Pipeline as Pipeline,
    PipelineResult as PipelineResult,
    PreprocessingPipeline as PreprocessingPipeline,
    PreprocessResult as PreprocessResult,
)
from zounds_lite.learn.preprocessor import Preprocessor as Preprocessor
from zounds_lite.learn.ready_made import (
    InfiniteSampler as InfiniteSampler,
    infinite_streaming_learning_pipeline as infinite_streaming_learning_pipeline,
    learning_pipeline as learning_pipeline,
)
from zounds_lite.learn.reports import (
    ClassificationReport as ClassificationReport,
    ConfusionMatrix as ConfusionMatrix,
    classification_report as classification_report,
    confusion_matrix as confusion_matrix,
)
from zounds_lite.learn.reservoir import (
    MultiplexedReservoir as MultiplexedReservoir,
    Reservoir as Reservoir,
)
from zounds_lite.learn.sampling import (
    BalancedSamples as BalancedSamples,
    ReservoirSampler as ReservoirSampler,
    ShuffledSamples as ShuffledSamples,
)
from zounds_lite.learn.scaling import (
    InstanceScaling as InstanceScaling,
    Log as Log,
    MuLawCompressed as MuLawCompressed,
    Multiply as Multiply,
    UnitNorm as UnitNorm,
    Weighted as Weighted,
    example_wise_unit_norm as example_wise_unit_norm,
)
from zounds_lite.learn.shaping import (
    AbsoluteValue as AbsoluteValue,
    Binarize as Binarize,
    Reshape as Reshape,
    Sharpen as Sharpen,
    Slicer as Slicer,
)
from zounds_lite.learn.sklearn_models import (
    SklearnModel as SklearnModel,
    WithComponents as WithComponents,
)
from zounds_lite.learn.standardization import MeanStdNormalization as MeanStdNormalization
from zounds_lite.learn.statistics import Moments as Moments
from zounds_lite.learn.supervised import (
    Labelled as Labelled,
    Split as Split,
    labelled as labelled,
    leave_one_group_out as leave_one_group_out,
    split_by_group as split_by_group,
    stratified_split as stratified_split,
)
from zounds_lite.learn.untrained import Untrained as Untrained
