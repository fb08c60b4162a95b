"""One way through the command line for all hard cases: fit, predict, evaluate."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from tests.cli.conftest import Shown, polytask  # noqa: F401 - the fixture


class Run(NamedTuple):
    """What fit, predict and evaluate of one table said, and the predictions."""

    fit: Shown
    predict: Shown
    predictions: pd.DataFrame
    scores: dict[str, Any]


@pytest.fixture
def end_to_end(polytask: Callable[..., Shown], tmp_path: Path) -> Callable[..., Run]:  # noqa: F811
    """Learn a table, predict it or new rows, and score that; every step must succeed."""

    def call(
        table: pd.DataFrame | str | bytes,
        targets: Sequence[str],
        *,
        new: pd.DataFrame | None = None,
        read: Sequence[str] = (),
        options: Sequence[str] = (),
        steps: int = 10,
    ) -> Run:
        path, model, predicted = write(table, tmp_path / "train.csv"), tmp_path / "model", tmp_path / "predicted.csv"
        words = [word for target in targets for word in ("--target", target)]
        fit = polytask("fit", path, *words, "--out", model, "--max-steps", steps, "--quiet", *options, *read)
        assert fit.code == 0, fit.err
        rows = path if new is None else write(new, tmp_path / "new.csv")
        predict = polytask("predict", model, rows, "--out", predicted, *read)
        assert predict.code == 0, predict.err
        scored = polytask("evaluate", model, path, "--json", tmp_path / "scores.json", "--quiet", *read)
        assert scored.code == 0, scored.err
        return Run(fit, predict, pd.read_csv(predicted), json.loads((tmp_path / "scores.json").read_text())["tasks"])

    return call


@pytest.fixture
def refused(polytask: Callable[..., Shown], tmp_path: Path) -> Callable[..., str]:  # noqa: F811
    """What fit says of a table that it cannot learn: one sentence, code 2, nothing left behind."""

    def call(table: pd.DataFrame | str | bytes, targets: Sequence[str], *options: str) -> str:
        path = write(table, tmp_path / "train.csv")
        words = [word for target in targets for word in ("--target", target)]
        shown = polytask("fit", path, *words, "--out", tmp_path / "model", "--max-steps", 5, "--quiet", *options)
        assert shown.code == 2
        assert shown.out == ""
        assert [found.name for found in tmp_path.iterdir()] == ["train.csv"]
        return shown.err.splitlines()[-1]

    return call


def write(table: pd.DataFrame | str | bytes, path: Path) -> Path:
    """Write a table as it is; a frame as CSV."""
    if isinstance(table, bytes):
        path.write_bytes(table)
    elif isinstance(table, str):
        path.write_text(table, encoding="utf-8", newline="")
    else:
        table.to_csv(path, index=False)
    return path
