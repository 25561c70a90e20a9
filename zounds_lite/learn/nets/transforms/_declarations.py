"""What the features of a document say of a transform.

Goal: a module is built from the declaration that made the stored features, so that both are the same. Class:
``Scheme``; functions: ``node_of``, ``rate_before``.
"""

from typing import Any, NamedTuple

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow.feature import Feature
from zounds_lite.learn.nets._tables import rate_of
from zounds_lite.timeseries import AudioSampleRate, SampleRate, TimeDimension

__all__ = ["Scheme", "node_of", "rate_before"]


class Scheme(NamedTuple):
    """How a feature's windows are cut and transformed."""

    samplerate: AudioSampleRate
    wscheme: SampleRate
    wfunc: Any
    pad: bool
    padding_samples: int

    @classmethod
    def of_transform(cls, feature: Any, node: str, samplerate: Any) -> "Scheme":
        """Read a feature that transforms windows.

        Args:
            feature (Feature): the feature.
            node (str): the name of its node class.
            samplerate (AudioSampleRate | int | None): of the audio; None: as declared.

        Raises:
            DeclarationError: a feature of another node, or windows that no module cuts.
        """
        transform = node_of(feature, node)
        if getattr(transform, "axis", -1) not in (-1, 1):
            raise DeclarationError(f"{feature!r} transforms axis {transform.axis}; allowed: that of the windows")
        windows = _need_of(feature)
        cut = node_of(windows, "SlidingWindow")
        rate = rate_before(windows) if samplerate is None else rate_of(samplerate)
        hop, size = cut.wscheme.discrete_samples(TimeDimension.from_rate(rate))
        padding = (cut.padwith, cut.padend)
        if padding not in ((0, 0), (max(0, size - hop),) * 2):
            raise DeclarationError(
                f"{padding[0]} zeros before and {padding[1]} after the signal; allowed: none, or window - hop = "
                f"{size - hop} on both sides"
            )
        return cls(rate, cut.wscheme, cut.wfunc, any(padding), getattr(transform, "padding_samples", 0))


def node_of(feature: Any, *names: str) -> Any:
    """Return the node of a feature, which must be of a class with one of these names.

    Raises:
        DeclarationError: it is not.
    """
    extractor = getattr(feature, "extractor", None)
    if not isinstance(feature, Feature) or getattr(extractor, "__name__", None) not in names:
        given = f"the feature {feature.name!r} of {extractor!r}" if isinstance(feature, Feature) else repr(feature)
        raise DeclarationError(f"{given}; allowed: a feature whose node is {' or '.join(names)}")
    return feature.extractor(**feature.extractor_args)


def rate_before(feature: Any) -> AudioSampleRate:
    """Return the rate of the audio that a feature is computed from: that of the ``Resampler`` before it.

    Raises:
        DeclarationError: there is none.
    """
    before: Any = feature
    while isinstance(before, Feature):
        if getattr(before.extractor, "__name__", None) == "Resampler":
            return node_of(before, "Resampler").samplerate
        before = next(iter(before.named_needs().values()), None)
    raise DeclarationError(f"{feature.name!r} comes of audio at the rate of each recording; give samplerate=")


def _need_of(feature: Feature) -> Any:
    return next(iter(feature.named_needs().values()), None)
