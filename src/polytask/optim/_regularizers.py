"""Regularization by name: penalties of the shared part, of the heads, of all, or of input columns."""

import math
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from polytask._parts import PARTS, is_adapter, is_penalized, part_of, parts_on
from polytask._settings import NamedSettings
from polytask.exceptions import OptionError
from polytask.optim._proximal import group_factors, shrink_groups_, soft_threshold_

ON = ("shared", *PARTS, "all")
Rates = Callable[[str], Tensor | float]  # name of a parameter to its step size: of all its weights, of each, or of networks [R]


class Regularizer(NamedSettings, ABC):
    """A penalty on weights, added to the mean of the tasks' losses, or what else keeps a network from fitting noise.

    Not on biases, norms, embeddings, gates and what mixes tasks.

    Attributes
    ----------
    sparse : bool
        Whether it makes exact zeros.
    needs_columns : bool
        Whether it has to know which weights read which input column.
    of_modules : bool
        Whether it is of networks as they are built, and of no weights.
    """

    sparse: bool = False
    needs_columns: bool = False
    of_modules: bool = False
    strength: float
    on: str

    def shrink_(
        self,
        parameters: Mapping[str, Tensor],
        rates: Rates,
        *,
        columns: Mapping[str, Tensor],
        n_replicas: int | None = None,
        counted: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Make the proximal step after the optimizer's.

        Parameters [...] or [R, ...], ``columns`` as of :func:`column_norms`; ``counted`` are the parameters with zeros where they
        count for no group of a network, such as of tasks that it does not learn.
        """

    def decay_(self, parameters: Mapping[str, Tensor], rates: Rates) -> None:
        """Decay weights before the optimizer's step; parameters [...] or [R, ...], rates in shapes that are broadcast to them."""

    def check_rates(self, parameters: Mapping[str, Tensor], rates: Callable[[str], float]) -> None:
        """Raise an :class:`OptionError` if it cannot be with the highest learning rates of these parameters, by name."""

    def value(self, parameters: Mapping[str, Tensor], *, columns: Mapping[str, Tensor], n_replicas: int | None) -> Tensor | None:
        """What the proximal steps lower besides the loss, [] or [R]; None if there is none."""
        return None

    def penalty(self, parameters: Mapping[str, Tensor], *, n_replicas: int | None) -> Tensor | None:
        """A smooth penalty, a scalar summed over networks; None if there is none."""
        return None

    def reaches(self, parameters: Mapping[str, Tensor]) -> bool:
        """Whether it is of any of these parameters."""
        return bool(self._own(parameters))

    def _own(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: p for name, p in parameters.items() if is_penalized(name) and part_of(name) in parts_on(self.on)}

    def _check(self, *, on: tuple[str, ...] = ON) -> None:
        name = type(self).__name__
        if isinstance(self.strength, bool) or not isinstance(self.strength, int | float) or not 0 <= self.strength < math.inf:
            raise OptionError(f"`strength` of {name} must be >= 0; got {self.strength!r}.")
        if self.on not in on:
            raise OptionError(f"`on` of {name} must be one of {', '.join(map(repr, on))}; got {self.on!r}.")


class L1(Regularizer):
    """Lasso: the sum of absolute weights, by a proximal step, so that weights become exactly 0.

    Parameters
    ----------
    strength : float >= 0, default=3e-4
    on : {"shared", "encoder", "sharing", "heads", "all"}, default="shared"
        Shared is all but the heads.

    Notes
    -----
    The step is in the metric of the optimizer (:func:`step_sizes`): as long as that of a gradient of size ``strength`` would be.
    So SGD, AdamW and their like lower the same thing, the mean loss plus the penalty, and strengths mean the same to them.
    DIFFERS FROM PAPER: after Muon, whose steps have no size for a weight, the learning rate is taken.

    References
    ----------
    Tibshirani, "Regression Shrinkage and Selection via the Lasso", JRSS B 58, 1996; Beck & Teboulle, "A Fast Iterative
    Shrinkage-Thresholding Algorithm", SIAM J. Imaging Sciences 2, 2009; after AdamW: Yun, Lozano & Yang, "Adaptive Proximal
    Gradient Methods for Structured Neural Networks", NeurIPS 2021.

    Examples
    --------
    >>> L1(1e-2, on="heads")
    L1(strength=0.01, on='heads')
    """

    sparse = True

    def __init__(self, strength: float = 3e-4, *, on: str = "shared") -> None:
        self.strength = strength
        self.on = on
        self._check()

    def shrink_(
        self,
        parameters: Mapping[str, Tensor],
        rates: Rates,
        *,
        columns: Mapping[str, Tensor],
        n_replicas: int | None = None,
        counted: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Move weights towards 0 by the step size times ``strength``."""
        for name, p in self._own(parameters).items():
            soft_threshold_(p, self.strength * _like(rates(name), p))

    def value(self, parameters: Mapping[str, Tensor], *, columns: Mapping[str, Tensor], n_replicas: int | None) -> Tensor:
        """``strength`` times the sum of absolute weights."""
        return self.strength * _sum([p.detach().abs() for p in self._own(parameters).values()], n_replicas)


class ElasticNet(Regularizer):
    """Absolute weights and their squares: ``strength * (l1_ratio * |w| + (1 - l1_ratio) / 2 * w ** 2)``, by a proximal step.

    Parameters
    ----------
    strength : float >= 0, default=1e-3
    l1_ratio : float in [0, 1], default=0.5
    on : {"shared", "encoder", "sharing", "heads", "all"}, default="shared"

    Notes
    -----
    Steps as of :class:`L1`; the decay of the optimizer is another, besides.

    References
    ----------
    Zou & Hastie, "Regularization and Variable Selection via the Elastic Net", JRSS B 67, 2005.
    """

    sparse = True

    def __init__(self, strength: float = 1e-3, *, l1_ratio: float = 0.5, on: str = "shared") -> None:
        self.strength = strength
        self.l1_ratio = l1_ratio
        self.on = on
        self._check()
        if isinstance(l1_ratio, bool) or not isinstance(l1_ratio, int | float) or not 0 <= l1_ratio <= 1:
            raise OptionError(f"`l1_ratio` of ElasticNet must be in [0, 1]; got {l1_ratio!r}.")

    def shrink_(
        self,
        parameters: Mapping[str, Tensor],
        rates: Rates,
        *,
        columns: Mapping[str, Tensor],
        n_replicas: int | None = None,
        counted: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Move weights towards 0, then divide them."""
        for name, p in self._own(parameters).items():
            amount = self.strength * _like(rates(name), p)
            soft_threshold_(p, amount * self.l1_ratio)
            with torch.no_grad():
                p.div_(1 + amount * (1 - self.l1_ratio))

    def value(self, parameters: Mapping[str, Tensor], *, columns: Mapping[str, Tensor], n_replicas: int | None) -> Tensor:
        """Both penalties."""
        own = [p.detach() for p in self._own(parameters).values()]
        squares = (1 - self.l1_ratio) / 2
        return self.strength * _sum([self.l1_ratio * p.abs() + squares * p.square() for p in own], n_replicas)


class GroupLasso(Regularizer):
    r"""Group lasso over input columns: all weights that read a column, of all tasks, are one group, and become 0 together.

    .. math:: \lambda \sum_c \sqrt{d_c} \, \|W_{:, c}\|

    with the number :math:`d_c` of features that a column becomes (1 of a number, one for each category). The columns that
    survive are ``network_.kept_columns``.

    Parameters
    ----------
    strength : float >= 0, default=3e-2
    on : {"inputs"}

    Notes
    -----
    Steps as of :class:`L1`, by :func:`~polytask.optim.group_factors` where they differ within a column.

    References
    ----------
    Yuan & Lin, "Model selection and estimation in regression with grouped variables", JRSS B 68, 2006; across tasks: Obozinski,
    Taskar & Jordan, "Joint covariate selection and joint subspace selection", Statistics and Computing 20, 2010.
    """

    sparse = True
    needs_columns = True

    def __init__(self, strength: float = 3e-2, *, on: str = "inputs") -> None:
        self.strength = strength
        self.on = on
        self._check(on=("inputs",))

    def shrink_(
        self,
        parameters: Mapping[str, Tensor],
        rates: Rates,
        *,
        columns: Mapping[str, Tensor],
        n_replicas: int | None = None,
        counted: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Shorten the weights of each column, in the metric of the steps of its weights."""
        names, counted = list(columns), parameters if counted is None else counted
        sizes = self.strength * _column_sizes(columns).sqrt()  # [C]
        given = [rates(name) for name in names]
        if all(isinstance(rate, float) and rate == given[0] for rate in given):
            norms = column_norms(counted, columns, n_replicas=n_replicas)  # [C] or [R, C]
            for name in names:
                p = parameters[name]
                own, amount = (_beside(each, columns[name], p, n_replicas) for each in (norms, given[0] * sizes.to(norms)))
                shrink_groups_(p, own, amount)
            return
        weights = [counted[name].detach() for name in names]
        amounts = []
        for name, p, rate in zip(names, weights, given, strict=True):
            amounts.append((_beside(sizes.to(p), columns[name], p, None) * _like(rate, p)).expand_as(p))

        def sums(of: Sequence[Tensor]) -> Tensor:
            return column_sums(dict(zip(names, of, strict=True)), columns, n_replicas=n_replicas)

        def spread(k: int, values: Tensor) -> Tensor:
            return _beside(values, columns[names[k]], weights[k], n_replicas)

        with torch.no_grad():
            for name, factor in zip(names, group_factors(weights, amounts, sums=sums, spread=spread), strict=True):
                parameters[name].mul_(factor)

    def value(self, parameters: Mapping[str, Tensor], *, columns: Mapping[str, Tensor], n_replicas: int | None) -> Tensor:
        """Norms of columns, each times the root of how many features it has."""
        norms = column_norms(parameters, columns, n_replicas=n_replicas)
        return self.strength * (norms * _column_sizes(columns).to(norms).sqrt()).sum(-1)


class SoftOrthogonality(Regularizer):
    r"""A penalty on matrices whose shorter side is not orthonormal: :math:`\lambda \|W W^\top - I\|_F^2`, added to the loss.

    Adapters of tasks are left out: what a task adds to shared weights is to be small, not of length 1.

    Parameters
    ----------
    strength : float >= 0, default=1e-3
    on : {"shared", "encoder", "sharing", "heads", "all"}, default="shared"

    References
    ----------
    Bansal, Chen & Wang, "Can We Gain More from Orthogonality Regularizations in Training Deep CNNs?", NeurIPS 2018.
    """

    def __init__(self, strength: float = 1e-3, *, on: str = "shared") -> None:
        self.strength = strength
        self.on = on
        self._check()

    def penalty(self, parameters: Mapping[str, Tensor], *, n_replicas: int | None) -> Tensor | None:
        """Squared distance of Gram matrices from the identity."""
        found = []
        for name, p in self._own(parameters).items():
            if is_adapter(name) or p.dim() < (2 if n_replicas is None else 3):
                continue
            gram = p @ p.mT if p.shape[-2] <= p.shape[-1] else p.mT @ p
            found.append((gram - torch.eye(gram.shape[-1], dtype=p.dtype, device=p.device)).square().sum())
        return self.strength * torch.stack(found).sum() if found else None


def column_norms(parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], *, n_replicas: int | None = None) -> Tensor:
    """Norm of all weights that read each input column, [n_columns] or [R, n_columns].

    Parameters
    ----------
    parameters : mapping of name to Tensor of shape (..., out, in) or (R, ..., out, in)
    columns : mapping of name to integer Tensor of shape (in,)
        Of parameters that read inputs, the column that each feature comes from.
    n_replicas : int, optional

    Examples
    --------
    >>> column_norms({"weight": torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, 0.0]])}, {"weight": torch.tensor([0, 1, 1])})
    tensor([5., 1.])
    """
    squares = {name: parameters[name].detach().square() for name in columns}
    return column_sums(squares, columns, n_replicas=n_replicas).sqrt()


def column_sums(values: Mapping[str, Tensor], columns: Mapping[str, Tensor], *, n_replicas: int | None = None) -> Tensor:
    """Sums of values in the shapes of weights over all that read a column, [n_columns] or [R, n_columns]."""
    lead, n_columns = 0 if n_replicas is None else 1, len(_column_sizes(columns))
    total: Any = 0
    for name, column_of in columns.items():
        own = values[name].flatten(lead, -2).sum(lead)
        total = total + own.new_zeros(*own.shape[:-1], n_columns).index_add(-1, column_of, own)
    found: Tensor = total
    return found


def _sum(of: Sequence[Tensor], n_replicas: int | None) -> Tensor:
    """Sum over all weights, [] or [R]."""
    return torch.stack([own.sum() if n_replicas is None else own.flatten(1).sum(1) for own in of]).sum(0)


def _column_sizes(columns: Mapping[str, Tensor]) -> Tensor:
    """How many features each column has, [n_columns]."""
    n_columns = 1 + max(int(own.max()) for own in columns.values())
    return torch.stack([torch.bincount(own, minlength=n_columns) for own in columns.values()]).amax(0).float()


def _beside(values: Tensor, column_of: Tensor, p: Tensor, n_replicas: int | None) -> Tensor:
    """Values of columns [C] or [R, C] in a shape that is broadcast to the weights [..., out, in] or [R, ..., out, in]."""
    own = values[..., column_of]
    return own if n_replicas is None or own.dim() == 1 else own.reshape(len(own), *[1] * (p.dim() - 2), -1)


def _like(rate: Tensor | float, p: Tensor) -> Tensor | float:
    """Rates [R] in a shape that is broadcast to parameters [R, ...]; rates of each weight as they are."""
    return rate.reshape(-1, *[1] * (p.dim() - 1)).to(p) if isinstance(rate, Tensor) and rate.dim() == 1 else rate
