"""Adam and its relatives: running means of gradients and of their squares."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from polytask._parts import is_matrix
from polytask.optim._adamw import adamw
from polytask.optim._optimizer import Optimizer, SimpleOptimizer, _groups


class _Moments(SimpleOptimizer):
    """Two running means, with shares of the past ``beta1`` and ``beta2``."""

    _class: ClassVar[Any]

    def __init__(
        self,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()

    def _of_torch(self, groups: list[dict[str, Any]], *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = self._class(groups, lr=lr, betas=(self.beta1, self.beta2), eps=self.eps, foreach=True)
        return made


class AdamW(_Moments):
    """Adam with decoupled weight decay; what networks are trained by if nothing else is said.

    Parameters
    ----------
    beta1, beta2 : float in [0, 1), default=0.9 and 0.999
        Share of the past in the running means of the gradients and of their squares.
    eps : float, default=1e-8
    learning_rate, weight_decay : float, optional
        Those of the network by default.

    References
    ----------
    Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019. arXiv:1711.05101

    Examples
    --------
    >>> AdamW(learning_rate=0.01)
    AdamW(learning_rate=0.01)
    """

    def build(
        self, parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float, part: str
    ) -> list[torch.optim.Optimizer]:
        """Make the optimizer: that of :func:`adamw`, whose decay is its own."""
        rate = learning_rate if self.learning_rate is None else self.learning_rate
        decay = weight_decay if self.weight_decay is None else self.weight_decay
        made = adamw(parameters, learning_rate=rate, weight_decay=decay)
        for group in made.param_groups:
            group["betas"], group["eps"] = (self.beta1, self.beta2), self.eps
        return [made]


class Adam(_Moments):
    """Adam with the decay of its paper: the decayed weights are part of the gradient, and so divided by its size.

    Parameters are those of :class:`AdamW`.

    References
    ----------
    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. arXiv:1412.6980
    """

    def build(
        self, parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float, part: str
    ) -> list[torch.optim.Optimizer]:
        """Make the optimizer; see :class:`Optimizer`."""
        rate = learning_rate if self.learning_rate is None else self.learning_rate
        decay = weight_decay if self.weight_decay is None else self.weight_decay
        groups = _groups(parameters, weight_decay=decay)
        return [torch.optim.Adam(groups, lr=rate, betas=(self.beta1, self.beta2), eps=self.eps, foreach=True)]


class NAdam(_Moments):
    """Adam with Nesterov's momentum; parameters are those of :class:`AdamW`, the decay is decoupled.

    References
    ----------
    Dozat, "Incorporating Nesterov Momentum into Adam", ICLR Workshop 2016.
    """

    _class = torch.optim.NAdam


class RAdam(_Moments):
    """Adam whose first steps are rectified, so that it needs no warm-up; parameters are those of :class:`AdamW`.

    References
    ----------
    Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020. arXiv:1908.03265
    """

    _class = torch.optim.RAdam


class Adamax(_Moments):
    """Adam with a running maximum instead of the mean of squares; parameters are those of :class:`AdamW`.

    References
    ----------
    Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, section 7.1. arXiv:1412.6980
    """

    _class = torch.optim.Adamax


class Muon(Optimizer):
    """Momentum made orthogonal (all its singular values about 1) for the matrices of hidden layers; AdamW for all else.

    All else is biases, norms, embeddings, the heads, and tensors of more than two axes, such as the experts of a mixture. A step
    needs whole matrices, so many networks are trained one after another, not as a stack.

    Parameters
    ----------
    momentum : float in [0, 1), default=0.95
        With Nesterov's correction.
    ns_steps : int, default=5
        Iterations of Newton and Schulz.
    learning_rate, weight_decay : float, optional
        Those of the network by default: steps are scaled to the size of those of AdamW.

    References
    ----------
    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; scaling: Liu et al., "Muon is Scalable for LLM
    Training", 2025. arXiv:2502.16982
    """

    elementwise = False

    def __init__(
        self,
        *,
        momentum: float = 0.95,
        ns_steps: int = 5,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()

    def build(
        self, parameters: Mapping[str, Tensor], *, learning_rate: float, weight_decay: float, part: str
    ) -> list[torch.optim.Optimizer]:
        """Make Muon for the matrices, and AdamW for the rest."""
        rate = learning_rate if self.learning_rate is None else self.learning_rate
        decay = weight_decay if self.weight_decay is None else self.weight_decay
        hidden = _hidden(parameters, part)
        others = {name: p for name, p in parameters.items() if name not in hidden}
        made: list[torch.optim.Optimizer] = []
        if hidden:
            settings: dict[str, Any] = {"momentum": self.momentum, "ns_steps": self.ns_steps, "weight_decay": decay}
            made.append(torch.optim.Muon(list(hidden.values()), lr=rate, adjust_lr_fn="match_rms_adamw", **settings))
        if others:
            made.append(adamw(others, learning_rate=rate, weight_decay=decay))
        return made

    def moves(self, parameters: Mapping[str, Tensor], *, part: str) -> bool:
        """Whether there is a matrix of a hidden layer."""
        return bool(_hidden(parameters, part))


def _hidden(parameters: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name: p for name, p in parameters.items() if part != "heads" and p.dim() == 2 and is_matrix(name)}
