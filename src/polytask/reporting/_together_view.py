"""What a portfolio says of learning together: with and without the models that learned all tasks at once."""

from collections.abc import Mapping
from typing import Any

from polytask.reporting._numbers import finite, points

_MEAN = "(mean)"
_FEW_ROWS = 200  # below, such differences are mostly chance
_LEAST = 0.0005  # of skill: what would be shown as 0.1 points


def together_words(result: Mapping[str, Any]) -> str:
    """Answer "did learning together help?" as far as a portfolio can; "" for one task or one network.

    Parameters
    ----------
    result : dict
        A fit of a portfolio (format ``polytask.fit``, version 1, with ``leaderboard``).

    Examples
    --------
    >>> rows = [{"task": t, "model": "ensemble", "skill": s} for t, s in (("price", 0.5), ("sold", 0.3))]
    >>> rows += [{"task": t, "model": "network", "skill": 0.2, "together": True} for t in ("price", "sold")]
    >>> result = {"leaderboard": rows, "joint_weight": {"price": 0.4, "sold": 0.0}, "apart": {"price": 0.47, "sold": 0.3}}
    >>> print(together_words(result).replace(". ", ".\\n"))
    Models that learned all tasks at once have 20 % of the weight.
    With them the mixture has 40.0 points of skill, without them 38.5: +1.5 (price +3.0, sold 0.0).
    That is one split without intervals; polytask compare gives these.
    """
    rows = [row for row in result.get("leaderboard") or [] if row["task"] != _MEAN]
    names = list(dict.fromkeys(str(row["task"]) for row in rows))
    if len(names) < 2:
        return ""
    if not any(row.get("together") for row in rows):
        return "No model here learned the tasks together, so this fit does not tell whether that helps; polytask compare does."
    shares = [finite(share) or 0.0 for share in (result.get("joint_weight") or {}).values()]
    told = f"Models that learned all tasks at once have {100 * sum(shares) / max(len(shares), 1):.0f} % of the weight."
    skills = {str(row["task"]): finite(row.get("skill")) for row in rows if row["model"] == "ensemble"}
    apart = {name: finite(skill) for name, skill in (result.get("apart") or {}).items()}
    pairs = {
        name: (own, other) for name in names if (own := skills.get(name)) is not None and (other := apart.get(name)) is not None
    }
    if not pairs:
        return f"{told} What they add was not measured; polytask compare tells it."
    with_them, without = (sum(pair[k] for pair in pairs.values()) / len(pairs) for k in (0, 1))
    gains = sorted(((name, own - other) for name, (own, other) in pairs.items()), key=lambda gain: -gain[1])
    n_rows = finite(result.get("n_train"))
    few = f"and few rows ({int(n_rows)})" if n_rows is not None and n_rows < _FEW_ROWS else ""
    return (
        f"{told} With them the mixture has {points(with_them)} points of skill, without them {points(without)}: "
        f"{points(with_them - without, sign=True)} ({', '.join(_extremes(gains))}). "
        f"That is one split without intervals{few and ' ' + few}; polytask compare gives these."
    )


def mixture_words(result: Mapping[str, Any]) -> dict[str, str]:
    """Per task of what models its mixture is made, by weight.

    >>> rows = [{"task": "price", "model": name, "weight": w} for name, w in (("ensemble", 1), ("linear", 0.3), ("network", 0.7))]
    >>> mixture_words({"leaderboard": rows})
    {'price': 'network 70 %, linear 30 %'}
    """
    found: dict[str, list[tuple[float, str]]] = {}
    for row in result.get("leaderboard") or []:
        weight = finite(row.get("weight")) or 0.0
        if row["task"] != _MEAN and row["model"] != "ensemble" and weight > 0:
            found.setdefault(str(row["task"]), []).append((-weight, str(row["model"])))
    return {task: ", ".join(f"{name} {-100 * share:.0f} %" for share, name in sorted(own)) for task, own in found.items()}


def _extremes(gains: list[tuple[str, float]]) -> list[str]:
    """Gains of all tasks; of many those at both ends."""
    shown = gains if len(gains) <= 6 else [*gains[:3], *gains[-3:]]
    told = [f"{name} {points(gain if abs(gain) >= _LEAST else 0.0, sign=True)}" for name, gain in shown]
    return told if shown is gains else [*told[:3], "...", *told[3:]]
