"""Which laws each balancing method obeys: one row per method; test_laws_table.py asserts every cell, and that the docs show it.

A new method adds one row to TABLE, then `python tests/balancing/_law_table.py` writes the table into docs/balancing.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from polytask import balancing
from polytask.balancing import BalancingMethod, Observed

PAGE = Path(__file__).parents[2] / "docs" / "balancing.md"
START, END = "<!-- laws: start -->\n", "<!-- laws: end -->"


@dataclass(frozen=True)
class Laws:
    """What holds of a method, and what does not.

    Attributes
    ----------
    harms_none : {"always", "independent gradients", "two tasks", "no"}
        Where a small step along the direction makes no task worse.
    order : {"exact", "in distribution"}
        How the direction follows a permutation of the tasks.
    unit_free : {"yes", "independent gradients", "up to sign", "at rest", "no"}
        Whether multiplying one task's loss leaves the direction as it was; up to sign: or turns it round; at rest: once learned
        weights have settled.
    degree : float or None
        Multiplying all losses by c multiplies the direction by c ** degree, at rest; None where it turns.
    rests : {"every", "one kind", "elsewhere too"}
        Where the direction is zero: at every point where a mixture of the gradients with positive weights is zero (Pareto
        stationary), at one kind of these only, or at points that are not Pareto stationary besides.
    make : callable, optional
        The method to be tested, where its defaults will not do (arguments that must be given, learning rates for a short run).
    """

    harms_none: str
    order: str
    unit_free: str
    degree: float | None
    rests: str
    make: Callable[[], BalancingMethod] | None = None

    def cells(self) -> list[str]:
        """As the docs show them."""
        degree = "turns" if self.degree is None else f"{self.degree:.2g}"
        return [self.harms_none, self.order, self.unit_free, degree, self.rests]


def _fast(name: str) -> Callable[[], BalancingMethod]:
    return lambda: getattr(balancing, name)(learning_rate=0.05)


def _after_conflict(method: BalancingMethod) -> BalancingMethod:
    """With a memory of six tasks that pulled equally far apart, ten times."""
    rows = torch.eye(6, dtype=torch.float64) - 1 / 6
    for _ in range(10):
        method(Observed(torch.ones(6, dtype=torch.float64), torch.ones(6), tuple(range(6)), rows @ rows.T, rows))
    return method


TABLE: dict[str, Laws] = {
    "AlignedMTL": Laws("no", "exact", "no", 1, "one kind"),
    "CAGrad": Laws("no", "exact", "no", 1, "one kind"),
    "AutoLambda": Laws("no", "exact", "no", 1, "one kind"),
    "COSMOS": Laws("no", "in distribution", "no", None, "elsewhere too"),
    "CRMOGM": Laws("no", "exact", "no", 1, "one kind", lambda: _after_conflict(balancing.CRMOGM())),
    "ConFIG": Laws("independent gradients", "exact", "independent gradients", 1, "elsewhere too"),
    "DBMTL": Laws("two tasks", "exact", "yes", 0, "one kind"),
    "DWA": Laws("no", "exact", "no", 1, "one kind"),
    "DualProj": Laws("always", "exact", "no", 1, "every"),
    "Equal": Laws("no", "exact", "no", 1, "one kind"),
    "ExcessMTL": Laws("no", "exact", "no", 1, "one kind"),
    "Every": Laws("always", "exact", "no", 1, "every", lambda: balancing.Every(balancing.MGDA())),
    "FAMO": Laws("no", "exact", "yes", 1, "one kind"),
    "FORUM": Laws("no", "exact", "no", None, "one kind"),
    "FairGrad": Laws("always", "exact", "no", -1 / 3, "every"),
    "FixedWeights": Laws("no", "exact", "no", 1, "one kind", lambda: balancing.FixedWeights(dict.fromkeys(range(9), 0.5))),
    "GO4Align": Laws("no", "exact", "no", None, "one kind"),
    "GeometricMean": Laws("no", "exact", "yes", 1, "one kind"),
    "GradDrop": Laws("no", "exact", "no", 1, "one kind"),
    "GradNorm": Laws("no", "exact", "at rest", 1, "one kind", _fast("GradNorm")),
    "GradVac": Laws("no", "in distribution", "no", 1, "one kind", lambda: _after_conflict(balancing.GradVac(beta=0.5))),
    "IMTLG": Laws("two tasks", "exact", "up to sign", 1, "one kind"),
    "IMTLL": Laws("no", "exact", "at rest", 0, "one kind", _fast("IMTLL")),
    "MGDA": Laws("always", "exact", "no", 1, "every"),
    "MOML": Laws("no", "exact", "no", 1, "one kind"),
    "MoCo": Laws("no", "exact", "no", None, "one kind"),
    "MoDo": Laws("no", "exact", "no", None, "one kind"),
    "NashMTL": Laws("always", "exact", "yes", 0, "every"),
    "PBI": Laws("no", "exact", "no", 1, "elsewhere too"),
    "PCD": Laws("independent gradients", "exact", "yes", 1, "one kind", lambda: balancing.PCD(primary=1)),
    "PCGrad": Laws("two tasks", "in distribution", "no", 1, "one kind"),
    "RGW": Laws("no", "in distribution", "no", 1, "one kind"),
    "RLW": Laws("no", "in distribution", "no", 1, "one kind"),
    "SAMO": Laws("no", "in distribution", "no", 1, "one kind", lambda: balancing.SAMO(rho=0.05)),
    "SDMGrad": Laws("no", "exact", "no", 1, "one kind"),
    "STCH": Laws("no", "exact", "no", None, "one kind"),
    "ScaleInvariant": Laws("no", "exact", "yes", 0, "one kind"),
    "TrimmedMean": Laws("no", "exact", "no", 1, "elsewhere too"),
    "UPGrad": Laws("always", "exact", "no", 1, "every"),
    "Uncertainty": Laws("no", "exact", "at rest", 0, "one kind", _fast("Uncertainty")),
}

NOT_IN_IT = {"BalancingMethod", "PerReplica"}  # the base class, and copies of another method, one for each network


def markdown() -> str:
    """The table as the docs show it."""
    rows = [f"| `{name}` | {' | '.join(laws.cells())} |" for name, laws in sorted(TABLE.items(), key=lambda row: row[0].lower())]
    head = "| method | harms none | order of tasks | unit free | degree | rests where Pareto stationary |"
    return "\n".join([head, "|---|---|---|---|--:|---|", *rows, ""])


def main() -> None:
    """Write the table between its marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(before + START + markdown() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
