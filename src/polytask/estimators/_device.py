"""The device that networks are trained on."""

import torch

from polytask.exceptions import OptionError


def torch_device(name: str) -> torch.device:
    """The device of a name, after something was put there.

    Parameters
    ----------
    name : str
        As torch calls it, such as "cpu", "cuda:1" or "mps"; "auto" is a GPU where there is one.

    Raises
    ------
    OptionError
        If torch has no such device here.

    Examples
    --------
    >>> torch_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).tolist()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(f"`device` must be one that torch has here; got {name!r} ({reason}). Try 'cpu' or 'auto'.") from error
    return device
