"""Quantile (pinball) loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from polytask._quantiles import weighted_quantile
from polytask.exceptions import OptionError
from polytask.losses._number_loss import Array, NumberLoss
from polytask.losses._sums import check_width, masked_sums


def quantile(outputs: Tensor, target: Tensor, weight: Tensor, *, level: float = 0.5) -> tuple[Tensor, Tensor]:
    r"""Quantile or pinball loss, for regression. The best prediction is the quantile of the label given the inputs.

    .. math:: \max(\tau (y - f), (\tau - 1)(y - f))

    Parameters
    ----------
    outputs : Tensor of shape (..., n, n_targets)
        Predicted quantiles, in the unit of the target.
    target : Tensor of shape (..., n, n_targets)
        Numbers; NaN is allowed where the weight is 0.
    weight : Tensor of shape (..., n, n_targets)
        Label weights >= 0; 0 means missing.
    level : float in (0, 1), default=0.5
        Level tau of the quantile; 0.5 gives half the absolute error.

    Returns
    -------
    loss_sum, weight_sum : Tensor of shape (...)
        Weighted sum of losses and sum of weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    Koenker & Bassett, "Regression Quantiles", Econometrica, 1978.

    Examples
    --------
    >>> import torch
    >>> quantile(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [5.0]]), torch.ones(2, 1), level=0.9)  # 0.1 + 2.7
    (tensor(2.8000), tensor(2.))
    """
    return masked_sums(partial(quantile_per_label, level=level), outputs, target, weight, loss="quantile")


def quantile_per_label(outputs: Tensor, target: Tensor, *, level: float = 0.5) -> Tensor:
    """Losses of outputs and targets without NaN, all three [..., n, n_targets]; see :func:`quantile`."""
    check_width(outputs.shape[-1], target.shape[-1], what="outputs", loss="quantile")
    residual = target - outputs
    return torch.maximum(level * residual, (level - 1) * residual)


@dataclass(frozen=True)
class Quantile(NumberLoss):
    """Quantile loss; see :func:`quantile`. Predictions are quantiles.

    Parameters
    ----------
    level : float in (0, 1), default=0.5

    Examples
    --------
    >>> Quantile(0.9).statistic
    '0.9 quantile'
    >>> Quantile(level=90)
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: `level` of Quantile must be in (0, 1); got 90. Write 0.9 for the 90th percentile.
    """

    level: float = 0.5
    depends_on_scale: ClassVar[bool] = False
    name: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        if isinstance(self.level, bool) or not isinstance(self.level, int | float) or not 0 < self.level < 1:
            hint = f" Write {self.level / 100:g} for the {self.level:g}th percentile." if _is_percent(self.level) else ""
            raise OptionError(f"`level` of Quantile must be in (0, 1); got {self.level!r}.{hint}")

    @property
    def statistic(self) -> str:  # type: ignore[override]
        """What is predicted."""
        return f"{self.level:g} quantile"

    @property
    def metric_name(self) -> str:
        """Mean loss, as a metric."""
        return f"pinball_loss:{self.level:g}"

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The mean loss, and whether the share of labels below is right."""
        return (self.metric_name, f"coverage_error:{self.level:g}")

    def per_label(self, preds: Tensor, target: Tensor) -> Tensor:
        """See :func:`quantile_per_label`."""
        return quantile_per_label(preds, target, level=self.level)

    def best_shift(self, target: Array, outputs: Array, weight: Array) -> float:
        """Weighted quantile of the residuals."""
        return weighted_quantile(target - outputs, weight, self.level)

    @property
    def lightgbm(self) -> Mapping[str, Any]:
        """LightGBM's own quantile loss."""
        return {"objective": "quantile", "alpha": self.level}


def _is_percent(level: object) -> bool:
    return isinstance(level, int | float) and not isinstance(level, bool) and 1 <= level < 100
