"""SDMGrad: stochastic direction-oriented multi-objective gradient descent."""

import torch
from torch import Tensor

from polytask.balancing._method import Observed
from polytask.balancing._mo_do import DoubleSampling
from polytask.balancing._simplex import project_to_simplex


def sdm_grad_weights(
    weights: Tensor,
    products: Tensor,
    *,
    pull: float = 0.3,
    learning_rate: float = 10.0,
    momentum: float = 0.5,
    max_iter: int = 20,
) -> Tensor:
    r"""Steps of the weights towards the mixture that, with the mean gradient added, is shortest.

    .. math:: w \leftarrow \Pi_\Delta\big(w - \eta\, J_1 J_2^\top (w + \lambda \tilde w)\big), \qquad
        \tilde w = \tfrac1T \mathbf 1

    with momentum, of products in units of the square of the mean norm.

    Parameters
    ----------
    weights : Tensor of shape (n_tasks,)
        In the simplex; where to start.
    products : Tensor of shape (n_tasks, n_tasks)
        Inner products of the gradients of one batch with those of another.
    pull : float >= 0, default=0.3
        The factor :math:`\lambda` of the mean gradient.
    learning_rate, momentum, max_iter
        Of the steps.

    Returns
    -------
    weights : Tensor of shape (n_tasks,)
        In the simplex.

    References
    ----------
    Xiao, Ban & Ji, "Direction-oriented Multi-objective Learning: Simple and Provable Stochastic Algorithms", NeurIPS 2023.
    arXiv:2305.18409

    Examples
    --------
    >>> sdm_grad_weights(torch.tensor([0.5, 0.5]), torch.tensor([[1.0, 0.0], [0.0, 4.0]]), learning_rate=0.1)
    tensor([0.8906, 0.1094])
    """
    unit = products.diagonal().clamp(min=0).sqrt().mean() ** 2
    scaled = products / unit if bool(unit > 0) else products
    velocity = torch.zeros_like(weights)
    for _ in range(max_iter):
        velocity = momentum * velocity + scaled @ (weights + pull / len(weights))
        weights = project_to_simplex(weights - learning_rate * velocity)
    return weights


class SDMGrad(DoubleSampling):
    r"""Direction-oriented gradient descent: through :func:`~polytask.balancing.step`, with three batches.

    The direction is :math:`(J^\top w + \lambda \bar g) / (1 + \lambda)`, between that of the shortest mixture and the mean; for
    the weights see :func:`sdm_grad_weights`.
    DIFFERS FROM PAPER: one pair of batches serves all steps of the weights, as in the authors' code; each head learns from its
    own loss as it is.

    Parameters
    ----------
    pull : float >= 0, default=0.3
        Towards the mean gradient: 0 is the shortest mixture, as of MGDA; large is the mean.
    learning_rate : float > 0, default=10.0
    momentum : float in [0, 1), default=0.5
    max_iter : int >= 1, default=20
    """

    def __init__(self, *, pull: float = 0.3, learning_rate: float = 10.0, momentum: float = 0.5, max_iter: int = 20) -> None:
        super().__init__()
        if not pull >= 0 or not 0 < learning_rate < float("inf") or not 0 <= momentum < 1 or not max_iter >= 1:
            raise ValueError(
                "`pull` of SDMGrad must be >= 0, `learning_rate` > 0, `momentum` in [0, 1) and `max_iter` >= 1; got "
                f"{pull}, {learning_rate}, {momentum} and {max_iter}."
            )
        self.pull = pull
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.max_iter = max_iter

    def moved(self, weights: Tensor, products: Tensor) -> Tensor:
        """Weights after this step."""
        return sdm_grad_weights(
            weights,
            products,
            pull=self.pull,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            max_iter=self.max_iter,
        )

    def forward(self, seen: Observed) -> Tensor:
        """Weights [n_tasks]."""
        return (self.present(seen) + self.pull / len(seen.tasks)) / (1 + self.pull)
