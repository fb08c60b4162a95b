"""From what a user writes, or a model folder holds, to a loss."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from polytask._named import check_settings, settings_of_text
from polytask.exceptions import ModelFolderError, OptionError
from polytask.losses._asymmetric_focal import AsymmetricFocal
from polytask.losses._auc import AUCM, AUCSquaredHinge
from polytask.losses._average_precision import AveragePrecision
from polytask.losses._class_balanced_focal import ClassBalancedFocal
from polytask.losses._class_loss import ClassLoss
from polytask.losses._focal import Focal
from polytask.losses._gaussian import Gaussian
from polytask.losses._huber import Huber
from polytask.losses._label_smoothing import CrossEntropy
from polytask.losses._log_cosh import LogCosh
from polytask.losses._loss import Loss
from polytask.losses._mae import MAE
from polytask.losses._mse import MSE
from polytask.losses._number_loss import NumberLoss
from polytask.losses._own import OwnClassLoss, OwnNumberLoss, function_name
from polytask.losses._poisson import Poisson
from polytask.losses._quantile import Quantile
from polytask.losses._soft_f1 import SoftF1Macro, SoftF1Micro

number_losses: dict[str, type[NumberLoss]] = {loss.name: loss for loss in (MSE, MAE, Huber, Quantile, Poisson, LogCosh, Gaussian)}
"""The losses of numbers, by the name that a task or `--loss` may give."""
class_losses: dict[str, type[ClassLoss]] = {
    loss.name: loss
    for loss in (
        CrossEntropy,
        Focal,
        AsymmetricFocal,
        ClassBalancedFocal,
        AUCSquaredHinge,
        AUCM,
        AveragePrecision,
        SoftF1Macro,
        SoftF1Micro,
    )
}
"""The losses of classes and tags, by name."""


def loss_of(given: Any, *, of: type[Loss], task: str) -> Loss:
    """Read a loss as a user declares it.

    Parameters
    ----------
    given : str, Loss or callable
        A name, ``"huber"``; a name with its first setting, ``"quantile:0.9"``, or with settings by name,
        ``"asymmetric_focal:margin=0.1,gamma_negative=2"``; a loss, ``Huber(delta=2)``; or a function.
    of : {NumberLoss, ClassLoss}
        What the task can use.
    task : str
        For errors.

    Raises
    ------
    OptionError
        If there is no such loss, it is not for this task, or its setting is out of range.

    Examples
    --------
    >>> loss_of("quantile:0.9", of=NumberLoss, task="price")
    Quantile(level=0.9)
    >>> loss_of("focal", of=NumberLoss, task="price")
    Traceback (most recent call last):
    ...
    polytask.exceptions.OptionError: The loss of task 'price' must be one of mse, mae, huber, quantile, poisson, log_cosh,
    gaussian; got 'focal'. A function of your own is taken too.
    """
    named: Mapping[str, type[Loss]] = number_losses if issubclass(of, NumberLoss) else class_losses
    if isinstance(given, of):
        return given
    if isinstance(given, str):
        name, colon, value = given.partition(":")
        if name in named:
            own = named[name]
            if colon and "=" in value:
                return own(**_named_settings(value, of=own, task=task))
            return own(*_settings(value, of=own, given=given)) if colon else own()
    elif callable(given) and not isinstance(given, type | Loss):
        return OwnNumberLoss(given) if issubclass(of, NumberLoss) else OwnClassLoss(given)
    raise OptionError(
        f"The loss of task {task!r} must be one of {', '.join(named)}; got {given!r}. A function of your own is taken too."
    )


def loss_from_dict(content: Mapping[str, Any], *, own: Iterable[Any] = ()) -> Loss:
    """Make a loss again; a user's function must be among ``own``, by its name.

    >>> loss_from_dict({"loss": "quantile", "level": 0.9})
    Quantile(level=0.9)

    Raises
    ------
    ModelFolderError
        If the loss is not known to this version, or the function is not given.
    """
    if "function" in content:
        found = [function for function in own if callable(function) and function_name(function) == content["function"]]
        if not found:
            raise ModelFolderError(
                f"The model uses your own loss {content['function']!r}: pass the function to load, "
                f"`losses=[{content['function']}]`."
            )
        return OwnNumberLoss(found[0]) if content.get("of") == "number" else OwnClassLoss(found[0])
    known: dict[str, type[Loss]] = {**number_losses, **class_losses}
    try:
        return known[content["loss"]](**{key: value for key, value in content.items() if key != "loss"})
    except (KeyError, TypeError) as error:
        raise ModelFolderError(f"A loss of this model is not known to this version ({error}). Upgrade polytask.") from error


def _named_settings(value: str, *, of: type[Loss], task: str) -> dict[str, Any]:
    option = f"the loss of task {task!r}"
    found = settings_of_text(value, option=option, example="asymmetric_focal:margin=0.1")
    check_settings(of, [field.name for field in fields(of)], found, option=option)
    return found


def _settings(value: str, *, of: type[Loss], given: str) -> list[float]:
    name = of.name
    if not fields(of):
        raise OptionError(f"The loss {name!r} has no setting; got {given!r}. Write {name!r}.")
    try:
        return [float(value)]
    except ValueError as error:
        raise OptionError(f"The setting of the loss {name!r} must be a number; got {given!r}. Write '{name}:NUMBER'.") from error
