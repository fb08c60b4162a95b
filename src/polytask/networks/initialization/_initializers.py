"""Initializations by name: small objects of settings that fill the weights of a layer."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from polytask._by_name import ByName
from polytask._settings import NamedSettings
from polytask.exceptions import OptionError
from polytask.networks.initialization._fill import fill_orthogonal_, fill_scaled_, fill_sparse_, fill_truncated_


class Initializer(NamedSettings, ABC):
    """How the weights of layers start; hidden biases start at 0."""

    @abstractmethod
    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""


class Zeros(Initializer):
    """All 0: for heads, which then start at the constant prediction exactly, and for no hidden layer.

    >>> Zeros().fill_(torch.ones(1, 2))
    tensor([[0., 0.]])
    """

    @torch.no_grad()
    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        return weight.zero_()


class _Scaled(Initializer):
    _scale: ClassVar[float]
    _uniform: ClassVar[bool]

    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        return fill_scaled_(weight, fan=weight.shape[-1], scale=self._scale, uniform=self._uniform)


class HeUniform(_Scaled):
    """Uniform of variance 2 / inputs, for ReLU (He, Zhang, Ren & Sun, ICCV 2015)."""

    _scale, _uniform = 2.0, True


class HeNormal(_Scaled):
    """Normal of variance 2 / inputs, for ReLU (He, Zhang, Ren & Sun, ICCV 2015)."""

    _scale, _uniform = 2.0, False


class LeCunUniform(_Scaled):
    """Uniform of variance 1 / inputs (LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998)."""

    _scale, _uniform = 1.0, True


class LeCunNormal(_Scaled):
    """Normal of variance 1 / inputs (LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998)."""

    _scale, _uniform = 1.0, False


class _Glorot(_Scaled):
    _scale = 1.0

    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        return fill_scaled_(weight, fan=sum(weight.shape[-2:]) / 2, scale=1.0, uniform=self._uniform)


class GlorotUniform(_Glorot):
    """Uniform of variance 2 / (inputs + outputs) (Glorot & Bengio, AISTATS 2010)."""

    _uniform = True


class GlorotNormal(_Glorot):
    """Normal of variance 2 / (inputs + outputs) (Glorot & Bengio, AISTATS 2010)."""

    _uniform = False


class Orthogonal(Initializer):
    """Random matrices whose shorter side is orthonormal (Saxe, McClelland & Ganguli, ICLR 2014).

    Parameters
    ----------
    gain : float > 0, default=1.0
        What they are multiplied by.
    """

    def __init__(self, *, gain: float = 1.0) -> None:
        self.gain = gain
        _check_positive(self, gain=gain)

    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        return fill_orthogonal_(weight, gain=self.gain)


class TruncatedNormal(Initializer):
    """Normal, with values drawn again that are beyond twice the scale.

    Parameters
    ----------
    std : float > 0, optional
        Standard deviation of what is left; 1 / sqrt(inputs) by default.
    """

    def __init__(self, *, std: float | None = None) -> None:
        self.std = std
        if std is not None:
            _check_positive(self, std=std)

    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        return fill_truncated_(weight, std=weight.shape[-1] ** -0.5 if self.std is None else self.std)


class Sparse(Initializer):
    """Units that read a few inputs each, drawn at random, by normal weights; the others are 0.

    Parameters
    ----------
    sparsity : float in (0, 1), default=0.8
        Share of the inputs of each unit that start at 0; at least one does not.
    std : float > 0, optional
        Standard deviation of the others; by default such that the mean square is 2 / inputs, as by :class:`HeNormal`.

    References
    ----------
    Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5.
    """

    def __init__(self, *, sparsity: float = 0.8, std: float | None = None) -> None:
        self.sparsity = sparsity
        self.std = std
        if isinstance(sparsity, bool) or not isinstance(sparsity, int | float) or not 0 < sparsity < 1:
            raise OptionError(f"`sparsity` of Sparse must be in (0, 1); got {sparsity!r}.")
        if std is not None:
            _check_positive(self, std=std)

    def fill_(self, weight: Tensor) -> Tensor:
        """Fill weights [..., out, in] in place."""
        n_left = max(1, weight.shape[-1] - round(self.sparsity * weight.shape[-1]))
        return fill_sparse_(weight, sparsity=self.sparsity, std=math.sqrt(2 / n_left) if self.std is None else self.std)


INITIALIZERS: ByName[Initializer] = ByName(
    Initializer,  # type: ignore[type-abstract]
    {
        "zeros": Zeros,
        "glorot_uniform": GlorotUniform,
        "glorot_normal": GlorotNormal,
        "he_uniform": HeUniform,
        "he_normal": HeNormal,
        "lecun_uniform": LeCunUniform,
        "lecun_normal": LeCunNormal,
        "orthogonal": Orthogonal,
        "truncated_normal": TruncatedNormal,
        "sparse": Sparse,
    },
    what="an initialization",
    example="orthogonal:gain=1.4",
)


def _check_positive(own: Initializer, **values: float) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise OptionError(f"`{name}` of {type(own).__name__} must be positive; got {value!r}.")
