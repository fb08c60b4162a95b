"""Learning-rate schedules as functions of the step."""

import math


def warmup_cosine(step: int, *, total_steps: int, warmup: float = 0.05) -> float:
    """Factor in [0, 1] on the learning rate: linear warm-up, then half a cosine down to 0.

    Parameters
    ----------
    step : int
        Steps done before this one.
    total_steps : int
        Steps of the whole plan; the schedule follows the plan also when a run is cut short.
    warmup : float in [0, 1)
        Share of the steps for warming up.

    References
    ----------
    Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Examples
    --------
    >>> [round(warmup_cosine(s, total_steps=100, warmup=0.1), 2) for s in (0, 9, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    n_warm = int(warmup * total_steps)
    if step < n_warm:
        return (step + 1) / n_warm
    progress = (step - n_warm) / max(1, total_steps - n_warm)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
