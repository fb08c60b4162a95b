"""Stochastic gradient descent, and the optimizers that divide it by a running size of the gradients."""

from typing import Any

import torch

from polytask.exceptions import OptionError
from polytask.optim._optimizer import SimpleOptimizer

Groups = list[dict[str, Any]]


class SGD(SimpleOptimizer):
    """Stochastic gradient descent, with momentum (Polyak) or Nesterov's.

    Parameters
    ----------
    momentum : float in [0, 1), default=0.9
    nesterov : bool, default=False
    learning_rate : float, optional
        That of the network by default, or, if it has none, 0.01, the default of Keras. On a table of students 0.1, which suits
        networks with batch normalization, was much worse.
    weight_decay : float, optional
        Decoupled; that of the network by default.

    References
    ----------
    Sutskever, Martens, Dahl & Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> SGD(momentum=0.8, nesterov=True)
    SGD(momentum=0.8, nesterov=True)
    """

    usual_rate = 0.01

    def __init__(
        self,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()
        if nesterov and not momentum:
            raise OptionError("`nesterov` of SGD needs a `momentum` above 0; got 0.")

    def _of_torch(self, groups: Groups, *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.SGD(groups, lr=lr, foreach=True, **settings)


class Adagrad(SimpleOptimizer):
    """Adagrad: steps divided by the root of the sum of all squared gradients.

    Parameters
    ----------
    eps : float, default=1e-10
    learning_rate, weight_decay : float, optional
        As of :class:`SGD`: 0.01, the default of PyTorch too.

    References
    ----------
    Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12, 2011.
    """

    usual_rate = 0.01

    def __init__(self, *, eps: float = 1e-10, learning_rate: float | None = None, weight_decay: float | None = None) -> None:
        self.eps = eps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()

    def _of_torch(self, groups: Groups, *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.Adagrad(groups, lr=lr, foreach=True, **settings)


class Adadelta(SimpleOptimizer):
    """Adadelta: steps in units of the last steps.

    Parameters
    ----------
    rho : float in [0, 1), default=0.9
        Share of the past in the running means.
    eps : float, default=1e-6
    learning_rate, weight_decay : float, optional
        As of :class:`SGD`, but 1: the paper has none.

    References
    ----------
    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012. arXiv:1212.5701
    """

    usual_rate = 1.0

    def __init__(
        self, *, rho: float = 0.9, eps: float = 1e-6, learning_rate: float | None = None, weight_decay: float | None = None
    ) -> None:
        self.rho = rho
        self.eps = eps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()

    def _of_torch(self, groups: Groups, *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.Adadelta(groups, lr=lr, foreach=True, **settings)


class RMSprop(SimpleOptimizer):
    """RMSprop: steps divided by a running root mean square of the gradients.

    Parameters
    ----------
    alpha : float in [0, 1), default=0.99
        Share of the past in the running mean.
    momentum : float in [0, 1), default=0.0
    centered : bool, default=False
        Divide by the standard deviation instead.
    eps : float, default=1e-8
    learning_rate, weight_decay : float, optional
        As of :class:`SGD`.

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5: rmsprop", Coursera 2012; centered: Graves, 2013. arXiv:1308.0850
    """

    def __init__(
        self,
        *,
        alpha: float = 0.99,
        momentum: float = 0.0,
        centered: bool = False,
        eps: float = 1e-8,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        self.alpha = alpha
        self.momentum = momentum
        self.centered = centered
        self.eps = eps
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self._check()

    def _of_torch(self, groups: Groups, *, lr: float, settings: dict[str, Any]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(groups, lr=lr, foreach=True, **settings)
