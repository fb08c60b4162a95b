"""Dropout of a part of the network."""

from polytask.exceptions import OptionError
from polytask.optim._regularizers import ON, Regularizer


class Dropout(Regularizer):
    """Dropout of a part: units are set to 0 at random in training, and the others divided by the share that is left.

    - ``"heads"``: units of the representation that a head reads; each task has a mask of its own, also where all read the same.
    - ``"sharing"``: units of experts and towers, after each of their layers; refused where the sharing has neither.
    - ``"encoder"``: what ``dropout`` of the encoder drops, hidden units; refused where it has none. Attention and residual
      dropout of encoders stay.
    - ``"shared"`` (encoder and sharing) and ``"all"``: of these what the network has.

    It takes the place of the ``dropout`` that recipes of encoder and sharing have there: ``MLP(dropout=0.1)``, the default, with
    ``Dropout(0.3)`` drops 0.3. The narrower of two goes before: ``[Dropout(0.3, on="all"), Dropout(0, on="heads")]``. Units of a
    tower that a head reads are dropped by both.

    Parameters
    ----------
    rate : float in [0, 1), default=0.3
    on : {"shared", "encoder", "sharing", "heads", "all"}, default="shared"

    Notes
    -----
    Networks are built with it: see ``dropout`` of :func:`polytask.networks.build_module`. Predictions drop nothing.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> Dropout(0.5, on="heads")
    Dropout(rate=0.5, on='heads')
    """

    of_modules = True

    def __init__(self, rate: float = 0.3, *, on: str = "shared") -> None:
        self.rate = rate
        self.on = on
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise OptionError(f"`rate` of Dropout must be in [0, 1); got {rate!r}.")
        if on not in ON:
            raise OptionError(f"`on` of Dropout must be one of {', '.join(map(repr, ON))}; got {on!r}.")
