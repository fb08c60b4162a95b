"""Read learning curves into cards: per task a panel of validation skill and one of training loss."""

from collections.abc import Mapping, Sequence
from typing import Any

from polytask.reporting._curves import Curve, learning_curve
from polytask.reporting._numbers import finite, points
from polytask.reporting._readings import ARM_LABELS

CARDS_IN_SIGHT = 12  # more are folded away
Rows = Sequence[Sequence[Any]]  # [epoch, training loss, validation skill]


def curve_cards(curves: Mapping[str, Any], names: Sequence[str], *, kept: float | None = None) -> list[dict[str, Any]]:
    """Draw the curves of each task that has any.

    Parameters
    ----------
    curves : dict
        ``{arm: {task: [[epoch, training loss, validation skill], ...]}}`` with the arms "together" and "alone".
    names : sequence of str
        The tasks, in order.
    kept : float, optional
        The epoch whose weights were kept; it is marked. Without it each line is marked where it is best.
    """
    cards = []
    for name in names:
        rows = {arm: (curves.get(arm) or {}).get(name) or [] for arm in ("alone", "together")}
        if any(rows.values()):
            cards.append(_card(name, {arm: lines for arm, lines in rows.items() if lines}, kept))
    return cards


def _card(name: str, rows: Mapping[str, Rows], kept: float | None) -> dict[str, Any]:
    marked = {arm: (kept, _skill_at(lines, kept)) if kept is not None else _best(lines) for arm, lines in rows.items()}
    word = "best" if kept is None else "kept"
    told = [
        f"{_who(arm, rows)}{word} {points(skill)} at epoch {epoch:g}" for arm, (epoch, skill) in reversed(marked.items()) if epoch
    ]
    reading = "; ".join(told)
    return {
        "name": name,
        "skill": learning_curve(
            [_curve(arm, lines, 2, marked[arm][0]) for arm, lines in rows.items()],
            title=f"Validation skill of {name} per epoch",
            description=reading,
            factor=100,
        ),
        "loss": learning_curve(
            [_curve(arm, lines, 1) for arm, lines in rows.items()], title=f"Training loss of {name} per epoch"
        ),
        "reading": reading,
    }


def _who(arm: str, rows: Mapping[str, Rows]) -> str:
    return f"{ARM_LABELS[arm]}: " if len(rows) > 1 else ""


def _curve(arm: str, rows: Rows, column: int, marked: float | None = None) -> Curve:
    return Curve(label=ARM_LABELS[arm], style=arm, epochs=[r[0] for r in rows], values=[r[column] for r in rows], marked=marked)


def _best(rows: Rows) -> tuple[float | None, float | None]:
    known = [(skill, -float(row[0])) for row in rows if (skill := finite(row[2])) is not None]
    if not known:
        return None, None
    skill, epoch = max(known)
    return -epoch, skill


def _skill_at(rows: Rows, epoch: float) -> float | None:
    return next((finite(row[2]) for row in rows if row[0] == epoch), None)
