"""How large the part of a network is that one task uses."""

from polytask.balancing import parameters_below
from polytask.data import TableArrays
from polytask.estimators._fit_networks import FittedNetwork, table_tensors


def n_used_parameters(network: FittedNetwork, task: int, arrays: TableArrays) -> int:
    """How many parameters the outputs of one task are computed from and learn; without heads, towers and gates of other tasks.

    Parameters
    ----------
    network : FittedNetwork
    task : int
        Its number.
    arrays : TableArrays
        At least one row of the table.
    """
    module = network.module
    device = next(module.parameters()).device
    outputs = module.outputs_of(module.features(*module.prepare(*table_tensors(arrays, slice(1), device))))
    used = {id(p) for p in parameters_below([outputs[task]])}
    return sum(p.numel() for p in module.parameters() if id(p) in used)
