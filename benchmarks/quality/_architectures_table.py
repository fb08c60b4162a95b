"""From the results of the benchmark of architectures to the tables of docs/sharing.md."""

from collections import Counter

import numpy as np
from _architectures_arms import ARCHITECTURES, TWINS
from _search import (
    MOST_ROWS,
    Lines,
    Scores,
    chosen_scores,
    complete,
    counts,
    difference,
    difference_cells,
    markdown,
    relative_cost,
)
from scipy.stats import rankdata

REFERENCE = "hard"


def tables(results: Lines) -> str:
    """Two tables: against hard sharing, and against the same network for each task alone."""
    lines = complete(results)
    found = chosen_scores(lines)
    if not found:
        return "No results yet."
    return "\n".join([_told(lines), *_against_hard(found, lines), "", *_against_twins(found, lines)])


def _told(lines: Lines) -> str:
    seeds = Counter(name for name, _ in {(line["set"], line["seed"]) for line in lines})
    uneven = f" (seeds: {', '.join(f'{name} {n}' for name, n in seeds.items())})" if len({*seeds.values()}) > 1 else ""
    return (
        f"{counts(lines)}{uneven} of learning rate, weight decay and dropout for each, chosen by validation rows; at most "
        f"{MOST_ROWS:,} rows to train and validate on, drawn at random where a set has more; scores of test rows, mean over "
        "tasks. Points are hundredths of score, with 95 % intervals by Student's t over seeds: of these tables and settings, not "
        "of other data; better and worse count sets told from 0, and with so many comparisons some are by chance.\n"
    )


def _against_hard(found: Scores, lines: Lines) -> list[str]:
    """Rows per architecture, and for separate networks."""
    names, rows = list(found), []
    for arm in (*ARCHITECTURES, TWINS[REFERENCE]):
        own, reference = ([found[name].get(which, {}) for name in names] for which in (arm, REFERENCE))
        if not any(own):
            continue
        if arm == REFERENCE:
            cells = [f"{np.mean(list(scores.values())):.3f}" if scores else "" for scores in own]
            size, seconds = (
                np.mean([line[key] for line in lines if line["arm"] == arm]) for key in ("parameters", "cpu_seconds")
            )
            overall = np.mean([score for scores in own for score in scores.values()])
            rows.append([arm, *cells, f"{overall:.3f}", "", "", f"{size / 1000:.0f} thousand", f"{seconds:.1f} s"])
        else:
            rows.append([arm, *_compared(own, reference), *_costs(lines, arm, REFERENCE)])
    choice = _best_on_others(found)
    if choice:
        own, reference = [found[name][choice[name]] for name in names], [found[name][REFERENCE] for name in names]
        rows.append(["best on the other sets", *_compared(own, reference), "", ""])
    head = ["sharing", *names, "mean", "better", "worse", "parameters", "processor time"]
    told = (
        "Against hard sharing. `hard`: score, mean parameters and seconds of a fit; others: points more or less, mean over the "
        "sets that an architecture is for, and cost as a multiple for the same settings. Last, of each set, the architecture "
        f"that ranks best on the mean over the other sets{_names_of(choice)}."
    )
    return [told, "", *markdown(head, rows)]


def _best_on_others(found: Scores) -> dict[str, str]:
    """Set -> architecture of the best mean rank on all sets but this one, among those that every set has, hard among them."""
    names = list(found)
    arms = [arm for arm in ARCHITECTURES if all(found[name].get(arm) for name in names)]
    if len(names) < 2 or REFERENCE not in arms:
        return {}
    scores = np.array([[np.mean(list(found[name][arm].values())) for arm in arms] for name in names])
    ranks = rankdata(-scores, axis=1)
    return {name: arms[int(np.argmin(np.delete(ranks, k, axis=0).mean(axis=0)))] for k, name in enumerate(names)}


def _names_of(choice: dict[str, str]) -> str:
    """Which architectures are chosen, and how often."""
    counted = Counter(choice.values()).most_common()
    return f" ({', '.join(f'`{arm}` for {n}' for arm, n in counted)})" if counted else ""


def _against_twins(found: Scores, lines: Lines) -> list[str]:
    """Rows per architecture: together less alone."""
    names, rows = list(found), []
    for arm, twin in TWINS.items():
        own, reference = ([found[name].get(which, {}) for name in names] for which in (arm, twin))
        compared = _compared(own, reference)
        if any(compared[: len(names)]):
            rows.append([arm, *compared, *_costs(lines, arm, twin)])
    head = ["sharing", *names, "mean", "better", "worse", "parameters", "processor time"]
    told = (
        "Against its single-task twin, the same architecture trained for each task alone, with a trial and a stop of its own: "
        "points that learning together brings, and cost as a multiple of the twins'."
    )
    return [told, "", *markdown(head, rows)] if rows else []


def _compared(own: list[dict[int, float]], reference: list[dict[int, float]]) -> list[str]:
    cells, better, worse = difference_cells(own, reference)
    known = [middle for middle, _, n in map(difference, own, reference) if n]
    return [*cells, f"{100 * np.mean(known):+.1f}" if known else "", str(better), str(worse)]


def _costs(lines: Lines, arm: str, reference: str) -> list[str]:
    return [f"{relative_cost(lines, arm, reference, key=key):.1f}" for key in ("parameters", "cpu_seconds")]
