"""Generative adversarial networks: a generator learns to make what a critic cannot tell from the data.

Class: ``WassersteinGanTrainer``; function ``gradient_penalty``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._tables import check_size
from zounds_lite.learn.nets._torch import torch
from zounds_lite.learn.nets.rows import Rows
from zounds_lite.learn.nets.tensors import check_network, dtype_of, plain, tensor_of
from zounds_lite.learn.nets.trainers import Trainer

__all__ = ["WassersteinGanTrainer", "gradient_penalty"]

_PENALTY = 10.0
_RATE, _BETAS = 1e-4, (0.0, 0.9)
"""Of the paper's algorithm 1."""


def gradient_penalty(critic: Callable[..., Any], real: Any, fake: Any, **kwargs: Any) -> Any:
    """Return how far the slope of a critic is from 1, between real and made examples.

    Args:
        critic (Callable): scores a batch.
        real, fake (Tensor): batches of the same shape.
        kwargs: go to the critic.

    Returns:
        Tensor: the mean over the batch of ``(norm - 1)**2``, where the norm of the gradient is over all axes but the
        first.

    Examples:
        >>> zeros = torch.zeros(2, 3, 4)
        >>> round(float(gradient_penalty(lambda x: 2 * x.flatten(1).sum(1) / 12**0.5, zeros, zeros)), 3)
        1.0
    """
    share = torch.rand((len(real), *(1,) * (real.ndim - 1)), dtype=real.dtype, device=real.device)
    between = (real + share * (fake - real)).detach().requires_grad_(True)
    scores = critic(between, **kwargs)
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


class WassersteinGanTrainer(Trainer):
    """Trains a generator and a critic against each other, by the Wasserstein distance with a gradient penalty.

    Callbacks get the keywords ``epoch``, ``batch``, ``generator_score`` and ``real_score`` (what the critic gives to
    examples that were made, and to real ones, on average), ``critic_loss``, and ``samples``, what the generator made;
    and with ``debug_gradient``, ``gradients``: the norm for each weight of the critic.

    Args:
        network (nn.Module): with the attributes ``generator`` and ``discriminator``.
        latent_dimension (tuple[int, ...]): the shape of the noise that makes one example.
        n_critic_iterations (int): batches that the critic sees for each one of the generator.
        epochs (int): passes over all rows.
        batch_size (int): rows in a batch.
        preprocess_minibatch (Callable | None): takes the epoch and a batch, real or made, and changes it, or returns
            another one.
        kwargs_factory (Callable | None): takes the epoch and returns keywords for generator and discriminator.
        debug_gradient (bool): tell callbacks the gradients.
        checkpoint_epochs (int): epochs between checkpoints, and in a round of an endless pipeline.
        device, seed, checkpoint, progress: as for ``Trainer``.

    Raises:
        DeclarationError: an argument is out of range.

    Sources:
        Gulrajani et al., Improved Training of Wasserstein GANs, 2017, algorithm 1, https://arxiv.org/abs/1704.00028.

    Examples:
        >>> class Gan(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.generator, self.discriminator = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)
        >>> trainer = WassersteinGanTrainer(Gan(), (2,), 5, epochs=2, batch_size=4)
        >>> network = trainer.train(np.random.default_rng(0).normal(size=(20, 3)))
        >>> sorted(trainer.history[-1])
        ['critic_loss', 'epoch', 'generator_score', 'real_score']
    """

    def __init__(
        self,
        network: Any,
        latent_dimension: Sequence[int],
        n_critic_iterations: int,
        epochs: int,
        batch_size: int,
        preprocess_minibatch: Callable[[int, Any], Any] | None = None,
        kwargs_factory: Callable[[int], dict[str, Any]] | None = None,
        debug_gradient: bool = False,
        checkpoint_epochs: int = 1,
        *,
        device: str = "cpu",
        seed: int = 0,
        checkpoint: Any = None,
        progress: bool = True,
    ) -> None:
        super().__init__(
            epochs, batch_size, checkpoint_epochs, device=device, seed=seed, checkpoint=checkpoint, progress=progress
        )
        check_network("network", network)
        for part in ("generator", "discriminator"):
            if not hasattr(network, part):
                raise DeclarationError(
                    f"{type(network).__name__} has no {part}; a GAN has a generator and a discriminator"
                )
        check_size("n_critic_iterations", n_critic_iterations)
        self.network = network
        self.latent_dimension = tuple(int(size) for size in latent_dimension)
        self.n_critic_iterations = int(n_critic_iterations)
        self.preprocess_minibatch = preprocess_minibatch
        self.kwargs_factory = kwargs_factory
        self.debug_gradient = debug_gradient

    def _make_optimizers(self) -> dict[str, Any]:
        parts = {"generator": self.network.generator, "critic": self.network.discriminator}
        return {name: torch.optim.Adam(part.parameters(), lr=_RATE, betas=_BETAS) for name, part in parts.items()}

    def _setup(self) -> dict[str, Any]:
        return {"latent_dimension": list(self.latent_dimension), "n_critic_iterations": self.n_critic_iterations}

    def _seen(self, batch: Any) -> Any:
        seen = None if self.preprocess_minibatch is None else self.preprocess_minibatch(self.epoch, batch)
        return batch if seen is None else seen

    def _made(self, count: int, kwargs: dict[str, Any]) -> Any:
        network = self.network
        noise = torch.randn((count, *self.latent_dimension), dtype=dtype_of(network)).to(self._fit_device)
        return network.generator(noise, **kwargs)

    def _step(self, rows: Rows, picked: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
        kwargs = {} if self.kwargs_factory is None else self.kwargs_factory(self.epoch)
        real = self._seen(tensor_of(rows.take(picked), dtype_of(self.network), self._fit_device))
        with torch.no_grad():
            made = self._made(len(picked), kwargs)
            fake = self._seen(made)
        errors, gradients = self._train_critic(real, fake, kwargs)
        seen = self.epoch * self._batches + self._number + 1
        if seen % self.n_critic_iterations == 0 and np.isfinite(errors["critic_loss"]):
            self._train_generator(len(picked), kwargs)
        extra: dict[str, Any] = {"samples": plain(made)} if self._callbacks else {}
        return errors, {**extra, **gradients}

    def _train_critic(self, real: Any, fake: Any, kwargs: dict[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
        critic, optimizer = self.network.discriminator, self._optimizers["critic"]
        optimizer.zero_grad()
        real_score, fake_score = critic(real, **kwargs).mean(), critic(fake, **kwargs).mean()
        loss = fake_score - real_score + _PENALTY * gradient_penalty(critic, real, fake, **kwargs)
        scores = {"generator_score": fake_score, "real_score": real_score, "critic_loss": loss}
        errors = {name: float(score.detach()) for name, score in scores.items()}
        gradients: dict[str, Any] = {}
        if np.isfinite(errors["critic_loss"]):
            loss.backward()
            if self.debug_gradient and self._callbacks:
                weights = [(name, weight.grad) for name, weight in critic.named_parameters()]
                gradients["gradients"] = {name: float(grad.norm()) for name, grad in weights if grad is not None}
            optimizer.step()
        return errors, gradients

    def _train_generator(self, count: int, kwargs: dict[str, Any]) -> None:
        optimizer = self._optimizers["generator"]
        optimizer.zero_grad()
        loss = -self.network.discriminator(self._seen(self._made(count, kwargs)), **kwargs).mean()
        loss.backward()
        optimizer.step()
