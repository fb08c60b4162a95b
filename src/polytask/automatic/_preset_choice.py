"""Whether one network is trained or a portfolio, where the preset is not named: what is named besides says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polytask.automatic._presets import PRESETS
from polytask.automatic._study import Study, network_fields
from polytask.estimators import torch_device
from polytask.exceptions import OptionError
from polytask.losses import ClassLoss, Gaussian, Loss, NumberLoss, OwnNumberLoss, class_losses, number_losses

if TYPE_CHECKING:
    from polytask.automatic._predictor import MultiTaskPredictor

DEFAULT_PRESET = "balanced"


@dataclass(frozen=True)
class PresetChoice:
    """The preset of a fit.

    Attributes
    ----------
    preset : {"network", "fast", "balanced", "best"}
    named : tuple of str
        What was named that only networks have, as the user wrote it.
    is_named : bool
        Whether the preset was named itself.
    """

    preset: str
    named: tuple[str, ...]
    is_named: bool

    @property
    def sentence(self) -> str:
        """Why one network is trained though nobody asked for the preset; "" where there is nothing to tell.

        >>> PresetChoice("network", ("--sharing",), False).sentence
        'Trains one network, because --sharing was named; with --preset balanced it sets the networks of a portfolio of models.'
        """
        if self.is_named or not self.named:
            return ""
        plural = len(self.named) > 1
        names = f"{', '.join(self.named[:-1])} and {self.named[-1]}" if plural else self.named[0]
        preset = f"--preset {DEFAULT_PRESET}" if self.named[0].startswith("--") else f"preset='{DEFAULT_PRESET}'"
        return (
            f"Trains one network, because {names} {'were' if plural else 'was'} named; with {preset} "
            f"{'they set' if plural else 'it sets'} the networks of a portfolio of models."
        )


def preset_of(predictor: MultiTaskPredictor) -> PresetChoice:
    """The preset of a predictor: the one that is named; or one network, if something is named that only networks have."""
    study = predictor._given_study
    named = tuple(_named_in_python(predictor) if study is None else _named_in_study(study))
    if predictor.preset is not None:
        return PresetChoice(predictor.preset, named, is_named=True)
    return PresetChoice("network" if named else DEFAULT_PRESET, named, is_named=False)


def check_preset(predictor: MultiTaskPredictor) -> None:
    """Refuse what would be without effect: settings of networks where none is trained, of a portfolio where there is none.

    Raises
    ------
    OptionError
    """
    choice, deploy = preset_of(predictor), predictor.deploy
    in_python = predictor._given_study is None
    if choice.preset not in PRESETS:
        raise OptionError(f"`preset` must be one of {', '.join(PRESETS)}; got {choice.preset!r}.")
    torch_device(predictor.device)  # though no network may get a turn
    if deploy is not None and choice.preset == "network":
        if choice.sentence:
            asked = f"{choice.named[0]} asks for one network and {_option('deploy', in_python)} for a portfolio"
            raise OptionError(f"{asked}. Leave one out, or name {_option('preset', in_python)} too.")
        raise OptionError("`deploy` is of a portfolio; preset 'network' is one model already. Use another preset.")
    if choice.preset != "fast" or deploy == "distill":
        return
    if predictor.device not in ("cpu", "auto"):
        raise OptionError(f"`device` {predictor.device!r} is of networks, and preset 'fast' has none. Leave it out.")
    honoured = {"--loss", "`losses`"} if all(map(_others_shift, _losses(predictor))) else set()
    for name in choice.named:
        if name not in honoured:
            shown = "preset 'fast'" if in_python else "--preset fast"
            value = getattr(predictor._given_study, name.strip("-").replace("-", "_"), "")
            given = f"{name} {value}" if isinstance(value, str | int | float) and value != "" else name
            raise OptionError(f"{given} is of networks, and {shown} has none. Leave it out, or take another preset.")


def _option(name: str, in_python: bool) -> str:
    return f"`{name}`" if in_python else f"--{name}"


def _named_in_study(study: Study) -> Iterator[str]:
    """Options of networks that a study names, even if it names what is so by default."""
    given = study.model_fields_set
    for name in network_fields():
        if name in given and getattr(study, name) is not None:
            yield f"--{name.replace('_', '-')}"
    if any(map(needs_network, study.loss.values())):
        yield "--loss"


def _named_in_python(predictor: MultiTaskPredictor) -> Iterator[str]:
    if predictor.network is not None:
        yield "`network`"
    if predictor.max_steps is not None:
        yield "`max_steps`"
    if any(map(needs_network, _losses(predictor))):
        yield "`losses`"


def _losses(predictor: MultiTaskPredictor) -> list[Any]:
    """The losses that are declared, for names or in tasks."""
    return [*predictor.losses.values(), *(loss for task in predictor.targets if (loss := getattr(task, "loss", None)))]


def needs_network(loss: Any) -> bool:
    """Whether networks alone minimise a loss: others have losses of their own, or an objective of LightGBM.

    >>> needs_network("quantile:0.9"), needs_network("cross_entropy"), needs_network("focal"), needs_network(lambda a, b: a - b)
    (False, False, True, True)
    """
    found = _loss(loss)
    if isinstance(found, ClassLoss):
        return not found.is_log_loss
    if isinstance(found, NumberLoss):
        return isinstance(found, Gaussian | OwnNumberLoss) or found.lightgbm is None
    return callable(loss)  # anything else is refused when the table is read


def _others_shift(loss: Any) -> bool:
    """Whether models other than networks follow a loss, by their objective or by a shift of what they predict."""
    found = _loss(loss)
    return not needs_network(loss) or (isinstance(found, NumberLoss) and not isinstance(found, Gaussian))


def _loss(given: Any) -> Loss | None:
    """The loss of a name without its setting, or the loss itself; None where the kind of the target has to be known."""
    if isinstance(given, str):
        name, _, setting = given.partition(":")
        known: dict[str, type[Loss]] = {**number_losses, **class_losses}
        if name not in known:
            return None
        try:
            return known[name](float(setting)) if setting and "=" not in setting else known[name]()  # type: ignore[call-arg]
        except (TypeError, ValueError, OptionError):  # told when the table is read
            return None
    return given if isinstance(given, Loss) else None
